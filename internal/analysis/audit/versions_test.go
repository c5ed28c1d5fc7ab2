package audit

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A list may have each version of a record. If the final one isn't counted it is missing, although the list also has
// an open one.
func TestUnfinishedVersionInAList(t *testing.T) {
	now := noon.Add(10 * time.Hour)
	l, feed, read, _ := openLedger(t, 48*time.Hour, func() time.Time { return now })
	b := record("b", noon, "2")
	page := &counting.Page{
		ObservedAt: now, Position: &counting.Position{Watermark: now, HistoryDone: true},
		Records: []*cdr.Record{&b},
	}
	if _, err := feed.Commit(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	open := func(id string) cdr.Record {
		r := record(id, noon, "0")
		r.Provisional = true
		return r
	}
	for name, c := range map[string]struct {
		list []cdr.Record
		want [4]int // listed, counted, not final, missing
	}{
		"counted":                 {[]cdr.Record{open("b"), b}, [4]int{1, 1, 0, 0}},
		"not final yet":           {[]cdr.Record{open("a"), b}, [4]int{2, 1, 1, 0}},
		"missing":                 {[]cdr.Record{open("a"), b, record("a", noon, "3")}, [4]int{2, 1, 0, 1}},
		"missing, the open later": {[]cdr.Record{record("a", noon, "3"), b, open("a")}, [4]int{2, 1, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			read.Info.Reader = &fakeReader{records: c.list}
			days, err := Run(t.Context(), Settings{
				From: noon.Truncate(24 * time.Hour), To: now, Now: func() time.Time { return now }, Ledger: l,
				Note: func(string) {},
			}, read)
			require.NoError(t, err)
			d := days[0]
			got := [4]int{int(d.Listed), d.Counted, d.NotFinal, int(d.Missing)}
			if got != c.want || d.Differs() != (c.want[3] > 0) {
				t.Errorf("listed, counted, not final, missing: %v, want %v; differs %t", got, c.want, d.Differs())
			}
		})
	}
}
