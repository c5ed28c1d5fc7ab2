package ledger

import (
	"cmp"
	"slices"
)

// sorting is the memory of arrange; pages without groups and children don't use it.
type sorting struct {
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
	clear(s.index)
	clear(s.leads)
}

// indexEntries finds the first entry of each key.
func (p *pageCommit) indexEntries() {
	s := &p.sorting
	if s.index == nil {
		s.index, s.leads = make(map[hash]int), make(map[hash]lead)
	}
	for _, i := range p.order {
		e := &p.entries[i]
		if p.waits(e.record) {
			continue
		}
		for _, key := range e.keys {
			if _, known := s.index[key]; !known {
				s.index[key] = i
			}
		}
	}
}

// firstOfRecord says whether no other version of an entry's record comes before it.
func (p *pageCommit) firstOfRecord(i int) bool {
	return !slices.ContainsFunc(p.entries[i].keys, func(key hash) bool { return p.sorting.index[key] != i })
}

// arrange puts the entries, which are in the order of their versions, in the order in
// which they are applied: of a new group a connected record first, since the first one
// is the call; a parent before its children, since its failure is the one that counts.
// The versions of one record stay in their order. Groups of records that are known are
// known before anything new can begin them.
func (p *pageCommit) arrange() error {
	if p.grouped {
		for _, i := range p.order {
			e := &p.entries[i]
			if st := p.find(e); st != nil && !p.waits(e.record) {
				if err := p.adoptGroup(e, st); err != nil {
					return err
				}
			}
		}
		p.connectedFirst()
	}
	if p.children {
		p.parentsFirst()
	}
	return nil
}

func (p *pageCommit) connectedFirst() {
	s := &p.sorting
	s.rank = slices.Grow(s.rank[:0], len(p.entries))[:len(p.entries)]
	for at, i := range p.order {
		e := &p.entries[i]
		s.rank[i] = 2 * at
		// A record that is known has claimed its group already.
		if e.record.Group == "" || p.states[e.group] != nil || !p.firstOfRecord(i) || p.tooOld(e.record) {
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
func (p *pageCommit) parentsFirst() {
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
