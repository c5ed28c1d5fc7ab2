package simulator

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Totals are what must have been counted, by the label sets of the contract without the base labels, `late` and `reason`.
type Totals struct {
	// Rows is the number of rows listed at the last instant, copies included.
	Rows int
	// Records is the number of distinct valid records; Duplicates of further copies of them. Sessions are those of them that are calls: not
	// the further views of a call.
	Records, Duplicates, Sessions int
	// Waiting is the number of distinct valid rows that were visible but not final when they were last seen: they aren't among the records.
	Waiting int
	// Ignored is the number of distinct rows that aren't calls, by call type.
	Ignored map[string]int
	// Invalid is the number of distinct malformed rows.
	Invalid int
	// Revisions are versions seen that changed a value of money or outcome; Filled are those that only brought an amount which wasn't known.
	Revisions, Filled int

	// Calls is cdr_calls_total and Failures cdr_call_failures_total.
	Calls    map[CallKey]int
	Failures map[FailureKey]int
	// Durations is cdr_call_duration_seconds, Connected cdr_call_connected_seconds_total and Setup cdr_call_setup_seconds.
	Durations map[DurationKey]Span
	Connected map[ConnectedKey]time.Duration
	Setup     map[SetupKey]Span
	// Charges is cdr_call_charges_total and Corrections cdr_call_charge_corrections_total.
	Charges     map[ChargeKey]Amount
	Corrections map[CorrectionKey]Amount
	// OutcomeChanges is cdr_call_outcome_changes_total.
	OutcomeChanges map[OutcomeChange]int
	// MediaBypass is cdr_media_bypass_calls_total, Locations cdr_calls_by_location_total and Emergency cdr_emergency_calls_total.
	MediaBypass map[MediaBypassKey]int
	Locations   map[LocationKey]int
	Emergency   map[EmergencyKey]int
	// Legs is cdr_call_legs_total and Recordings cdr_recordings_total, by type.
	Legs       map[LegKey]int
	Recordings map[string]int
}

// Span is a histogram's count and sum.
type Span struct {
	Count int
	Sum   time.Duration
}

// The label sets.
type (
	// CallKey labels a call.
	CallKey struct {
		Direction cdr.Direction
		CallType  string
		Outcome   cdr.Outcome
		Trunk     string
	}
	// FailureKey labels a call that wasn't answered. Codes are decimal, or empty.
	FailureKey struct {
		Direction        cdr.Direction
		Trunk            string
		Outcome          cdr.Outcome
		SIPCode, SubCode string
	}
	// DurationKey labels the duration of a connected call.
	DurationKey struct {
		Direction       cdr.Direction
		CallType, Trunk string
	}
	// ConnectedKey labels connected time.
	ConnectedKey struct {
		Direction                cdr.Direction
		CallType, Trunk, Country string
	}
	// SetupKey labels the time from invite to start.
	SetupKey struct {
		Direction cdr.Direction
		Trunk     string
	}
	// ChargeKey labels money.
	ChargeKey struct {
		Direction                              cdr.Direction
		CallType, Currency, Component, Country string
	}
	// CorrectionKey labels a change of money; Sign is debit or credit.
	CorrectionKey struct {
		ChargeKey
		Sign string
	}
	// OutcomeChange labels an outcome that changed.
	OutcomeChange struct{ From, To cdr.Outcome }
	// MediaBypassKey labels a call that says whether media bypassed.
	MediaBypassKey struct {
		Trunk  string
		Bypass cdr.Bool
	}
	// LocationKey labels where media and signalling went.
	LocationKey struct{ Media, Signaling string }
	// LegKey labels a leg of a call.
	LegKey struct {
		Type    string
		Outcome cdr.Outcome
	}
	// EmergencyKey labels a call to emergency services.
	EmergencyKey struct {
		Outcome cdr.Outcome
		Test    bool
	}
)

// View is what a reader looked at.
type View struct {
	// From and To are the half-open range of starts; zero is without bound.
	From, To time.Time
	// At are the instants at which the whole range was read, ascending.
	At []time.Time
	// Simple says that the reader sees neither legs nor money.
	Simple bool
}
