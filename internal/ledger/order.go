package ledger

import "slices"

// sorting is the memory of arrange; pages without groups and children don't use it.
type sorting struct {
	// index is the first entry of each key, in the order of versions; entries that
	// aren't final are left out.
	index map[hash]int
	order []int // spare
}

// indexEntries finds the first entry of each key.
func (p *pageCommit) indexEntries() {
	s := &p.sorting
	if s.index == nil {
		s.index = make(map[hash]int)
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

// connectedFirst puts the connected records of groups first. A further version of a record
// stays behind the one before it.
func (p *pageCommit) connectedFirst() {
	s := &p.sorting
	s.order = s.order[:0]
	for _, first := range [...]bool{true, false} {
		for _, i := range p.order {
			e := &p.entries[i]
			if first == (e.record.Group != "" && e.record.Outcome.Connected() && p.firstOfRecord(i)) {
				s.order = append(s.order, i)
			}
		}
	}
	p.order, s.order = s.order, p.order
}

// parentsFirst puts each chain of parents in front of its children. A ring is cut where it
// is entered.
func (p *pageCommit) parentsFirst() {
	s := &p.sorting
	s.order = s.order[:0]
	done := make([]bool, len(p.entries))
	var place func(i int)
	place = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		e := &p.entries[i]
		if parent, here := s.index[e.parent]; here && e.child {
			place(parent)
		}
		s.order = append(s.order, i)
	}
	for _, i := range p.order {
		place(i)
	}
	p.order, s.order = s.order, p.order
}
