package wavix

import (
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// read is what an answer held.
type read struct {
	answer

	records  []*cdr.Record
	rows     []shown
	invalid  []string // position: problem
	unmapped []collector.Unmapped
}

type shown = providertest.Row

// decodeBody decodes an answer to a query of a type.
func decodeBody(format, kind string, body []byte) (*decoder, error) {
	log := &callLog{
		countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers([]string{
			"911", "933", "112", "999",
			"JP:119",
		}), seed: testSeed,
	}
	d := &decoder{
		log: log, values: newValues(), query: query{Day: day1, Kind: kind}, page: 1,
		answer: answer{total: -1},
	}
	decode := map[string]func(*decoder, []byte) error{
		formatJSON: (*decoder).decodePage, formatStream: (*decoder).decodeStream, formatCSV: (*decoder).decodeCSV,
	}[format]
	return d, decode(d, body)
}

var testSeed = maphash.MakeSeed()

// decode decodes an answer, of which nothing is left after an error.
func decode(t testing.TB, format, kind, body string) (got read, err error) {
	t.Helper()
	d, err := decodeBody(format, kind, []byte(body))
	if err != nil {
		return got, err
	}
	got.answer = d.answer
	for _, l := range d.answer.rows {
		if l.bad != nil {
			if len(l.bad.Content) == 0 {
				t.Errorf("the invalid row at %s has no content", l.bad.At)
			}
			got.invalid = append(got.invalid, l.bad.At+": "+l.bad.Problem)
			continue
		}
		got.records = append(got.records, l.record)
		got.rows = append(got.rows, providertest.RowOf(l.record, "cdr.wavix."))
		got.unmapped = append(got.unmapped, l.unmapped...)
	}
	return got, nil
}

// keys are the keys of all rows, in order.
func (g *read) keys() (all []uint64) {
	for _, l := range g.answer.rows {
		all = append(all, l.key)
	}
	return all
}

// polled is the reader of a source's call log that its feed polls.
func polled(source *collector.Source) collector.RangeReader {
	return source.Feeds[0].Reader.(collector.RowReader).LeavingOut(nil) //nolint:forcetypeassert // a test
}

// page is the body of a page of rows, with the pagination of all of them.
func page(rows ...string) string {
	return fmt.Sprintf(`{"items":[%s],"pagination":{"current_page":1,"per_page":1000,"total":%d,"total_pages":1}}`,
		strings.Join(rows, ","), len(rows))
}

// shownRow decodes a page with one row, which must be valid.
func shownRow(t testing.TB, kind, raw string) shown {
	t.Helper()
	got, err := decode(t, formatJSON, kind, page(raw))
	if err != nil || len(got.rows) != 1 {
		t.Fatalf("decode %s: got %d rows, invalid %q, error %v", raw, len(got.rows), got.invalid, err)
	}
	return got.rows[0]
}

var day1 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// decodeRecord decodes a row of a call placed.
func decodeRecord(t testing.TB, raw string) *cdr.Record {
	t.Helper()
	got, err := decode(t, formatJSON, kindPlaced, page(raw))
	if err != nil || len(got.records) != 1 {
		t.Fatalf("decode %s: %d records, error %v", raw, len(got.records), err)
	}
	return got.records[0]
}
