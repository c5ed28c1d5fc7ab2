package ids

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// fullBlock is the number of ids of a block that isn't merged any more, and the most that a block gets. A block is
// loaded, compressed and written as a whole, so its size is also what SQLite and we copy at once.
const fullBlock = 8 << 10

// Store is what one feed remembers, as of its last commit. It isn't safe for concurrent use.
type Store struct {
	db     *engine.Session
	feed   int64
	memory *Memory

	journal journal
	blocks  map[int64][]*block // by bucket, oldest first
	written written
}

// written is what the newest transaction has written, until it is durable.
type written struct {
	row             []byte // of the journal
	added, replaced []*block
	packed          bool // the journal is empty
}

// Load reads what a feed remembers.
func Load(db *engine.Session, feed int64, memory *Memory) (*Store, error) {
	s := &Store{db: db, feed: feed, memory: memory, blocks: make(map[int64][]*block)}
	s.journal.clear()
	err := db.ScanAll(`SELECT data FROM journal WHERE feed = ? ORDER BY seq`, []any{feed}, func(rows *sql.Rows) error {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return err
		}
		return s.journal.add(data)
	})
	if err != nil {
		return nil, err
	}
	err = db.ScanAll(`SELECT id, bucket, ids FROM blocks WHERE feed = ? ORDER BY id`, []any{feed},
		func(rows *sql.Rows) error {
			b := new(block)
			if err := rows.Scan(&b.row, &b.bucket, &b.ids); err != nil {
				return err
			}
			s.blocks[b.bucket] = append(s.blocks[b.bucket], b)
			return nil
		})
	return s, err
}

// Release gives the feed's part of Memory back.
func (s *Store) Release() {
	for _, blocks := range s.blocks {
		for _, b := range blocks {
			s.memory.forget(b)
		}
	}
}

// Known appends what is known under each of keys: of an alias, what its record has; nothing has no
// Data. Keys without buckets are looked for in all that a feed with this floor hasn't forgotten. It
// is valid until the next commit.
func (s *Store) Known(known []counting.Stored, keys []counting.Key, floor time.Time) ([]counting.Stored, error) {
	var all []int64
	for i := range keys {
		buckets := keys[i].Buckets
		if buckets == nil {
			if all == nil {
				last := counting.LastBucket(floor)
				all = slices.DeleteFunc(s.Buckets(), func(b int64) bool { return b > last })
			}
			buckets = all
		}
		stored, err := s.find(keys[i].Hash, buckets)
		if err != nil {
			return nil, err
		}
		known = append(known, stored)
	}
	return known, nil
}

// find finds a key in the first of the buckets that has it.
func (s *Store) find(key counting.Hash, buckets []int64) (counting.Stored, error) {
	for _, bucket := range buckets {
		at := counting.Place{Bucket: bucket, Hash: key}
		data, err := s.Get(at)
		if err != nil {
			return counting.Stored{}, err
		}
		if data == nil {
			continue
		}
		stored := counting.Stored{Place: at, Data: data}
		of, isAlias := stored.Alias()
		if !isAlias {
			return stored, nil
		}
		if data, err = s.Get(of); err != nil {
			return counting.Stored{}, err
		}
		if data != nil {
			return counting.Stored{Place: of, Data: data}, nil
		}
	}
	return counting.Stored{}, nil
}

// Get is what is remembered at a place, nil if that is nothing. It is valid until the next commit.
func (s *Store) Get(at counting.Place) ([]byte, error) {
	if offset, known := s.journal.places[at.Bucket][at.Hash]; known {
		return textAt(s.journal.arena, offset), nil
	}
	for _, b := range slices.Backward(s.blocks[at.Bucket]) {
		if data, err := s.memory.get(s.db, b, at.Hash); data != nil || err != nil {
			return data, err
		}
	}
	return nil, nil
}

// Buckets are those in which anything is remembered, in order.
func (s *Store) Buckets() []int64 {
	all := slices.AppendSeq(slices.Collect(maps.Keys(s.blocks)), maps.Keys(s.journal.places))
	slices.Sort(all)
	return slices.Compact(all)
}

// Bucket is all that is remembered in a bucket, in order of the keys.
func (s *Store) Bucket(bucket int64) ([]counting.Stored, error) {
	all := s.journal.bucket(bucket)
	for _, b := range slices.Backward(s.blocks[bucket]) {
		older, err := s.memory.entries(s.db, b)
		if err != nil {
			return nil, err
		}
		all = merge(all, older)
	}
	return all, nil
}

// Sizes are how many rows and ids the journal has, and how many ids the blocks.
type Sizes struct{ JournalRows, JournalIDs, BlockIDs int }

// Sizes counts the remembered ids. An id in several places counts in each of them.
func (s *Store) Sizes() (n Sizes) {
	n.JournalRows = s.journal.rows
	for _, places := range s.journal.places {
		n.JournalIDs += len(places)
	}
	for _, blocks := range s.blocks {
		for _, b := range blocks {
			n.BlockIDs += b.ids
		}
	}
	return n
}

// Keep writes states to the journal, as the row of a commit.
func (s *Store) Keep(commit int64, states []counting.Stored) error {
	s.written = written{row: s.written.row[:0]}
	for i := range states {
		s.written.row = appendToJournal(s.written.row, &states[i])
	}
	if len(states) == 0 {
		return nil
	}
	_, err := s.db.Exec(`INSERT INTO journal (feed, seq, data) VALUES (?, ?, ?)`, s.feed, commit, s.written.row)
	return err
}

// IsFull says whether the journal must be packed before Keep is called again.
func (s *Store) IsFull() bool { return len(s.journal.arena) >= s.memory.journal }

// IsEmpty says whether the journal has nothing to be packed.
func (s *Store) IsEmpty() bool { return s.journal.rows == 0 }

// Pack moves the journal into the blocks.
func (s *Store) Pack() error {
	s.written = written{row: s.written.row[:0], packed: true}
	for _, bucket := range slices.Sorted(maps.Keys(s.journal.places)) {
		if err := s.writeBlocks(bucket, s.journal.bucket(bucket)); err != nil {
			return fmt.Errorf("move ids into blocks: %w", err)
		}
	}
	_, err := s.db.Exec(`DELETE FROM journal WHERE feed = ?`, s.feed)
	return err
}

// writeBlocks writes entries, sorted by key, as a bucket's newest blocks. It merges those before them that have at
// most twice as many entries.
func (s *Store) writeBlocks(bucket int64, entries []counting.Stored) error {
	for _, b := range slices.Backward(s.blocks[bucket]) {
		if b.ids >= fullBlock || b.ids > 2*len(entries) {
			break
		}
		older, err := s.memory.entries(s.db, b)
		if err != nil {
			return err
		}
		entries = merge(entries, older)
		if err := s.delete(b); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(entries, fullBlock) {
		b, packed := newBlock(bucket, part)
		var err error
		b.row, err = s.db.Insert("blocks", "bucket, ids, keys, states", s.feed, bucket, b.ids, b.keys.data, packed)
		if err != nil {
			return err
		}
		s.written.added = append(s.written.added, b)
	}
	return nil
}

func (s *Store) delete(b *block) error {
	s.written.replaced = append(s.written.replaced, b)
	_, err := s.db.Exec(`DELETE FROM blocks WHERE id = ?`, b.row)
	return err
}

// Forget deletes buckets that a feed with this floor forgets. It deletes whole buckets until it has
// deleted the given number of blocks, and says whether more buckets are left.
func (s *Store) Forget(floor time.Time, blocks int) (more bool, err error) {
	s.written = written{row: s.written.row[:0]}
	for _, bucket := range slices.Sorted(maps.Keys(s.blocks)) {
		if !counting.IsForgotten(bucket, floor) {
			continue
		}
		if len(s.written.replaced) >= blocks {
			return true, nil
		}
		for _, b := range s.blocks[bucket] {
			if err := s.delete(b); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// Apply brings memory to what Keep, Pack or Forget has written, which is durable now.
func (s *Store) Apply() {
	w := &s.written
	for _, b := range w.replaced {
		s.memory.forget(b)
		left := slices.DeleteFunc(s.blocks[b.bucket], func(o *block) bool { return o == b })
		if s.blocks[b.bucket] = left; len(left) == 0 {
			delete(s.blocks, b.bucket)
		}
	}
	for _, b := range w.added {
		s.blocks[b.bucket] = append(s.blocks[b.bucket], b)
		s.memory.added(b)
	}
	if w.packed {
		s.journal.clear()
		s.memory.packed()
	}
	if err := s.journal.add(w.row); err != nil {
		panic(err) // appendToJournal made it
	}
	*w = written{row: w.row[:0]}
}
