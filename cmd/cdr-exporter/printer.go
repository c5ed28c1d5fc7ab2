package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// recordPrinter prints a redacted record and its recordings.
type recordPrinter func(r *cdr.Record, recordings []recording) error

// newPrinter prints a table, CSV or JSON lines. A table without records still has its header.
func newPrinter(output string, recordings bool, out io.Writer) (printer recordPrinter, flush func() error) {
	cellsOf := func(r *cdr.Record, of []recording) [][]cell {
		cells := row(r)
		switch {
		case output == "jsonl":
			cells = append(append(cells, detail(r)...), cell{"recordings", valueIf(of != nil, of)})
		case recordings:
			cells = append(cells, recordingCells(of)...)
		}
		if output == "csv" {
			return chargeLines(cells, chargesOf(r))
		}
		return [][]cell{cells}
	}
	printCells, flush := cellPrinter(output, out, cellsOf(new(cdr.Record), nil)[0])
	return func(r *cdr.Record, recordings []recording) (err error) {
		for _, line := range cellsOf(r, recordings) {
			err = cmp.Or(err, printCells(line))
		}
		return err
	}, flush
}

// cellPrinter prints cells as JSON lines, as a JSON array, or as lines of a table or CSV, with the columns of the
// header.
func cellPrinter(output string, out io.Writer, header []cell) (printCells func([]cell) error, flush func() error) {
	if output == "jsonl" {
		enc := json.NewEncoder(out)
		return func(cells []cell) error { return enc.Encode(object(cells)) }, func() error { return nil }
	}
	if output == "json" {
		before, end := "[\n  ", "[\n]\n"
		return func(cells []cell) error {
				text, err := json.Marshal(object(cells))
				if err == nil {
					_, err = fmt.Fprintf(out, "%s%s", before, text)
				}
				before, end = ",\n  ", "\n]\n"
				return err
			}, func() error {
				_, err := io.WriteString(out, end)
				return err
			}
	}
	write, flush := rowWriter(output, out)
	line := func(cells []cell, text func(cell) string) error {
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = text(c)
		}
		return write(texts)
	}
	_ = line(header, func(c cell) string { return c.column }) // buffered: an error shows later
	return func(cells []cell) error { return line(cells, cell.text) }, flush
}

// chargeLines are the lines of a record in CSV: one for each charge, in columns that a spreadsheet
// can sum. Lines after the first only repeat the columns that identify the record, so that the
// other columns can be summed too.
func chargeLines(cells []cell, all charges) (lines [][]cell) {
	cells = slices.DeleteFunc(cells, func(c cell) bool { return c.column == "charges" })
	for i := range max(1, len(all)) {
		line := slices.Clone(cells)
		for n := range line {
			if i > 0 && line[n].column != "start" && line[n].column != "id" {
				line[n].value = nil
			}
		}
		for _, column := range []string{"amount", "currency", "component"} {
			c := cell{column: column}
			if len(all) > 0 {
				c.value = all[i][column]
			}
			line = append(line, c)
		}
		lines = append(lines, line)
	}
	return lines
}

// rowWriter writes rows as CSV, or as a table whose columns align.
func rowWriter(output string, out io.Writer) (write func(texts []string) error, flush func() error) {
	if output == "csv" {
		w := csv.NewWriter(out)
		return func(texts []string) error {
				for i, text := range texts {
					texts[i] = noFormula(strings.ToValidUTF8(text, "\ufffd"))
				}
				return w.Write(texts)
			}, func() error {
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

// noFormula keeps a spreadsheet from running a provider's text: it puts an apostrophe before a text
// that looks like a formula, unless it is a plain number.
func noFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) && !plainNumber.MatchString(text) {
		return "'" + text
	}
	return text
}

var plainNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// cell is a value with the name of its column.
type cell struct {
	column string
	value  any // nil if it has none
}

// row has the fields of a record for tables, CSV and JSON lines.
func row(r *cdr.Record) []cell {
	return []cell{
		{"start", r.Start},
		{"id", r.ID},
		{"direction", r.Direction},
		{"call_type", r.CallType},
		{"outcome", valueIf(!r.NoCall, r.Outcome)}, // a record may be only a visit to a queue
		{"duration", valueIf(!r.NoDuration && !r.NoCall, r.Duration.Seconds())},
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

// detail has the fields of a record that only JSON lines have.
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
		{"labels", valueIf(r.Labels != "", maps.Collect(r.Labels.All()))},
		{"visits", visitsOf(r)},
		{"streams", streamsOf(r)},
		{"provider", valueIf(len(r.Extra) > 0, object(attrCells(r.Extra)))},
	}
}

// valueIf is a value that a record may not have; nil then.
func valueIf(has bool, value any) any {
	if !has {
		return nil
	}
	return value
}

// visitsOf are the visits to queues of a record; nil without any.
func visitsOf(r *cdr.Record) any {
	var all []map[string]any
	for i := range r.Visits {
		v := &r.Visits[i]
		all = append(all, object([]cell{
			{"queue", v.Queue},
			{"result", v.Result},
			{"start", v.Start},
			{"wait_seconds", valueIf(v.Wait.Known, v.Wait.Value.Seconds())},
		}))
	}
	return valueIf(all != nil, all)
}

// streamsOf are the media streams of a record; nil without any.
func streamsOf(r *cdr.Record) any {
	var all []map[string]any
	for i := range r.Streams {
		s := &r.Streams[i]
		all = append(all, object([]cell{
			{"media", s.Media},
			{"direction", s.Direction()},
			{"network", s.Network},
			{"platform", s.Platform},
			{"verdict", s.Verdict()},
			{"jitter_seconds", valueIf(s.Jitter.Known, s.Jitter.Value.Seconds())},
			{"round_trip_seconds", valueIf(s.RoundTrip.Known, s.RoundTrip.Value.Seconds())},
			{"packet_loss_ratio", valueIf(s.Loss.Known, s.Loss.Value)},
			{"concealed_ratio", valueIf(s.Concealed.Known, s.Concealed.Value)},
			{"mos", valueIf(s.MOS.Known, s.MOS.Value)},
			{"packets", number(s.Packets)},
		}))
	}
	return valueIf(all != nil, all)
}

func number(n cdr.Int) any { return valueIf(n.Known, n.Value) }

type charges []map[string]string

func chargesOf(r *cdr.Record) (all charges) {
	for i := range r.Charges {
		c := &r.Charges[i]
		all = append(all, map[string]string{
			"component": c.Component, "amount": c.Amount.String(),
			"currency": c.Currency,
		})
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

// object has the cells with a value.
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
