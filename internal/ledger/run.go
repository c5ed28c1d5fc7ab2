package ledger

import (
	"cmp"
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"github.com/klauspost/compress/s2"
)

// idEntry is what is known under one key of a bucket.
type idEntry struct {
	key  hash
	data []byte
}

// run is a row of the table blocks: entries of one bucket, sorted by key, that don't change
// any more. A later run of the bucket stands for an earlier one's entry of the same key.
//
// Keys and states are separate columns. A filter says of nearly every new id that a run doesn't have it: those of all hours
// that late calls may belong to fit into memory, their keys don't.
type run struct {
	row    int64 // of the table
	bucket int64
	ids    int

	// Guarded by the commit lock, as the cache that fills and empties them.
	filter runPart // made of the keys
	keys   runPart // 8 bytes each, in big-endian order
	states runPart
}

// runPart is a column of a run, or what is made of one; data is nil while it isn't in memory.
type runPart struct {
	data []byte
	// offsets are where each state begins within data, behind its length; nil for keys.
	offsets []uint32
	cached  *list.Element
}

// A Bloom filter has filterBits bits a key, filterProbes of them set: of the keys that a run doesn't have, four in a thousand pass it.
const filterBits, filterProbes = 12, 6

// filterBit is the i-th bit of a key, which is a random number already.
func (r *run) filterBit(key hash, i int) (at int, bit byte) {
	n := uint64(uint32(key)+uint32(i)*uint32(key>>32)) * uint64(8*len(r.filter.data)) >> 32
	return int(n / 8), 1 << (n % 8)
}

// makeFilter makes the filter of the keys, which are in memory.
func (r *run) makeFilter() {
	r.filter.data = make([]byte, r.ids*filterBits/8+1)
	for k := range r.ids {
		for i := range filterProbes {
			at, bit := r.filterBit(r.key(k), i)
			r.filter.data[at] |= bit
		}
	}
}

// mayHave says whether the filter, which is in memory, lets a key pass.
func (r *run) mayHave(key hash) bool {
	for i := range filterProbes {
		if at, bit := r.filterBit(key, i); r.filter.data[at]&bit == 0 {
			return false
		}
	}
	return true
}

func (p *runPart) size() int { return len(p.data) + 4*len(p.offsets) }

// find is the index of a key; the keys are in memory.
func (r *run) find(key hash) (int, bool) {
	return sort.Find(r.ids, func(i int) int { return cmp.Compare(key, r.key(i)) })
}

func (r *run) key(i int) hash { return hash(binary.BigEndian.Uint64(r.keys.data[8*i:])) }

// state is what is known under the i-th key; the states are in memory.
func (r *run) state(i int) []byte { return stateAt(r.states.data, int(r.states.offsets[i])) }

// stateAt is the state that appendText has appended there.
func stateAt(data []byte, at int) []byte {
	size, n := binary.Uvarint(data[at:])
	at += n
	return data[at : at+int(size) : at+int(size)]
}

// newRun packs entries, which are sorted by key, and returns the run and the compressed form of its states.
func newRun(bucket int64, entries []idEntry) (r *run, packed []byte) {
	size := 0
	for _, e := range entries {
		size += len(e.data) + 2
	}
	r = &run{bucket: bucket, ids: len(entries)}
	keys, states, offsets := make([]byte, 0, 8*len(entries)), make([]byte, 0, size), make([]uint32, 0, len(entries))
	for _, e := range entries {
		keys = binary.BigEndian.AppendUint64(keys, uint64(e.key))
		offsets = append(offsets, uint32(len(states)))
		states = appendText(states, e.data)
	}
	r.keys.data, r.states.data, r.states.offsets = keys, states, offsets
	return r, s2.EncodeBetter(nil, states)
}

func (r *run) setKeys(keys []byte) error {
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

func (r *run) setStates(packed []byte) error {
	data, err := s2.Decode(nil, packed)
	if err != nil {
		return r.damaged()
	}
	in, offsets := reader{data: data}, make([]uint32, 0, r.ids)
	for range r.ids {
		offsets = append(offsets, uint32(len(data)-len(in.data)))
		in.bytes(in.uvarint())
	}
	if in.bad || len(in.data) > 0 {
		return r.damaged()
	}
	r.states.data, r.states.offsets = data, offsets
	return nil
}

func (r *run) damaged() error { return fmt.Errorf("block %d: %w", r.row, errRow) }

// sortEntries sorts entries by key. Of those with the same key the first stays.
func sortEntries(entries []idEntry) []idEntry {
	slices.SortStableFunc(entries, func(a, b idEntry) int { return cmp.Compare(a.key, b.key) })
	return slices.CompactFunc(entries, func(a, b idEntry) bool { return a.key == b.key })
}

// cacheBytes bounds what of all runs is in memory: the filters of three days of five million calls each, and the columns used last.
const cacheBytes = 32 << 20

// idCache holds the parts of runs that were used last. Filters have a bound of their own: a page of late calls asks those of
// all hours in turn, and if keys and states pushed them out, each would be made again for every page. The commit lock guards it.
type idCache struct {
	filters, columns recentParts
}

// recentParts are the parts that were used last, as many as fit into limit bytes.
type recentParts struct {
	limit int
	size  int
	parts list.List // of *runPart, the one used last in front
}

func newIDCache(limit int) *idCache {
	columns := limit / 4
	return &idCache{filters: recentParts{limit: limit - columns}, columns: recentParts{limit: columns}}
}

func (c *idCache) load(e *engine, r *run, p *runPart) error {
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

func (r *run) read(e *engine, text string, set func([]byte) error) error {
	var stored []byte
	if err := e.scanRow(text, []any{r.row}, &stored); err != nil {
		return fmt.Errorf("read ids: %w", err)
	}
	return set(stored)
}

func (c *idCache) entries(e *engine, r *run) ([]idEntry, error) {
	for _, p := range [...]*runPart{&r.keys, &r.states} {
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

func (c *idCache) forget(r *run) {
	c.filters.drop(&r.filter)
	c.columns.drop(&r.keys)
	c.columns.drop(&r.states)
}

// add takes over a part, and drops the least recently used while all are too large together. Two stay: keys and states of one run.
func (l *recentParts) add(p *runPart) {
	p.cached = l.parts.PushFront(p)
	for l.size += p.size(); l.size > l.limit && l.parts.Len() > 2; {
		l.drop(l.parts.Back().Value.(*runPart)) //nolint:forcetypeassert // it has no others
	}
}

func (l *recentParts) drop(p *runPart) {
	if p.cached == nil {
		return
	}
	l.size -= p.size()
	l.parts.Remove(p.cached)
	*p = runPart{}
}
