package rules

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// The series that alerts compare with their own past. They are recorded because a week-old rate of
// raw series is expensive.
var (
	callsHourly    = byFeed.name(calls, "rate1h")
	trunkConnected = byTrunk.name(connected, "rate1h")
	trunkACD       = byTrunk.name("cdr_acd_seconds", "mean_rate1h")
	chargesHourly  = byCurrency.name("cdr_charges", "rate1h")
	trunkCalls     = byTrunk.name(calls, "rate1h")
	chargesDaily   = byCurrency.name("cdr_charges", "rate1d")
	countryCalls   = byCountry.name("cdr_outbound_calls", "rate1h")
	sessions1h     = byFeed.name("cdr_sessions", "rate1h")
	failedSessions = byResult.name("cdr_failed_sessions", "ratio_rate1h")
	minutesHourly  = byCountry.name("cdr_outbound_seconds", "rate1h")
	lateShare1h    = byFeed.name("cdr_late", "ratio_rate1h")
	classified1h   = byMedia.name("cdr_classified_streams", "rate1h")
	poor1h         = byMedia.name("cdr_poor_streams", "ratio_rate1h")
)

func baselines() Group {
	outside := isNot("direction", "internal")
	return Group{Name: "cdr-baselines", Doc: "What alerts compare with the same hour a week ago, or with the day " +
		"before.", Rules: []Rule{
		{Record: callsHourly, Doc: "All calls of a feed. Per second.", Expr: sumRate(byFeed, w1h, sel(metrics.Calls))},
		{Record: lateShare1h, Doc: "Share of late records.", Expr: among(sumRate(byFeed, w1h, sel(metrics.Calls,
			is("late", "true"))), callsHourly)},
		{
			Record: trunkConnected, Doc: "Connected calls of a trunk, without internal ones. Per second.",
			Expr: sumRate(byTrunk, w1h, sel(metrics.Calls, outcomes(acdConnected), outside)),
		},
		{Record: trunkCalls, Doc: "All calls of a trunk. Per second.", Expr: sumRate(byTrunk, w1h,
			sel(metrics.Calls, isNot("trunk", "")))},
		{Record: trunkACD, Doc: "ACD of a trunk (ITU-T E.437): connected seconds ÷ answered, voicemail; without " +
			"internal calls.", Expr: lines(
			sumRate(byTrunk, w1h, sel(metrics.ConnectedSeconds, outside)), "/ ("+trunkConnected+" > 0)")},
		{
			Record: chargesHourly, Doc: "Charges by currency, with the debits of corrections. Units per second.",
			Expr: rateOfCharges(w1h),
		},
		{Record: chargesDaily, Doc: "The same over a day.", Expr: rateOfCharges(w1d)},
		{Record: countryCalls, Doc: "Connected outbound calls by country. Per second.", Expr: sumRate(byCountry, w1h,
			sel(metrics.CallsByCountry, outboundConnected, isNot("country", "")))},
		{Record: sessions1h, Doc: "Sessions of call records. Per second.", Expr: sumRate(byFeed, w1h,
			sel(metrics.Sessions))},
		{Record: failedSessions, Doc: "Share of sessions that failed at set-up, or dropped in mid-call.", Expr: lines(
			sumRate(byResult, w1h, sel(metrics.Sessions, isNot("result", "ok"))), "/ on ("+byFeed.labels()+") "+
				"group_left () ("+sessions1h+" > 0)")},
		{Record: minutesHourly, Doc: "Connected time of outbound calls by country. Seconds per second: calls at " +
			"once.", Expr: sumRate(byCountry, w1h,
			sel(metrics.ConnectedSeconds, is("direction", "outbound"), isNot("country", "")))},
		{Record: classified1h, Doc: "Media streams that could be classified. Per second.", Expr: sumRate(byMedia, w1h,
			sel(metrics.MediaStreams, matches("verdict", "good|poor")))},
		{Record: poor1h, Doc: "Share of poor streams among those that could be classified.", Expr: among(
			sumRate(byMedia, w1h, sel(metrics.MediaStreams, is("verdict", "poor"))), classified1h)},
	}}
}

// rateOfCharges is what calls cost more. Debits belong to it: some providers list a call with 0 until it is rated.
func rateOfCharges(w window) string {
	return byCurrency.combine("sum", fmt.Sprintf("rate(%s[%s]) or rate(%s[%s])", sel(metrics.CallCharges), w,
		sel(metrics.ChargeCorrections, is("sign", "debit")), w))
}
