package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// printer prints redacted records as a table, as CSV or as JSON lines.
type printer struct {
	json       *json.Encoder // nil: rows
	recordings []recordingColumn
	write      func(cells []string) error
	flush      func() error
	hasHead    bool
}

// newPrinter makes a printer; with recordings, rows have columns for these.
func newPrinter(output string, recordings bool, out io.Writer) *printer {
	p := &printer{}
	if recordings {
		p.recordings = recordingColumns
	}
	switch output {
	case "jsonl":
		p.json = json.NewEncoder(out)
	case "csv":
		w := csv.NewWriter(out)
		p.write, p.flush = w.Write, func() error {
			w.Flush()
			return w.Error()
		}
	default:
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		p.flush, p.write = w.Flush, func(cells []string) error {
			for i, cell := range cells {
				cells[i] = printable(cell)
			}
			_, err := fmt.Fprintln(w, strings.Join(cells, "\t"))
			return err
		}
	}
	return p
}

// column is one value of a record: a string, a number, a time or a Stringer.
type column struct {
	name  string
	value func(*cdr.Record) any
}

// columns are those of tables and CSV; in JSON lines charges are objects.
var columns = []column{
	{"start", func(r *cdr.Record) any { return r.Start }},
	{"id", func(r *cdr.Record) any { return r.ID }},
	{"direction", func(r *cdr.Record) any { return r.Direction }},
	{"call_type", func(r *cdr.Record) any { return r.CallType }},
	{"outcome", func(r *cdr.Record) any { return r.Outcome }},
	{"duration", func(r *cdr.Record) any { return r.Duration.Seconds() }},
	{"trunk", func(r *cdr.Record) any { return r.Trunk }},
	{"country", func(r *cdr.Record) any { return r.Country }},
	{"sip_code", func(r *cdr.Record) any { return r.SIPCode }},
	{"sub_code", func(r *cdr.Record) any { return r.SubCode }},
	{"reason", func(r *cdr.Record) any { return r.Reason }},
	{"caller", func(r *cdr.Record) any { return r.CallerNumber }},
	{"callee", func(r *cdr.Record) any { return r.CalleeNumber }},
	{"user", func(r *cdr.Record) any { return r.UserName }},
	{"charges", func(r *cdr.Record) any { return chargeList(r.Charges) }},
}

// jsonColumns are in JSON lines only.
var jsonColumns = []column{
	{"call_id", func(r *cdr.Record) any { return r.CallID }},
	{"invite", func(r *cdr.Record) any { return r.Invite }},
	{"answer", func(r *cdr.Record) any { return r.Answer }},
	{"end", func(r *cdr.Record) any { return r.End }},
	{"reason_phrase", func(r *cdr.Record) any { return r.ReasonPhrase }},
	{"media_bypass", func(r *cdr.Record) any { return r.MediaBypass }},
	{"media_location", func(r *cdr.Record) any { return r.MediaLocation }},
	{"signaling_location", func(r *cdr.Record) any { return r.SignalLocation }},
	{"user_id", func(r *cdr.Record) any { return r.UserID }},
	{"user_principal", func(r *cdr.Record) any { return r.UserPrincipal }},
	{"provider", func(r *cdr.Record) any {
		if len(r.Extra) == 0 {
			return nil
		}
		return attrObject(r.Extra)
	}},
}

// plain is a column's value as text, number or object; nil if the record has none.
func plain(value any) any {
	switch v := value.(type) {
	case time.Time:
		value = timeText(v)
	case cdr.Int:
		if !v.Known {
			return nil
		}
		return v.Value
	case fmt.Stringer:
		value = v.String()
	}
	if value == "" {
		return nil
	}
	return value
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// cellText is a column's value in a table or CSV.
func cellText(value any) string {
	switch v := plain(value).(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// chargeList are a record's charges.
type chargeList []cdr.Charge

// String is their text in a table.
func (l chargeList) String() string {
	var all []string
	for i := range l {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", l[i].Component, l[i].Amount.String(), l[i].Currency)))
	}
	return strings.Join(all, "; ")
}

// MarshalJSON implements json.Marshaler.
func (l chargeList) MarshalJSON() ([]byte, error) {
	var all []map[string]string
	for i := range l {
		all = append(all, map[string]string{"component": l[i].Component, "amount": l[i].Amount.String(), "currency": l[i].Currency})
	}
	return json.Marshal(all)
}

// attrObject is a provider's own fields.
func attrObject(attrs []cdr.Attr) map[string]any {
	object := make(map[string]any)
	for i := range attrs {
		object[attrs[i].Key] = attrValue(&attrs[i])
	}
	return object
}

func attrValue(a *cdr.Attr) any {
	switch a.Type {
	case cdr.IntAttr:
		return a.Int
	case cdr.BoolAttr:
		return a.Int != 0
	case cdr.StringsAttr:
		return a.Strs
	case cdr.StringAttr:
	}
	return a.Str
}

// print prints a record with the recordings that it has.
func (p *printer) print(r *cdr.Record, recordings []recording) error {
	if p.json != nil {
		return p.json.Encode(jsonObject(r, recordings))
	}
	if err := p.head(); err != nil {
		return err
	}
	var cells []string
	for _, c := range columns {
		cells = append(cells, cellText(c.value(r)))
	}
	for _, c := range p.recordings {
		cells = append(cells, c.cell(recordings))
	}
	return p.write(cells)
}

// jsonObject has the columns that a record has a value for.
func jsonObject(r *cdr.Record, recordings []recording) map[string]any {
	object := make(map[string]any)
	for _, c := range slices.Concat(columns, jsonColumns) {
		value := c.value(r)
		text := plain(value)
		switch _, charges := value.(chargeList); {
		case text == nil:
		case charges:
			object[c.name] = value
		default:
			object[c.name] = text
		}
	}
	if len(recordings) > 0 {
		object["recordings"] = recordings
	}
	return object
}

// head writes the names of the columns once.
func (p *printer) head() error {
	if p.hasHead {
		return nil
	}
	p.hasHead = true
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	for _, c := range p.recordings {
		names = append(names, c.name)
	}
	return p.write(names)
}

// close flushes the output; a table without records has its head.
func (p *printer) close() error {
	if p.json != nil {
		return nil
	}
	if err := p.head(); err != nil {
		return err
	}
	return p.flush()
}
