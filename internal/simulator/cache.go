package simulator

import (
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
	// list is the list that the call is on; early marks a call whose first version isn't final.
	list  uint8
	early bool
}

// lists is how many lists there can be.
const lists = 8

// block is what is known about one block: its calls in the world's order.
type block struct {
	entries []entry
	// rows counts copies, listed those of each list; last is when the last call was published.
	rows   int
	listed [lists]int
	last   int64
}

// maxCached is how many entries are kept, at 24 bytes each, before all of them are dropped.
const maxCached = 4_000_000

// cache keeps the blocks that were needed.
type cache struct {
	mu     sync.Mutex
	blocks map[int64]*block
	held   int
	// forgotten counts how often blocks were dropped because they changed.
	forgotten int
}

// forget drops what is known of blocks from first to last.
func (c *cache) forget(first, last int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	for n, b := range c.blocks {
		if first <= n && n <= last {
			c.held -= len(b.entries)
			delete(c.blocks, n)
		}
	}
}

// block finds a block, or makes it.
func (w *World) block(n int64) *block {
	c := &w.cache
	c.mu.Lock()
	known, generation := c.blocks[n], c.forgotten
	c.mu.Unlock()
	if known != nil {
		return known
	}
	b := w.makeBlock(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten != generation || c.blocks[n] != nil {
		return b
	}
	if c.held += len(b.entries); c.held > maxCached {
		clear(c.blocks)
		c.held = len(b.entries)
	}
	c.blocks[n] = b
	return b
}

func (w *World) makeBlock(n int64) *block {
	count := w.count(n)
	b := &block{entries: make([]entry, 0, count)}
	from, _ := w.bounds(n)
	var c Call
	for i := range count {
		w.fill(&c, n, i)
		e := entry{
			published: c.versions[0].Published.UnixMilli(), start: uint32(c.Start.UnixMilli() - from), number: uint16(i),
			copies: uint8(c.Copies), list: c.versions[0].Kind.List, early: c.versions[0].State != Final,
		}
		b.listed[e.list] += c.Copies
		b.entries = append(b.entries, e)
		b.rows += c.Copies
		b.last = max(b.last, e.published)
	}
	if w.s.Order == NewestFirst {
		slices.Reverse(b.entries)
	}
	return b
}

// rowsOn is the number of rows on some lists; none is all.
func (b *block) rowsOn(mask uint8) int {
	if mask == 0 {
		return b.rows
	}
	n := 0
	for list, rows := range b.listed {
		if mask&(1<<list) != 0 {
			n += rows
		}
	}
	return n
}
