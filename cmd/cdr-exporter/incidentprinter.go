package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

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
			{"first", f.first},
			{"last", f.last},
			{"in_a_row", f.longest.failed},
			{"since", f.longest.since},
			{"until", f.longest.until},
			{"last_before", f.longest.before},
			{"next_after", f.longest.after},
		})
		for _, c := range f.causes {
			row("cause", f.callLine.cells(), c.cells(), []cell{{"count", c.count}, {"first", c.first}, {"last", c.last}})
		}
		for _, c := range f.sample {
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

// print prints the report as text, json or csv.
func (r *incidentReport) print(output string, out io.Writer) (err error) {
	switch output {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r.object())
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

// domainWords are whose fault it is, in words.
var domainWords = map[string]string{
	cdr.FaultUnknown.String(): "unknown", cdr.FaultUser.String(): "the caller or the called", cdr.FaultPolicy.String(): "our policy",
	cdr.FaultSBC.String(): "our SBC or trunk", cdr.FaultCarrier.String(): "the carrier", cdr.FaultProvider.String(): "the provider's cloud",
}
