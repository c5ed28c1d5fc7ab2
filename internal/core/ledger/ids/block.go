package ids

import (
	"cmp"
	"container/list"
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// block is a row of the table blocks: entries of one bucket, sorted by key. It is immutable. Where two blocks of a
// bucket have the same key, the later one's entry is valid.
//
// Keys and states are separate columns. A Bloom filter answers for nearly every new id that a block
// doesn't have it: the filters of all hours to which late calls may belong fit into memory, the
// keys don't.
type block struct {
	row    int64 // of the table
	bucket int64
	ids    int

	// Memory fills and empties them.
	filter part // made of the keys
	keys   part // 8 bytes each, in big-endian order
	states part
}

// part is a column of a block, or the filter made of its keys; data is nil while it isn't in memory.
type part struct {
	data []byte
	// offsets are where each state's length prefix begins within data; nil for keys.
	offsets []uint32
	cached  *list.Element
	used    int // Memory.packs when it was used last
}

// A Bloom filter has filterBits bits a key, of which filterProbes are set: its false positives are four in a thousand.
const filterBits, filterProbes = 12, 6

// filterBit is the i-th bit of a key, which is a random number already.
func (b *block) filterBit(key counting.Hash, i int) (at int, bit byte) {
	n := uint64(uint32(key)+uint32(i)*uint32(key>>32)) * uint64(8*len(b.filter.data)) >> 32
	return int(n / 8), 1 << (n % 8)
}

// makeFilter makes the filter of the keys, which are in memory.
func (b *block) makeFilter() {
	b.filter.data = make([]byte, b.ids*filterBits/8+1)
	for k := range b.ids {
		for i := range filterProbes {
			at, bit := b.filterBit(b.key(k), i)
			b.filter.data[at] |= bit
		}
	}
}

// mayHave says whether the block may have a key, by the filter, which must be in memory.
func (b *block) mayHave(key counting.Hash) bool {
	for i := range filterProbes {
		if at, bit := b.filterBit(key, i); b.filter.data[at]&bit == 0 {
			return false
		}
	}
	return true
}

func (p *part) size() int { return len(p.data) + 4*len(p.offsets) }

// find is the index of a key; the keys are in memory.
func (b *block) find(key counting.Hash) (int, bool) {
	return sort.Find(b.ids, func(i int) int { return cmp.Compare(key, b.key(i)) })
}

func (b *block) key(i int) counting.Hash {
	return counting.Hash(binary.BigEndian.Uint64(b.keys.data[8*i:]))
}

// state is what is known under the i-th key; the states are in memory.
func (b *block) state(i int) []byte { return textAt(b.states.data, int(b.states.offsets[i])) }

// newBlock packs entries, which must be sorted by key, and returns the block and the compressed form of its states.
func newBlock(bucket int64, entries []counting.Stored) (b *block, packed []byte) {
	size := 0
	for _, e := range entries {
		size += len(e.Data) + 2
	}
	b = &block{bucket: bucket, ids: len(entries)}
	keys, states, offsets := make([]byte, 0, 8*len(entries)), make([]byte, 0, size), make([]uint32, 0, len(entries))
	for _, e := range entries {
		keys = binary.BigEndian.AppendUint64(keys, uint64(e.Hash))
		offsets = append(offsets, uint32(len(states)))
		states = pack.AppendText(states, e.Data)
	}
	b.keys.data, b.states.data, b.states.offsets = keys, states, offsets
	return b, s2.EncodeBetter(nil, states)
}

func (b *block) setKeys(keys []byte) error {
	if len(keys) != 8*b.ids {
		return b.damaged()
	}
	b.keys.data = keys
	for i := 1; i < b.ids; i++ {
		if b.key(i-1) >= b.key(i) {
			return b.damaged()
		}
	}
	return nil
}

func (b *block) setStates(packed []byte) error {
	data, err := s2.Decode(nil, packed)
	if err != nil {
		return b.damaged()
	}
	in, offsets := pack.Reader{Data: data}, make([]uint32, 0, b.ids)
	for range b.ids {
		offsets = append(offsets, uint32(len(data)-len(in.Data)))
		in.Bytes(in.Uvarint())
	}
	if in.Bad || len(in.Data) > 0 {
		return b.damaged()
	}
	b.states.data, b.states.offsets = data, offsets
	return nil
}

func (b *block) damaged() error { return fmt.Errorf("block %d: %w", b.row, counting.ErrRow) }

// merge merges entries that are sorted by key. If both have a key, the newer entry stays.
func merge(newer, older []counting.Stored) []counting.Stored {
	all := make([]counting.Stored, 0, len(newer)+len(older))
	for len(newer) > 0 && len(older) > 0 {
		order := cmp.Compare(newer[0].Hash, older[0].Hash)
		if order <= 0 {
			all, newer = append(all, newer[0]), newer[1:]
		} else {
			all = append(all, older[0])
		}
		if order >= 0 {
			older = older[1:]
		}
	}
	return append(append(all, newer...), older...)
}
