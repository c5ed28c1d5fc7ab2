package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/pack"
)

// What a feed remembers lies in two places.
//
//	journal  a row per commit: its entries, of whichever buckets; all of it is in memory too
//	blocks   a row has many entries of one bucket, sorted and compressed
//
// A commit adds a row to the journal. When the journal is large, and before pruning, a transaction of its own moves it into
// the blocks, bucket by bucket: a new block replaces those before it that aren't more than twice as large, so that a bucket
// has few blocks and an entry is rewritten seldom. A bucket is forgotten by deleting its blocks.

const (
	// journalBytes is from when on the journal of a feed is moved into the blocks: some 20,000 ids.
	journalBytes = 2 << 20
	// fullBlockIDs is from how many ids on a block isn't merged any more, since a block is loaded as a whole.
	fullBlockIDs = 16 << 10
)

// idStore is what one feed remembers, as of its last commit. The commit lock guards it.
type idStore struct {
	cache *idCache

	// The journal: by bucket and key, where the state's length prefix begins in arena.
	journal map[int64]map[counting.Hash]int
	arena   []byte
	rows    int

	blocks map[int64][]*idBlock // by bucket, oldest first
}

func (s *idStore) load(e *engine, feed int64, cache *idCache) error {
	*s = idStore{cache: cache, blocks: make(map[int64][]*idBlock)}
	s.clearJournal()
	err := e.scanAll(`SELECT data FROM journal WHERE feed = ? ORDER BY seq`, []any{feed}, func(rows *sql.Rows) error {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return err
		}
		return s.addToJournal(data)
	})
	if err != nil {
		return err
	}
	return e.scanAll(`SELECT id, bucket, ids FROM blocks WHERE feed = ? ORDER BY id`, []any{feed}, func(rows *sql.Rows) error {
		r := new(idBlock)
		if err := rows.Scan(&r.row, &r.bucket, &r.ids); err != nil {
			return err
		}
		s.blocks[r.bucket] = append(s.blocks[r.bucket], r)
		return nil
	})
}

// release removes the feed's blocks from the cache.
func (s *idStore) release() {
	for _, blocks := range s.blocks {
		for _, r := range blocks {
			s.cache.forget(r)
		}
	}
}

func (s *idStore) clearJournal() {
	s.journal, s.arena, s.rows = make(map[int64]map[counting.Hash]int), s.arena[:0], 0
}

func appendToJournal(dst []byte, bucket int64, e idEntry) []byte {
	dst = binary.AppendVarint(dst, bucket)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.key))
	return pack.AppendText(dst, e.data)
}

// addToJournal adds a row of the journal, which is durable, to memory.
func (s *idStore) addToJournal(row []byte) error {
	s.rows++
	r := pack.Reader{Data: row}
	for len(r.Data) > 0 {
		bucket, key := r.Varint(), r.Number(8)
		data := r.Bytes(r.Uvarint())
		if r.Bad {
			break
		}
		if s.journal[bucket] == nil {
			s.journal[bucket] = make(map[counting.Hash]int)
		}
		s.journal[bucket][counting.Hash(key)] = len(s.arena)
		s.arena = pack.AppendText(s.arena, data)
	}
	if r.Bad {
		return counting.ErrRow
	}
	return nil
}

// lookup returns the state under a key of a bucket, nil if there is none. It is valid until the next commit.
func (s *idStore) lookup(e *engine, bucket int64, key counting.Hash) ([]byte, error) {
	if at, known := s.journal[bucket][key]; known {
		return stateAt(s.arena, at), nil
	}
	for _, r := range slices.Backward(s.blocks[bucket]) {
		if err := s.cache.load(e, r, &r.filter); err != nil {
			return nil, err
		}
		if !r.mayHave(key) {
			continue
		}
		if err := s.cache.load(e, r, &r.keys); err != nil {
			return nil, err
		}
		i, known := r.find(key)
		if !known {
			continue
		}
		if err := s.cache.load(e, r, &r.states); err != nil {
			return nil, err
		}
		return r.state(i), nil
	}
	return nil, nil
}

// bucketsUpTo are the buckets up to one, itself included, in which anything is known, in order.
func (s *idStore) bucketsUpTo(last int64) []int64 {
	all := slices.AppendSeq(slices.Collect(maps.Keys(s.blocks)), maps.Keys(s.journal))
	all = slices.DeleteFunc(all, func(b int64) bool { return b > last })
	slices.Sort(all)
	return slices.Compact(all)
}

// journalOf is what the journal has of a bucket, in no order.
func (s *idStore) journalOf(bucket int64) (all []idEntry) {
	for key, at := range s.journal[bucket] {
		all = append(all, idEntry{key, stateAt(s.arena, at)})
	}
	return all
}

// entries are all of a bucket, in order of the keys.
func (s *idStore) entries(e *engine, bucket int64) ([]idEntry, error) {
	all := s.journalOf(bucket)
	for _, r := range slices.Backward(s.blocks[bucket]) {
		older, err := s.cache.entries(e, r)
		if err != nil {
			return nil, err
		}
		all = append(all, older...)
	}
	return sortEntries(all), nil
}

// moveJournal moves the journal into the blocks, in a transaction of its own.
func (f *Feed) moveJournal(ctx context.Context) error {
	if f.ids.rows == 0 {
		return nil
	}
	var added, replaced []*idBlock
	err := f.ledger.commit(ctx, f, func() error {
		added, replaced = nil, nil
		for _, bucket := range slices.Sorted(maps.Keys(f.ids.journal)) {
			r, older, err := f.ids.writeBlock(f.ledger.engine, f.id, bucket, f.ids.journalOf(bucket))
			if err != nil {
				return err
			}
			added, replaced = append(added, r), append(replaced, older...)
		}
		_, err := f.ledger.engine.exec(`DELETE FROM journal WHERE feed = ?`, f.id)
		return err
	}, func() {
		f.ids.remove(replaced)
		f.ids.add(added)
		f.ids.clearJournal()
	})
	if err != nil {
		return fmt.Errorf("move ids into blocks: %w", err)
	}
	return nil
}

// writeBlock writes entries as a bucket's newest block. It merges those before it that have at most twice as many entries, and returns them as replaced.
func (s *idStore) writeBlock(e *engine, feed, bucket int64, entries []idEntry) (r *idBlock, replaced []*idBlock, err error) {
	for _, r := range slices.Backward(s.blocks[bucket]) {
		if r.ids >= fullBlockIDs || r.ids > 2*len(entries) {
			break
		}
		older, err := s.cache.entries(e, r)
		if err != nil {
			return nil, nil, err
		}
		entries, replaced = append(entries, older...), append(replaced, r)
		if _, err := e.exec(`DELETE FROM blocks WHERE id = ?`, r.row); err != nil {
			return nil, nil, err
		}
	}
	r, packed := newIDBlock(bucket, sortEntries(entries))
	err = e.scanRow(`INSERT INTO blocks (id, feed, bucket, ids, keys, states) VALUES (`+nextID("blocks")+`, ?, ?, ?, ?, ?) RETURNING id`,
		append(idRange(feed), feed, bucket, r.ids, r.keys.data, packed), &r.row)
	return r, replaced, err
}

func (s *idStore) add(blocks []*idBlock) {
	for _, r := range blocks {
		s.blocks[r.bucket] = append(s.blocks[r.bucket], r)
		s.cache.columns.add(&r.states)
		s.cache.columns.add(&r.keys)
	}
}

func (s *idStore) remove(blocks []*idBlock) {
	for _, r := range blocks {
		s.cache.forget(r)
		left := slices.DeleteFunc(s.blocks[r.bucket], func(o *idBlock) bool { return o == r })
		if s.blocks[r.bucket] = left; len(left) == 0 {
			delete(s.blocks, r.bucket)
		}
	}
}
