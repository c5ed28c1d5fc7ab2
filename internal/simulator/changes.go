package simulator

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Since asks for the rows that changed after an instant.
type Since struct {
	// After is the last change that is known already, At the instant of asking.
	After, At time.Time
	// Limit rows are given, and all further ones of the last's millisecond.
	Limit int
	// Match says which rows are given; nil is all.
	Match func(*Call, *Version) bool
}

// Changes calls emit for each row that changed, in the order of the changes, with its present version, and says whether more follow. A row
// that changed several times is given once. The first use of an early instant takes about a second for a million calls.
func (w *World) Changes(q Since, emit func(*Call, *Version)) (more bool) {
	c := &w.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	after, at := q.After.UnixMilli(), q.At.UnixMilli()
	w.prepareChanges(after, at)
	last, given := q.After, 0
	var call Call
	for bucket := max(0, w.blockOf(after)); bucket <= w.blockOf(at); bucket++ {
		list := c.buckets[bucket]
		slices.SortFunc(list, func(x, y change) int {
			return cmp.Or(cmp.Compare(x.published, y.published), cmp.Compare(x.block, y.block), cmp.Compare(x.number, y.number))
		})
		for _, change := range list {
			if change.published <= after || change.published > at {
				continue
			}
			w.fill(&call, int64(change.block), int(change.number))
			v := &call.versions[change.version]
			if call.At(q.At) != int(change.version) || q.Match != nil && !q.Match(&call, v) {
				continue
			}
			if given >= q.Limit && v.Published.After(last) {
				return true
			}
			for range call.Copies {
				emit(&call, v)
				given++
			}
			last = v.Published
		}
	}
	return false
}

type change struct {
	published int64
	block     int32
	number    uint16
	version   uint8
}

// changes is what is published when, in buckets as long as blocks. The versions of the calls of the blocks from first up to next are in
// them.
type changes struct {
	mu          sync.Mutex // guards what follows
	first, next int64
	buckets     map[int64][]change
}

func (c *changes) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buckets = nil
}

// prepareChanges puts the calls into buckets that can have changed after an instant.
func (w *World) prepareChanges(after, at int64) {
	c := &w.changes
	first := max(0, w.blockOf(after-w.Reach().Milliseconds()))
	if c.buckets == nil || first < c.first {
		c.buckets, c.first, c.next = map[int64][]change{}, first, first
	}
	var call Call
	for last := min(w.blockOf(at), w.lastBlock()); c.next <= last; c.next++ {
		for number := range w.count(c.next) {
			w.fill(&call, c.next, number)
			for i := range call.Versions() {
				published := call.versions[i].Published.UnixMilli()
				n := w.blockOf(published)
				c.buckets[n] = append(c.buckets[n], change{published, int32(c.next), uint16(number), uint8(i)})
			}
		}
	}
}
