package ids

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

func entry(bucket int64, key counting.Hash, data string) counting.Stored {
	return counting.Stored{Place: counting.Place{Bucket: bucket, Hash: key}, Data: []byte(data)}
}

// randomEntries are entries of a bucket with their keys in order, some with empty states.
func randomEntries(rng *rand.Rand, n int) []counting.Stored {
	keys := make(map[counting.Hash]bool)
	for len(keys) < n {
		keys[counting.Hash(rng.Uint64())] = true
	}
	var all []counting.Stored
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, entry(1, key, string(bytes.Repeat([]byte{byte(key)}, rng.IntN(300)))))
	}
	return all
}

// A block is read as it was packed, and finds its keys and no others. Its filter lets all of its
// keys pass, and few others.
func TestBlock(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 100, 5000} {
		entries := randomEntries(rng, n)
		packed, states := newBlock(1, entries)
		again := &block{bucket: 1, ids: n}
		if err := again.setKeys(packed.keys.data); err != nil {
			t.Fatal(err)
		}
		if err := again.setStates(states); err != nil {
			t.Fatal(err)
		}
		for _, b := range []*block{packed, again} {
			b.makeFilter()
			passed := 0
			for range 10_000 {
				if b.mayHave(counting.Hash(rng.Uint64())) {
					passed++
				}
			}
			if passed > 150 {
				t.Errorf("%d entries: the filter lets %d of 10000 other keys pass", n, passed)
			}
			for i, e := range entries {
				if !b.mayHave(e.Hash) {
					t.Fatalf("%d entries: the filter stops entry %d", n, i)
				}
				if at, found := b.find(e.Hash); !found || at != i || !bytes.Equal(b.state(at), e.Data) {
					t.Fatalf("%d entries: entry %d is found as %d, %v", n, i, at, found)
				}
				if _, found := b.find(e.Hash + 1); found && (i+1 == n || entries[i+1].Hash != e.Hash+1) {
					t.Fatalf("%d entries: a key behind entry %d is found", n, i)
				}
			}
		}
	}
}

func TestMerge(t *testing.T) {
	both := merge(
		[]counting.Stored{entry(1, 2, "new"), entry(1, 5, "new"), entry(1, 9, "new")},
		[]counting.Stored{entry(1, 1, "old"), entry(1, 5, "old"), entry(1, 6, "old")})
	longer := merge([]counting.Stored{entry(1, 2, "new")}, both)
	for _, test := range []struct {
		got  []counting.Stored
		want string
	}{
		{both, "1 old 2 new 5 new 6 old 9 new "},
		{longer, "1 old 2 new 5 new 6 old 9 new "},
		{merge(both, nil), "1 old 2 new 5 new 6 old 9 new "},
		{merge(nil, both), "1 old 2 new 5 new 6 old 9 new "},
	} {
		text := ""
		for _, e := range test.got {
			text += fmt.Sprintf("%d %s ", e.Hash, e.Data)
		}
		if text != test.want {
			t.Errorf("merged %s, want %s", text, test.want)
		}
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
