package ledger

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// How several records are one call (groups), or one failure (parents and children).

// group is what is remembered of a session that is listed once per view: its first record is the call (guarantee 1, counting.md 14).
type group struct {
	// outcome is the call's: as it was counted, or as it last changed.
	outcome cdr.Outcome
	// other says that a record beside the first is connected: then the call is.
	other bool
}

func (g group) append(dst []byte) []byte {
	return append(dst, rowGroup, byte(g.outcome), byte(flag(g.other)))
}

func parseGroup(data []byte) (group, error) {
	if len(data) != 3 || data[0] != rowGroup || int(data[1]) >= len(cdr.Outcomes()) || data[2] > 1 {
		return group{}, errRow
	}
	return group{outcome: cdr.Outcome(data[1]), other: data[2] == 1}, nil
}

func (p *pageCommit) group(st *state) group {
	g, err := parseGroup(st.stored)
	p.failed(err)
	return g
}

func (p *pageCommit) setGroup(st *state, g group) {
	st.stored = g.append(st.stored[:0])
	p.writeState(st)
}

// joinGroup makes a new record part of its group and says whether that has its call already. moved is what changeOutcome returns.
func (p *pageCommit) joinGroup(e *entry) (further bool, moved int) {
	if e.record.Group == "" {
		return false, 0
	}
	st := p.lookupNear(e.group, e.record.Start)
	if st == nil {
		p.setGroup(p.newState(bucketOf(e.record.Start), e.group), group{outcome: e.record.Outcome})
		return false, 0
	}
	return true, p.connectGroup(st, e.record.Outcome)
}

// adoptGroup remembers the group of a record that is known, if the group isn't: a version may bring it.
func (p *pageCommit) adoptGroup(e *entry, st *state) {
	var k known
	if e.record.Group == "" || p.lookupNear(e.group, e.record.Start) != nil || p.failed(k.parse(st.stored)) {
		return
	}
	further := k.flags&rowFurther != 0
	p.setGroup(p.newState(bucketOf(e.record.Start), e.group),
		group{outcome: k.outcome, other: further && k.outcome.Connected()})
}

// connectGroup takes the outcome of a record beside the first: a connected one connects the call, once.
func (p *pageCommit) connectGroup(st *state, outcome cdr.Outcome) (moved int) {
	g := p.group(st)
	if !outcome.Connected() || g.other {
		return 0
	}
	g.other = true
	if !g.outcome.Connected() {
		moved = p.changeCall(g.outcome, outcome)
		g.outcome = outcome
	}
	p.setGroup(st, g)
	return moved
}

// changeOutcome counts a record's changed outcome as that of its call, which may be its group's. Beside the first record only being
// connected says anything of the call, and what the first one says no longer matters once the call is connected by another.
// moved is above 0 if the call is a connected one now, below 0 if it no longer is.
func (p *pageCommit) changeOutcome(e *entry, k *known) (moved int) {
	from, to, further := k.outcome, e.record.Outcome, k.flags&rowFurther != 0
	st := p.states[e.group] // adoptGroup has looked it up
	switch {
	case further && st == nil:
		return 0
	case further:
		return p.connectGroup(st, to)
	case st != nil:
		g := p.group(st)
		if g.outcome != from || g.other && !to.Connected() {
			return 0
		}
		g.outcome = to
		p.setGroup(st, g)
	}
	return p.changeCall(from, to)
}

func (p *pageCommit) changeCall(from, to cdr.Outcome) (moved int) {
	p.deltas = metrics.CountOutcomeChange(p.deltas, from, to)
	return int(flag(to.Connected()) - flag(from.Connected()))
}

// failureCounted says whether the failure of a new record is counted already: with its parent's, or by a child that came before it
// (guarantee 3). If neither, or only a child counted it, a fact is left for the parent that may still come. A record's flag says that it
// failed, counted or not, so that a chain of failures counts once.
func (p *pageCommit) failureCounted(e *entry) bool {
	h := &p.ledger.hasher
	if e.parent != 0 {
		if parent := p.lookupParent(e); parent != nil && flagsOf(parent.stored)&rowFailed != 0 {
			return true
		}
		if key := h.factKey(kindChild, e.record.Parent); p.states[key] == nil {
			p.addFact(bucketOf(e.record.Start), key)
		}
	}
	for _, id := range append([]string{e.record.ID}, e.record.AltIDs...) {
		if id != "" && p.lookupNear(h.factKey(kindChild, id), e.record.Start) != nil {
			return true
		}
	}
	return false
}

// arrange puts the entries, which are in the order of their versions, in the order in which they are applied: of a new group a connected
// record first, since the first one is the call; a parent before its children, since its failure is the one that counts. The versions of
// one record stay in their order. Groups of records that are known are known before anything new can begin them.
func (p *pageCommit) arrange() {
	if !p.related {
		return
	}
	for _, i := range p.order {
		e := &p.entries[i]
		if p.waits(e.record) {
			continue
		}
		for _, key := range e.keys {
			if _, known := p.firsts[key]; !known {
				p.firsts[key] = i
			}
		}
		if st := p.find(e); st != nil {
			p.adoptGroup(e, st)
		}
	}
	var order []int
	done := make([]bool, len(p.entries))
	var place func(i int)
	place = func(i int) {
		if done[i] {
			return // or a ring of parents, cut where it was entered
		}
		done[i] = true
		e := &p.entries[i]
		if parent, here := p.firsts[e.parent]; here {
			place(parent)
		}
		order = append(order, i)
	}
	for _, i := range p.order {
		if e := &p.entries[i]; e.record.Group != "" && e.record.Outcome.Connected() && p.firstOfRecord(i) {
			place(i)
		}
	}
	for _, i := range p.order {
		place(i)
	}
	p.order = order
}

// firstOfRecord says whether no other version of an entry's record comes before it.
func (p *pageCommit) firstOfRecord(i int) bool {
	return !slices.ContainsFunc(p.entries[i].keys, func(key hash) bool { return p.firsts[key] != i })
}
