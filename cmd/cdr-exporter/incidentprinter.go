package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (n *counts) cells() []cell {
	return append(n.callLine.cells(), cell{"attempts", n.attempts}, cell{"connected", n.connected}, cell{"failed", n.failed})
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
			{"first", timeText(f.first)},
			{"last", timeText(f.last)},
			{"in_a_row", f.longest.failed},
			{"since", timeText(f.longest.since)},
			{"until", timeText(f.longest.until)},
			{"last_before", timeText(f.longest.before)},
			{"next_after", timeText(f.longest.after)},
		})
		for i := range f.causes {
			c := &f.causes[i]
			row("cause", f.callLine.cells(), c.cells(), []cell{{"count", c.count}, {"first", timeText(c.first)}, {"last", timeText(c.last)}})
		}
		for _, c := range f.sample {
			row("call", f.callLine.cells(), c.cells(), []cell{
				{"start", timeText(c.start)}, {"id", c.id}, {"call_id", c.callID}, {"caller", c.caller}, {"callee", c.callee},
			})
		}
	}
	for i := range r.meanwhile {
		row("meanwhile", r.meanwhile[i].cells(), []cell{{"first", timeText(r.first)}, {"last", timeText(r.last)}})
	}
}

// print prints the report as text, json or csv.
func (r *incidentReport) print(output string, out io.Writer) (err error) {
	switch output {
	case "json":
		lists := map[string][]any{"failing": {}, "cause": {}, "call": {}, "meanwhile": {}}
		r.each(func(kind string, cells ...[]cell) {
			row := make(map[string]any)
			for _, c := range slices.Concat(cells...) {
				if c.text() != "" {
					row[c.column] = c.value
				}
			}
			lists[kind] = append(lists[kind], row)
		})
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(map[string]any{
			"from": timeText(r.from), "to": timeText(r.to), "trunk": r.trunk,
			"failing": lists["failing"], "causes": lists["cause"], "calls": lists["call"], "meanwhile": lists["meanwhile"],
		})
	case "csv":
		write, flush := csvRows(out)
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
		_, err = io.WriteString(out, r.text())
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

// text is the report for people.
func (r *incidentReport) text() string {
	var b strings.Builder
	subject := "All trunks"
	if r.trunk != "" {
		subject = "Trunk " + printable(r.trunk)
	}
	fmt.Fprintf(&b, "%s, calls from %s to %s (times are UTC)\n", subject, moment(r.from), moment(r.to))
	if len(r.failing) == 0 {
		b.WriteString("\nNo call failed.\n")
	}
	for _, f := range r.failing {
		f.writeText(&b)
	}
	if len(r.meanwhile) > 0 {
		fmt.Fprintf(&b, "\nMeanwhile, from %s to %s, on other trunks and in other directions:\n", moment(r.first), moment(r.last))
		rows := [][]string{{"trunk", "direction", "source", "attempts", "connected", "failed"}}
		for i := range r.meanwhile {
			n := &r.meanwhile[i]
			rows = append(rows, []string{n.name(), n.Direction, n.Source + "/" + n.Feed, strconv.Itoa(n.attempts), n.share(n.connected), n.share(n.failed)})
		}
		writeTable(&b, rows)
	}
	return b.String()
}

func (f *failingLine) writeText(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s, %s (%s/%s): %s of %d attempts failed, %s connected\n  First failure %s, last %s.\n", printable(f.name()), f.Direction,
		f.Source, f.Feed, f.share(f.failed), f.attempts, f.share(f.connected), moment(f.first), moment(f.last))
	before, after := "none is known to have got through before", "none after"
	if !f.longest.before.IsZero() {
		before = "the last before got through at " + moment(f.longest.before)
	}
	if !f.longest.after.IsZero() {
		after = "the next at " + moment(f.longest.after)
	}
	fmt.Fprintf(b, "  Most in a row: %d, from %s to %s; %s, %s.\n\n", f.longest.failed, moment(f.longest.since), moment(f.longest.until), before, after)
	rows := [][]string{{"times", "first", "last", "outcome", "fault of", "code"}}
	for i := range f.causes {
		c := &f.causes[i]
		rows = append(rows, []string{strconv.Itoa(c.count), moment(c.first), moment(c.last), slugWords(c.outcome.String()), domainWords[c.domain], c.words()})
	}
	writeTable(b, rows)
	fmt.Fprintf(b, "\n  %d of these calls:\n", len(f.sample))
	rows = [][]string{{"start", "call id", "caller", "callee", "code"}}
	for _, c := range f.sample {
		rows = append(rows, []string{moment(c.start), cmp.Or(c.callID, c.id), c.caller, c.callee, c.words()})
	}
	writeTable(b, rows)
}

// writeTable writes rows, indented. Writing to memory doesn't fail.
func writeTable(b *strings.Builder, rows [][]string) {
	write, flush := tableRows(b)
	for _, row := range rows {
		row[0] = "  " + row[0]
		_ = write(row)
	}
	_ = flush()
}

func (l *callLine) name() string { return cmp.Or(l.Trunk, "no trunk given") }

// share is a number of calls, with its share of the attempts.
func (n *counts) share(calls int) string {
	return fmt.Sprintf("%d (%.0f %%)", calls, 100*float64(calls)/float64(max(1, n.attempts)))
}

// domainWords are whose fault it is, in words.
var domainWords = map[cdr.FaultDomain]string{
	cdr.FaultUnknown: "unknown", cdr.FaultUser: "the caller or the called", cdr.FaultPolicy: "our policy", cdr.FaultSBC: "our SBC or trunk",
	cdr.FaultCarrier: "the carrier", cdr.FaultProvider: "the provider's cloud",
}
