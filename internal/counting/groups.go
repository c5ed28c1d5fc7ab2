package counting

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/pack"
)

// group is what is remembered of several records that are one call: the first of them is the call, with the best outcome of all (counting.md 36).
type group struct {
	// outcome is the call's: as it was counted, or as it last changed.
	outcome cdr.Outcome
	// others is the best outcome of the records beside the first.
	others cdr.Outcome
	// timed says that the call's duration is counted.
	timed bool
	// last is the latest start of its records, in seconds since 1970.
	last int64
}

// groupEnds is how long after the latest start of a group a record with its name begins another: systems use such names again.
const groupEnds = 48 * time.Hour

func (g group) append(dst []byte) []byte {
	return binary.AppendVarint(append(dst, rowGroup, byte(g.outcome), byte(g.others), boolByte(g.timed)), g.last)
}

func parseGroup(data []byte) (group, error) {
	outcomes := len(cdr.Outcomes())
	if len(data) < 5 || data[0] != rowGroup || int(data[1]) >= outcomes || int(data[2]) >= outcomes || data[3] > 1 {
		return group{}, ErrRow
	}
	r := pack.Reader{Data: data[4:]}
	g := group{outcome: cdr.Outcome(data[1]), others: cdr.Outcome(data[2]), timed: data[3] == 1, last: r.Varint()}
	if r.Bad || len(r.Data) > 0 {
		return group{}, ErrRow
	}
	return g, nil
}

// outcomeRank orders the outcomes of a group's records: answered, then voicemail; all others are equal, and the first stays.
func outcomeRank(o cdr.Outcome) int {
	switch {
	case o == cdr.Answered:
		return 2
	case o.Connected():
		return 1
	}
	return 0
}

func (d *Decision) group(st *state) group {
	g, err := parseGroup(st.Data)
	d.failed(err)
	return g
}

func (d *Decision) setGroup(st *state, g group) { d.keepState(st, g.append) }

// joinGroup adds a new record to its group and returns whether the group has its call already. moved is as for changeOutcome.
func (d *Decision) joinGroup(e *entry) (further bool, moved int) {
	r := e.record
	if r.CallKey == "" {
		return false, 0
	}
	st := d.states[e.group]
	if st != nil {
		g := d.group(st)
		if apart := r.Start.Sub(time.Unix(g.last, 0)); apart.Abs() <= groupEnds {
			g.last = max(g.last, r.Start.Unix())
			return true, d.connectGroup(st, g, r)
		}
	} else {
		st = d.newState(Place{d.factBucket(r.Start), e.group})
	}
	d.setGroup(st, group{outcome: r.Outcome, timed: r.Outcome.Connected(), last: r.Start.Unix()})
	return false, 0
}

// callConnected says whether the call of a new record, which joined its group, is connected, by this record or another one, or once was: a call that
// failed by a revision has counted no failure.
func (d *Decision) callConnected(e *entry) bool {
	if e.group == 0 {
		return e.record.Outcome.Connected()
	}
	g := d.group(d.states[e.group])
	return g.timed || g.outcome.Connected()
}

// adoptGroup remembers the group of a known record if the group isn't known yet: a later version may bring it.
func (d *Decision) adoptGroup(e *entry, st *state) {
	var k known
	if e.record.CallKey == "" || d.states[e.group] != nil || d.failed(k.parse(st.Data)) {
		return
	}
	g := group{outcome: k.outcome, timed: k.flags&rowTimed != 0, last: e.record.Start.Unix()}
	if k.flags&rowFurther != 0 {
		g.others = k.outcome
	}
	d.setGroup(d.newState(Place{d.factBucket(e.record.Start), e.group}), g)
}

// connectGroup applies the outcome of a further record of the group: a better one than the call's is an outcome change.
func (d *Decision) connectGroup(st *state, g group, r *cdr.Record) (moved int) {
	if outcomeRank(r.Outcome) > outcomeRank(g.others) {
		g.others = r.Outcome
	}
	if outcomeRank(r.Outcome) > outcomeRank(g.outcome) {
		moved = d.changeCall(g.outcome, r.Outcome)
		g.outcome = r.Outcome
		d.addTimes(r, &g.timed)
	}
	d.setGroup(st, g)
	return moved
}

// changeOutcome counts a record's changed outcome as that of its call, which may be its group's. A further record of a group counts only with a better
// outcome, and the first one not with an outcome that is worse than another record's. moved is above 0 if the call became connected, below 0 if
// it no longer is.
func (d *Decision) changeOutcome(e *entry, k *known) (moved int) {
	r, further := e.record, k.flags&rowFurther != 0
	st := d.states[e.group]
	switch {
	case further && st == nil:
		return 0
	case further:
		return d.connectGroup(st, d.group(st), r)
	case st == nil:
		timed := k.flags&rowTimed != 0
		if d.addTimes(r, &timed); timed {
			k.flags |= rowTimed
		}
		return d.changeCall(k.outcome, r.Outcome)
	}
	g := d.group(st)
	best := r.Outcome
	if outcomeRank(g.others) > outcomeRank(best) {
		best = g.others
	}
	if best != g.outcome {
		moved = d.changeCall(g.outcome, best)
		g.outcome = best
		d.addTimes(r, &g.timed)
		d.setGroup(st, g)
	}
	return moved
}

// addTimes counts how long a call took, once, when a record first connects it after it was counted as not connected.
func (d *Decision) addTimes(r *cdr.Record, timed *bool) {
	if r.Outcome.Connected() && !*timed {
		d.deltas = metrics.CountTimes(d.deltas, r)
		*timed = true
	}
}

func (d *Decision) changeCall(from, to cdr.Outcome) (moved int) {
	d.deltas = metrics.CountOutcomeChange(d.deltas, from, to)
	return int(boolByte(to.Connected())) - int(boolByte(from.Connected()))
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
