package ledger

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

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
// Keys and states are separate columns, so that the keys of many hours fit into memory: a
// new id only asks for keys.
type run struct {
	row    int64 // of the table
	bucket int64
	ids    int

	// Guarded by the commit lock, as the cache that fills and empties them.
	keys   runPart // 8 bytes each, in big-endian order
	states runPart
	// offsets are where each state begins within states, and its end.
	offsets []uint32
}

// runPart is one column of a run; data is nil while it isn't in memory.
type runPart struct {
	data []byte
	used int64 // when it was last used, by the cache's own clock
}

// find is the index of a key; the keys are in memory.
func (r *run) find(key hash) (int, bool) {
	low, high := 0, r.ids
	for low < high {
		middle := int(uint(low+high) >> 1)
		if r.key(middle) < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < r.ids && r.key(low) == key
}

func (r *run) key(i int) hash { return hash(binary.BigEndian.Uint64(r.keys.data[8*i:])) }

// state is what is known under the i-th key; the states are in memory.
func (r *run) state(i int) []byte { return r.states.data[r.offsets[i]:r.offsets[i+1]] }

// entries are all of a run that is in memory.
func (r *run) entries() []idEntry {
	all := make([]idEntry, r.ids)
	for i := range all {
		all[i] = idEntry{r.key(i), r.state(i)}
	}
	return all
}

// newRun packs entries, which are sorted by key, and returns the run and the compressed form of its states.
func newRun(bucket int64, entries []idEntry) (r *run, packed []byte) {
	size := 0
	for _, e := range entries {
		size += len(e.data)
	}
	r = &run{bucket: bucket, ids: len(entries), offsets: make([]uint32, 0, len(entries)+1)}
	r.keys.data, r.states.data = make([]byte, 0, 8*len(entries)), make([]byte, 0, size)
	lengths := make([]byte, 0, size+2*len(entries))
	for _, e := range entries {
		r.keys.data = binary.BigEndian.AppendUint64(r.keys.data, uint64(e.key))
		r.offsets = append(r.offsets, uint32(len(r.states.data)))
		r.states.data = append(r.states.data, e.data...)
		lengths = binary.AppendUvarint(lengths, uint64(len(e.data)))
	}
	r.offsets = append(r.offsets, uint32(len(r.states.data)))
	return r, s2.EncodeBetter(nil, append(lengths, r.states.data...))
}

// setKeys takes over the keys as they are stored.
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

// setStates takes over the states as newRun packed them.
func (r *run) setStates(packed []byte) error {
	data, err := s2.Decode(nil, packed)
	if err != nil {
		return r.damaged()
	}
	in := reader{data: data}
	offsets, at := make([]uint32, 0, r.ids+1), uint64(0)
	for range r.ids {
		offsets = append(offsets, uint32(at))
		if at += in.uvarint(); at > uint64(len(data)) {
			return r.damaged()
		}
	}
	if in.bad || at != uint64(len(in.data)) {
		return r.damaged()
	}
	r.states.data, r.offsets = in.data, append(offsets, uint32(at))
	return nil
}

func (r *run) damaged() error { return fmt.Errorf("block %d: %w", r.row, errRow) }

// mergeEntries merges two sorted lists; of a key that both have the newer one's counts.
func mergeEntries(newer, older []idEntry) []idEntry {
	all := make([]idEntry, 0, len(newer)+len(older))
	for len(newer) > 0 && len(older) > 0 {
		switch c := cmp.Compare(newer[0].key, older[0].key); {
		case c < 0:
			all, newer = append(all, newer[0]), newer[1:]
		case c > 0:
			all, older = append(all, older[0]), older[1:]
		default:
			all, newer, older = append(all, newer[0]), newer[1:], older[1:]
		}
	}
	return append(append(all, newer...), older...)
}

func sortEntries(entries []idEntry) {
	slices.SortFunc(entries, func(a, b idEntry) int { return cmp.Compare(a.key, b.key) })
}
