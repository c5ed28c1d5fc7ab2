package ledger

import (
	"cmp"
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/pack"
)

// idEntry is what is known under one key of a bucket.
type idEntry struct {
	key  counting.Hash
	data []byte
}

// idBlock is a row of the table blocks: entries of one bucket, sorted by key. It is immutable. Where two blocks of a
// bucket have the same key, the later one's entry is valid.
//
// Keys and states are separate columns. A Bloom filter answers for nearly every new id that a block doesn't have it: the
// filters of all hours to which late calls may belong fit into memory, the keys don't.
type idBlock struct {
	row    int64 // of the table
	bucket int64
	ids    int

	// Guarded by the commit lock, as the cache that fills and empties them.
	filter blockPart // made of the keys
	keys   blockPart // 8 bytes each, in big-endian order
	states blockPart
}

// blockPart is a column of a block, or the filter made of its keys; data is nil while it isn't in memory.
type blockPart struct {
	data []byte
	// offsets are where each state's length prefix begins within data; nil for keys.
	offsets []uint32
	cached  *list.Element
}

// A Bloom filter has filterBits bits a key, of which filterProbes are set: its false positives are four in a thousand.
const filterBits, filterProbes = 12, 6

// filterBit is the i-th bit of a key, which is a random number already.
func (r *idBlock) filterBit(key counting.Hash, i int) (at int, bit byte) {
	n := uint64(uint32(key)+uint32(i)*uint32(key>>32)) * uint64(8*len(r.filter.data)) >> 32
	return int(n / 8), 1 << (n % 8)
}

// makeFilter makes the filter of the keys, which are in memory.
func (r *idBlock) makeFilter() {
	r.filter.data = make([]byte, r.ids*filterBits/8+1)
	for k := range r.ids {
		for i := range filterProbes {
			at, bit := r.filterBit(r.key(k), i)
			r.filter.data[at] |= bit
		}
	}
}

// mayHave says whether the block may have a key, by the filter, which must be in memory.
func (r *idBlock) mayHave(key counting.Hash) bool {
	for i := range filterProbes {
		if at, bit := r.filterBit(key, i); r.filter.data[at]&bit == 0 {
			return false
		}
	}
	return true
}

func (p *blockPart) size() int { return len(p.data) + 4*len(p.offsets) }

// find is the index of a key; the keys are in memory.
func (r *idBlock) find(key counting.Hash) (int, bool) {
	return sort.Find(r.ids, func(i int) int { return cmp.Compare(key, r.key(i)) })
}

func (r *idBlock) key(i int) counting.Hash {
	return counting.Hash(binary.BigEndian.Uint64(r.keys.data[8*i:]))
}

// state is what is known under the i-th key; the states are in memory.
func (r *idBlock) state(i int) []byte { return stateAt(r.states.data, int(r.states.offsets[i])) }

// stateAt is the state that pack.AppendText has appended at an offset.
func stateAt(data []byte, at int) []byte {
	size, n := binary.Uvarint(data[at:])
	at += n
	return data[at : at+int(size) : at+int(size)]
}

// newIDBlock packs entries, which must be sorted by key, and returns the block and the compressed form of its states.
func newIDBlock(bucket int64, entries []idEntry) (r *idBlock, packed []byte) {
	size := 0
	for _, e := range entries {
		size += len(e.data) + 2
	}
	r = &idBlock{bucket: bucket, ids: len(entries)}
	keys, states, offsets := make([]byte, 0, 8*len(entries)), make([]byte, 0, size), make([]uint32, 0, len(entries))
	for _, e := range entries {
		keys = binary.BigEndian.AppendUint64(keys, uint64(e.key))
		offsets = append(offsets, uint32(len(states)))
		states = pack.AppendText(states, e.data)
	}
	r.keys.data, r.states.data, r.states.offsets = keys, states, offsets
	return r, s2.EncodeBetter(nil, states)
}

func (r *idBlock) setKeys(keys []byte) error {
	if len(keys) != 8*r.ids {
		return r.damaged()
	}
	r.keys.data = keys
	for i := 1; i < r.ids; i++ {
		if r.key(i-1) >= r.key(i) {
			return r.damaged()
		}
	}
	return nil
}

func (r *idBlock) setStates(packed []byte) error {
	data, err := s2.Decode(nil, packed)
	if err != nil {
		return r.damaged()
	}
	in, offsets := pack.Reader{Data: data}, make([]uint32, 0, r.ids)
	for range r.ids {
		offsets = append(offsets, uint32(len(data)-len(in.Data)))
		in.Bytes(in.Uvarint())
	}
	if in.Bad || len(in.Data) > 0 {
		return r.damaged()
	}
	r.states.data, r.states.offsets = data, offsets
	return nil
}

func (r *idBlock) damaged() error { return fmt.Errorf("block %d: %w", r.row, counting.ErrRow) }

// sortEntries sorts entries by key. Of those with the same key the first stays.
func sortEntries(entries []idEntry) []idEntry {
	slices.SortStableFunc(entries, func(a, b idEntry) int { return cmp.Compare(a.key, b.key) })
	return slices.CompactFunc(entries, func(a, b idEntry) bool { return a.key == b.key })
}

// cacheBytes bounds the parts of blocks in memory: the filters of three days of five million calls each, and the columns used last.
const cacheBytes = 32 << 20

// idCache holds the parts of blocks that were used last. Filters have a bound of their own: a page of late calls asks those of
// all hours in turn, and if keys and states evicted them, each would be made again for every page. The commit lock guards it.
type idCache struct {
	filters, columns recentParts
}

// recentParts are the parts that were used last, as many as fit into limit bytes.
type recentParts struct {
	limit int
	size  int
	parts list.List // of *blockPart, the one used last in front
}

func newIDCache(limit int) *idCache {
	columns := limit / 4
	return &idCache{filters: recentParts{limit: limit - columns}, columns: recentParts{limit: columns}}
}

func (c *idCache) load(e *engine, r *idBlock, p *blockPart) error {
	parts := &c.columns
	if p == &r.filter {
		parts = &c.filters
	}
	if p.cached != nil {
		parts.parts.MoveToFront(p.cached)
		return nil
	}
	var err error
	switch p {
	case &r.filter:
		if err = c.load(e, r, &r.keys); err == nil {
			r.makeFilter()
		}
	case &r.keys:
		err = r.read(e, `SELECT keys FROM blocks WHERE id = ?`, r.setKeys)
	case &r.states:
		err = r.read(e, `SELECT states FROM blocks WHERE id = ?`, r.setStates)
	}
	if err == nil {
		parts.add(p)
	}
	return err
}

func (r *idBlock) read(e *engine, text string, set func([]byte) error) error {
	var stored []byte
	if err := e.scanRow(text, []any{r.row}, &stored); err != nil {
		return fmt.Errorf("read ids: %w", err)
	}
	return set(stored)
}

func (c *idCache) entries(e *engine, r *idBlock) ([]idEntry, error) {
	for _, p := range [...]*blockPart{&r.keys, &r.states} {
		if err := c.load(e, r, p); err != nil {
			return nil, err
		}
	}
	all := make([]idEntry, r.ids)
	for i := range all {
		all[i] = idEntry{r.key(i), r.state(i)}
	}
	return all, nil
}

func (c *idCache) forget(r *idBlock) {
	c.filters.drop(&r.filter)
	c.columns.drop(&r.keys)
	c.columns.drop(&r.states)
}

// add adds a part, and evicts the least recently used while all together exceed the limit. Two always stay: keys and states of one block.
func (l *recentParts) add(p *blockPart) {
	p.cached = l.parts.PushFront(p)
	for l.size += p.size(); l.size > l.limit && l.parts.Len() > 2; {
		l.drop(l.parts.Back().Value.(*blockPart)) //nolint:forcetypeassert // it has no others
	}
}

func (l *recentParts) drop(p *blockPart) {
	if p.cached == nil {
		return
	}
	l.size -= p.size()
	l.parts.Remove(p.cached)
	*p = blockPart{}
}
