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
	record(r *cdr.Record) error
	close() error
}

func newPrinter(output string, out io.Writer) printer {
	switch output {
	case "jsonl":
		return &jsonPrinter{enc: json.NewEncoder(out)}
	case "csv":
		w := csv.NewWriter(out)
		return &rowPrinter{rows: columns, write: w.Write, flush: func() error {
			w.Flush()
			return w.Error()
		}}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	return &rowPrinter{rows: columns, flush: w.Flush, write: func(cells []string) error {
		_, err := fmt.Fprintln(w, strings.Join(cells, "\t"))
		return err
	}}
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
	return p.write(head)
}

func (p *rowPrinter) record(r *cdr.Record) error {
	if err := p.begin(); err != nil {
		return err
	}
	cells := make([]string, len(p.rows))
	for i, c := range p.rows {
		cells[i] = c.value(r)
	}
	return p.write(cells)
}

func (p *rowPrinter) close() error {
	if err := p.begin(); err != nil {
		return err
	}
	return p.flush()
}

// jsonPrinter prints a JSON object per line.
type jsonPrinter struct{ enc *json.Encoder }

func (p *jsonPrinter) record(r *cdr.Record) error {
	object := make(map[string]any)
	for _, c := range columns {
		if v := c.value(r); v != "" && c.name != "charges" {
			object[c.name] = v
		}
	}
	object["duration"] = r.Duration.Seconds()
	for name, n := range map[string]cdr.Int{"sip_code": r.SIPCode, "sub_code": r.SubCode} {
		if n.Known {
			object[name] = n.Value
		}
	}
	p.more(object, r)
	return p.enc.Encode(object)
}

// more adds what a table has no room for.
func (p *jsonPrinter) more(object map[string]any, r *cdr.Record) {
	for name, text := range map[string]string{
		"call_id": r.CallID, "invite": timeText(r.Invite), "answer": timeText(r.Answer), "end": timeText(r.End),
		"reason_phrase": r.ReasonPhrase, "media_bypass": r.MediaBypass.String(), "media_location": r.MediaLocation,
		"signaling_location": r.SignalLocation, "user_id": r.UserID, "user_principal": r.UserPrincipal,
	} {
		if text != "" {
			object[name] = text
		}
	}
	var charges []map[string]string
	for i := range r.Charges {
		c := &r.Charges[i]
		charges = append(charges, map[string]string{"component": c.Component, "amount": c.Amount.String(), "currency": c.Currency})
	}
	if charges != nil {
		object["charges"] = charges
	}
	own := make(map[string]any)
	for i := range r.Extra {
		own[r.Extra[i].Key] = attrValue(&r.Extra[i])
	}
	if len(own) > 0 {
		object["provider"] = own
	}
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

func (p *jsonPrinter) close() error { return nil }
