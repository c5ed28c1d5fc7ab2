package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostSamples is how many failed calls, the first ones, a report shows of a trunk and direction.
const mostSamples = 10

// callLine is a trunk in one direction.
type callLine struct{ Source, Feed, Trunk, Direction string }

type incidentCall struct {
	at      time.Time
	outcome cdr.Outcome
	failure *failedCall // nil: it got through, or its failure is another call's
}

// failedCall is a call of the sample, redacted.
type failedCall struct {
	cause

	start                      time.Time
	id, callID, caller, callee string
}

type cause struct {
	outcome  cdr.Outcome
	sip, sub cdr.Int
	reason   string
	domain   cdr.FaultDomain
}

// words are the codes in words: those of the taxonomy.
func (c *cause) words() string {
	text := slugWords(cmp.Or(c.reason, c.outcome.String()))
	var codes []string
	if c.sip.Known && c.sip.Value != 0 {
		code := fmt.Sprintf("SIP %d", c.sip.Value)
		if meaning := cdr.SIPReason(c.sip.Value); meaning != c.reason && meaning != "" {
			code += " " + slugWords(meaning)
		}
		codes = append(codes, code)
	}
	if c.sub.Known && c.sub.Value != 0 {
		codes = append(codes, fmt.Sprintf("sub code %d", c.sub.Value))
	}
	if len(codes) > 0 {
		text += " (" + strings.Join(codes, ", ") + ")"
	}
	return text
}

// failures are in the order of their start.
type failures []*failedCall

func (f failures) first() time.Time { return f[0].start }

func (f failures) last() time.Time { return f[len(f)-1].start }

// lineReport is what the calls of a line say.
type lineReport struct {
	callLine

	attempts, connected int
	failures            failures
	causes              []failures // by their cause, the most frequent first
	longest             failureRun
}

// failureRun are failures in a row between two calls that got through, if there were any.
type failureRun struct {
	failures

	before, after time.Time // calls that got through
}

// incidentReport says what failed, and what got through between the first failure and the last.
type incidentReport struct {
	from, to    time.Time
	trunk       string // empty: all
	failing     []*lineReport
	first, last time.Time
	meanwhile   []*lineReport
}

func newIncidentReport(from, to time.Time, trunk string, calls map[callLine][]incidentCall) *incidentReport {
	r := &incidentReport{from: from, to: to, trunk: trunk, first: from, last: to}
	lines := slices.SortedFunc(maps.Keys(calls), func(a, b callLine) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	var others []callLine
	for _, line := range lines {
		slices.SortStableFunc(calls[line], func(a, b incidentCall) int { return a.at.Compare(b.at) })
		if l := newLineReport(line, calls[line]); len(l.failures) > 0 && (trunk == "" || strings.EqualFold(trunk, line.Trunk)) {
			r.failing = append(r.failing, l)
		} else {
			others = append(others, line)
		}
	}
	slices.SortStableFunc(r.failing, func(a, b *lineReport) int { return cmp.Compare(len(b.failures), len(a.failures)) })
	if len(r.failing) > 0 {
		r.first = slices.MinFunc(r.failing, func(a, b *lineReport) int { return a.failures.first().Compare(b.failures.first()) }).failures.first()
		r.last = slices.MaxFunc(r.failing, func(a, b *lineReport) int { return a.failures.last().Compare(b.failures.last()) }).failures.last()
	}
	for _, line := range others {
		meanwhile := slices.DeleteFunc(slices.Clone(calls[line]), func(c incidentCall) bool { return c.at.Before(r.first) || c.at.After(r.last) })
		if l := newLineReport(line, meanwhile); l.attempts > 0 {
			r.meanwhile = append(r.meanwhile, l)
		}
	}
	return r
}

// newLineReport counts the calls of a line, which are in order. One whose outcome isn't known is no attempt.
func newLineReport(line callLine, calls []incidentCall) *lineReport {
	l, run := &lineReport{callLine: line}, failureRun{}
	for i := range calls {
		c := &calls[i]
		if c.failure != nil || c.outcome.Attempt() {
			l.attempts++
		}
		if c.outcome.Connected() {
			l.connected++
		}
		switch {
		case c.failure != nil:
			l.failures, run.failures = append(l.failures, c.failure), append(run.failures, c.failure)
			if len(run.failures) > len(l.longest.failures) {
				l.longest = run
			}
		case c.outcome.Effective():
			if l.longest.after.IsZero() { // else it is an earlier run
				l.longest.after = c.at
			}
			run = failureRun{before: c.at}
		}
	}
	causes := make(map[cause]failures)
	for _, f := range l.failures {
		causes[f.cause] = append(causes[f.cause], f)
	}
	l.causes = slices.SortedFunc(maps.Values(causes), func(a, b failures) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), a.first().Compare(b.first()), cmp.Compare(a[0].words(), b[0].words()), cmp.Compare(a[0].id, b[0].id))
	})
	return l
}

func (l *lineReport) cells() []cell {
	return append(l.callLine.cells(), cell{"attempts", l.attempts}, cell{"connected", l.connected}, cell{"failed", len(l.failures)})
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

// each yields all of the report as rows of four kinds.
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
		})
		for _, c := range f.causes {
			row("cause", f.callLine.cells(), c[0].cells(), []cell{{"count", len(c)}, {"first", c.first()}, {"last", c.last()}})
		}
		for _, c := range f.failures[:min(len(f.failures), mostSamples)] {
			row("call", f.callLine.cells(), c.cells(), []cell{
				{"start", c.start}, {"id", c.id}, {"call_id", c.callID}, {"caller", c.caller}, {"callee", c.callee},
			})
		}
	}
	for _, n := range r.meanwhile {
		row("meanwhile", n.cells(), []cell{{"first", r.first}, {"last", r.last}})
	}
}

// object is the report as JSON, of which the text is made too.
func (r *incidentReport) object() map[string]any {
	lists := map[string][]map[string]any{"failing": {}, "cause": {}, "call": {}, "meanwhile": {}}
	r.each(func(kind string, cells ...[]cell) { lists[kind] = append(lists[kind], object(slices.Concat(cells...))) })
	return map[string]any{
		"from": r.from, "to": r.to, "trunk": r.trunk,
		"failing": lists["failing"], "causes": lists["cause"], "calls": lists["call"], "meanwhile": lists["meanwhile"],
	}
}

func (r *incidentReport) print(output string, out io.Writer) (err error) {
	switch output {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r.object())
	case "csv":
		write, flush := rowWriter(output, out)
		_ = write(incidentColumns) // it is buffered: what fails, fails when it is flushed
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
	"row", "source", "feed", "trunk", "direction", "attempts", "connected", "failed", "first", "last",
	"in_a_row", "since", "until", "last_before", "next_after",
	"outcome", "sip_code", "sub_code", "reason", "words", "fault_domain", "count", "start", "id", "call_id", "caller", "callee",
}

// sameLine are the rows of the line of a row.
func sameLine(line map[string]any, rows []map[string]any) (same []map[string]any) {
	for _, row := range rows {
		if row["source"] == line["source"] && row["feed"] == line["feed"] && row["trunk"] == line["trunk"] && row["direction"] == line["direction"] {
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
	cdr.FaultUnknown.String(): "unknown", cdr.FaultUser.String(): "the caller or the called", cdr.FaultPolicy.String(): "our policy",
	cdr.FaultSBC.String(): "our SBC or trunk", cdr.FaultCarrier.String(): "the carrier", cdr.FaultProvider.String(): "the provider's cloud",
}
