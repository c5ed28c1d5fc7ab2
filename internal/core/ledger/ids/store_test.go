package ids

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// newFile is a database with the two tables.
func newFile(t *testing.T) *engine.Session {
	e, err := engine.Open(t.Context(), engine.SQLite{File: filepath.Join(t.TempDir(), "ids.db")}, engine.Access{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	for _, text := range []string{
		`PRAGMA synchronous = OFF`, // nothing here needs to be durable
		`CREATE TABLE journal (feed INTEGER, seq INTEGER, data BLOB)`,
		`CREATE TABLE blocks (
			id INTEGER PRIMARY KEY, feed INTEGER, bucket INTEGER, ids INTEGER, keys BLOB, states BLOB)`,
	} {
		if _, err := e.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	return &e.Session
}

func load(t *testing.T, db *engine.Session, memory *Memory) *Store {
	t.Helper()
	s, err := Load(db, 1, memory)
	require.NoError(t, err)
	return s
}

func get(t *testing.T, s *Store, at counting.Place) string {
	t.Helper()
	data, err := s.Get(at)
	require.NoError(t, err)
	return string(data)
}

// all are the entries of a bucket.
func all(t *testing.T, s *Store, bucket int64) []counting.Stored {
	t.Helper()
	entries, err := s.Bucket(bucket)
	require.NoError(t, err)
	return entries
}

// kept has a store keep and apply states.
func kept(t *testing.T, s *Store, commit int64, states ...counting.Stored) {
	t.Helper()
	require.NoError(t, s.Keep(commit, states))
	s.Apply()
}

func packed(t *testing.T, s *Store) {
	t.Helper()
	require.NoError(t, s.Pack())
	s.Apply()
}

// After any order of Keep, Pack, Forget, rollbacks and reloads, the store has the last kept states.
func TestStoreIsAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	db := newFile(t)
	s, want := load(t, db, NewMemory(1<<10, 500)), make(map[counting.Place]string) // parts come and go
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	floor := start
	forgetWanted := func() {
		maps.DeleteFunc(want, func(at counting.Place, _ string) bool { return counting.IsForgotten(at.Bucket, floor) })
	}
	for i := range int64(600) {
		switch rng.IntN(10) {
		case 0:
			packed(t, s)
		case 1:
			s = load(t, db, NewMemory(1<<10, 500))
		case 2:
			floor = floor.Add(time.Hour)
			if _, err := s.Forget(floor, 3); err != nil {
				t.Fatal(err)
			}
			s.Apply()
			forgetWanted()
		default:
			one := entry(counting.HourBucket(floor.Add(time.Duration(rng.IntN(50))*time.Hour)),
				counting.Hash(rng.IntN(100)), fmt.Sprintf("\x03%d", i))
			kept(t, s, i, one)
			want[one.Place] = string(one.Data)
		}
		for range 5 {
			at := counting.Place{
				Bucket: counting.HourBucket(floor.Add(time.Duration(rng.IntN(50)) * time.Hour)),
				Hash:   counting.Hash(rng.IntN(100)),
			}
			if got := get(t, s, at); got != want[at] {
				t.Fatalf("step %d: %v has %q, want %q", i, at, got, want[at])
			}
		}
	}
	packed(t, s)
	floor = floor.Add(5 * time.Hour)
	forgetWanted()
	steps := 0
	for more := true; more && steps < 100; steps++ {
		var err error
		more, err = s.Forget(floor, 1)
		require.NoError(t, err)
		s.Apply()
	}
	if steps < 2 || steps == 100 {
		t.Errorf("the old buckets go in %d steps", steps)
	}
	n := 0
	for _, bucket := range s.Buckets() {
		if counting.IsForgotten(bucket, floor) {
			t.Errorf("bucket %d isn't forgotten", bucket)
		}
		for _, e := range all(t, s, bucket) {
			if n++; want[e.Place] != string(e.Data) {
				t.Errorf("%v has %q, want %q", e.Place, e.Data, want[e.Place])
			}
		}
	}
	if n != len(want) {
		t.Errorf("%d entries, want %d", n, len(want))
	}
}

// The next write discards what a transaction wrote that was rolled back.
func TestWhatWasRolledBackIsUnknown(t *testing.T) {
	for name, next := range map[string]func(s *Store) error{
		"kept":      func(s *Store) error { return s.Keep(2, []counting.Stored{entry(1, 3, "\x03new")}) },
		"nothing":   func(s *Store) error { return s.Keep(2, nil) },
		"packed":    (*Store).Pack,
		"forgotten": func(s *Store) error { _, err := s.Forget(time.Time{}, 1); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, newFile(t), NewMemory(1<<10, 500))
			kept(t, s, 1, entry(1, 1, "\x03old"))
			lost := entry(1, 2, "\x03lost")
			require.NoError(t, errors.Join(s.Keep(2, []counting.Stored{lost}), next(s)))
			s.Apply()
			if data := get(t, s, lost.Place); data != "" {
				t.Errorf("got %q, want nothing", data)
			}
			if data := get(t, s, counting.Place{Bucket: 1, Hash: 1}); data != "\x03old" {
				t.Errorf("got %q of what was durable", data)
			}
		})
	}
}

// However many times the journal is packed, a bucket has few blocks, and memory stays within its bounds.
func TestBlocksStayFewAndMemorySmall(t *testing.T) {
	s := load(t, newFile(t), NewMemory(16<<10, 0))
	columns, filters := &s.memory.columns, &s.memory.filters
	checkMemory := func() {
		t.Helper()
		size, filterSize, largest := 0, 0, 0
		for _, b := range s.blocks[1] {
			size, filterSize = size+b.keys.size()+b.states.size(), filterSize+b.filter.size()
			largest = max(largest, 100*b.ids)
		}
		if size != columns.size || size > columns.limit+largest || filterSize != filters.size {
			t.Fatalf("there are %d bytes and %d of filters, it says %d and %d, the limit is %d", size, filterSize,
				columns.size, filters.size, columns.limit)
		}
	}
	const times, each = 64, 20
	for i := range times {
		var states []counting.Stored
		for k := range each {
			states = append(states, entry(1, counting.Hash(each*i+k+1)*0x9e3779b97f4a7c15, "a state of a record"))
		}
		kept(t, s, int64(i), states...)
		packed(t, s)
		checkMemory()
		if n := len(s.blocks[1]); n > 8 {
			t.Fatalf("after %d times the bucket has %d blocks", i+1, n)
		}
	}
	for i := range counting.Hash(times * each) {
		if get(t, s, counting.Place{Bucket: 1, Hash: (i + 1) * 0x9e3779b97f4a7c15}) == "" {
			t.Fatalf("key %d isn't known", i)
		}
	}
	checkMemory()
	if len(s.blocks[1]) == 1 {
		t.Error("each time the whole bucket was written again")
	}
	if s.Release(); columns.size != 0 || filters.size != 0 {
		t.Errorf("after its end a feed has %d bytes and %d of filters", columns.size, filters.size)
	}
}

// TestBuckets: buckets are in order, and each once, wherever they are.
func TestBuckets(t *testing.T) {
	s := load(t, newFile(t), NewMemory(0, 0))
	kept(t, s, 1, entry(2, 1, "\x03"), entry(9, 1, "\x03"))
	packed(t, s)
	kept(t, s, 2, entry(1, 1, "\x03"), entry(2, 2, "\x03"))
	if got := s.Buckets(); !slices.Equal(got, []int64{1, 2, 9}) {
		t.Errorf("the buckets are %v", got)
	}
}

// Late calls ask the filters of all hours in turn: what is read of keys and states in between leaves them in memory.
func TestKeysAndStatesLeaveFiltersInMemory(t *testing.T) {
	s := load(t, newFile(t), NewMemory(32<<10, 0))
	const hours, each = 24, 100
	rng := rand.New(rand.NewPCG(3, 3))
	for hour := range int64(hours) {
		var states []counting.Stored
		for range each {
			states = append(states, entry(hour+1, counting.Hash(rng.Uint64()), "a state of a record"))
		}
		kept(t, s, hour, states...)
	}
	packed(t, s)
	for _, bucket := range s.Buckets() {
		get(t, s, counting.Place{Bucket: bucket, Hash: 1})
		all(t, s, bucket)
	}
	if c := &s.memory.columns; c.size > c.limit {
		t.Errorf("keys and states have %d bytes, their limit is %d", c.size, c.limit)
	}
	if len(s.blocks) != hours {
		t.Errorf("there are blocks of %d hours, want %d", len(s.blocks), hours)
	}
	for bucket, blocks := range s.blocks {
		for _, b := range blocks {
			if b.filter.data == nil {
				t.Errorf("the filter of bucket %d isn't in memory any more", bucket)
			}
		}
	}
}

// A block is copied as a whole when it is written and when it is read. So a bucket with more than
// fullBlock ids has several blocks.
func TestBlocksHaveALargestSize(t *testing.T) {
	s := load(t, newFile(t), NewMemory(0, 0))
	const ids = 2*fullBlock + 100
	var states []counting.Stored
	for k := range counting.Hash(ids) {
		states = append(states, entry(1, (k+1)*0x9e3779b97f4a7c15, fmt.Sprint(k)))
	}
	kept(t, s, 1, states[:fullBlock+50]...)
	packed(t, s)
	full := s.blocks[1][0]
	kept(t, s, 2, states[fullBlock+50:]...)
	packed(t, s)
	if s.blocks[1][0] != full {
		t.Error("a full block was written again")
	}
	for _, b := range s.blocks[1] {
		if b.ids > fullBlock {
			t.Errorf("a block has %d ids, want %d at most", b.ids, fullBlock)
		}
	}
	if n := s.Sizes().BlockIDs; n != ids {
		t.Errorf("the blocks have %d ids, want %d", n, ids)
	}
	for _, one := range states {
		if got := get(t, s, one.Place); got != string(one.Data) {
			t.Fatalf("%v has %q, want %q", one.Place, got, one.Data)
		}
	}
}

// A first history uses an hour's filters for a while. Memory doesn't hold them until it is full.
func TestAFilterNotUsedForLongLeavesMemory(t *testing.T) {
	s := load(t, newFile(t), NewMemory(0, 0))
	used, unused := counting.Place{Bucket: 1, Hash: 1}, counting.Place{Bucket: 2, Hash: 1}
	kept(t, s, 1, entry(1, 1, "\x03used"), entry(2, 1, "\x03unused"))
	packed(t, s)
	get(t, s, used)
	get(t, s, unused)
	for range filterPacks {
		packed(t, s)
		get(t, s, used)
	}
	for _, bucket := range []int64{1, 2} {
		if s.blocks[bucket][0].filter.data == nil {
			t.Errorf("the filter of bucket %d left memory too early", bucket)
		}
	}
	packed(t, s)
	if s.blocks[1][0].filter.data == nil || s.blocks[2][0].filter.data != nil {
		t.Error("want the filter in memory that was used, not the other one")
	}
	if got := get(t, s, unused); got != "\x03unused" {
		t.Errorf("got %q, whose filter is made again", got)
	}
}

// What a commit finds in blocks holds no block in memory that had to leave: a report of calls of several records, in
// which each id lay in another block than the last one, took 30 kB for each of them.
func TestFoundStatesHoldNoBlock(t *testing.T) {
	const blocks, ids, size = 64, 100, 1000
	s := load(t, newFile(t), NewMemory(1<<10, 1<<20))
	var keys []counting.Key
	for bucket := range int64(blocks) {
		var states []counting.Stored
		for key := range counting.Hash(ids) {
			states = append(states, entry(bucket, key, "\x03"+strings.Repeat("x", size)))
		}
		kept(t, s, bucket, states...)
		packed(t, s)
		keys = append(keys, counting.Key{Hash: 7, Buckets: []int64{bucket}})
	}
	live := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc) //nolint:gosec // far less
	}
	before := live()
	known, err := s.Known(nil, keys, time.Time{})
	require.NoError(t, err)
	if grew := live() - before; grew > blocks*ids*size/2 {
		t.Errorf("%d states of %d bytes take %d bytes", len(known), size, grew)
	}
	runtime.KeepAlive(known)
}
