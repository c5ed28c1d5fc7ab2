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

// recordPrinter prints a redacted record, with the recordings that it has.
type recordPrinter func(r *cdr.Record, recordings []recording) error

// newPrinter prints a table, CSV or JSON lines. A table without records has its head.
func newPrinter(output string, recordings bool, out io.Writer) (printer recordPrinter, flush func() error) {
	if output == "jsonl" {
		enc := json.NewEncoder(out)
		return func(r *cdr.Record, recordings []recording) error { return enc.Encode(jsonObject(r, recordings)) }, func() error { return nil }
	}
	write, flush := rowWriter(output, out)
	rowOf := func(r *cdr.Record, of []recording) (columns, texts []string) {
		cells := row(r)
		if recordings {
			cells = append(cells, recordingCells(of)...)
		}
		for _, c := range cells {
			columns, texts = append(columns, c.column), append(texts, c.text())
		}
		return columns, texts
	}
	head, _ := rowOf(&cdr.Record{}, nil)
	_ = write(head) // it is buffered: what fails, fails later
	return func(r *cdr.Record, recordings []recording) error {
		_, texts := rowOf(r, recordings)
		return write(texts)
	}, flush
}

// rowWriter writes rows as CSV, or as a table whose columns align.
func rowWriter(output string, out io.Writer) (write func(texts []string) error, flush func() error) {
	if output == "csv" {
		w := csv.NewWriter(out)
		return w.Write, func() error {
			w.Flush()
			return w.Error()
		}
	}
	w := newTable(out)
	return func(texts []string) error {
		for i, text := range texts {
			texts[i] = printable(text)
		}
		_, err := fmt.Fprintln(w, strings.Join(texts, "\t"))
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

func number(n cdr.Int) any {
	if !n.Known {
		return nil
	}
	return n.Value
}

type charges []map[string]string

func chargesOf(r *cdr.Record) (all charges) {
	for i := range r.Charges {
		c := &r.Charges[i]
		all = append(all, map[string]string{"component": c.Component, "amount": c.Amount.String(), "currency": c.Currency})
	}
	return all
}

// text is the cell in a table or CSV.
func (c cell) text() string {
	switch v := c.value.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case charges:
		var texts []string
		for _, c := range v {
			texts = append(texts, strings.TrimSpace(c["component"]+" "+c["amount"]+" "+c["currency"]))
		}
		return strings.Join(texts, "; ")
	case []string:
		return strings.Join(v, ", ")
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(c.value)
}

// object has the cells that have a value.
func object(cells []cell) map[string]any {
	object := make(map[string]any, len(cells))
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

// jsonObject has the cells that a record has a value for.
func jsonObject(r *cdr.Record, recordings []recording) map[string]any {
	all := object(append(row(r), detail(r)...))
	if len(r.Extra) > 0 {
		all["provider"] = object(attrCells(r.Extra))
	}
	if len(recordings) > 0 {
		all["recordings"] = recordings
	}
	return all
}
