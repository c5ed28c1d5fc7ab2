package rules

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const ofFeed = "{{ $labels.source }}{{ with $labels.feed }}/{{ . }}{{ end }}"

// upTo says how far a feed was read, also where it never was.
const upTo = "{{ if gt $value 1e9 }}Calls have never been looked for.{{ else if eq $value 0.0 }}No replica owns " +
	"it.{{ else }}Calls have been looked for up to {{ $value | humanizeDuration }} ago.{{ end }}"

const (
	// behindFor is how long a feed has been catching up.
	behindFor = 2 * time.Hour
	// differenceFor is how long a day that is over differs from the provider's own total.
	differenceFor = 6 * time.Hour
	// staleSeconds is how old a watermark may be while reads fail.
	staleSeconds = 300
	// lateShare of an hour's records, of lateFloor or more, are most of a feed.
	lateShare, lateFloor = 0.5, 20
)

func (p *Parameters) readingAlerts() Group {
	polls := func(result, in string) string {
		return byFeed.combine("sum", "increase("+sel(metrics.Polls, is("result", result))+in+")")
	}
	catchingUp := metrics.CatchingUp.Name
	setAside := sel(metrics.Tasks, is("state", "record_set_aside"))
	return Group{
		Name: "cdr-reading", Doc: "Whether records are read, and all of them.", Dashboard: "exporter",
		Rules: []Rule{
			{
				// Reading fails, which shows within minutes; or it stands still without an error. A feed that catches
				// up isn't stale: its watermark moves, or its rows do while the watermark waits, as for thousands of
				// call records that are fetched one by one.
				Alert: "CDRFeedStale", Severity: critical, Signal: Exporter, For: 2 * time.Minute,
				Doc: "A feed isn't read: every read fails, nothing moves, or no replica owns it for longer than a " +
					"move takes. Fires within ten minutes of the first failure. Until it is read again, \"no " +
					"failures\" means nothing.",
				Expr: anyOf(lines(
					fmt.Sprintf("(%s > %d)", watermarkAge(), staleSeconds),
					byFeed.and("("),
					// A feed that is read every five minutes or less often was always last read minutes ago, so a
					// failure must be older than that.
					fmt.Sprintf("  (%s > 0 unless %s > 0 unless %s == 0)", polls("error", "[5m]"), polls("ok", "[5m]"),
						polls("error", "[5m] offset 3m")),
					fmt.Sprintf("  or (%s == 1 and %s == 0", byFeed.highest(catchingUp, "[5m]"),
						byFeed.combine("max", "changes("+metrics.Watermark.Name+"[10m])")),
					fmt.Sprintf("    unless %s > 0)", byFeed.combine("sum", "increase("+metrics.Rows.Name+"[10m])")),
					")",
				), byFeed.highest(metrics.FeedOwned.Name, "[2m]")+" == 0"),
				Summary:     ofFeed + " is not being read.",
				Description: upTo + " Until it is read again, \"no failures\" means nothing. The status page says why.",
				When: fmt.Sprintf("reads have failed for 5 minutes and the watermark is more than %d minutes "+
					"old; or it is far behind, and for 10 minutes the watermark hasn't moved and no row was read; "+
					"or no "+
					"replica has owned the feed for 4 minutes", staleSeconds/60),
			},
			{
				Alert: "CDRFeedBehind", Severity: warning, Signal: Exporter, For: behindFor,
				Doc: "A feed has been catching up for hours: it can't keep up, and alerts on its calls are off " +
					"meanwhile.",
				Expr:    lines("("+watermarkAge()+")", byFeed.and("%s == 1", byFeed.highest(catchingUp, "[10m]"))),
				Summary: ofFeed + " doesn't keep up.",
				Description: upTo + fmt.Sprintf(" It has been catching up for %g hours; alerts on its calls wait for "+
					"it.", behindFor.Hours()),
				When: fmt.Sprintf("the feed has been catching up for %g hours", behindFor.Hours()),
			},
			{
				Alert: "CDRFeedLate", Severity: warning, Signal: Calls, For: 15 * time.Minute,
				Doc: "The provider publishes most records later than late_after, so alerts on failures don't see " +
					"them.",
				Expr:    lines(mostlyLate(), isLive(live65m)),
				Summary: "Most records of " + ofFeed + " come late.",
				Description: "{{ $value | humanizePercentage }} of the records of the last hour were first seen more " +
					"than the feed's late_after after their call. Alerts on failures leave them out.",
				When: fmt.Sprintf("more than %s %% of at least %d records within an hour are late, although the "+
					"feed is read", number(lateShare*100), lateFloor),
				Change: "`late_after` of the feed",
			},
			{
				Alert: "CDRRangeUnreadable", Severity: warning, Signal: Exporter,
				Doc: "Calls are in no figure: a span can't be read, a record can't be fetched while others of its " +
					"kind can, or a row is malformed.",
				Expr: anyOf(
					labelledWith("what", "span", unreadable()),
					labelledWith("what", "record", byFeed.highest(setAside, "[5m]")+" > 0"),
					labelledWith("what", "row", grown(byFeed.labels(), sel(metrics.Rows, is("result", "invalid")),
						w1h)),
				),
				Summary: "Calls of " + ofFeed + " can't be read.",
				Description: "{{ if eq $labels.what \"span\" }}{{ $value | humanizeDuration }} can't be read: the " +
					"provider no longer keeps it, or fails on it while it gives other spans.{{ else if eq " +
					"$labels.what \"record\" }}Records that were set aside after half a day of attempts while others " +
					"were fetched: {{ $value }}. Each is tried again once a day.{{ else }}Rows of the last hour that " +
					"are malformed: about {{ printf \"%.0f\" $value }}. The log says where they stood.{{ end }} " +
					"Their calls are in no figure.",
				When: "a span, a record or a row can't be read while others can, or the provider stopped keeping a " +
					"span within the last week",
			},
			{
				Alert: "CDRReconciliationDifference", Severity: warning, Signal: Exporter, For: differenceFor,
				Doc: "The provider's own total of yesterday, of records or of money, differs from what was counted; " +
					"or an audit found records that aren't counted, or with another amount.",
				Expr: lines(
					byFeed.highest(metrics.AuditDifference.Name, "[15m]")+" > 0",
					differs(byFeed, metrics.ReconciliationDifference),
					differs(byCurrency, metrics.ReconciliationCharges),
				),
				Summary: "What was counted of " + ofFeed + " isn't what its provider lists.",
				Description: "It differs by {{ $value }} {{ or $labels.currency \"records\" }}, by the provider's " +
					"own total of yesterday (UTC) or by the newest audit. A day whose records an audit missed is " +
					"read again.",
				When: "a day that is over differs from the provider's own total of records or charges, or from what " +
					"an audit found, for six hours",
			},
			{
				Alert: "CDRUnmappedValues", Severity: warning, Signal: Exporter,
				Doc: "The provider uses values that the exporter doesn't know; such calls may have the outcome " +
					"unknown.",
				Expr:    grown("source, feed, field", metrics.UnmappedValues.Name, w1d),
				Summary: "The provider of {{ $labels.source }} uses new values of {{ $labels.field }}.",
				Description: "Values of {{ $labels.field }} of " + ofFeed + " within the last day that are new to " +
					"the exporter: about {{ printf \"%.0f\" $value }}. The log names each once.",
				When: "a value appeared within the last day that the mapping doesn't know",
			},
		},
	}
}

// differs holds where the provider's own total of yesterday isn't what was counted.
func differs(l level, d *metrics.Def) string {
	return "or " + l.combine("max", "abs(last_over_time("+sel(d, is("day", "yesterday"))+"[15m]))") + " > 0"
}

// unreadable is how much can't be read. What is no longer kept stays in the metric, so it is passed
// over once it has been there for a week, unless spans are still tried: else nobody would see the
// next loss. What was known before an exporter that stood still for more than a week counts as of a week ago. The loss
// that an older ledger had when Prometheus first saw it counts as a week old.
func unreadable() string {
	known := fmt.Sprintf("(max by (%[1]s) (last_over_time(%[2]s[5w:1h] offset 1w))\n"+
		"  or min by (%[1]s) (min_over_time(%[2]s[1w]) and on (job) time() - %[3]s > 604800))",
		byFeed.labels(), metrics.Unreadable.Name, metrics.LedgerCreated.Name)
	tried := byFeed.highest(sel(metrics.Tasks, is("state", "span_set_aside")), "[5m]") + " > 0"
	now := byFeed.highest(metrics.Unreadable.Name, "[5m]")
	return lines(now+" > 0", fmt.Sprintf("unless (%s <= %s unless %s)", now, known, tried))
}

// grown is by how much a counter grew whose series may begin at its value: those of our own whose
// label the provider brings don't begin at 0, and the first read, or the outbox that it starts
// with, may end before the first scrape. To a Prometheus that hasn't seen the exporter for as long
// a first value says nothing, unless the ledger is younger: it may be years old.
func grown(by, name string, w window) string {
	return lines("sum by ("+by+") (",
		fmt.Sprintf("  increase(%s[%s]) > 0", name, w),
		fmt.Sprintf("  or (%s unless last_over_time(%s[%s] offset %s)) > 0", name, name, w, w),
		byJob.and("(%[1]s offset %[2]s or time() - %[1]s < %[3]d)", metrics.LedgerCreated.Name, w, w.seconds()),
		// After a restart a series may begin at the value that it had before, so neither sees it.
		fmt.Sprintf("  or %s > 0", name), byInstance.and("time() - %s < %d", processStart, w.seconds()),
		")")
}

// processStart isn't in the catalogue: the library for processes makes it.
const processStart = "process_start_time_seconds"

// mostlyLate selects the feeds whose records of the last hour are mostly late.
func mostlyLate() string {
	return lines(fmt.Sprintf("%s > %s", lateShare1h, number(lateShare)),
		"and "+atLeast(lateFloor, callsHourly, w1h))
}
