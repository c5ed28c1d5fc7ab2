package collector

import "github.com/cdr-exporter/cdr-exporter/internal/core/counting"

// Recognizer knows rows again by their bytes; *ledger.Feed is one. It is safe for concurrent use.
type Recognizer interface {
	// Recognize returns a record's hash, the mark of a row of it for Page.Marks, and whether the row
	// would change nothing.
	Recognize(id string, row []byte) (record counting.Hash, mark uint64, unchanged bool)
}

// RowFilter says which rows of a read don't have to be decoded. Only the goroutine that decodes them
// may use it.
type RowFilter struct {
	rows Recognizer
	// decoded are the records of this page that had a row decoded. That row isn't committed yet, so
	// every other row of the record must be decoded too (counting.md 37).
	decoded map[counting.Hash]struct{}
}

// NewRowFilter makes a filter; nil leaves nothing out.
func NewRowFilter(rows Recognizer) *RowFilter {
	return &RowFilter{rows: rows, decoded: map[counting.Hash]struct{}{}}
}

// NextPage begins a page; the page before it was committed.
func (f *RowFilter) NextPage() { clear(f.decoded) }

// Unchanged says whether a row of the record with that id can be left out, which counts in
// Page.Unchanged. If not, mark stands for it in Page.Marks.
func (f *RowFilter) Unchanged(id string, row []byte) (mark uint64, unchanged bool) {
	if f.rows == nil || id == "" {
		return 0, false
	}
	record, mark, unchanged := f.rows.Recognize(id, row)
	if _, waits := f.decoded[record]; waits {
		unchanged = false
	}
	if !unchanged {
		f.decoded[record] = struct{}{}
	}
	return mark, unchanged
}
