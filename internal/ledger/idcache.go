package ledger

import (
	"cmp"
	"slices"
)

// cacheBytes bounds what of the runs is in memory, of all feeds together: the keys of three days of a
// million calls each.
const cacheBytes = 24 << 20

// idCache holds the keys and states of runs that were used last. The commit lock guards it.
type idCache struct {
	limit int
	size  int
	clock int64
	runs  map[*run]struct{} // of which anything is in memory
}

func newIDCache(limit int) *idCache { return &idCache{limit: limit, runs: make(map[*run]struct{})} }

// use marks a part as the one used last.
func (c *idCache) use(p *runPart) {
	c.clock++
	p.used = c.clock
}

// added counts bytes of a run that came into memory, and removes what was used least recently if they are too many. The two
// parts used last stay: the keys and states of one run.
func (c *idCache) added(r *run, bytes int) {
	c.runs[r] = struct{}{}
	if c.size += bytes; c.size > c.limit {
		c.shrink()
	}
}

// shrink removes the parts used least recently until an eighth of the limit is free.
func (c *idCache) shrink() {
	type loaded struct {
		run  *run
		part *runPart
	}
	var parts []loaded
	for r := range c.runs {
		for _, p := range [...]*runPart{&r.keys, &r.states} {
			if p.data != nil {
				parts = append(parts, loaded{r, p})
			}
		}
	}
	slices.SortFunc(parts, func(a, b loaded) int { return cmp.Compare(a.part.used, b.part.used) })
	for _, l := range parts {
		if c.size <= c.limit-c.limit/8 || l.part.used >= c.clock-1 {
			return
		}
		c.size -= l.run.drop(l.part)
		if l.run.keys.data == nil && l.run.states.data == nil {
			delete(c.runs, l.run)
		}
	}
}

// forget removes a run that is gone.
func (c *idCache) forget(r *run) {
	c.size -= r.drop(&r.keys) + r.drop(&r.states)
	delete(c.runs, r)
}

// drop removes a part from memory and says how many bytes that were.
func (r *run) drop(p *runPart) int {
	size := r.partSize(p)
	p.data = nil
	if p == &r.states {
		r.offsets = nil
	}
	return size
}

// partSize is how many bytes a part takes in memory.
func (r *run) partSize(p *runPart) int {
	if p.data == nil {
		return 0
	}
	if p == &r.states {
		return len(p.data) + 4*len(r.offsets)
	}
	return len(p.data)
}
