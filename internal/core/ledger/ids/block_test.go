package ids

import (
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

func entry(bucket int64, key counting.Hash, data string) counting.Stored {
	return counting.Stored{Place: counting.Place{Bucket: bucket, Hash: key}, Data: []byte(data)}
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
