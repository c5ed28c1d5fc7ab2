package collector_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// lastRow is a RowCache that knows one row.
type lastRow struct{ id, row string }

func (l *lastRow) Lookup(id string, row []byte) (record counting.Hash, rowHash uint64, unchanged bool) {
	return counting.Hash(len(id)), uint64(row[0]), id == l.id && string(row) == l.row
}

// counting.md 37: while what a row of a record means isn't committed yet, no other row of the record is left out.
func TestRowFilter(t *testing.T) {
	known := &lastRow{"id", "A"}
	f := collector.NewRowFilter(known)
	look := func(id, row string, want bool) {
		t.Helper()
		if hash, unchanged := f.Unchanged(id, []byte(row)); unchanged != want || id != "" && hash != uint64(row[0]) {
			t.Errorf("row %s of %q is left out: %t, hash %d; want %t", row, id, unchanged, hash, want)
		}
	}
	f.NextPage()
	look("id", "A", true)
	look("", "A", false)
	look("id", "B", false)
	look("id", "A", false) // behind B
	f.NextPage()
	known.row = "B" // all before this page is committed
	look("id", "B", true)
	look("id", "A", false)
	look("id", "B", false) // behind A

	f = collector.NewRowFilter(nil)
	f.NextPage()
	if rowHash, unchanged := f.Unchanged("id", []byte("A")); unchanged || rowHash != 0 {
		t.Error("a row is left out that nobody knows")
	}
}
