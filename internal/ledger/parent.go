package ledger

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// kinHours is how far apart a record and its parent may start.
const kinHours = 24

// childOf is the key of a record's parent, and whether it has one: the record itself,
// under any of its ids, is none.
func (p *pageWork) childOf(f *Feed, e *entry) (parent hash, child bool) {
	r := e.record
	if !f.spec.Parents || r.Parent == "" {
		return hash{}, false
	}
	parent = f.ledger.hasher.of(kindCall, "id", r.Parent)
	if parent == e.hash || slices.Contains(e.alts, parent) {
		return hash{}, false
	}
	return parent, true
}

// accounted says whether the failure of a new record is counted already: with its
// parent's, or by a child of its that came before it (guarantee 3). If neither, or if
// only the child has, the parent that may still come is told that one has.
//
// That a record failed is a flag of its own row, counted or not, so that a chain of
// failures counts once.
func (f *Feed) accounted(p *pageWork, e *entry) bool {
	if e.child {
		if parent := p.states[e.parent]; parent != nil && flagsOf(parent.stored)&rowFailed != 0 {
			return true
		}
		p.remember(spanOf(e.record.Start), f.ledger.hasher.of(kindChild, e.record.Parent), e.record.Start)
	}
	for h := range f.childKeys(e.record) {
		if p.states[h] != nil {
			return true
		}
	}
	return false
}

// childKeys are the keys under which the children of a record have told that their
// failure is counted, one for each of the record's ids.
func (f *Feed) childKeys(r *cdr.Record) func(yield func(hash) bool) {
	return func(yield func(hash) bool) {
		if r.ID != "" && !yield(f.ledger.hasher.of(kindChild, r.ID)) {
			return
		}
		for _, id := range r.AltIDs {
			if id != r.ID && !yield(f.ledger.hasher.of(kindChild, id)) {
				return
			}
		}
	}
}

// findParents reads what is known of the parents of new records that failed: first
// around the hour of the child's start, where nearly all are, then as far as kinHours.
// Without hours they are read wherever they are. A parent that is on the page itself is
// known as such, or isn't.
func (f *Feed) findParents(p *pageWork) error {
	for _, reach := range [...]int64{1, kinHours} {
		p.look.wanted = p.look.wanted[:0]
		for i := range p.entries {
			e := &p.entries[i]
			if !e.child || e.record.Outcome.Connected() || p.states[e.parent] != nil || p.find(e) != nil {
				continue
			}
			if _, here := p.sorting.index[e.parent]; here {
				continue
			}
			if f.spec.Hourless {
				p.wantEverywhere(e.parent)
				continue
			}
			for hour := e.hour - reach; hour <= e.hour+reach; hour++ {
				p.look.wanted = append(p.look.wanted, wanted{hour: hour, hash: e.parent})
			}
		}
		if err := f.ledger.fetchAll(p, f.row.id); err != nil {
			return err
		}
	}
	return nil
}
