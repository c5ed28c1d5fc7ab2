package simulator

import (
	"cmp"
	"slices"
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
// that changed several times is given once.
func (w *World) Changes(q Since, emit func(*Call, *Version)) (more bool) {
	type change struct {
		published int64
		place     uint64
	}
	var changes []change
	var c Call
	after, at := q.After.UnixMilli(), q.At.UnixMilli()
	first, last := w.span(q.After.Add(-w.Reach()), q.At)
	for b := first; b <= last; b++ {
		for _, e := range w.entries(b) {
			if e.published > at || e.last <= after {
				continue
			}
			w.fill(&c, b, int(e.number))
			v := &c.versions[c.At(q.At)]
			if published := v.Published.UnixMilli(); published > after && (q.Match == nil || q.Match(&c, v)) {
				changes = append(changes, change{published, c.Place()})
			}
		}
	}
	slices.SortFunc(changes, func(x, y change) int {
		return cmp.Or(cmp.Compare(x.published, y.published), cmp.Compare(x.place, y.place))
	})
	given := 0
	for i, x := range changes {
		if given >= q.Limit && x.published > changes[i-1].published {
			return true
		}
		w.Call(x.place, &c)
		for range c.Copies {
			emit(&c, &c.versions[c.At(q.At)])
			given++
		}
	}
	return false
}
