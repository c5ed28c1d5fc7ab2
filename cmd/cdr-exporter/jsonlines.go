package main

import (
	"encoding/json"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// jsonPrinter prints a JSON object per line.
type jsonPrinter struct{ enc *json.Encoder }

func (p *jsonPrinter) line(r *cdr.Record) (*line, error) {
	l := &line{object: make(map[string]json.RawMessage)}
	for name, value := range objectOf(r) {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("write %s as JSON: %w", name, err)
		}
		l.object[name] = raw
	}
	return l, nil
}

func (p *jsonPrinter) print(l *line, recordings []recording) error {
	if len(recordings) > 0 {
		raw, err := json.Marshal(recordings)
		if err != nil {
			return fmt.Errorf("write recordings as JSON: %w", err)
		}
		l.object["recordings"] = raw
	}
	return p.enc.Encode(l.object)
}

func (p *jsonPrinter) close() error { return nil }

// objectOf has the columns of a table, and what a table has no room for.
func objectOf(r *cdr.Record) map[string]any {
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
	addMore(object, r)
	return object
}

// addMore adds what a table has no room for.
func addMore(object map[string]any, r *cdr.Record) {
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
