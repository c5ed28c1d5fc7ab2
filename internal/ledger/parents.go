package ledger

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// failureCounted says whether the failure of a new record is counted already: with its
// parent's, or by a child that came before it (guarantee 3). If neither, or only a child
// counted it, a fact is left for the parent that may still come.
//
// That a record failed is a flag of its row, counted or not, so that a chain of failures
// counts once.
func (p *pageCommit) failureCounted(e *entry) bool {
	h := &p.ledger.hasher
	if e.child {
		if parent := p.states[e.parent]; parent != nil && flagsOf(parent.stored)&rowFailed != 0 {
			return true
		}
		p.remember(bucketOf(e.record.Start), h.factKey(kindChild, e.record.Parent))
	}
	for key := range h.childKeys(e.record) {
		if p.states[key] != nil {
			return true
		}
	}
	return false
}

// childKeys are the keys under which the children of a record have left that their failure
// is counted, one for each of the record's ids.
func (h *hasher) childKeys(r *cdr.Record) func(yield func(hash) bool) {
	return func(yield func(hash) bool) {
		if r.ID != "" && !yield(h.factKey(kindChild, r.ID)) {
			return
		}
		for _, id := range r.AltIDs {
			if id != r.ID && !yield(h.factKey(kindChild, id)) {
				return
			}
		}
	}
}
