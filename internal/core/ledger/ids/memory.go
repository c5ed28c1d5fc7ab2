package ids

import (
	"bytes"
	"cmp"
	"container/list"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

const (
	// memoryBytes bounds the parts of blocks in memory: the filters of three days of five million
	// calls each, and the columns used last, which have at most columnBytes.
	memoryBytes, columnBytes = 28 << 20, 4 << 20
	// journalBytes is the size at which a feed's journal is packed: some 20,000 ids.
	journalBytes = 2 << 20
	// filterPacks is how many full journals, 1.3 million ids, a filter stays in memory without being used. A first
	// history in order of time uses each hour's filters for a while and never again.
	filterPacks = 64
)

// Memory holds the recently used parts of all stores' blocks. Filters have a separate bound: a page
// of late calls uses the filters of all hours in turn. If keys and states could evict them, each page
// would build them again. It isn't safe for concurrent use.
type Memory struct {
	journal          int // bytes of a journal that is full
	filters, columns recentParts
	packs            int // how many journals were packed
}

// recentParts are the parts that were used last, as many as fit into limit bytes.
type recentParts struct {
	limit int
	size  int
	parts list.List // of *part, the one used last in front
}

// NewMemory makes a memory for some bytes of blocks, and says how large a journal becomes; 0 takes 28 MB and 2 MB.
func NewMemory(blocks, journal int) *Memory {
	blocks = cmp.Or(blocks, memoryBytes)
	columns := min(blocks/4, columnBytes)
	return &Memory{
		journal: cmp.Or(journal, journalBytes), filters: recentParts{limit: blocks - columns},
		columns: recentParts{limit: columns},
	}
}

// get is the state that a block has under a key, nil if it has none.
func (m *Memory) get(db *engine.Session, b *block, key counting.Hash) ([]byte, error) {
	if err := m.load(db, b, &b.filter); err != nil || !b.mayHave(key) {
		return nil, err
	}
	if err := m.load(db, b, &b.keys); err != nil {
		return nil, err
	}
	i, known := b.find(key)
	if !known {
		return nil, nil
	}
	if err := m.load(db, b, &b.states); err != nil {
		return nil, err
	}
	// A state within its block would keep the whole block in memory: a commit would hold as many blocks as it finds
	// ids, also those that had to leave.
	return bytes.Clone(b.state(i)), nil
}

// entries are all of a block.
func (m *Memory) entries(db *engine.Session, b *block) ([]counting.Stored, error) {
	for _, p := range [...]*part{&b.keys, &b.states} {
		if err := m.load(db, b, p); err != nil {
			return nil, err
		}
	}
	all := make([]counting.Stored, b.ids)
	for i := range all {
		all[i] = counting.Stored{Place: counting.Place{Bucket: b.bucket, Hash: b.key(i)}, Data: b.state(i)}
	}
	return all, nil
}

// load reads a part of a block unless it is in memory.
func (m *Memory) load(db *engine.Session, b *block, p *part) error {
	parts := &m.columns
	if p == &b.filter {
		parts = &m.filters
	}
	if p.cached != nil {
		parts.parts.MoveToFront(p.cached)
		p.used = m.packs
		return nil
	}
	var err error
	switch p {
	case &b.filter:
		if err = m.load(db, b, &b.keys); err == nil {
			b.makeFilter()
		}
	case &b.keys:
		err = b.read(db, `SELECT keys FROM blocks WHERE id = ?`, b.setKeys)
	case &b.states:
		err = b.read(db, `SELECT states FROM blocks WHERE id = ?`, b.setStates)
	}
	if err == nil {
		p.used = m.packs
		parts.add(p)
	}
	return err
}

func (b *block) read(db *engine.Session, text string, set func([]byte) error) error {
	var stored []byte
	if err := db.ScanRow(text, []any{b.row}, &stored); err != nil {
		return fmt.Errorf("read ids: %w", err)
	}
	return set(stored)
}

// added takes a new block, of which keys and states are in memory.
func (m *Memory) added(b *block) {
	m.columns.add(&b.states)
	m.columns.add(&b.keys)
}

// packed notes that a journal was packed, and drops filters that haven't been used for long.
func (m *Memory) packed() {
	m.packs++
	for last := m.filters.parts.Back(); last != nil; last = m.filters.parts.Back() {
		p := last.Value.(*part) //nolint:forcetypeassert // it has no others
		if m.packs-p.used <= filterPacks {
			return
		}
		m.filters.drop(p)
	}
}

func (m *Memory) forget(b *block) {
	m.filters.drop(&b.filter)
	m.columns.drop(&b.keys)
	m.columns.drop(&b.states)
}

// add adds a part, and evicts the least recently used while all together exceed the limit. Two
// always stay: keys and states of one block.
func (l *recentParts) add(p *part) {
	p.cached = l.parts.PushFront(p)
	for l.size += p.size(); l.size > l.limit && l.parts.Len() > 2; {
		l.drop(l.parts.Back().Value.(*part)) //nolint:forcetypeassert // it has no others
	}
}

func (l *recentParts) drop(p *part) {
	if p.cached == nil {
		return
	}
	l.size -= p.size()
	l.parts.Remove(p.cached)
	*p = part{}
}
