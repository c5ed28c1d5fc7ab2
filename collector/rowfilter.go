package collector

import "github.com/cdr-exporter/cdr-exporter/internal/core/counting"

// RowCache has the last row of each record; *ledger.Feed is one. It is safe for concurrent use.
type RowCache interface {
	// Lookup returns a record's hash, the hash of a row of it for Page.RowHashes, and whether the row
	// would change nothing.
	Lookup(id string, row []byte) (record counting.Hash, rowHash uint64, unchanged bool)
}

// RowFilter says which rows of a read don't have to be decoded. Only the goroutine that decodes them
// may use it.
type RowFilter struct {
	rows RowCache
	// decoded are the records of this page that had a row decoded. That row isn't committed yet, so
	// every other row of the record must be decoded too (counting.md 37).
	decoded map[counting.Hash]struct{}
}

// NewRowFilter makes a filter; nil leaves nothing out.
func NewRowFilter(rows RowCache) *RowFilter {
	return &RowFilter{rows: rows, decoded: map[counting.Hash]struct{}{}}
}

// NextPage begins a page; the page before it was committed.
func (f *RowFilter) NextPage() { clear(f.decoded) }

// Unchanged says whether a row of the record with that id can be left out, which counts in
// Page.Unchanged. If not, rowHash stands for it in Page.RowHashes.
func (f *RowFilter) Unchanged(id string, row []byte) (rowHash uint64, unchanged bool) {
	if f.rows == nil || id == "" {
		return 0, false
	}
	record, rowHash, unchanged := f.rows.Lookup(id, row)
	if _, waits := f.decoded[record]; waits {
		unchanged = false
	}
	if !unchanged {
		f.decoded[record] = struct{}{}
	}
	return rowHash, unchanged
}
