package simulator

import (
	"cmp"
	"slices"
	"sync"
)

// entry is what paging must know of a call.
type entry struct {
	// published is when the first version was, in milliseconds.
	published int64
	// start counts milliseconds from the block's beginning.
	start  uint32
	number uint16
	copies uint8
	// kind is the list that the call is on, and earlyRow.
	kind uint8
}

// lists is how many lists there can be.
const lists = 8

// earlyRow marks an entry whose first version isn't final.
const earlyRow = 0x80

func (e *entry) list() int { return int(e.kind &^ earlyRow) }

// block is what is known of one block.
type block struct {
	// entries are in the world's order; nil once they were forgotten.
	entries []entry
	// rows counts copies, listed those of each list; last is when the last call was
	// published.
	rows   int
	listed [lists]int32
	last   int64
}

// rowsOn is the number of rows on some lists; none is all.
func (b *block) rowsOn(mask uint8) int {
	if mask == 0 {
		return b.rows
	}
	n := 0
	for list, rows := range b.listed {
		if mask&(1<<list) != 0 {
			n += int(rows)
		}
	}
	return n
}

// cache keeps blocks, and the entries of those that were made last.
type cache struct {
	limit int

	mu     sync.Mutex
	blocks map[int64]*block
	// made are the blocks that have entries, in the order of their making.
	made []int64
	held int
	// forgotten counts how often blocks were dropped because they changed.
	forgotten int
}

func newCache(limit int) cache { return cache{limit: limit, blocks: map[int64]*block{}} }

// find is a block that is known; entries may be nil.
func (c *cache) find(n int64) (block, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.blocks[n]
	if b == nil {
		return block{}, false
	}
	return *b, true
}

// keep remembers a block and forgets the entries of older ones.
// A block that was begun before something was forgotten is not kept.
func (c *cache) keep(n int64, b block, forgotten int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten != forgotten {
		return
	}
	if old := c.blocks[n]; old != nil && old.entries != nil {
		return
	}
	c.blocks[n] = &b
	c.made = append(c.made, n)
	c.held += len(b.entries)
	for c.held > c.limit && len(c.made) > 1 {
		c.drop(c.made[0])
		c.made = c.made[1:]
	}
}

func (c *cache) drop(n int64) {
	if b := c.blocks[n]; b != nil {
		c.held -= len(b.entries)
		b.entries = nil
	}
}

func (c *cache) generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgotten
}

// forget drops all that is known of blocks from first to last.
func (c *cache) forget(first, last int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	within := func(n int64) bool { return first <= n && n <= last }
	for n := range c.blocks {
		if within(n) {
			c.drop(n)
			delete(c.blocks, n)
		}
	}
	c.made = slices.DeleteFunc(c.made, within)
}

// summary is a block with or without its entries.
func (w *World) summary(n int64) block {
	if b, ok := w.cache.find(n); ok {
		return b
	}
	return w.makeBlock(n)
}

// entries are the calls of a block in the world's order.
func (w *World) entries(n int64) []entry {
	b := w.summary(n)
	if b.entries == nil && b.rows > 0 {
		b = w.makeBlock(n)
	}
	return b.entries
}

func (w *World) makeBlock(n int64) block {
	generation := w.cache.generation()
	count := w.count(n)
	b := block{entries: make([]entry, 0, count)}
	from, _ := w.bounds(n)
	var c Call
	for i := range count {
		w.fill(&c, n, i)
		e := entry{
			published: c.versions[0].Published.UnixMilli(),
			start:     uint32(c.Start.UnixMilli() - from),
			number:    uint16(i), copies: uint8(c.Copies), kind: c.versions[0].Kind.List,
		}
		b.listed[e.list()] += int32(c.Copies)
		if c.versions[0].State != Final {
			e.kind |= earlyRow
		}
		b.entries = append(b.entries, e)
		b.rows += c.Copies
		b.last = max(b.last, e.published)
	}
	if w.s.Order == NewestFirst {
		slices.Reverse(b.entries)
	}
	if w.s.Order == Shuffled {
		slices.SortFunc(b.entries, func(x, y entry) int {
			return cmp.Compare(mix64(uint64(x.number)), mix64(uint64(y.number)))
		})
	}
	w.cache.keep(n, b, generation)
	return b
}
