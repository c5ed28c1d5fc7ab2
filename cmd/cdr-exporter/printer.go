package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// printer prints redacted records as a table, as CSV or as JSON lines.
type printer struct {
	json       *json.Encoder // nil: rows
	recordings bool          // rows have columns for these
	write      func(cells []string) error
	flush      func() error
}

// newPrinter makes a printer. A table without records has its head.
func newPrinter(output string, recordings bool, out io.Writer) *printer {
	p := &printer{recordings: recordings}
	switch output {
	case "jsonl":
		p.json = json.NewEncoder(out)
		return p
	case "csv":
		p.write, p.flush = csvRows(out)
	default:
		p.write, p.flush = tableRows(out)
	}
	var names []string
	for _, c := range p.row(&cdr.Record{}, nil) {
		names = append(names, c.column)
	}
	_ = p.write(names) // it is buffered: what fails, fails later
	return p
}

// csvRows writes rows as CSV.
func csvRows(out io.Writer) (write func(cells []string) error, flush func() error) {
	w := csv.NewWriter(out)
	return w.Write, func() error {
		w.Flush()
		return w.Error()
	}
}

// tableRows writes rows as a table whose columns align.
func tableRows(out io.Writer) (write func(cells []string) error, flush func() error) {
	w := newTable(out)
	return func(cells []string) error {
		for i, cell := range cells {
			cells[i] = printable(cell)
		}
		_, err := fmt.Fprintln(w, strings.Join(cells, "	"))
		return err
	}, w.Flush
}

// cell is a value with the name of its column.
type cell struct {
	column string
	value  any // nil: none
}

// row is what tables, CSV and JSON lines have of a record.
func row(r *cdr.Record) []cell {
	return []cell{
		{"start", r.Start},
		{"id", r.ID},
		{"direction", r.Direction},
		{"call_type", r.CallType},
		{"outcome", r.Outcome},
		{"duration", r.Duration.Seconds()},
		{"trunk", r.Trunk},
		{"country", r.Country},
		{"sip_code", number(r.SIPCode)},
		{"sub_code", number(r.SubCode)},
		{"reason", r.Reason},
		{"caller", r.CallerNumber},
		{"callee", r.CalleeNumber},
		{"user", r.UserName},
		{"charges", chargesOf(r)},
	}
}

// detail is what only JSON lines have of a record.
func detail(r *cdr.Record) []cell {
	return []cell{
		{"call_id", r.CallID},
		{"invite", r.Invite},
		{"answer", r.Answer},
		{"end", r.End},
		{"reason_phrase", r.ReasonPhrase},
		{"media_bypass", r.MediaBypass},
		{"media_location", r.MediaLocation},
		{"signaling_location", r.SignalLocation},
		{"user_id", r.UserID},
		{"user_principal", r.UserPrincipal},
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func number(n cdr.Int) any {
	if !n.Known {
		return nil
	}
	return n.Value
}

// charges are those of a record.
type charges []map[string]string

func chargesOf(r *cdr.Record) (all charges) {
	for i := range r.Charges {
		c := &r.Charges[i]
		all = append(all, map[string]string{"component": c.Component, "amount": c.Amount.String(), "currency": c.Currency})
	}
	return all
}

// text is the charges in a table or CSV.
func (all charges) text() string {
	var texts []string
	for _, c := range all {
		texts = append(texts, strings.TrimSpace(c["component"]+" "+c["amount"]+" "+c["currency"]))
	}
	return strings.Join(texts, "; ")
}

// text is the cell in a table or CSV.
func (c cell) text() string {
	switch v := c.value.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case charges:
		return v.text()
	case time.Time:
		return timeText(v)
	}
	return fmt.Sprint(c.value)
}

// object has the cells that have a value.
func object(cells []cell) map[string]any {
	object := make(map[string]any)
	for _, c := range cells {
		if c.text() == "" {
			continue
		}
		switch v := c.value.(type) {
		case time.Time:
			object[c.column] = v.UTC()
		case fmt.Stringer:
			object[c.column] = v.String()
		default:
			object[c.column] = v
		}
	}
	return object
}

// print prints a record with the recordings that it has.
func (p *printer) print(r *cdr.Record, recordings []recording) error {
	if p.json != nil {
		return p.json.Encode(jsonObject(r, recordings))
	}
	var texts []string
	for _, c := range p.row(r, recordings) {
		texts = append(texts, c.text())
	}
	return p.write(texts)
}

// row is a record as a row of a table or CSV.
func (p *printer) row(r *cdr.Record, recordings []recording) []cell {
	if !p.recordings {
		return row(r)
	}
	return append(row(r), recordingCells(recordings)...)
}

// jsonObject has the cells that a record has a value for.
func jsonObject(r *cdr.Record, recordings []recording) map[string]any {
	object := object(append(row(r), detail(r)...))
	if len(r.Extra) > 0 {
		object["provider"] = attrObject(r.Extra)
	}
	if len(recordings) > 0 {
		object["recordings"] = recordings
	}
	return object
}

// close flushes the output.
func (p *printer) close() error {
	if p.json != nil {
		return nil
	}
	return p.flush()
}
