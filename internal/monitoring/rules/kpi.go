package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// part is a rate that ratios are made of.
type part struct {
	name, doc, selector string
	// whole is the part of which this one is some; it is 0 while there are none. Empty: it stands for itself.
	whole string
}

const (
	calls      = "cdr_calls"
	attempts   = "cdr_attempts"
	answered   = "cdr_answered"
	connected  = "cdr_connected"
	person     = "cdr_person_answered"
	known      = "cdr_known_outcome"
	sipOK      = "cdr_sip_ok"
	effective  = "cdr_effective"
	timely     = "cdr_timely_attempts"
	faulty     = "cdr_timely_faults"
	redirected = "cdr_redirected"
	seerListed = "cdr_seer_listed"
	isaListed  = "cdr_isa_listed"
)

// timelyOnly leaves out records that were first seen late: yesterday's outage that arrives today pages nobody.
var timelyOnly = is("late", "false")

// parts in the order in which they can be recorded: a whole before what is some of it.
func parts() []part {
	reasons, sip := inFeeds(reasonFeeds), inFeeds(sipFeeds)
	failures := func(code string) string { return sel(metrics.CallFailures, sip, matches("sip_code", code)) }
	return []part{
		{calls, "All calls.", sel(metrics.Calls), ""},
		{answered, "Calls that were answered, by voicemail or a machine too (ASR's numerator).", sel(metrics.Calls,
			outcomes(asrAnswered)), calls},
		{connected, "Calls that connected (ACD's denominator).", sel(metrics.Calls, outcomes(acdConnected)), calls},
		{person, "Calls that a person answered.", sel(metrics.Calls, outcomes(personAnswered)), calls},
		{known, "Calls whose outcome is known.", sel(metrics.Calls, noOutcomes(personUnknown)), ""},
		{attempts, "Attempts: calls that say how they ended.", sel(metrics.Calls, reasons,
			noOutcomes(nerNoAttempts)), ""},
		{effective, "Attempts for which the network did its part (ITU-T E.425).", sel(metrics.Calls, reasons,
			outcomes(nerEffective)), attempts},
		{timely, "Attempts that weren't late.", sel(metrics.Calls, reasons, noOutcomes(nerNoAttempts), timelyOnly), ""},
		{faulty, "Faults among the attempts that weren't late.", sel(metrics.Calls, reasons, outcomes(faultFailed),
			timelyOnly), timely},
		{sipOK, "Calls that ended their INVITE with a 200: the answered ones.", sel(metrics.Calls, sip,
			outcomes(okAnswered)), calls},
		{redirected, "Calls that were redirected: 3xx.", failures(redirects), calls},
		{seerListed, "Calls with a code of SEER's list beside 200.", failures(strings.Join(seerCodes, "|")), calls},
		{isaListed, "Calls with a code of ISA's list.", failures(strings.Join(isaCodes, "|")), calls},
	}
}

// rule records a part at a level and in a window.
func (p part) rule(l level, w window) Rule {
	expr := sumRate(l, w, p.selector)
	if p.whole != "" {
		only := ""
		if sip := inFeeds(sipFeeds); strings.Contains(p.selector, sip) { // a whole of the feeds that the part is of
			only = sip
		}
		expr = lines(expr, "or 0 * "+l.rate(p.whole, w, only))
	}
	return Rule{Record: l.rate(p.name, w, ""), Doc: p.doc + " Per second.", Expr: expr}
}

// KPI is one key figure: its definition in words, and what it divides.
type KPI struct {
	// Name is the recorded series' name; Short is the usual short form.
	Name, Short, Title string
	// Standard is where it is defined.
	Standard string
	// Above and Below are what is divided, in words.
	Above, Below string
	// Feeds that it is for, of all providers; Caveat is what a reader must know.
	Feeds  []string
	Caveat string
	// operation stands before the window in the name.
	operation string
	expr      func(l level, w window) string
}

// Record is the name of its series per source, feed, trunk and direction.
func (k *KPI) Record(w string) string { return byDirection.name(k.Name, k.operation+"_rate"+w) }

// KPIs are all key figures.
func KPIs() []KPI {
	return []KPI{
		{
			Name: "cdr_asr", Short: "ASR", Title: "answer-seizure ratio", Standard: "ITU-T E.411, " +
				"E.425", operation: "ratio",
			Above: codeList(asrAnswered), Below: "all calls", Feeds: feeds(reasonFeeds),
			Caveat: "Users who are busy, don't answer or misdial lower it. A low ASR alone isn't a sign of an outage.",
			expr:   func(l level, w window) string { return quotient(l, w, answered, calls, inFeeds(reasonFeeds)) },
		},
		{
			Name: "cdr_connected_share", Short: "connected share", Title: "ASR of feeds that give nothing " +
				"else", Standard: "ours; the formula of ASR", operation: "ratio",
			Above: codeList(asrAnswered), Below: "all calls", Feeds: feeds(shareFeeds),
			Caveat: "These feeds say only whether a call connected, so don't compare it with an ASR.",
			expr:   func(l level, w window) string { return quotient(l, w, answered, calls, inFeeds(shareFeeds)) },
		},
		{
			Name: "cdr_reached_person", Short: "reached a person", Title: "calls that a person " +
				"answered", Standard: "ours",
			operation: "ratio", Above: codeList(personAnswered), Below: "all calls but " + codeList(personUnknown),
			Feeds: slices.Concat(feeds(reasonFeeds), feeds(shareFeeds)),
			Caveat: "It measures staffing, not the network: calls that end in a queue, a menu or voicemail lower it, " +
				"and so do users who are busy. If records don't say who answered, each answered call counts as a " +
				"person's: " +
				"see the provider's page.",
			expr: func(l level, w window) string { return quotient(l, w, person, known, "") },
		},
		{
			Name: "cdr_ner", Short: "NER", Title: "network effectiveness ratio", Standard: "ITU-T " +
				"E.425", operation: "ratio",
			Above: codeList(nerEffective), Below: "attempts", Feeds: feeds(reasonFeeds),
			Caveat: "Numbers that don't exist and calls that a policy refused lower it. Microsoft calls a low NER " +
				"on fewer than 100 calls possibly normal.",
			expr: func(l level, w window) string { return quotient(l, w, effective, attempts, "") },
		},
		{
			Name: "cdr_fault", Short: "fault ratio", Title: "what pages people", Standard: "ours; never called " +
				"NER", operation: "ratio",
			Above: codeList(faultFailed) + ", not late", Below: "attempts, not late", Feeds: feeds(reasonFeeds),
			Caveat: "Only `late=\"false\"`: records of yesterday's outage that arrive today don't move it.",
			expr:   func(l level, w window) string { return quotient(l, w, faulty, timely, "") },
		},
		{
			Name: "cdr_acd_seconds", Short: "ACD (ALOC)", Title: "average call duration", Standard: "ITU-T " +
				"E.437", operation: "mean",
			Above: "connected seconds", Below: codeList(acdConnected), Feeds: slices.Concat(feeds(reasonFeeds),
				feeds(shareFeeds)),
			Caveat: "Connected seconds include time in queues, menus and voicemail, and RingCentral's " +
				"durations include ringing: don't compare sources. Microsoft calls 4 to 5 minutes normal and " +
				"15 seconds alarming.",
			expr: acd,
		},
		{
			Name: "cdr_ser", Short: "SER", Title: "session establishment ratio", Standard: "RFC 6076 " +
				"4.6", operation: "ratio",
			Above: "200", Below: "all − 3xx", Feeds: feeds(sipFeeds), Caveat: sipCaveat,
			expr: func(l level, w window) string { return lines(sipCalls(l, w, sipOK), "/ "+notRedirected(l, w)) },
		},
		{
			Name: "cdr_seer", Short: "SEER", Title: "session establishment effectiveness ratio", Standard: "RFC " +
				"6076 4.7", operation: "ratio",
			Above: "200, " + strings.Join(seerCodes, ", "), Below: "all − 3xx", Feeds: feeds(sipFeeds),
			Caveat: "487 isn't in the standard's list. " + sipCaveat,
			expr: func(l level, w window) string {
				return lines(fmt.Sprintf("(%s + %s)", sipCalls(l, w, sipOK), sipCalls(l, w, seerListed)),
					"/ "+notRedirected(l, w))
			},
		},
		{
			Name: "cdr_isa", Short: "ISA", Title: "ineffective session attempts", Standard: "RFC 6076 " +
				"4.8", operation: "ratio",
			Above: strings.Join(isaCodes, ", "), Below: "all", Feeds: feeds(sipFeeds), Caveat: sipCaveat,
			expr: func(l level, w window) string { return quotient(l, w, isaListed, calls, inFeeds(sipFeeds)) },
		},
	}
}

const sipCaveat = "Each call counts as an INVITE, and each answered call as a 200, because only failures have codes. " +
	"The `cdr` of FreeSWITCH has codes too; only rules for a configuration (`assets --config.file`) use them."

// quotient divides two recorded rates; without traffic the result is empty.
func quotient(l level, w window, above, below, only string) string {
	return lines(l.rate(above, w, only), "/ ("+l.rate(below, w, only)+" > 0)")
}

// acd divides the counter of connected seconds, not a histogram's sum, so that it doesn't matter how histograms are
// ingested.
func acd(l level, w window) string {
	return lines(sumRate(l, w, sel(metrics.ConnectedSeconds)), fmt.Sprintf("/ (%s > 0)", l.rate(connected, w, "")))
}

func sipCalls(l level, w window, name string) string {
	return l.rate(name, w, inFeeds(sipFeeds))
}

// notRedirected is all − 3xx.
func notRedirected(l level, w window) string {
	return fmt.Sprintf("(%s - %s > 0)", sipCalls(l, w, calls), sipCalls(l, w, redirected))
}

// kpis are all KPIs in one window, and what they are made of.
func kpis(w window) Group {
	g := Group{Name: "cdr-kpis-" + string(w), Doc: "KPIs per source, feed, trunk and direction over " + string(w) + "."}
	if w == w1d {
		g.Interval = 2 * time.Minute // a day changes slowly, and its sum is expensive
	}
	for _, p := range parts() {
		g.Rules = append(g.Rules, p.rule(byDirection, w))
	}
	for _, k := range KPIs() {
		g.Rules = append(g.Rules, Rule{
			Record: k.Record(string(w)),
			Doc:    fmt.Sprintf("%s, %s (%s): %s ÷ %s.", k.Short, k.Title, k.Standard, plain(k.Above), plain(k.Below)),
			Expr:   k.expr(byDirection, w),
		})
	}
	return g
}

// feeds are the feeds of all providers that have a property.
func feeds(of property) []string { return Default().names(of) }

func codeList(all []cdr.Outcome) string {
	return "`" + strings.Join(strings.Split(names(all), "|"), "`, `") + "`"
}

func plain(text string) string { return strings.ReplaceAll(text, "`", "") }

// faults are the rates and ratios that burn rates need, per trunk, without internal calls: the
// objective is on what goes outside.
func faults() Group {
	g := Group{Name: "cdr-faults", Doc: "The fault ratio per source, feed and trunk in the windows of burn " +
		"rates, without internal calls."}
	outside := isNot("direction", "internal")
	all := parts()
	for _, w := range []window{w1h, w6h, w3d} {
		for _, name := range []string{timely, faulty} {
			p := all[slices.IndexFunc(all, func(p part) bool { return p.name == name })]
			p.selector = strings.TrimSuffix(p.selector, "}") + ", " + outside + "}"
			g.Rules = append(g.Rules, p.rule(byTrunk, w))
		}
		g.Rules = append(g.Rules, Rule{
			Record: faultRatio(w), Doc: "Fault ratio (ours): failed ÷ attempts, of those that weren't late.",
			Expr: quotient(byTrunk, w, faulty, timely, ""),
		})
	}
	g.Rules = append(g.Rules, legs()...)
	share := func(d *metrics.Def, l level, which string) string {
		return lines(recently(d, l, which), "/ "+recently(metrics.RecentAttempts, l, which))
	}
	g.Rules = append(g.Rules,
		Rule{
			Record: byTrunk.name("cdr_timely_calls", "rate1h"), Doc: "All calls that weren't late. Per second.",
			Expr: sumRate(byTrunk, w1h, sel(metrics.Calls, inFeeds(reasonFeeds), timelyOnly, outside)),
		},
		Rule{
			Record: recentFaults(byTrunk),
			Doc: "Share of faults among the last 64 attempts of each direction. It sees calls where " +
				"windows see bursts of records.",
			Expr: share(metrics.RecentFaults, byTrunk, outside),
		},
		Rule{
			Record: recentFaults(byDirection), Doc: "Share of faults among the last 64 attempts.",
			Expr: share(metrics.RecentFaults, byDirection, outside),
		},
		Rule{
			Record: recentConnected, Doc: "Share of the last 64 attempts that connected.",
			Expr: share(metrics.RecentConnected, byDirection, ""),
		},
		Rule{
			Record: connectedAt, Doc: "The time, while records of connected calls were read within 5 minutes: " +
				"its maximum is when a call last got through.",
			Expr: fmt.Sprintf("0 * (sum by (%s) (increase(%s[5m])) > 0) + time()", byDirection.labels(),
				sel(metrics.Calls, outcomes(acdConnected))),
		},
	)
	return g
}

// legs see the failed attempts of a trunk before their calls count, and those of calls that another
// trunk connected. A leg doesn't say whether it is late, but the failed calls that count then do.
func legs() []Rule {
	outbound := []string{inFeeds(reasonFeeds), is("direction", "outbound"), isNot("trunk", "")}
	of := func(d *metrics.Def, more ...string) string {
		return sumRate(byDirection, w5m, sel(d, slices.Concat(outbound, more)...))
	}
	return []Rule{
		{
			Record: legAttempts, Doc: "Outbound legs through a trunk that say how they ended. Per second.",
			Expr: of(metrics.CallLegs, not("outcome", names(nerNoAttempts)+"|none")),
		},
		{
			Record: legFaults, Doc: "Faults among these; absent while faults of late calls count.",
			Expr: lines(among(of(metrics.CallLegs, outcomes(faultFailed)), legAttempts),
				"unless "+of(metrics.Calls, outcomes(faultFailed), is("late", "true"))+" > 0"),
		},
	}
}

// recently adds up the last attempts at a level. Neither a missed scrape nor a feed that moves to
// another replica ends or doubles them.
func recently(d *metrics.Def, l level, matchers ...string) string {
	each := fmt.Sprintf("max by (%s) (last_over_time(%s[5m]))", byDirection.labels(), sel(d, matchers...))
	if len(l) == len(byDirection) {
		return each
	}
	return fmt.Sprintf("sum by (%s) (%s)", l.labels(), each)
}

// recentFaults and recentConnected are shares of the last attempts.
func recentFaults(l level) string { return l.name("cdr_recent_faults", "ratio") }

var (
	recentConnected = byDirection.name("cdr_recent_connected", "ratio")
	connectedAt     = byDirection.name("cdr_connected_at", "timestamp")
	legAttempts     = byDirection.name("cdr_leg_attempts", "rate5m")
	legFaults       = byDirection.name("cdr_leg_fault", "ratio_rate5m")
)

func faultRatio(w window) string { return byTrunk.name("cdr_fault", "ratio_rate"+string(w)) }
