package msgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// read is what a page held, cloned so that it outlives the next.
type read struct {
	rows     []row
	invalid  []string // position: problem
	unmapped []collector.Unmapped
}

// row is a record as JSON shows it: what is at its zero value is left out.
type row map[string]any

// decodePage decodes one page of a log, of which there may be more.
func decodePage(t testing.TB, log *callLog, page string) (read, error) {
	t.Helper()
	var got read
	err := decodeAll(log, []byte(page), func(p *collector.Page) { got.take(t, p) })
	return got, err
}

// decodeAll decodes a page and hands on its pieces.
func decodeAll(log *callLog, body []byte, use func(*collector.Page)) error {
	return decodeWith(newMapper(log), body, use)
}

func decodeWith(m *mapper, body []byte, use func(*collector.Page)) error {
	in := wire.NewInput()
	rows, err := in.Page(bytes.Clone(body), "value", func(string) (bool, error) { return false, nil })
	for piece, err := range wire.Pieces(maps.All(map[int]error{1: err}), &rows) {
		if err != nil {
			return err
		}
		use(m.mapPage(piece))
	}
	return nil
}

func (g *read) take(t testing.TB, b *collector.Page) {
	t.Helper()
	for _, r := range b.Records {
		g.rows = append(g.rows, rowOf(r))
	}
	for _, bad := range b.Invalid {
		if len(bad.Content) == 0 {
			t.Errorf("the invalid row at %s has no content", bad.At)
		}
		g.invalid = append(g.invalid, bad.At+": "+bad.Problem)
	}
	for _, u := range b.Unmapped {
		g.unmapped = append(g.unmapped, collector.Unmapped{Field: u.Field, Value: strings.Clone(u.Value)})
	}
}

// decodeRow decodes a page of one row that is no fault of its own.
func decodeRow(t testing.TB, log *callLog, raw string) row {
	t.Helper()
	got, err := decodePage(t, log, `{"value":[`+raw+`]}`)
	if err != nil || len(got.rows) != 1 {
		t.Fatalf("decode %s: got %d rows, invalid %q, error %v", raw, len(got.rows), got.invalid, err)
	}
	return got.rows[0]
}

func pstnLog() *callLog {
	return &callLog{
		feed: "pstn", function: "getPstnCalls", mapRow: (*mapper).mapPSTN,
		source: &source{countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers([]string{"911", "933", "112", "999", "JP:119"})},
	}
}

func directRoutingLog() *callLog {
	log := pstnLog()
	log.feed, log.function, log.mapRow = "direct_routing", "getDirectRoutingCalls", (*mapper).mapDirectRouting
	return log
}

func rowOf(r *cdr.Record) row {
	out := row{}
	text := func(key, value string) {
		if value != "" {
			out[key] = strings.Clone(value)
		}
	}
	at := func(key string, t time.Time) {
		if !t.IsZero() {
			out[key] = t.Format(time.RFC3339Nano)
		}
	}
	whole := func(key string, i cdr.Int) {
		if i.Known {
			out[key] = i.Value
		}
	}
	text("ID", r.ID)
	text("Synthetic", r.Synthetic)
	text("CallID", r.CallID)
	at("Invite", r.Invite)
	at("Start", r.Start)
	at("Answer", r.Answer)
	at("End", r.End)
	out["Duration"] = r.Duration.String()
	out["Direction"] = r.Direction.String()
	text("CallType", r.CallType)
	out["Outcome"] = r.Outcome.String()
	text("Trunk", r.Trunk)
	whole("SIPCode", r.SIPCode)
	whole("SubCode", r.SubCode)
	text("Reason", r.Reason)
	text("ReasonPhrase", r.ReasonPhrase)
	for i := range r.Charges {
		c := &r.Charges[i]
		charges, _ := out["Charges"].([]string)
		out["Charges"] = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+c.Currency))
	}
	text("Country", r.Country)
	text("MediaBypass", r.MediaBypass.String())
	text("MediaLocation", r.MediaLocation)
	text("SignalLocation", r.SignalLocation)
	whole("Emergency", cdr.Int{Value: int64(r.Emergency), Known: r.Emergency != cdr.NoEmergency})
	text("CallerNumber", r.CallerNumber)
	text("CalleeNumber", r.CalleeNumber)
	text("UserID", r.UserID)
	text("UserName", r.UserName)
	text("UserPrincipal", r.UserPrincipal)
	for _, a := range r.Extra {
		class := [...]string{"", " (number)", " (user)", " (address)", ""}[a.Privacy]
		out["cdr.msgraph."+a.Key] = strings.Clone(a.Str) + class
		if a.Type == cdr.StringsAttr {
			out["cdr.msgraph."+a.Key] = strings.Join(a.Strs, ",") + class
		}
	}
	return out
}

// want compares some of a row's fields; nil wants a field that is absent.
func (r row) want(t *testing.T, fields row) {
	t.Helper()
	for key, want := range fields {
		if got, exists := r[key]; fmt.Sprint(got) != fmt.Sprint(want) || exists == (want == nil) {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

// with is a JSON object with some members set, or removed where they are nil.
func with(t *testing.T, object string, members map[string]any) string {
	t.Helper()
	decoded := map[string]any{}
	if err := json.Unmarshal([]byte(object), &decoded); err != nil {
		t.Fatal(err)
	}
	maps.Copy(decoded, members)
	encoded, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// readPages reads a span and hands on its pages.
func readPages(ctx context.Context, r collector.RangeReader, from, to time.Time, use func(*collector.Page) error) error {
	d := collector.Driver{Reader: r, Commit: func(_ context.Context, page *collector.Page) error { return use(page) }}
	return d.Read(ctx, from, to)
}
