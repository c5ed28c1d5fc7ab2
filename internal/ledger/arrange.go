package ledger

import (
	"cmp"
	"slices"
	"time"
)

// sorting is the working memory of arrange; pages without groups and children don't
// use it.
type sorting struct {
	grouped, children bool // whether the page has any

	// index is the first entry of each key, in the order of versions; entries that
	// aren't final are left out.
	index map[hash]int
	leads map[hash]lead
	rank  []int
	done  []bool
	chain []int
	order []int
}

// lead is the entry with which a group begins.
type lead struct {
	at        int // in the order
	connected bool
}

func (s *sorting) reset() {
	s.grouped, s.children = false, false
	clear(s.index)
	clear(s.leads)
}

// makeIndex finds the first entry of each key.
func (f *Feed) makeIndex(p *pageWork, observed time.Time) {
	s := &p.sorting
	if s.index == nil {
		s.index, s.leads = make(map[hash]int), make(map[hash]lead)
	}
	for _, i := range p.order {
		e := &p.entries[i]
		if f.waits(e.record, observed) {
			continue
		}
		for k := -1; k < len(e.alts); k++ {
			h := e.hash
			if k >= 0 {
				h = e.alts[k]
			}
			if _, known := s.index[h]; !known {
				s.index[h] = i
			}
		}
	}
}

// firstOfRecord says whether no other version of an entry's record comes before it.
func (p *pageWork) firstOfRecord(i int) bool {
	e := &p.entries[i]
	if p.sorting.index[e.hash] != i {
		return false
	}
	for _, alt := range e.alts {
		if p.sorting.index[alt] != i {
			return false
		}
	}
	return true
}

// arrange puts the entries, which are in the order of their versions, in the order in
// which they are taken: of a new group a connected record first, since the first one
// is the call; a parent before its children, since its failure is the one that counts.
// The versions of one record stay in their order.
func (f *Feed) arrange(p *pageWork) {
	if p.sorting.grouped {
		f.connectedFirst(p)
	}
	if p.sorting.children {
		p.parentsFirst()
	}
}

func (f *Feed) connectedFirst(p *pageWork) {
	s := &p.sorting
	s.rank = slices.Grow(s.rank[:0], len(p.entries))[:len(p.entries)]
	for at, i := range p.order {
		e := &p.entries[i]
		s.rank[i] = 2 * at
		// A record that is known has claimed its group already.
		if e.record.Group == "" || p.states[e.group] != nil || !p.firstOfRecord(i) || f.tooOld(e.record) {
			continue
		}
		l, begun := s.leads[e.group]
		connected := e.record.Outcome.Connected()
		switch {
		case !begun:
			s.leads[e.group] = lead{at: at, connected: connected}
		case connected && !l.connected:
			s.rank[i] = 2*l.at - 1 // just before the one that led
			s.leads[e.group] = lead{at: l.at, connected: true}
		}
	}
	slices.SortStableFunc(p.order, func(a, b int) int { return cmp.Compare(s.rank[a], s.rank[b]) })
}

// parentsFirst takes each chain of parents from its top. A ring is cut where it is
// entered.
func (p *pageWork) parentsFirst() {
	s := &p.sorting
	s.done = slices.Grow(s.done[:0], len(p.entries))[:len(p.entries)]
	clear(s.done)
	s.order = s.order[:0]
	for _, i := range p.order {
		s.chain = s.chain[:0]
		for next := i; !s.done[next]; {
			s.done[next] = true
			s.chain = append(s.chain, next)
			e := &p.entries[next]
			if parent, here := s.index[e.parent]; here && e.child {
				next = parent
			}
		}
		for _, next := range slices.Backward(s.chain) {
			s.order = append(s.order, next)
		}
	}
	p.order, s.order = s.order, p.order
}
