package wavix

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// read is what an answer held, cloned so that it outlives the batch.
type read struct {
	records  []*cdr.Record
	rows     []row
	invalid  []string // position: problem
	unmapped []collector.Unmapped
	info     pageInfo
}

// row is a record as JSON shows it: what is at its zero value is left out.
type row map[string]any

func newTestBatch() *batch {
	return newBatch(cdr.NewCountries(), cdr.NewEmergencyNumbers([]string{"911", "933", "112", "999"}))
}

// decode decodes an answer to a query of a type, with what is kept back until its end.
func decode(t testing.TB, format, kind, body string) (read, error) {
	t.Helper()
	var got read
	b := newTestBatch()
	b.open(time.Time{}, func(b *collector.Page) error {
		got.take(t, b)
		return nil
	})
	b.query(query{Day: day1, Kind: kind})
	r := newReading(asker{}, format, b)
	var err error
	switch format {
	case formatJSON:
		got.info, err = r.pages.decode(strings.NewReader(body), 1, 1000)
		got.info.Keys = append([]uint64(nil), got.info.Keys...)
	case formatCSV:
		err = r.csv.decode(strings.NewReader(body), 1, 1000)
		got.info.Keys = append([]uint64(nil), b.keys...)
	case formatStream:
		b.told = func(keys []uint64) error {
			got.info.Keys = append(got.info.Keys, keys...)
			return nil
		}
		err = r.stream.decode(strings.NewReader(body))
	}
	if err := b.settle(); err != nil {
		t.Error(err)
	}
	if err := b.finish(); err != nil {
		t.Error(err)
	}
	return got, err
}

func (g *read) take(t testing.TB, b *collector.Page) {
	t.Helper()
	for _, r := range b.Records {
		g.records = append(g.records, cloneRecord(r))
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

// page is the body of a page of rows, with the pagination of all of them.
func page(rows ...string) string {
	return fmt.Sprintf(`{"items":[%s],"pagination":{"current_page":1,"per_page":1000,"total":%d,"total_pages":1}}`,
		strings.Join(rows, ","), len(rows))
}

// decodeRow decodes a page of one row that is no fault of its own.
func decodeRow(t testing.TB, kind, raw string) row {
	t.Helper()
	got, err := decode(t, formatJSON, kind, page(raw))
	if err != nil || len(got.rows) != 1 {
		t.Fatalf("decode %s: got %d rows, invalid %q, error %v", raw, len(got.rows), got.invalid, err)
	}
	return got.rows[0]
}

func rowOf(r *cdr.Record) row {
	out := row{}
	text := func(key, value string) {
		if value != "" {
			out[key] = strings.Clone(value)
		}
	}
	text("ID", r.ID)
	text("AltIDs", strings.Join(r.AltIDs, " "))
	text("Synthetic", r.Synthetic)
	text("CallID", r.CallID)
	text("Parent", r.Parent)
	out["Start"] = r.Start.Format(time.RFC3339Nano)
	out["Duration"] = r.Duration.String()
	if r.NoDuration {
		out["Duration"] = "none"
	}
	out["Direction"] = r.Direction.String()
	text("CallType", r.CallType)
	out["Outcome"] = r.Outcome.String()
	text("Trunk", r.Trunk)
	for i := range r.Charges {
		c := &r.Charges[i]
		charges, _ := out["Charges"].([]string)
		out["Charges"] = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+c.Currency))
	}
	text("Country", r.Country)
	if r.Emergency != cdr.NoEmergency {
		out["Emergency"] = int(r.Emergency)
	}
	text("CallerNumber", r.CallerNumber)
	text("CalleeNumber", r.CalleeNumber)
	for _, a := range r.Extra {
		out["cdr.wavix."+a.Key] = strings.Clone(a.Str) + [...]string{"", " (number)", " (user)", " (address)"}[a.Privacy]
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

var day1 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// readPages reads a span and hands on its pages, all of whose records are new.
func readPages(ctx context.Context, r collector.RangeReader, from, to time.Time, use func(*collector.Page) error) error {
	d := collector.Driver{Reader: r, Commit: func(_ context.Context, page *collector.Page) (ledger.Result, error) {
		return ledger.Result{New: len(page.Records)}, use(page)
	}}
	return d.Read(ctx, from, to)
}
