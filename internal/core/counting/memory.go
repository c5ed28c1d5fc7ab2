package counting

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// Memory is how a record was counted, as the ledger remembers it; the provider may have changed it since.
type Memory struct {
	// Start is what it was first seen to start at, or up to Within later.
	Start  time.Time
	Within time.Duration
	// Late: it was first seen more than late_after after its end.
	Late bool
	// Leg: it is a leg of a call of several records. Call is what is remembered of the call; nil: it waits.
	Leg  bool
	Call *CallMemory
	// Labels are the labels with which it was counted.
	Labels facts.ChargeLabels
	// Outcomes are the first one and all later ones.
	Outcomes []cdr.Outcome
	// Charges are the last known amounts. Corrections are the sums of their changes, debits and credits separately.
	Charges, Corrections []cdr.Charge
	// Changed are the fields, as log records name them, whose first values may differ from the listed ones.
	Changed []string
	// Visit: it is only a visit to a queue.
	Visit bool
	// Settled: what counts once it has settled is counted. Later: a version came since, which may have other parts.
	Settled, Later bool
	// Newer: the listed version is newer than all that came.
	Newer bool
	// Connected and Talk are the counted times of a call whose legs are in its record; no Connected: the listed ones.
	Connected, Talk cdr.Length
}

// CallMemory is what a ledger remembers of a call of several records.
type CallMemory struct {
	// ID is the same for all legs of the call.
	ID    Hash
	Began time.Time
	// Times are how long it was connected and how long it occupied each trunk, as counted. A later
	// version of a leg may be shorter, and the next one longer again.
	Times   []CountedTime
	Late    bool // when it was counted
	Ignored bool // it began before the feed's origin and isn't counted
	// Grown: legs came after it was counted. Changed: they changed its outcome.
	Grown, Changed bool
	// Labels and Trunk are those with which it was counted.
	Labels facts.ChargeLabels
	Trunk  string
}

// CountedTime is how long a call occupied a trunk in a direction; without a trunk, how long it was connected.
type CountedTime struct {
	Trunk     string
	Direction cdr.Direction
	Length    time.Duration
}

// Memory is what is remembered of a record; nil if it isn't one.
func (s Stored) Memory() (*Memory, error) {
	if s.Data == nil || s.Data[0] != rowRecord {
		return nil, nil //nolint:nilnil // it isn't an error
	}
	var counted rememberedRecord
	if err := counted.parse(s.Data); err != nil {
		return nil, err
	}
	m, err := counted.memory(nil)
	if err != nil {
		return nil, err
	}
	start, isHour := BucketStart(s.Bucket)
	if m.Start, m.Within = start, time.Hour; !isHour {
		m.Start, m.Within = time.Unix(counted.start, 0).UTC(), time.Second
	}
	return m, nil
}

// memory is what a row remembers of a record whose listed version has these fields; nil: it isn't listed.
func (c *rememberedRecord) memory(listed []fieldHash) (*Memory, error) {
	was, err := parseEarlier(c.earlier)
	if err != nil {
		return nil, err
	}
	m := &Memory{
		Late: c.flags&rowLate != 0, Leg: c.flags&rowLeg != 0, Visit: c.flags&rowVisit != 0, Labels: c.ChargeLabels,
		Outcomes: append(was.outcomes, c.outcome), Charges: slices.Clone(c.charges), Corrections: was.corrections,
		Connected: c.times.connected, Talk: c.times.talk,
		Settled: c.flags&rowSettled != 0, Later: was.fields&laterParts != 0,
	}
	for i := range recordFields {
		is := func(f fieldHash) bool { return f.key == uint32(i) } //nolint:gosec // at most 8*fieldBytes
		a, b := slices.IndexFunc(c.fields, is), slices.IndexFunc(listed, is)
		differs := listed != nil && ((a < 0) != (b < 0) || a >= 0 && c.fields[a].hash != listed[b].hash)
		if was.fields&(1<<i) != 0 || differs {
			m.Changed = append(m.Changed, recordFields[i].name)
		}
	}
	return m, nil
}

// Facts appends the facts that were counted for a record. r is its listed version, which has the
// values that the memory lacks. For a leg these are the leg and its charges.
func (m *Memory) Facts(dst []facts.Fact, r *cdr.Record) []facts.Fact {
	first := *r
	m.Labels.ApplyTo(&first)
	first.Outcome, first.Charges = m.Outcomes[0], m.firstCharges()
	if m.Connected.Known {
		first.Connected, first.Talk, first.NoDuration = m.Connected, m.Talk, true
	}
	if first.NoDuration && !m.Connected.Known && slices.Contains(m.Changed, recordFields[fieldDuration].name) {
		first.NoDuration = false // an earlier version gave a duration, which isn't known any more
	}
	last := first
	if !first.Outcome.Connected() && (!m.Connected.Known || slices.ContainsFunc(m.Outcomes, cdr.Outcome.Connected)) {
		first.Connected = cdr.Length{} // a later version's, which was connected
	}
	if m.Leg {
		dst = facts.AppendOwn(dst, &first, "")
	} else {
		dst = facts.AppendRecord(dst, &first, facts.Context{Late: m.Late, BypassLater: true})
		connected, talked := m.Outcomes[0].Connected(), m.Outcomes[0] == cdr.Answered
		for i, to := range m.Outcomes[1:] {
			dst = append(dst, facts.Fact{Kind: facts.OutcomeChange, Record: &first, From: m.Outcomes[i], To: to})
			now := last
			now.Outcome = to
			switch {
			case to.Connected() && !connected:
				dst = facts.AppendConnected(dst, &now)
			case to == cdr.Answered && !talked:
				dst = facts.AppendTalk(dst, &now)
			}
			connected, talked = connected || to.Connected(), talked || to == cdr.Answered
		}
	}
	for _, c := range m.Corrections {
		dst = facts.AppendCorrection(dst, &first, &m.Labels, c)
	}
	return dst
}

// firstCharges are the amounts that were known first.
func (m *Memory) firstCharges() []cdr.Charge {
	all := slices.Clone(m.Charges)
	for _, c := range m.Corrections {
		c.Amount = c.Amount.Neg()
		all = addCharges(all, []cdr.Charge{c})
	}
	return all
}
