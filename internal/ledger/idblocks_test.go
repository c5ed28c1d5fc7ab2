package ledger

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// randomEntries are entries with their keys in order, some with empty states.
func randomEntries(rng *rand.Rand, n int) []idEntry {
	keys := make(map[counting.Hash]bool)
	for len(keys) < n {
		keys[counting.Hash(rng.Uint64())] = true
	}
	var all []idEntry
	for key := range keys {
		all = append(all, idEntry{key, bytes.Repeat([]byte{byte(key)}, rng.IntN(300))})
	}
	return sortEntries(all)
}

// A run is read as it was packed, and finds its keys and no others. Its filter lets all of its keys pass, and few others.
func TestRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 100, 5000} {
		entries := randomEntries(rng, n)
		packed, states := newIDBlock(1, entries)
		again := &idBlock{bucket: 1, ids: n}
		if err := again.setKeys(packed.keys.data); err != nil {
			t.Fatal(err)
		}
		if err := again.setStates(states); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*idBlock{packed, again} {
			r.makeFilter()
			passed := 0
			for range 10_000 {
				passed += int(flag(r.mayHave(counting.Hash(rng.Uint64()))))
			}
			if passed > 150 {
				t.Errorf("%d entries: the filter lets %d of 10000 other keys pass", n, passed)
			}
			for i, e := range entries {
				if !r.mayHave(e.key) {
					t.Fatalf("%d entries: the filter stops entry %d", n, i)
				}
				if at, found := r.find(e.key); !found || at != i || !bytes.Equal(r.state(at), e.data) {
					t.Fatalf("%d entries: entry %d is found as %d, %v", n, i, at, found)
				}
				if _, found := r.find(e.key + 1); found && (i+1 == n || entries[i+1].key != e.key+1) {
					t.Fatalf("%d entries: a key behind entry %d is found", n, i)
				}
			}
		}
	}
}

func TestSortEntries(t *testing.T) {
	entry := func(key counting.Hash, data string) idEntry { return idEntry{key, []byte(data)} }
	got := sortEntries([]idEntry{
		entry(9, "new"), entry(2, "new"), entry(5, "new"),
		entry(1, "old"), entry(5, "old"), entry(6, "old"),
	})
	text := ""
	for _, e := range got {
		text += fmt.Sprintf("%d %s ", e.key, e.data)
	}
	if text != "1 old 2 new 5 new 6 old 9 new " {
		t.Errorf("sorted: %s", text)
	}
}

// However many times the journal is moved, a bucket has few blocks, the cache stays within its limit, and all is known.
func TestBlocksStayFewAndTheCacheSmall(t *testing.T) {
	r := newRig(t)
	r.idMemory, r.journal = 16<<10, journalBytes
	r.reopen()
	r.live()
	const moves, each = 64, 20
	for i := range moves {
		var page []*cdr.Record
		for k := range each {
			page = append(page, call(fmt.Sprint(i, "-", k)))
		}
		r.records(page...)
		r.moveJournal()
		for bucket, runs := range r.feed.ids.blocks {
			if len(runs) > 8 {
				t.Fatalf("after %d moves bucket %d has %d blocks", i+1, bucket, len(runs))
			}
		}
	}
	for i := range moves {
		if got := r.records(call(fmt.Sprint(i, "-", i%each)), call(fmt.Sprint("new", i))); got.Duplicate != 1 || got.New != 1 {
			t.Fatalf("%d: %+v", i, got)
		}
	}
	cache, size := &r.ledger.idCache.columns, 0
	for one := cache.parts.Front(); one != nil; one = one.Next() {
		size += one.Value.(*blockPart).size()
	}
	largest := 0
	for _, runs := range r.feed.ids.blocks {
		for _, one := range runs {
			largest = max(largest, 200*one.ids)
		}
	}
	if size != cache.size || size > cache.limit+largest {
		t.Errorf("the cache has %d bytes, says %d, its limit is %d", size, cache.size, cache.limit)
	}
}

// Late calls ask the filters of all hours in turn: what is read of keys and states in between leaves them in memory.
func TestKeysAndStatesLeaveFiltersInMemory(t *testing.T) {
	r := newRig(t)
	r.idMemory, r.journal = 32<<10, journalBytes
	r.reopen()
	r.live()
	const hours, each = 24, 100
	for hour := range hours {
		var page []*cdr.Record
		for k := range each {
			page = append(page, call(fmt.Sprint(hour, "-", k), func(c *cdr.Record) { c.Start = c.Start.Add(-time.Duration(hour) * time.Hour) }))
		}
		r.records(page...)
	}
	r.moveJournal()
	cache := r.ledger.idCache
	for bucket, runs := range r.feed.ids.blocks {
		for _, one := range runs {
			if _, err := r.feed.ids.lookup(r.ledger.engine, bucket, 1); err != nil {
				t.Fatal(err)
			}
			if _, err := cache.entries(r.ledger.engine, one); err != nil {
				t.Fatal(err)
			}
		}
	}
	if size := cache.columns.size; size > cache.columns.limit {
		t.Errorf("keys and states have %d bytes, their limit is %d", size, cache.columns.limit)
	}
	read := 0
	for _, runs := range r.feed.ids.blocks {
		for _, one := range runs {
			if read++; one.filter.data == nil {
				t.Errorf("the filter of bucket %d isn't in memory any more", one.bucket)
			}
		}
	}
	if read < hours {
		t.Errorf("there are %d blocks of %d hours", read, hours)
	}
}

// A full journal moves by itself.
func TestJournalMoves(t *testing.T) {
	r := newRig(t)
	r.journal = 1
	r.reopen()
	r.live()
	r.records(call("a"))
	r.records(call("b"))
	if n, blocks := r.count("journal"), r.count("blocks"); n != 1 || blocks != 1 {
		t.Errorf("%d rows of the journal, %d blocks", n, blocks)
	}
}

func FuzzBlock(f *testing.F) {
	r, states := newIDBlock(1, []idEntry{{1, []byte{rowFact}}, {7, nil}})
	f.Add(r.keys.data, states, appendToJournal(nil, 3, idEntry{9, []byte{rowFact}}))
	f.Add([]byte{}, s2.Encode(nil, nil), []byte{0x80})
	f.Fuzz(func(_ *testing.T, keys, states, journal []byte) {
		r := &idBlock{ids: len(keys) / 8}
		if r.setKeys(keys) == nil && r.setStates(states) == nil {
			for i := range r.ids {
				_ = r.state(i)
			}
		}
		var s idStore
		s.clearJournal()
		_ = s.addToJournal(journal)
	})
}
