package simulator

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Place is where the call is in its world, for Call.
func (c *Call) Place() uint64 { return uint64(c.Block)<<16 | uint64(c.Number) }

// RecordingPlace is that of the call's first row.
func (c *Call) RecordingPlace() uint64 {
	if c.Second {
		return c.Place() - 1
	}
	return c.Place()
}

// Call makes the call at a place, and says whether there is one.
func (w *World) Call(place uint64, c *Call) bool {
	block, number := int64(place>>16), int(place&0xffff)
	if block < 0 || block > w.lastBlock() || number >= w.count(block) {
		return false
	}
	w.fill(c, block, number)
	return true
}

// Since asks for the rows that changed after an instant.
type Since struct {
	// After is the last change that is known already, At the instant of asking.
	After, At time.Time
	// Limit rows are given, and all further ones of the last's millisecond.
	Limit int
	// Match says which rows are given; nil is all.
	Match func(*Call, *Version) bool
}

// Changes calls emit for each row that changed, in the order of the changes, with its
// present version, and says when the last of them changed and whether more follow. A
// row that changed several times is given once. The first use of an early instant
// takes about a second for a million calls.
func (w *World) Changes(q Since, emit func(*Call, *Version)) (last time.Time, more bool) {
	w.changes.mu.Lock()
	defer w.changes.mu.Unlock()
	after, at := q.After.UnixMilli(), q.At.UnixMilli()
	w.prepareChanges(after, at)
	last = q.After
	given := 0
	var c Call
	for bucket := max(0, w.blockOf(after)); bucket <= w.blockOf(at); bucket++ {
		for _, change := range w.changes.sorted(bucket) {
			if change.published <= after || change.published > at {
				continue
			}
			w.fill(&c, int64(change.block), int(change.number))
			v := &c.versions[change.version]
			if c.At(q.At) != int(change.version) || q.Match != nil && !q.Match(&c, v) {
				continue
			}
			if given >= q.Limit && v.Published.After(last) {
				return last, true
			}
			for range c.Copies {
				emit(&c, v)
				given++
			}
			last = v.Published
		}
	}
	return last, false
}

// change is one version of one call.
type change struct {
	published int64
	block     int32
	number    uint16
	version   uint8
}

// changes is what is published when, in buckets as long as blocks.
type changes struct {
	mu sync.Mutex
	// The calls of the blocks from first up to next are in the buckets. All are guarded
	// by mu.
	first, next int64
	buckets     map[int64]*bucket
}

type bucket struct {
	list  []change
	ready bool
}

func (c *changes) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buckets = nil
}

// sorted is a bucket in order.
func (c *changes) sorted(n int64) []change {
	b := c.buckets[n]
	if b == nil {
		return nil
	}
	if !b.ready {
		slices.SortFunc(b.list, func(x, y change) int {
			return cmp.Or(cmp.Compare(x.published, y.published), cmp.Compare(x.block, y.block), cmp.Compare(x.number, y.number))
		})
		b.ready = true
	}
	return b.list
}

// prepareChanges puts the calls into buckets that can have changed after an instant.
func (w *World) prepareChanges(after, at int64) {
	c := &w.changes
	first := max(0, w.blockOf(after-w.reach.Milliseconds()))
	if c.buckets == nil || first < c.first {
		c.buckets, c.first, c.next = map[int64]*bucket{}, first, first
	}
	var call Call
	for last := min(w.blockOf(at), w.lastBlock()); c.next <= last; c.next++ {
		for number := range w.count(c.next) {
			w.fill(&call, c.next, number)
			c.add(w, &call)
		}
	}
}

// add puts a call's versions into their buckets.
func (c *changes) add(w *World, call *Call) {
	for i := range call.Versions() {
		published := call.versions[i].Published.UnixMilli()
		n := w.blockOf(published)
		b := c.buckets[n]
		if b == nil {
			b = &bucket{}
			c.buckets[n] = b
		}
		b.list = append(b.list, change{published, int32(call.Block), uint16(call.Number), uint8(i)})
		b.ready = false
	}
}
