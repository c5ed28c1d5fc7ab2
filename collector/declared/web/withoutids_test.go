package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// withoutIDs is a definition whose rows have no id; the rest of its feed follows.
const withoutIDs = `
provider: acmetel
http: {base_url: 'https://api.acmetel.example'}
feeds:
  calls:
    request: {path: /calls, query: {from: '{from|rfc3339}', to: '{to|rfc3339}'}}
    rows: rows
    record: {start: {path: start, time: rfc3339}, outcome: {is: answered}}
`

// TestMaxRowsWithoutIDs: rows without an id that a list of too many rows and its halves give are counted once.
func TestMaxRowsWithoutIDs(t *testing.T) {
	for _, c := range []struct{ name, feed string }{
		{"one page", ""},
		{"pages", "    next: {offset: o}\n"},
		{"a total", "    total: n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := []int{1, 2, 31, 40, 45}
			f := limited(calls, strings.Contains(c.feed, "offset"))
			info := f.OpenText(t, withoutIDs+"    filter: {by: start}\n    max_rows: 3\n"+c.feed, "calls: {}")
			counted := make(map[string]bool) // as a ledger knows rows without an id
			d := collector.Driver{Reader: info.Reader, Commit: func(_ context.Context, page *collector.Page) error {
				for _, r := range page.Records {
					counted[fmt.Sprint(r.Synthetic, r.Twin)] = true
				}
				return nil
			}}
			if err := d.Read(t.Context(), declaredtest.Noon.Add(-time.Hour), declaredtest.Noon); err != nil {
				t.Fatal(err)
			}
			if len(counted) != len(calls) {
				t.Errorf("%d calls were counted, want %d", len(counted), len(calls))
			}
		})
	}
}

// TestInsertedTwins: equal rows without an id that one span of a list by insertion has are several calls.
func TestInsertedTwins(t *testing.T) {
	f := declaredtest.Always(`{"rows":` + declaredtest.Rows(5, 5, 6) + "}")
	info := f.OpenText(t, withoutIDs+"    filter: {by: inserted}\n", "calls: {}")
	counted := make(map[string]bool)
	for page, err := range info.Stream.Pages(t.Context(), collector.StreamPosition{
		Origin: declaredtest.Noon.Add(-time.Hour), Now: declaredtest.Noon,
	}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			counted[fmt.Sprint(r.Synthetic, r.Twin)] = true
		}
	}
	if len(counted) != 3 {
		t.Errorf("%d calls were counted, want 3", len(counted))
	}
}
