package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// part is a rate that ratios are made of.
type part struct {
	name string
	// whole is the part of which this one is some; it is 0 while there are none. Empty: it stands for itself.
	whole    string
	doc      string
	counter  *metrics.Def
	matchers []string
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

// timelyCalls are timely attempts, and calls that don't say how they ended.
const timelyCalls = "cdr_timely_calls"

// timelyOnly leaves out records that were first seen late: yesterday's outage that arrives today pages nobody.
var timelyOnly = is("late", "false")

// parts in the order in which they can be recorded: a whole before what is some of it.
func parts() []part {
	reasons, sip := inFeeds(reasonFeeds), inFeeds(sipFeeds)
	ofCalls := func(name, whole, doc string, matchers ...string) part {
		return part{name, whole, doc, metrics.Calls, matchers}
	}
	ofCodes := func(name, doc, codes string) part {
		return part{name, calls, doc, metrics.CallFailures, []string{sip, matches("sip_code", codes)}}
	}
	return []part{
		ofCalls(calls, "", "All calls."),
		ofCalls(answered, calls, "Calls that were answered, by voicemail or a machine too (ASR's numerator).",
			outcomes(asrAnswered)),
		ofCalls(connected, calls, "Calls that connected (ACD's denominator).", outcomes(acdConnected)),
		ofCalls(person, calls, "Calls that a person answered.", outcomes(personAnswered)),
		ofCalls(known, "", "Calls whose outcome is known.", noOutcomes(personUnknown)),
		ofCalls(attempts, "", "Attempts: calls that say how they ended.", reasons, noOutcomes(nerNoAttempts)),
		ofCalls(effective, attempts, "Attempts for which the network did its part (ITU-T E.425).", reasons,
			outcomes(nerEffective)),
		ofCalls(timely, "", "Attempts that weren't late.", reasons, noOutcomes(nerNoAttempts), timelyOnly),
		ofCalls(faulty, timely, "Faults among the attempts that weren't late.", reasons, outcomes(faultFailed),
			timelyOnly),
		ofCalls(sipOK, calls, "Calls that ended their INVITE with a 200: the answered ones.", sip,
			outcomes(okAnswered)),
		ofCodes(redirected, "Calls that were redirected: 3xx.", redirects),
		ofCodes(seerListed, "Calls with a code of SEER's list beside 200.", strings.Join(seerCodes, "|")),
		ofCodes(isaListed, "Calls with a code of ISA's list.", strings.Join(isaCodes, "|")),
	}
}

// rule records a part at a level and in a window, with further matchers.
func (p part) rule(l level, w window, more ...string) Rule {
	expr := sumRate(l, w, sel(p.counter, slices.Concat(p.matchers, more)...))
	if p.whole != "" {
		var only []string
		if sip := inFeeds(sipFeeds); slices.Contains(p.matchers, sip) { // a whole of the feeds that the part is of
			only = []string{sip}
		}
		expr = lines(expr, "or 0 * "+l.rate(p.whole, w, only...))
	}
	return Rule{Record: l.rate(p.name, w), Doc: p.doc + " Per second.", Expr: expr}
}

// KPI is one key figure.
type KPI struct {
	// Name is the recorded series' name, Short the usual name, and Title its long form, if it has one.
	Name, Short, Title string
	// Standard is where it is defined; Formula is the division in words.
	Standard, Formula string
	// Feeds that it is for, of all providers; Caveat is what a reader must know.
	Feeds  []string
	Caveat string
	// operation stands before the window in the name; empty: ratio.
	operation string
	expr      func(l level, w window) string
}

// Record is the name of its series at a level and in a window.
func (k *KPI) Record(l level, w window) string {
	return l.name(k.Name, cmp.Or(k.operation, "ratio")+"_rate"+string(w))
}

// kpiRules record key figures at a level and in a window.
func kpiRules(all []KPI, l level, w window) (rules []Rule) {
	for _, k := range all {
		called := k.Short
		if k.Title != "" {
			called += fmt.Sprintf(", %s (%s)", k.Title, k.Standard)
		}
		rules = append(rules, Rule{
			Record: k.Record(l, w), Expr: k.expr(l, w),
			Doc: called + ": " + strings.ReplaceAll(k.Formula, "`", "") + ".",
		})
	}
	return rules
}

// KPIs are all key figures of calls.
func KPIs() []KPI {
	reasons, share, sip := feeds(reasonFeeds), feeds(shareFeeds), feeds(sipFeeds)
	both := slices.Concat(reasons, share)
	asr := codeList(asrAnswered) + " ÷ all calls"
	return []KPI{
		{
			Name: "cdr_asr", Short: "ASR", Title: "answer-seizure ratio", Standard: "ITU-T E.411, E.425",
			Formula: asr, Feeds: reasons, expr: quotient(answered, calls, inFeeds(reasonFeeds)),
			Caveat: "Users who are busy, don't answer or misdial lower it. A low ASR alone isn't a sign of an outage.",
		},
		{
			Name: "cdr_connected_share", Short: "connected share", Title: "ASR of feeds that give nothing else",
			Standard: "ours; the formula of ASR",
			Formula:  asr, Feeds: share, expr: quotient(answered, calls, inFeeds(shareFeeds)),
			Caveat: "These feeds say only whether a call connected, so don't compare it with an ASR.",
		},
		{
			Name: "cdr_reached_person", Short: "reached a person", Title: "calls that a person answered",
			Standard: "ours", Formula: codeList(personAnswered) + " ÷ all calls but " + codeList(personUnknown),
			Feeds: both, expr: quotient(person, known),
			Caveat: "It measures staffing, not the network: calls that end in a queue, a menu or voicemail lower it, " +
				"and so do users who are busy. If records don't say who answered, each answered call counts as a " +
				"person's: see the provider's page.",
		},
		{
			Name: "cdr_ner", Short: "NER", Title: "network effectiveness ratio", Standard: "ITU-T E.425",
			Formula: codeList(nerEffective) + " ÷ attempts", Feeds: reasons, expr: quotient(effective, attempts),
			Caveat: "Numbers that don't exist and calls that a policy refused lower it. Microsoft calls a low NER " +
				"on fewer than 100 calls possibly normal.",
		},
		{
			Name: "cdr_fault", Short: "fault ratio", Title: "what pages people", Standard: "ours; never called NER",
			Formula: codeList(faultFailed) + ", not late ÷ attempts, not late", Feeds: reasons,
			expr:   quotient(faulty, timely),
			Caveat: "Only `late=\"false\"`: records of yesterday's outage that arrive today don't move it.",
		},
		{
			Name: "cdr_acd_seconds", Short: "ACD (ALOC)", Title: "average call duration", Standard: "ITU-T E.437",
			operation: "mean", Formula: "connected seconds ÷ " + codeList(acdConnected), Feeds: both,
			Caveat: "Connected seconds include time in queues, menus and voicemail, and RingCentral's " +
				"durations include ringing: don't compare sources. Microsoft calls 4 to 5 minutes normal and " +
				"15 seconds alarming.",
			// The counter of connected seconds, not a histogram's sum, so that it doesn't matter how histograms are
			// ingested.
			expr: func(l level, w window) string {
				return lines(sumRate(l, w, sel(metrics.ConnectedSeconds)), "/ ("+l.rate(connected, w)+" > 0)")
			},
		},
		{
			Name: "cdr_ser", Short: "SER", Title: "session establishment ratio", Standard: "RFC 6076 4.6",
			Formula: "200 ÷ all − 3xx", Feeds: sip, Caveat: sipCaveat,
			expr: func(l level, w window) string { return lines(ofSIP(l, w, sipOK), "/ "+notRedirected(l, w)) },
		},
		{
			Name: "cdr_seer", Short: "SEER", Title: "session establishment effectiveness ratio",
			Standard: "RFC 6076 4.7", Formula: "200, " + strings.Join(seerCodes, ", ") + " ÷ all − 3xx", Feeds: sip,
			Caveat: "487 isn't in the standard's list. " + sipCaveat,
			expr: func(l level, w window) string {
				return fmt.Sprintf("(%s + %s) / %s", ofSIP(l, w, sipOK), ofSIP(l, w, seerListed), notRedirected(l, w))
			},
		},
		{
			Name: "cdr_isa", Short: "ISA", Title: "ineffective session attempts", Standard: "RFC 6076 4.8",
			Formula: strings.Join(isaCodes, ", ") + " ÷ all", Feeds: sip, Caveat: sipCaveat,
			expr: quotient(isaListed, calls, inFeeds(sipFeeds)),
		},
	}
}

const sipCaveat = "Each call counts as an INVITE, and each answered call as a 200, because only failures have codes. " +
	"The `cdr` of FreeSWITCH has codes too; only rules for a configuration (`assets --config.file`) use them."

// quotient divides two recorded rates; without traffic the result is empty.
func quotient(above, below string, only ...string) func(l level, w window) string {
	return func(l level, w window) string {
		return lines(l.rate(above, w, only...), "/ ("+l.rate(below, w, only...)+" > 0)")
	}
}

func ofSIP(l level, w window, name string) string { return l.rate(name, w, inFeeds(sipFeeds)) }

// notRedirected is all − 3xx.
func notRedirected(l level, w window) string {
	return fmt.Sprintf("(%s - %s > 0)", ofSIP(l, w, calls), ofSIP(l, w, redirected))
}

// intervals are how often rules of a window are evaluated, if not as often as others: a day changes slowly, and its
// sum is expensive.
var intervals = map[window]time.Duration{w1d: 2 * time.Minute}

// kpis are all KPIs in one window, and what they are made of.
func kpis(w window) Group {
	g := Group{
		Name: "cdr-kpis-" + string(w), Doc: "KPIs per source, feed, trunk and direction over " + string(w) + ".",
		Interval: intervals[w],
	}
	for _, p := range parts() {
		g.Rules = append(g.Rules, p.rule(byDirection, w))
	}
	g.Rules = append(g.Rules, kpiRules(KPIs(), byDirection, w)...)
	return g
}

// feeds are the feeds of all providers that have a property.
func feeds(of property) []string { return Default().names(of) }

func codeList(all []cdr.Outcome) string {
	return "`" + strings.Join(strings.Split(names(all), "|"), "`, `") + "`"
}

// faults are the rates and ratios that burn rates need, per trunk, without internal calls: the
// objective is on what goes outside.
func faults() Group {
	g := Group{Name: "cdr-faults", Doc: "The fault ratio per source, feed and trunk in the windows of burn " +
		"rates, without internal calls."}
	outside := isNot("direction", "internal")
	for _, w := range []window{w1h, w6h, w3d} {
		for _, p := range parts() {
			if p.name == timely || p.name == faulty {
				g.Rules = append(g.Rules, p.rule(byTrunk, w, outside))
			}
		}
		g.Rules = append(g.Rules, Rule{
			Record: faultRatio(w), Doc: "Fault ratio (ours): failed ÷ attempts, of those that weren't late.",
			Expr: quotient(faulty, timely)(byTrunk, w),
		})
	}
	g.Rules = append(g.Rules, legs()...)
	share := func(d *metrics.Def, l level, which ...string) string {
		return lines(recently(d, l, which...), "/ "+recently(metrics.RecentAttempts, l, which...))
	}
	for _, w := range []window{w1h, w6h} {
		g.Rules = append(g.Rules,
			Rule{
				Record: byTrunk.rate(timelyCalls, w), Doc: "All calls that weren't late. Per second.",
				Expr: sumRate(byTrunk, w, sel(metrics.Calls, inFeeds(reasonFeeds), timelyOnly, outside)),
			},
			Rule{
				Record: faultShare(w), Doc: "Share of faults among all calls that weren't late.",
				Expr: quotient(faulty, timelyCalls)(byTrunk, w),
			})
	}
	g.Rules = append(g.Rules,
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
			Expr: share(metrics.RecentConnected, byDirection),
		},
		Rule{
			Record: connectedAt, Doc: "The time, while records of connected calls were read within 5 minutes: " +
				"its maximum is when a call last got through.",
			Expr: fmt.Sprintf("0 * (%s > 0) + time()", byDirection.combine("sum",
				"increase("+sel(metrics.Calls, outcomes(acdConnected))+"[5m])")),
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
	each := byDirection.combine("max", "last_over_time("+sel(d, matchers...)+"[5m])")
	if len(l) == len(byDirection) {
		return each
	}
	return l.combine("sum", each)
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

// faultShare is of all calls: where few of them say how they ended, these few decide nothing.
func faultShare(w window) string { return byTrunk.name("cdr_fault_share", "ratio_rate"+string(w)) }
