package ids

import (
	"errors"
	"slices"
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

func entry(bucket int64, key counting.Hash, data string) counting.Stored {
	return counting.Stored{Place: counting.Place{Bucket: bucket, Hash: key}, Data: []byte(data)}
}

// TestDamagedRows: a row that isn't as it was written is an error.
func TestDamagedRows(t *testing.T) {
	b, states := newBlock(1, []counting.Stored{entry(1, 1, "\x03"), entry(1, 7, "")})
	keys, row, plain := b.keys.data, entry(3, 9, "\x03"), b.states.data
	row9 := appendToJournal(nil, &row)
	for name, read := range map[string]func(b *block, j *journal) error{
		"cut keys":     func(b *block, _ *journal) error { return b.setKeys(keys[:15]) },
		"a key twice":  func(b *block, _ *journal) error { return b.setKeys(slices.Concat(keys[:8], keys[:8])) },
		"no s2":        func(b *block, _ *journal) error { return b.setStates(plain) },
		"cut states":   func(b *block, _ *journal) error { return b.setStates(s2.Encode(nil, plain[:1])) },
		"more states":  func(b *block, _ *journal) error { return b.setStates(s2.Encode(nil, append(plain, 0))) },
		"cut journal":  func(_ *block, j *journal) error { return j.add(row9[:len(row9)-1]) },
		"more journal": func(_ *block, j *journal) error { return j.add(append(row9, 1)) },
	} {
		var j journal
		j.clear()
		if err := read(&block{ids: 2}, &j); !errors.Is(err, counting.ErrRow) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := errors.Join(b.setKeys(keys), b.setStates(states)); err != nil {
		t.Error(err)
	}
}

func FuzzBlock(f *testing.F) {
	b, states := newBlock(1, []counting.Stored{entry(1, 1, "\x03"), entry(1, 7, "")})
	row := entry(3, 9, "\x03")
	f.Add(b.keys.data, states, appendToJournal(nil, &row))
	f.Add([]byte{}, s2.Encode(nil, nil), []byte{0x80})
	f.Fuzz(func(_ *testing.T, keys, states, row []byte) {
		b := &block{ids: len(keys) / 8}
		if b.setKeys(keys) == nil && b.setStates(states) == nil {
			for i := range b.ids {
				_ = b.state(i)
			}
		}
		var j journal
		j.clear()
		_ = j.add(row)
	})
}
