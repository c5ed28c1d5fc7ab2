package counting

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// failureCounted says whether the failure of a new record is counted already: with its parent's, or by a child that came before it
// (guarantee 3). If neither, or only a child counted it, a fact is left for the parent that may still come. A record's flag says that its call
// failed, counted or not, so that a chain of failures counts once.
func (d *Decision) failureCounted(e *entry) bool {
	h := d.hasher
	if e.parent != 0 {
		if parent := d.states[e.parent]; parent != nil && flagsOf(parent.Data)&rowFailed != 0 {
			return true
		}
		if key := h.factKey(kindChild, e.record.Parent); d.states[key] == nil {
			d.addFact(d.factBucket(e.record.Start), key)
		}
	}
	return slices.ContainsFunc(recordIDs(e.record), func(id string) bool { return d.states[h.factKey(kindChild, id)] != nil })
}

// orderEntries sorts the entries, which are in the order of their versions, into the order in which they are decided: of a new group the record
// with the best outcome first, since the first one is the call; a parent before its children that failed, since its failure is the one that
// counts. The versions of one record stay in their order. Before that, it adopts the groups of known records, so that no new record begins such
// a group.
func (d *Decision) orderEntries() {
	if !d.related {
		return
	}
	for _, i := range d.order {
		e := &d.entries[i]
		if d.isPending(e.record) {
			continue
		}
		for _, key := range e.keys {
			if _, known := d.firsts[key]; !known {
				d.firsts[key] = i
			}
		}
		if st := d.findState(e); st != nil {
			d.adoptGroup(e, st)
		}
	}
	var order []int
	done := make([]bool, len(d.entries))
	var place func(i int)
	place = func(i int) {
		if done[i] {
			return // which also ends a cycle of parents
		}
		done[i] = true
		e := &d.entries[i]
		if parent, here := d.firsts[e.parent]; here && !e.record.Outcome.Connected() {
			place(parent)
		}
		order = append(order, i)
	}
	for _, best := range [...]cdr.Outcome{cdr.Answered, cdr.Voicemail} {
		for _, i := range d.order {
			if e := &d.entries[i]; e.record.CallKey != "" && e.record.Outcome == best && d.firstOfRecord(i) {
				place(i)
			}
		}
	}
	for _, i := range d.order {
		place(i)
	}
	d.order = order
}

// firstOfRecord says whether an entry is the first version of its record on the page.
func (d *Decision) firstOfRecord(i int) bool {
	return !slices.ContainsFunc(d.entries[i].keys, func(key Hash) bool { return d.firsts[key] != i })
}
