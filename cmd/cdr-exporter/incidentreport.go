package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostSamples is how many calls, from the first, a report shows for the longest outage of a trunk
// and direction.
const mostSamples = 10

// callLine is a trunk in one direction.
type callLine struct{ Source, Feed, Trunk, Direction string }

type incidentCall struct {
	at      time.Time
	outcome cdr.Outcome
	failure *failedCall // nil if the call connected
}

// failedCall is a call of the sample, redacted.
type failedCall struct {
	cause

	start                                 time.Time
	id, callID, sipCallID, caller, callee string
	labels                                cdr.Labels // the operator's
}

type cause struct {
	outcome  cdr.Outcome
	sip, sub cdr.Int
	reason   string
	domain   cdr.FaultDomain
}

// words describe the codes, in the taxonomy's words.
func (c *cause) words() string {
	text := slugWords(cmp.Or(c.reason, c.outcome.String()))
	if meaning := cdr.SIPReason(c.sip.Value); c.sip.Known && meaning != c.reason && meaning != "" {
		text += " (" + slugWords(meaning) + ")"
	}
	return text
}

// network says whether the network failed the call, or may have failed it: the feed doesn't say why
// a call didn't connect.
func (c *cause) network() bool { return c.outcome == cdr.Failed || c.outcome == cdr.NotConnected }

// failures are sorted by start.
type failures []*failedCall

func (f failures) first() time.Time { return f[0].start }

func (f failures) last() time.Time { return f[len(f)-1].start }

// lineReport is the report of a trunk in one direction.
type lineReport struct {
	callLine

	attempts, connected int
	failures            failures   // the network's failures
	causes              []failures // by cause, the most frequent first, with misdialled and refused calls
	longest             failureRun
}

// failureRun are consecutive failures, with the connected calls before and after, if there are any.
type failureRun struct {
	failures

	before, after time.Time // connected calls
}

// incidentReport is the report of the failures.
type incidentReport struct {
	from, to  time.Time
	trunk     string                  // empty means all
	numbers   string                  // how numbers are shown; empty means as configured
	read      map[[2]string]time.Time // start of the newest call, by source and feed
	lines     []*lineReport           // of the trunk
	failing   []*lineReport           // lines with failures of the network, the longest outage first
	meanwhile []*lineReport
	callers   *callers // nil without --callers
}

func newIncidentReport(from, to time.Time, trunk string, calls map[callLine][]incidentCall) *incidentReport {
	r := &incidentReport{from: from, to: to, trunk: trunk, read: make(map[[2]string]time.Time)}
	for _, line := range slices.SortedFunc(maps.Keys(calls),
		func(a, b callLine) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		of := calls[line]
		slices.SortStableFunc(of, func(a, b incidentCall) int { return a.at.Compare(b.at) })
		if feed := [2]string{line.Source, line.Feed}; of[len(of)-1].at.After(r.read[feed]) {
			r.read[feed] = of[len(of)-1].at
		}
		if trunk == "" || strings.EqualFold(trunk, line.Trunk) {
			r.lines = append(r.lines, newLineReport(line, of))
		}
	}
	r.failing = slices.DeleteFunc(slices.Clone(r.lines), func(l *lineReport) bool { return len(l.failures) == 0 })
	slices.SortStableFunc(r.failing, func(a, b *lineReport) int {
		return cmp.Or(cmp.Compare(len(b.longest.failures), len(a.longest.failures)),
			cmp.Compare(len(b.failures), len(a.failures)))
	})
	return r
}

// span is from the first to the last of the longest runs, or the whole range without failures.
func (r *incidentReport) span() (from, to time.Time) {
	for i, l := range r.failing {
		if i == 0 || l.longest.first().Before(from) {
			from = l.longest.first()
		}
		if l.longest.last().After(to) {
			to = l.longest.last()
		}
	}
	if to.IsZero() {
		return r.from, r.to
	}
	return from, to
}

// countMeanwhile counts the calls of other lines during that time. Other trunks may belong to other
// carriers, so the report sums them without names.
func (r *incidentReport) countMeanwhile(calls map[callLine][]incidentCall) {
	first, last := r.span()
	others := make(map[callLine][]incidentCall)
	for line, of := range calls {
		if slices.ContainsFunc(r.failing, func(l *lineReport) bool { return l.callLine == line }) {
			continue
		}
		if r.trunk == "" || !strings.EqualFold(r.trunk, line.Trunk) {
			line = callLine{Trunk: "other trunks", Direction: line.Direction}
		}
		for i := range of {
			if !of[i].at.Before(first) && !of[i].at.After(last) {
				others[line] = append(others[line], of[i])
			}
		}
	}
	r.meanwhile = newIncidentReport(first, last, "", others).lines
}

// newLineReport counts the calls of a line, which must be in order. A call with an unknown outcome
// isn't an attempt. A call that a user misdialled or that policy refused isn't a failure of the
// network, and doesn't show that the network works either.
func newLineReport(line callLine, calls []incidentCall) *lineReport {
	l, run := &lineReport{callLine: line}, failureRun{}
	causes := make(map[cause]failures)
	for i := range calls {
		c := &calls[i]
		if c.failure != nil || c.outcome.Attempt() {
			l.attempts++
		}
		if c.outcome.Connected() {
			l.connected++
		}
		if c.failure != nil {
			causes[c.failure.cause] = append(causes[c.failure.cause], c.failure)
		}
		switch {
		case c.failure != nil && c.failure.network():
			l.failures, run.failures = append(l.failures, c.failure), append(run.failures, c.failure)
			if len(run.failures) > len(l.longest.failures) {
				l.longest = run
			}
		case c.outcome.Effective():
			if l.longest.after.IsZero() { // otherwise it is an earlier run
				l.longest.after = c.at
			}
			run = failureRun{before: c.at}
		}
	}
	l.causes = slices.SortedFunc(maps.Values(causes), func(a, b failures) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), a.first().Compare(b.first()),
			cmp.Compare(a[0].words(), b[0].words()), cmp.Compare(a[0].id, b[0].id))
	})
	return l
}

// affected counts the network's failures by value of the operator's labels, the most frequent
// first.
func (l *lineReport) affected() (rows [][]cell) {
	counts := cdr.CountLabels(func(yield func(cdr.Labels) bool) {
		for _, f := range l.failures {
			if !yield(f.labels) {
				return
			}
		}
	})
	for _, whose := range counts[:min(len(counts), mostSamples)] {
		rows = append(rows, []cell{{"label", whose.Name}, {"value", whose.Value}, {"count", whose.Count}})
	}
	return rows
}

func (l *lineReport) cells() []cell {
	by := make(map[cdr.Outcome]int)
	for _, f := range l.failures {
		by[f.outcome]++
	}
	return append(l.callLine.cells(), []cell{
		{"attempts", l.attempts},
		{"connected", l.connected},
		{"failed", by[cdr.Failed]},
		{"not_connected", by[cdr.NotConnected]},
	}...)
}

func (l *callLine) cells() []cell {
	return []cell{{"source", l.Source}, {"feed", l.Feed}, {"trunk", l.Trunk}, {"direction", l.Direction}}
}

func (c *cause) cells() []cell {
	return []cell{
		{"outcome", c.outcome.String()},
		{"sip_code", number(c.sip)},
		{"sub_code", number(c.sub)},
		{"reason", c.reason},
		{"words", c.words()},
		{"fault_domain", c.domain.String()},
	}
}

// each yields the whole report as rows of six kinds.
func (r *incidentReport) each(row func(kind string, cells ...[]cell)) {
	for _, f := range r.failing {
		row("failing", f.cells(), []cell{
			{"first", f.failures.first()},
			{"last", f.failures.last()},
			{"in_a_row", len(f.longest.failures)},
			{"since", f.longest.first()},
			{"until", f.longest.last()},
			{"last_before", f.longest.before},
			{"next_after", f.longest.after},
			{"read_to", r.read[[2]string{f.Source, f.Feed}]},
		})
		for _, whose := range f.affected() {
			row("affected", f.callLine.cells(), whose)
		}
		for _, c := range f.longest.failures[:min(len(f.longest.failures), mostSamples)] {
			row("call", f.callLine.cells(), c.cells(), []cell{
				{"start", c.start},
				{"id", c.id},
				{"call_id", c.callID},
				{"sip_call_id", c.sipCallID},
				{"caller", c.caller},
				{"callee", c.callee},
			})
		}
	}
	for _, l := range r.lines {
		for _, c := range l.causes {
			row("cause", l.callLine.cells(), c[0].cells(),
				[]cell{{"count", len(c)}, {"first", c.first()}, {"last", c.last()}})
		}
	}
	first, last := r.span()
	for _, n := range r.meanwhile {
		row("meanwhile", n.cells(), []cell{{"first", first}, {"last", last}})
	}
	if r.callers != nil {
		r.callers.each(row)
	}
}

// object is the report as JSON, which is also the source of the text.
func (r *incidentReport) object() map[string]any {
	lists := map[string][]map[string]any{
		"failing": {}, "affected": {}, "cause": {}, "call": {}, "meanwhile": {},
		"caller": {},
	}
	r.each(func(kind string, cells ...[]cell) { lists[kind] = append(lists[kind], object(slices.Concat(cells...))) })
	counts := make(map[cdr.Outcome]int)
	for _, l := range r.lines {
		for _, c := range l.causes {
			counts[c[0].outcome] += len(c)
		}
	}
	return map[string]any{
		"from": r.from, "to": r.to, "trunk": r.trunk, "numbers": cmp.Or(r.numbers, "configured"),
		"misdialled": counts[cdr.InvalidNumber], "not_allowed": counts[cdr.NotAllowed],
		"failing": lists["failing"], "affected": lists["affected"], "causes": lists["cause"], "calls": lists["call"],
		"meanwhile": lists["meanwhile"],
		"callers":   lists["caller"],
	}
}

func (r *incidentReport) print(output string, out io.Writer) (err error) {
	switch output {
	case "json":
		err = printJSON(out, r.object())
	case "csv":
		write, flush := rowWriter(output, out)
		_ = write(incidentColumns) // buffered: an error shows at the flush
		r.each(func(kind string, cells ...[]cell) {
			texts := make([]string, len(incidentColumns))
			for _, c := range append(slices.Concat(cells...), cell{"row", kind}) {
				texts[slices.Index(incidentColumns, c.column)] = c.text()
			}
			_ = write(texts)
		})
		err = flush()
	default:
		err = printText(out, "incident.tmpl", r.object())
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

var incidentColumns = []string{
	"row", "source", "feed", "trunk", "direction", "attempts", "connected", "failed", "not_connected", "first", "last",
	"in_a_row", "since", "until", "last_before", "next_after", "read_to",
	"outcome", "sip_code", "sub_code", "reason", "words", "fault_domain", "count", "start", "id", "call_id",
	"sip_call_id", "caller", "callee", "label", "value",
	"country", "number_class", "user", "extension", "minutes", "charges",
}

// sameLine are the rows of the same line as a row.
func sameLine(line map[string]any, rows []map[string]any) (same []map[string]any) {
	for _, row := range rows {
		if row["source"] == line["source"] && row["feed"] == line["feed"] && row["trunk"] == line["trunk"] &&
			row["direction"] == line["direction"] {
			same = append(same, row)
		}
	}
	return same
}

// share is a number of calls, with its share of the attempts.
func share(calls, attempts int) string {
	return fmt.Sprintf("%d (%.0f %%)", calls, 100*float64(calls)/float64(max(1, attempts)))
}

var domainWords = map[string]string{
	cdr.FaultUnknown.String(): "unknown", cdr.FaultUser.String(): "the caller or the called",
	cdr.FaultPolicy.String(): "our policy",
	cdr.FaultSBC.String():    "our SBC or trunk", cdr.FaultCarrier.String(): "the carrier",
	cdr.FaultProvider.String(): "the provider's cloud",
}
