package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// What fraud rules compare. They know accounts and numbers no more than the metrics do: cdr-exporter incident
// --callers names who called.
var (
	byClass         = level{"source", "feed", "country", "number_class"}
	bySourceCountry = level{"source", "country"}

	premiumCalls    = byClass.name("cdr_dear_calls", "rate1h")
	unansweredCalls = byCountry.name("cdr_unanswered_calls", "rate1h")
	// outboundEver is a counter that resets with its ledger alone, so what it was 90 days ago says whether a
	// country was called since.
	outboundEver = byCountry.name("cdr_outbound_calls_ever", "sum")
)

func fraudBaselines() Group {
	known := isNot("country", "")
	return Group{Name: "cdr-fraud-baselines", Doc: "Calls by country that fraud shows in.", Rules: []Rule{
		{
			Record: premiumCalls, Doc: "Connected outbound calls to premium and satellite numbers, while the feed is " +
				"live. Per second.",
			Expr: lines(sumRate(byClass, w1h,
				sel(metrics.CallsByCountry, outboundConnected, matches("number_class",
					cdr.ClassPremium+"|"+cdr.ClassSatellite))), isLive(live65m)),
		},
		{
			// Their rule looks back 12 hours, which may have an outage of ours.
			Record: unansweredCalls, Doc: "Inbound calls by country that nobody answered, while the feed is live. " +
				"Per second.",
			Expr: lines(sumRate(byCountry, w1h,
				sel(metrics.CallsByCountry, is("direction", "inbound"), is("connected", "false"), known)),
				isLive(live65m)),
		},
		{
			Record: outboundEver, Doc: "Connected outbound calls by country since the feed began.",
			Expr: byCountry.combine("sum", byClass.combine("max",
				"last_over_time("+sel(metrics.CallsByCountry, outboundConnected, known)+"[5m])")),
		},
	}}
}

// sameHours are the hours around the same time of one of the weeks before.
func sameHours(record string, week int) string {
	return fmt.Sprintf("max_over_time(%s[2h] offset %dh)", record, week*7*24-1)
}

// unlessUsual leaves out a rate that was as high in the same hours of a week before, from the given one on: up to a
// factor, and more.
func unlessUsual(record string, factor int, more string, first int) (conditions []string) {
	for week := first; week <= weeksCompared; week++ {
		conditions = append(conditions, fmt.Sprintf("unless %s <= %d * %s%s", record, factor, sameHours(record,
			week), more))
	}
	return conditions
}

// weeksCompared is how many weeks before this one are compared with.
const weeksCompared = 4

// notAbroad leaves out countries that are home: those of home_countries, else the one that a feed calls most. With
// the level bySourceCountry what is home to one feed of a source is home to all: a feed may have inbound calls alone.
func (p *Parameters) notAbroad(by level) string {
	if len(p.HomeCountries) > 0 {
		return by.unless("%s{%s}", outboundEver, matches("country", strings.Join(p.HomeCountries, "|")))
	}
	return by.unless("topk by (%s) (1, %s)", byFeed.labels(), outboundEver)
}

// The signs of fraud, values of the label sign of CDRTollFraud.
const (
	riskyCountry  = "risky_country"
	newCountry    = "new_country"
	premiumNumber = "premium"
	unusualHour   = "unusual_hour"
	wangiri       = "wangiri"
)

const (
	// What is usual is multiplied by these before calls exceed it.
	riskyFactor, premiumFactor, unusualFactor, wangiriFactor = 5, 3, 5, 5
	// afterHoursCalls is how many calls abroad outside of office_hours are too many.
	afterHoursCalls = 5
	// wangiriCallbacks is how many calls back make missed calls a bait that was taken.
	wangiriCallbacks = 3
)

// fraudAlerts are about calls that somebody makes at the operator's expense.
func (p *Parameters) fraudAlerts() Group {
	signs := []string{p.newCountry(), p.premium(), p.unusualHour(), p.wangiri()}
	if len(p.RiskyCountries) > 0 {
		signs = append(signs, p.risky())
	}
	// daysBack says how far back the feed is known: a range with a sample.
	daysBack := p.ask("max(max_over_time("+outboundEver+"{FROM=\"\"}[6h] offset 90d))", byFeed...) + "90" +
		"{{ end }}{{ else }}" +
		p.ask("max(max_over_time("+outboundEver+"{FROM=\"\"}[6h] offset 4w))", byFeed...) + "28" +
		"{{ end }}{{ else }}14{{ end }}{{ end }}"
	return Group{Name: "cdr-fraud", Doc: "Calls that look like fraud.", Dashboard: "cost", Rules: []Rule{{
		Alert: "CDRTollFraud", Severity: critical, Signal: Calls, Keep: keep,
		Milder: warning, MilderIf: fmt.Sprintf("or (eq $labels.sign %q) (eq $labels.sign %q)", newCountry, wangiri),
		Doc:  "Calls that somebody makes at your expense. The label sign says what gave them away.",
		Expr: anyOf(signs...),
		Summary: "Calls between {{ $labels.source }} and {{ $labels.country }} look like fraud: {{ reReplaceAll " +
			"\"_\" \" \" $labels.sign }}.",
		Description: fmt.Sprintf("{{ $value }} calls {{ if eq $labels.sign %q }}from {{ $labels.country }} weren't "+
			"answered within an hour, and somebody calls back. "+
			"Tell everybody not to.", wangiri) +
			"{{ else }}to {{ with $labels.number_class }}{{ . }} numbers of {{ end }}{{ $labels.country }} were " +
			"read within " +
			fmt.Sprintf("{{ if eq $labels.sign %q }}half an hour{{ else }}an hour{{ end }}, ", riskyCountry) +
			fmt.Sprintf("{{ if eq $labels.sign %q }}and none in the ", newCountry) + daysBack +
			" days before{{ else }}many times the usual{{ end }}. " +
			"Block them at the provider and on the SBC if nobody knows of them.{{ end }} " +
			"cdr-exporter incident --callers says which accounts or extensions are behind it.",
		When: fmt.Sprintf("an hour's connected calls to a country are %d or more and the first in 90 days; %d or "+
			"more to its premium or satellite numbers; "+
			"%d or more abroad at an hour that has hardly any; %d or more in half an hour to a risky country; or %d "+
			"or more calls of a country are missed and called back; "+
			"each many times the usual", p.NewCountryCalls, p.PremiumCalls, p.UnusualCalls, p.FraudCalls,
			p.WangiriCalls),
		Change: "`fraud_calls`, `risky_countries`, `new_country_calls`, `premium_calls`, `unusual_calls`, " +
			"`office_hours`, `wangiri_calls`, `home_countries`",
	}}}
}

// risky sees many calls to a country whose premium ranges fraud likes, however short they are.
func (p *Parameters) risky() string {
	risky := sel(metrics.CallsByCountry, outboundConnected, matches("country", strings.Join(p.RiskyCountries, "|")))
	calls30m := "round(" + byCountry.combine("sum", "increase("+risky+"[30m])") + ")"
	return labelledWith("sign", riskyCountry, lines(
		fmt.Sprintf("%s >= %d", calls30m, p.FraudCalls),
		fmt.Sprintf("unless %s <= %d * 3600 * %s offset 1w", calls30m, riskyFactor, countryCalls),
		isLive(live35m)))
}

// newCountry compares a counter with its value 90 days ago, or with 0 if that isn't known. It looks two hours back,
// before the calls in question. A counter that has calls and is lower started over with a new ledger, so its calls
// are from these 90 days.
func (p *Parameters) newCountry() string {
	return labelledWith("sign", newCountry, lines(
		atLeast(p.NewCountryCalls, countryCalls, w1h),
		fmt.Sprintf("unless (max_over_time(%[1]s[6h] offset 2h) != "+
			"(max_over_time(%[1]s[6h] offset 90d) or 0 * %[1]s)) > 0", outboundEver),
		// Without a value from before these calls, as after a night without the exporter, each country is new.
		byFeed.and("max_over_time(%s[6h] offset 2h) >= 0", outboundEver),
		byFeed.and("max_over_time(%s[6h] offset 2w) >= 0", outboundEver),
		isLive(live65m)))
}

// premium sees calls to premium or satellite numbers of a country, many more than in the busiest hour of the last week.
func (p *Parameters) premium() string {
	return labelledWith("sign", premiumNumber, lines(
		atLeast(p.PremiumCalls, premiumCalls, w1h),
		fmt.Sprintf("unless %[1]s <= %[2]d * max_over_time(%[1]s[1w] offset 2h)", premiumCalls, premiumFactor),
		knownBefore("1d"), isLive(live65m)))
}

// unusualHour sees calls abroad at an hour that has hardly any, or outside of the hours that are configured: toll
// fraud comes at night.
func (p *Parameters) unusualHour() string {
	unusual := lines(atLeast(p.UnusualCalls, countryCalls, w1h),
		append(unlessUsual(countryCalls, unusualFactor, "", 1), knownBefore("1w"))...)
	if outside := p.outsideOfHours(); outside != "" {
		unusual = anyOf(unusual, fmt.Sprintf("round(%s * 3600)%s >= %d", countryCalls, outside, afterHoursCalls))
	}
	return labelledWith("sign", unusualHour, lines("("+unusual+")", p.notAbroad(byCountry), isLive(live65m)))
}

// wangiri sees many unanswered calls from a country abroad, and calls back to it: the missed calls are bait for a
// premium number.
func (p *Parameters) wangiri() string {
	return labelledWith("sign", wangiri, lines(
		atLeast(p.WangiriCalls, "max_over_time("+unansweredCalls+"[12h])", w1h),
		fmt.Sprintf("unless max_over_time(%[1]s[12h]) <= %[2]d * max_over_time(%[1]s[12h] offset 1w)",
			unansweredCalls, wangiriFactor),
		bySourceCountry.and("%s", atLeast(wangiriCallbacks, countryCalls, w1h)),
		p.notAbroad(bySourceCountry), knownBefore("1w"),
		// Without a live hour then, as after an outage of half a day, what is usual isn't known.
		byFeed.and("max_over_time(%s[12h] offset 1w) == 1", liveName(live65m)),
		// Calls of several hours that are caught up on at once would look like an hour with many calls back.
		isLive(live65m)))
}

// knownBefore requires that the feed existed that long ago, with calls or without: fraud comes in hours that usually
// have no calls, and the usual number isn't known for a feed's first hours.
func knownBefore(ago string) string { return byFeed.and("%s offset %s >= 0", callsHourly, ago) }

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"} // as day_of_week numbers them

var officeHours = regexp.MustCompile(`^(` + strings.Join(weekdays, "|") + `)-(` + strings.Join(weekdays, "|") +
	`) ([01]\d|2[0-4])-([01]\d|2[0-4])$`)

// outsideOfHours are factors that are 1 outside of office_hours, now and two hours ago, and 0 else: what is read
// now was called up to an hour before, and records lag. It is empty without office_hours.
func (p *Parameters) outsideOfHours() string {
	found := officeHours.FindStringSubmatch(p.OfficeHours)
	if found == nil {
		return ""
	}
	var factors strings.Builder
	for _, at := range []string{"time()", "time() - 7200"} {
		hour := fmt.Sprintf("hour(vector(%s))", at)
		terms := []string{
			fmt.Sprintf("(%s < bool %s)", hour, strings.TrimPrefix(found[3], "0")),
			fmt.Sprintf("(%s >= bool %s)", hour, strings.TrimPrefix(found[4], "0")),
		}
		last := slices.Index(weekdays, found[2])
		for day := (last + 1) % 7; day != slices.Index(weekdays, found[1]); day = (day + 1) % 7 {
			terms = append(terms, fmt.Sprintf("(day_of_week(vector(%s)) == bool %d)", at, day))
		}
		fmt.Fprintf(&factors, " * scalar(clamp_max(%s, 1))", strings.Join(terms, " + "))
	}
	return factors.String()
}

// validateFraud reports hours and countries that no rule can be made from.
func (p *Parameters) validateFraud(r *config.Report) {
	if found := officeHours.FindStringSubmatch(p.OfficeHours); p.OfficeHours != "" &&
		(found == nil || found[3] >= found[4]) {
		r.Problemf("office_hours", "must be days and hours of UTC, such as Mon-Fri 06-19, is %s", p.OfficeHours)
	}
	for key, countries := range map[string][]string{
		"risky_countries": p.RiskyCountries,
		"home_countries":  p.HomeCountries,
	} {
		for _, c := range countries {
			if !countryCode.MatchString(c) {
				r.Problemf(key, "must be codes of ISO 3166-1 such as LV, or 001 for numbers of no country, one is "+
					"%q", c)
			}
		}
	}
}
