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
	first, _ := slices.BinarySearchFunc(c.list, after+1, func(x change, at int64) int { return cmp.Compare(x.published, at) })
	for _, change := range c.list[first:] {
		if change.published > at {
			break
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
	return false
}

type change struct {
	published int64
	block     int32
	number    uint16
	version   uint8
}

// changes is what is published when, in this order: the versions of the calls of the blocks from first up to next.
type changes struct {
	mu          sync.Mutex // guards what follows
	first, next int64
	list        []change
}

func (c *changes) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first, c.next, c.list = 0, 0, nil
}

// prepareChanges lists the calls that can have changed after an instant.
func (w *World) prepareChanges(after, at int64) {
	c := &w.changes
	first, last := max(0, w.blockOf(after-w.Reach().Milliseconds())), min(w.blockOf(at), w.lastBlock())
	if c.list == nil || first < c.first {
		c.list, c.first, c.next = nil, first, first
	}
	if c.next > last {
		return
	}
	var call Call
	for ; c.next <= last; c.next++ {
		for number := range w.count(c.next) {
			w.fill(&call, c.next, number)
			for i := range call.Versions() {
				c.list = append(c.list, change{call.versions[i].Published.UnixMilli(), int32(c.next), uint16(number), uint8(i)})
			}
		}
	}
	slices.SortFunc(c.list, func(x, y change) int {
		return cmp.Or(cmp.Compare(x.published, y.published), cmp.Compare(x.block, y.block), cmp.Compare(x.number, y.number))
	})
}
