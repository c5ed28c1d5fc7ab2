// Package facts says what happened to calls, typed. A decision of internal/core/counting emits facts;
// series, daily totals, last attempts, premium calls, reports and incidents are pure functions of
// them. A fact holds no label: which label of a metric stands where is known to internal/core/metrics
// alone.
package facts

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Kind says what a fact is about.
type Kind uint8

// The kinds of facts.
const (
	// Record is a record that is counted for the first time: a call, a leg, or a visit to a queue
	// alone.
	Record Kind = iota
	// Revision is a version that changed a counted record.
	Revision
	// Call is a call that is counted, and Failure one that wasn't connected.
	Call
	Failure
	// Talk is how long persons talked in an answered call; a call has at most one. Connected is how long it was
	// connected, or by how much that grew. Setup is how long a connected call took to set up.
	Talk
	Connected
	Setup
	// TrunkTime is how long a call occupied a trunk.
	TrunkTime
	// Leg is an attempt to connect a call to one party, Attempt one on a trunk, whatever its
	// outcome, or a call without one.
	Leg
	Attempt
	// Charge is the first amount known of a component, above zero. Correction changes it: above
	// zero it costs more, below zero less.
	Charge
	Correction
	// OutcomeChange is an outcome that changed after its call was counted.
	OutcomeChange
	// Bypass is a call that says whether media bypassed, Emergency one to emergency services.
	Bypass
	Emergency
	// Recording, Session, Visit, Stream and Rating are parts of a record.
	Recording
	Session
	Visit
	Stream
	Rating
)

// Fact is something that happened, once. It shares the texts of its record.
type Fact struct {
	Kind Kind
	// Late: the record or call was first seen more than the feed's late_after after its end.
	Late bool
	// Ahead: an Attempt starts too far ahead of the feed's clock to be among the last attempts.
	Ahead bool
	// From and To are the outcomes of an OutcomeChange.
	From, To cdr.Outcome
	// Trunk and Direction say what a TrunkTime occupied.
	Direction cdr.Direction
	Trunk     string
	// Record is what it happened to. Part is the number of its part, from 0; a Leg that is the
	// record itself has -1.
	Record *cdr.Record
	Part   int
	// First are the labels that the record was first counted with; nil: they are the record's.
	First *ChargeLabels
	// New is the number of the record on its page, from 1, if it is counted for the first time;
	// behind the records come the page's calls of several records. Else it is 0.
	New int
	// WithCall: the call's own record has the amount of this Charge or Correction. It counts now, or waits for legs.
	WithCall bool
	// Time is that of Talk, Connected, Setup and TrunkTime.
	Time time.Duration
	// Charge is that of Charge and Correction, with its currency.
	Charge cdr.Charge
}

// At is when it happened: when the call started, or the caller joined the queue.
func (f *Fact) At() time.Time {
	if f.Kind == Visit {
		if at := f.Record.Visits[f.Part].Start; !at.IsZero() {
			return at
		}
	}
	return f.Record.Start
}

// ChargeLabels are the labels that a call's charges, their corrections and its changed outcome carry.
type ChargeLabels struct {
	Direction         cdr.Direction
	CallType, Country string
	Labels            cdr.Labels
}

// ChargeLabels are what the first version of the record had.
func (f *Fact) ChargeLabels() ChargeLabels {
	if f.First != nil {
		return *f.First
	}
	return LabelsOf(f.Record)
}

// LabelsOf are the labels of a record.
func LabelsOf(r *cdr.Record) ChargeLabels {
	return ChargeLabels{Direction: r.Direction, CallType: r.CallType, Country: r.Country, Labels: r.Labels}
}

// ApplyTo gives a record these labels.
func (l *ChargeLabels) ApplyTo(r *cdr.Record) {
	r.Direction, r.CallType, r.Country, r.Labels = l.Direction, l.CallType, l.Country, l.Labels
}
