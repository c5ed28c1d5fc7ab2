package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (l *callLine) cells() []cell {
	return []cell{{"source", l.Source}, {"feed", l.Feed}, {"trunk", l.Trunk}, {"direction", l.Direction}}
}

func (n *counts) cells() []cell {
	return append(n.callLine.cells(), cell{"attempts", n.attempts}, cell{"connected", n.connected}, cell{"failed", n.failed})
}

func (f *failingLine) cells() []cell {
	return append(f.counts.cells(), cell{"first", timeText(f.first)}, cell{"last", timeText(f.last)})
}

func (r *failureRun) cells() []cell {
	return []cell{
		{"failed", r.failed},
		{"since", timeText(r.since)},
		{"until", timeText(r.until)},
		{"before", timeText(r.before)},
		{"after", timeText(r.after)},
	}
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

func (n *causeCount) cells() []cell {
	return append(n.cause.cells(), cell{"count", n.count}, cell{"first", timeText(n.first)}, cell{"last", timeText(n.last)})
}

func (c *failedCall) cells() []cell {
	return append(c.cause.cells(), cell{"start", timeText(c.start)}, cell{"id", c.id}, cell{"call_id", c.callID},
		cell{"caller", c.caller}, cell{"callee", c.callee})
}

// print prints the report as text, json or csv.
func (r *incidentReport) print(output string, out io.Writer) (err error) {
	switch output {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r.object())
	case "csv":
		err = r.printCSV(out)
	default:
		err = r.printText(out)
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// object is the report as JSON.
func (r *incidentReport) object() map[string]any {
	failing, meanwhile := []any{}, []any{}
	for _, f := range r.failing {
		object := cellObject(f.cells())
		var causes, sample []any
		for i := range f.causes {
			causes = append(causes, cellObject(f.causes[i].cells()))
		}
		for _, c := range f.sample {
			sample = append(sample, cellObject(c.cells()))
		}
		object["longest_run"], object["causes"], object["sample"] = cellObject(f.longest.cells()), causes, sample
		failing = append(failing, object)
	}
	for i := range r.meanwhile {
		meanwhile = append(meanwhile, cellObject(r.meanwhile[i].cells()))
	}
	object := cellObject([]cell{{"from", timeText(r.from)}, {"to", timeText(r.to)}, {"trunk", r.trunk}})
	object["failing"] = failing
	object["meanwhile"] = map[string]any{"from": timeText(r.first), "to": timeText(r.last), "lines": meanwhile}
	return object
}

// cellObject has the cells that have a value.
func cellObject(cells []cell) map[string]any {
	object := make(map[string]any)
	for _, c := range cells {
		if c.text() != "" {
			object[c.column] = c.value
		}
	}
	return object
}

// incidentColumns are those of CSV. The rows are of four kinds: `failing`, its `cause`s and `call`s, and what went on `meanwhile`.
var incidentColumns = []string{
	"row", "source", "feed", "trunk", "direction", "attempts", "connected", "failed", "count", "first", "last",
	"outcome", "sip_code", "sub_code", "reason", "words", "fault_domain", "start", "id", "call_id", "caller", "callee",
}

func (r *incidentReport) printCSV(out io.Writer) error {
	write, flush := csvRows(out)
	err := write(incidentColumns)
	row := func(kind string, cells ...[]cell) {
		texts := make([]string, len(incidentColumns))
		for _, c := range append(slices.Concat(cells...), cell{"row", kind}) {
			texts[slices.Index(incidentColumns, c.column)] = c.text()
		}
		if err == nil {
			err = write(texts)
		}
	}
	for _, f := range r.failing {
		row("failing", f.cells())
		for i := range f.causes {
			row("cause", f.callLine.cells(), f.causes[i].cells())
		}
		for _, c := range f.sample {
			row("call", f.callLine.cells(), c.cells())
		}
	}
	for i := range r.meanwhile {
		row("meanwhile", r.meanwhile[i].cells())
	}
	if err != nil {
		return err
	}
	return flush()
}

// incidentText prints lines and tables; its first error stays.
type incidentText struct {
	out io.Writer
	err error
}

func (t *incidentText) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, format+"\n", args...)
	}
}

// table prints rows, the first of which is the head.
func (t *incidentText) table(rows [][]string) {
	write, flush := tableRows(t.out)
	for _, row := range rows {
		if row[0] = "  " + row[0]; t.err == nil {
			t.err = write(row)
		}
	}
	if t.err == nil {
		t.err = flush()
	}
}

func (r *incidentReport) printText(out io.Writer) error {
	t := &incidentText{out: out}
	subject := "All trunks"
	if r.trunk != "" {
		subject = "Trunk " + printable(r.trunk)
	}
	t.line("%s, calls from %s to %s (times are UTC)", subject, shortTime(r.from), shortTime(r.to))
	if len(r.failing) == 0 {
		t.line("\nNo call failed.")
	}
	for _, f := range r.failing {
		f.print(t)
	}
	if len(r.meanwhile) == 0 {
		return t.err
	}
	t.line("\nMeanwhile, from %s to %s, on other trunks and in other directions:", shortTime(r.first), shortTime(r.last))
	rows := [][]string{{"trunk", "direction", "source", "attempts", "connected", "failed"}}
	for i := range r.meanwhile {
		n := &r.meanwhile[i]
		rows = append(rows, []string{n.name(), n.Direction, n.Source + "/" + n.Feed, strconv.Itoa(n.attempts), n.share(n.connected), n.share(n.failed)})
	}
	t.table(rows)
	return t.err
}

func (f *failingLine) print(t *incidentText) {
	t.line("\n%s, %s (%s/%s): %s of %d attempts failed, %s connected", printable(f.name()), f.Direction, f.Source, f.Feed,
		f.share(f.failed), f.attempts, f.share(f.connected))
	t.line("  First failure %s, last %s.", shortTime(f.first), shortTime(f.last))
	run := fmt.Sprintf("  Most in a row: %d, from %s to %s", f.longest.failed, shortTime(f.longest.since), shortTime(f.longest.until))
	if !f.longest.before.IsZero() {
		run += "; a call got through at " + shortTime(f.longest.before) + " before"
	}
	if f.longest.after.IsZero() {
		run += "; none got through after"
	} else {
		run += "; the next got through at " + shortTime(f.longest.after)
	}
	t.line("%s.\n", run)
	rows := [][]string{{"times", "first", "last", "outcome", "fault of", "code"}}
	for i := range f.causes {
		c := &f.causes[i]
		rows = append(rows, []string{strconv.Itoa(c.count), shortTime(c.first), shortTime(c.last), slugWords(c.outcome.String()), domainWords[c.domain], c.words()})
	}
	t.table(rows)
	t.line("\n  %d of these calls:", len(f.sample))
	rows = [][]string{{"start", "call id", "caller", "callee", "code"}}
	for _, c := range f.sample {
		rows = append(rows, []string{shortTime(c.start), c.shownID(), c.caller, c.callee, c.words()})
	}
	t.table(rows)
}

// shownID is the id that the carrier knows the call by, else the record's.
func (c *failedCall) shownID() string {
	if c.callID != "" {
		return c.callID
	}
	return c.id
}

func (l *callLine) name() string {
	if l.Trunk == "" {
		return "no trunk given"
	}
	return l.Trunk
}

// share is a number of calls, with its share of the attempts.
func (n *counts) share(calls int) string {
	if n.attempts == 0 {
		return strconv.Itoa(calls)
	}
	return fmt.Sprintf("%d (%.0f %%)", calls, 100*float64(calls)/float64(n.attempts))
}

// domainWords are whose fault it is, in words.
var domainWords = map[cdr.FaultDomain]string{
	cdr.FaultUnknown: "unknown", cdr.FaultUser: "the caller or the called", cdr.FaultPolicy: "our policy", cdr.FaultSBC: "our SBC or trunk",
	cdr.FaultCarrier: "the carrier", cdr.FaultProvider: "the provider's cloud",
}

func shortTime(at time.Time) string { return at.UTC().Truncate(time.Second).Format(time.RFC3339) }
