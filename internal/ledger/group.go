package ledger

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// group is what is remembered of a session that the provider lists once per view:
// only its first record is a call (guarantee 1, counting.md 14).
type group struct {
	// outcome is the call's: as it was counted, or as it last changed.
	outcome cdr.Outcome
	// other says that a record beside the first is connected: then the call is.
	other bool
	// began is where the call's activity is, 0 for nowhere (counted.go).
	began int64
}

func (g group) append(dst []byte) []byte {
	return binary.AppendVarint(append(dst, rowGroup, byte(g.outcome), byte(flag(g.other))), g.began)
}

func parseGroup(data []byte) (group, error) {
	if len(data) < 3 || data[0] != rowGroup || int(data[1]) >= len(cdr.Outcomes()) || data[2] > 1 {
		return group{}, errRow
	}
	g := group{outcome: cdr.Outcome(data[1]), other: data[2] == 1}
	r := reader{data: data[3:]}
	if g.began = r.varint(); r.bad || len(r.data) > 0 {
		return group{}, errRow
	}
	return g, nil
}

// join makes a new record part of its group and says whether the group has its call
// already: the record is then none of its own. began is where the record's activity is.
func (p *pageWork) join(e *entry, began int64) (further bool, err error) {
	if e.record.Group == "" {
		return false, nil
	}
	st := p.states[e.group]
	if st == nil {
		p.claim(e, group{outcome: e.record.Outcome, began: began})
		return false, nil
	}
	g, err := parseGroup(st.stored)
	if err != nil {
		return false, err
	}
	p.connect(st, g, e.record.Outcome)
	return true, nil
}

// claim remembers a group.
func (p *pageWork) claim(e *entry, g group) {
	st := p.newState()
	st.hour, st.hash = spanOf(e.record.Start), e.group
	st.stored = g.append(st.stored)
	p.states[st.hash] = st
	p.touch(st)
}

// adoptAll claims the groups of the page's records that are known already, before
// anything new can.
func (f *Feed) adoptAll(p *pageWork, observed time.Time) error {
	for _, i := range p.order {
		e := &p.entries[i]
		if st := p.find(e); st != nil && !f.waits(e.record, observed) {
			if err := p.adopt(e, st); err != nil {
				return err
			}
		}
	}
	return nil
}

// adopt claims the group of a record that is known, if the group isn't: a version may
// bring it, and what the record was counted as stays counted once.
func (p *pageWork) adopt(e *entry, st *state) error {
	if e.record.Group == "" || p.states[e.group] != nil {
		return nil
	}
	var k known
	if err := k.parse(st.stored); err != nil {
		return err
	}
	further := k.flags&rowFurther != 0
	p.claim(e, group{outcome: k.outcome, other: further && k.outcome.Connected(), began: k.counted.began})
	return nil
}

// connect takes the outcome of a record beside the first: a connected one connects
// the call, once.
func (p *pageWork) connect(st *state, g group, outcome cdr.Outcome) {
	if !outcome.Connected() || g.other {
		return
	}
	g.other = true
	if !g.outcome.Connected() {
		p.callChanged(g.began, g.outcome, outcome)
		g.outcome = outcome
	}
	p.regroup(st, g)
}

// regroup remembers a group anew.
func (p *pageWork) regroup(st *state, g group) {
	st.stored = g.append(st.stored[:0])
	p.touch(st)
}

// changeOutcome counts a record's changed outcome as that of its call, which may be
// its group's. Beside the first record only being connected says anything of the call,
// and what the first one says no longer matters once the call is connected by another.
func (p *pageWork) changeOutcome(e *entry, old *known) error {
	from, to, further := old.outcome, e.record.Outcome, old.flags&rowFurther != 0
	var st *state
	if e.record.Group != "" {
		st = p.states[e.group]
	}
	if st == nil {
		if !further {
			p.callChanged(old.counted.began, from, to)
		}
		return nil
	}
	g, err := parseGroup(st.stored)
	switch {
	case err != nil:
		return err
	case further:
		p.connect(st, g, to)
	case g.outcome == from && (to.Connected() || !g.other):
		p.callChanged(g.began, from, to)
		g.outcome = to
		p.regroup(st, g)
	}
	return nil
}

// callChanged counts the changed outcome of a call whose activity is in those five minutes.
func (p *pageWork) callChanged(began int64, from, to cdr.Outcome) {
	p.tally.ChangeOutcome(from, to)
	p.moveFailure(began, from, to)
	p.moved = int(flag(to.Connected()) - flag(from.Connected()))
}
