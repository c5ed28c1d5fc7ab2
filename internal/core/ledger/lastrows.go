package ledger

import (
	"hash/maphash"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// lastRows remembers the last row of each of half a million records, as a keyed hash in 12 bytes,
// so that a row that comes again isn't decoded again (counting.md 37). New and revised records take
// the place of the oldest of their set; a record that was known takes only a free place. It is in
// memory alone: the ledger looks up what isn't found. It is safe for concurrent use.
type lastRows struct {
	mu   sync.Mutex
	sets []rowSet // guarded by mu; nil until a row is remembered
}

// rowSet are some records, the newest first: a part of each one's hash, and the hash of its last
// row, 0 for a free place.
type rowSet struct {
	tags   [16]uint32
	hashes [16]uint64
}

// rowSets is how many sets there are.
const rowSets = 1 << 15

// rowKeys tell the records and rows of a feed apart from those of others, and from its own before it was loaded again.
type rowKeys struct {
	record counting.Hash
	row    maphash.Seed
}

func newRowKeys() *rowKeys {
	seed := maphash.MakeSeed()
	return &rowKeys{record: counting.Hash(maphash.String(seed, "records")), row: seed}
}

// set is where a record is remembered, and its tag there.
func (r *lastRows) set(record counting.Hash) (s *rowSet, tag uint32) {
	return &r.sets[record%rowSets], uint32(record >> 32)
}

func (r *lastRows) has(record counting.Hash, rowHash uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sets == nil {
		return false
	}
	s, tag := r.set(record)
	for i := range s.hashes {
		if s.hashes[i] == rowHash && s.tags[i] == tag {
			return true
		}
	}
	return false
}

// put notes what is durable now of a record; mu is held.
func (r *lastRows) put(record counting.Hash, last counting.LastRow) {
	if r.sets == nil {
		if last.RowHash == 0 {
			return
		}
		r.sets = make([]rowSet, rowSets)
	}
	s, tag := r.set(record)
	kept := rowSet{}
	n := 0
	for i, rowHash := range s.hashes {
		if rowHash != 0 && s.tags[i] != tag {
			kept.tags[n], kept.hashes[n] = s.tags[i], rowHash
			n++
		}
	}
	if last.RowHash != 0 && (n < len(kept.hashes) || last.Changed) {
		copy(kept.tags[1:], kept.tags[:])
		copy(kept.hashes[1:], kept.hashes[:])
		kept.tags[0], kept.hashes[0] = tag, last.RowHash
	}
	*s = kept
}

// Lookup returns a record's hash, the hash of a row of it for Page.RowHashes, and whether the row is
// unchanged: it equals the record's last row that was committed here. The caller then skips decoding
// it and counts it in Page.Unchanged. A row's hash has 64 bits and a key. With 10 million changed rows
// a day, the probability that one is taken for unchanged within a year is 2·10⁻¹⁰.
func (f *Feed) Lookup(id string, row []byte) (record counting.Hash, rowHash uint64, unchanged bool) {
	keys := f.rowKeys.Load()
	record = f.ledger.hasher.RecordHash(id)
	rowHash = max(maphash.Bytes(keys.row, row), 1)
	return record, rowHash, f.ledger.lastRows.has(record^keys.record, rowHash)
}

// rememberRows remembers the last rows of a page that is durable now. It skips rows of a first history,
// because memory is scarcest while a history is read; they are remembered when they are read again.
func (p *pageCommit) rememberRows() {
	rows, keys := &p.ledger.lastRows, p.rowKeys.Load()
	rows.mu.Lock()
	defer rows.mu.Unlock()
	for last := range p.decision.LastRows() {
		if !p.change.State.HistoryDone {
			last.RowHash = 0
		}
		rows.put(last.Record^keys.record, last)
	}
}
