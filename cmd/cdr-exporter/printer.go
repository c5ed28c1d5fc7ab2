package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// printer prints redacted records.
type printer interface {
	// line makes a record printable. It keeps nothing of the record.
	line(r *cdr.Record) (*line, error)
	// print prints a line with the recordings that it has.
	print(l *line, recordings []recording) error
	close() error
}

// line is a record as it is printed, but for its recordings.
type line struct {
	cells  []string                   // of tables and CSV
	object map[string]json.RawMessage // of JSON lines
}

// newPrinter makes a printer; with recordings, rows have columns for these.
func newPrinter(output string, recordings bool, out io.Writer) printer {
	rows := &rowPrinter{rows: columns}
	if recordings {
		rows.more = recordingColumns
	}
	switch output {
	case "jsonl":
		return &jsonPrinter{enc: json.NewEncoder(out)}
	case "csv":
		w := csv.NewWriter(out)
		rows.write, rows.flush = w.Write, func() error {
			w.Flush()
			return w.Error()
		}
		return rows
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	rows.flush, rows.write = w.Flush, func(cells []string) error {
		for i, cell := range cells {
			cells[i] = printable(cell)
		}
		_, err := fmt.Fprintln(w, strings.Join(cells, "\t"))
		return err
	}
	return rows
}

// column is one value of a record.
type column struct {
	name  string
	value func(*cdr.Record) string
}

// columns are the same in tables and CSV; JSON lines have the provider's own
// fields too.
var columns = []column{
	{"start", func(r *cdr.Record) string { return timeText(r.Start) }},
	{"id", func(r *cdr.Record) string { return r.ID }},
	{"direction", func(r *cdr.Record) string { return r.Direction.String() }},
	{"call_type", func(r *cdr.Record) string { return r.CallType }},
	{"outcome", func(r *cdr.Record) string { return r.Outcome.String() }},
	{"duration", func(r *cdr.Record) string { return strconv.FormatFloat(r.Duration.Seconds(), 'f', -1, 64) }},
	{"trunk", func(r *cdr.Record) string { return r.Trunk }},
	{"country", func(r *cdr.Record) string { return r.Country }},
	{"sip_code", func(r *cdr.Record) string { return intText(r.SIPCode) }},
	{"sub_code", func(r *cdr.Record) string { return intText(r.SubCode) }},
	{"reason", func(r *cdr.Record) string { return r.Reason }},
	{"caller", func(r *cdr.Record) string { return r.CallerNumber }},
	{"callee", func(r *cdr.Record) string { return r.CalleeNumber }},
	{"user", func(r *cdr.Record) string { return r.UserName }},
	{"charges", chargesText},
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func intText(n cdr.Int) string {
	if !n.Known {
		return ""
	}
	return strconv.FormatInt(n.Value, 10)
}

func chargesText(r *cdr.Record) string {
	var all []string
	for i := range r.Charges {
		c := &r.Charges[i]
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Component, c.Amount.String(), c.Currency)))
	}
	return strings.Join(all, "; ")
}

// rowPrinter prints a head and one row per record.
type rowPrinter struct {
	rows  []column
	more  []recordingColumn
	write func([]string) error
	flush func() error
	begun bool
}

func (p *rowPrinter) begin() error {
	if p.begun {
		return nil
	}
	p.begun = true
	var head []string
	for _, c := range p.rows {
		head = append(head, c.name)
	}
	for _, c := range p.more {
		head = append(head, c.name)
	}
	return p.write(head)
}

func (p *rowPrinter) line(r *cdr.Record) (*line, error) {
	cells := make([]string, len(p.rows))
	for i, c := range p.rows {
		cells[i] = strings.Clone(c.value(r))
	}
	return &line{cells: cells}, nil
}

func (p *rowPrinter) print(l *line, recordings []recording) error {
	if err := p.begin(); err != nil {
		return err
	}
	cells := l.cells
	for _, c := range p.more {
		cells = append(cells, c.cell(recordings))
	}
	return p.write(cells)
}

func (p *rowPrinter) close() error {
	if err := p.begin(); err != nil {
		return err
	}
	return p.flush()
}
