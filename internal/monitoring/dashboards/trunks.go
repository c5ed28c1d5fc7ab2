package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/providers"
)

// trunks shows the state, the failure codes and the load of each trunk.
func trunks(with *rules.Parameters) *board {
	b := newBoard(with, "trunks", "Trunks", "Which trunk fails, and with which code? Has it room? Each SBC, "+
		"operator and SIP trunk, with media bypass, setup time and load.", "now-6h")
	b.chooseExporter()
	b.chooseCalls()
	b.chooseFeed()
	b.choose("trunk", "Trunk", ".+", "SBC, operator or SIP trunk.", metrics.Calls)
	b.chooseLabels()
	keep := by("source", "trunk")
	calls := b.total(metrics.Calls, keep).as("Calls")
	trunks := b.table(text{"Trunks", "Every trunk in the time shown. NER and faults only if the provider says " +
		"why a call didn't connect. A click on a number of calls leads to their log lines."},
		calls,
		asr(b.total, keep).as("ASR"),
		ner(b.total, keep).as("NER"),
		faults(b.total, keep).as("Faults"),
		acd(b.total, keep).as("ACD"),
		b.value(metrics.MediaBypassRatio, keep).as("Media bypass"),
		b.value(metrics.PeakConcurrency, keep).as("Peak"),
	)
	trunks.OverrideByName("Calls", properties{decimals(0), b.rowTo(callsBehind, calls)})
	unknownIfEmpty(trunks, "NER")
	unknownIfEmpty(trunks, "Faults")
	judged(trunks, "NER", below(0.95, 0.9))
	judged(trunks, "Faults", b.budget())
	judged(trunks, "ACD", below(60, 15))
	b.add(24, 9, trunks)

	budget := b.budgetLeft(keep).as("Budget left")
	budgets := b.table(text{"Error budget left", fmt.Sprintf("Over the last 30 days, or as many as Prometheus "+
		"keeps: %g %% of a trunk's attempts may fail for a fault of network, trunk, carrier or service. "+
		"Below 0, more failed than may.", 100*b.ErrorBudget)}, budget).TimeFrom(budgetTime)
	unknownIfEmpty(budgets, "Budget left")
	judged(budgets, "Budget left", left())
	b.add(24, 7, budgets)
	b.affected()

	b.row("Effectiveness")
	b.add(12, 8, b.series(text{"Effectiveness (NER) by trunk", "Answered, voicemail, machine, busy, not answered, " +
		"cancelled or rejected, of all attempts."},
		ner(b.flow, keep)).Max(1).Thresholds(below(0.95, 0.9)).ThresholdsStyle(dashed()))
	ratio := faults(b.flow, keep)
	b.add(12, 8, b.series(text{"Fault ratio by trunk", "Share of attempts that the network, the trunk, a carrier or " +
		"a service failed. A trunk that is down shows as 100 %."}, ratio).
		DataLinks(b.seriesTo(callsBehind, ratio, onlyFailed)).
		Thresholds(b.budget()).ThresholdsStyle(dashed()))
	b.add(24, 8, b.stacked(text{"Outbound attempts by trunk", "Outbound legs by how they ended. " +
		"A trunk that refuses calls fails here, even if another trunk connects them and no call fails."},
		b.flow(metrics.CallLegs, by("source", "trunk", "outcome"), is("direction", "outbound"), isNot("trunk", ""))))

	b.row("Codes")
	b.add(24, 8, b.ofCalls(text{"SIP codes", "Calls that didn't connect, by final SIP code. Only Direct " +
		"Routing has it."}.explained(metrics.CallFailures),
		b.flow(metrics.CallFailures, by("sip_code"), sipCoded())))
	causes := by("trunk", "direction", "sip_code", "sub_code", "reason", "outcome")
	worst := nonzero(top(50, b.total(metrics.CallFailures, causes, sipCoded()))).as("Calls")
	failures := b.table(text{"Most frequent failures", "Final SIP code, Microsoft's sub code in words, and how many " +
		"calls they ended in the time shown. A click on a count leads to the calls' log lines."}.
		explained(metrics.CallFailures), worst)
	failures.OverrideByName("Calls", properties{decimals(0), b.rowTo(callsBehind, worst)})
	failures.OverrideByName(heading("sip_code"), properties{property("mappings", codeWords(cdr.SIPTaxonomy()))})
	failures.OverrideByName(heading("sub_code"), properties{property("mappings", codeWords(subCodes()))})
	b.add(24, 11, failures)

	b.row("Setup and media")
	setups := b.spread(metrics.CallSetup, by("trunk", "direction"))
	b.add(12, 8, b.series(text{"Setup time", "Invite to answer of connected calls, median and 95th percentile: " +
		"outbound the time to answer, inbound the time to pass the call on. It isn't post-dial delay, which needs " +
		"the first ring."},
		setups...).DataLinks(b.seriesTo(callsBehind, setups[1])))
	b.add(12, 8, b.series(text{"Media bypass ratio", "Share of calls with media bypass among calls that record it, " +
		"first seen within an hour. Direct Routing has the trunk's setting. Quality shows what streams did."},
		b.value(metrics.MediaBypassRatio, keep)).Max(1))

	b.row("Load")
	b.add(12, 8, b.series(text{"Peak concurrency", "Most calls connected at the same time, in the last hour whose " +
		"records have come."},
		b.value(metrics.PeakConcurrency, keep)).Decimals(0))
	b.add(12, 8, b.series(text{"Average duration (ACD) by trunk", "Connected seconds per connected call, voicemail " +
		"and machines included. A fall to seconds points to one-way audio."}, acd(b.flow, keep)))
	return b
}

// sipCoded leaves out failures that have no SIP code.
func sipCoded() match { return isNot("sip_code", "") }

// subCodes are the sub codes of all providers.
func subCodes() (all []cdr.Cause) {
	for _, p := range providers.All() {
		all = append(all, p.SubCodes...)
	}
	return all
}

// codeWords puts the words of the taxonomy behind codes: a code with its own row first, then the ranges.
func codeWords(causes []cdr.Cause) []dashboard.ValueMapping {
	single := map[string]dashboard.ValueMappingResult{}
	var mappings []dashboard.ValueMapping
	for _, c := range causes {
		switch {
		case c.Reason == "":
		case c.Last == 0:
			words := fmt.Sprintf("%d %s", c.Code, words(c.Reason))
			single[fmt.Sprint(c.Code)] = dashboard.ValueMappingResult{Text: &words}
		default:
			words := "$1 " + words(c.Reason)
			mappings = append(mappings, dashboard.ValueMapping{RegexMap: &dashboard.RegexMap{
				Type: dashboard.MappingTypeRegexToText,
				// A range is a thousand codes.
				Options: dashboard.DashboardRegexMapOptions{
					Pattern: fmt.Sprintf("^(%d\\d{3})$", c.Code/1000),
					Result:  dashboard.ValueMappingResult{Text: &words},
				},
			}})
		}
	}
	first := dashboard.ValueMapping{ValueMap: &dashboard.ValueMap{
		Type:    dashboard.MappingTypeValueToText,
		Options: single,
	}}
	return append([]dashboard.ValueMapping{first}, mappings...)
}
