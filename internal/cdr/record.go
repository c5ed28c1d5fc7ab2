package cdr

import (
	"cmp"
	"time"
)

// Record is one call detail record. A field without a value from the provider stays zero; where
// zero is a possible value, the type says whether it is known.
type Record struct {
	// ID is the provider's id of the record, unique within a feed. If it is empty, Synthetic is
	// required.
	ID string
	// AltIDs are other ids of the same record: if one is known, all are (counting.md 18).
	AltIDs []string
	// Synthetic identifies a record without an id by its content: type, start in whole seconds,
	// from and to, normalised and joined. Only its keyed hash is stored (counting.md 18).
	Synthetic string
	// Twin numbers the records of one complete read that share one Synthetic, from 0. The reader
	// sets it, not the mapping.
	Twin int
	// Version is the provider's version, 0 without one. With a version, only a greater one changes
	// what was counted.
	Version int64
	// Provisional says that the provider hasn't finished the record. The exporter doesn't count it,
	// and reads it again (counting.md 17).
	Provisional bool

	// CallID groups the records of one call: correlation id, session id.
	CallID string
	// CallKey is shared by the records that are legs of one call, and unique within a feed for two
	// days. If it is empty, the record is a call by itself, unless it has a Parent.
	CallKey string
	// Parent is any id of another record, whose call key this record shares. If it is empty, or one
	// of the record's own ids, there is none.
	Parent string
	// Whole says that the leg fulfils the definition's condition `whole`.
	Whole bool
	// Party is who picked up the leg, if the record is a leg.
	Party Party
	// NoOutcome says that the leg doesn't say how its call ended, for example because the call was
	// answered elsewhere.
	NoOutcome bool
	// Channel is the trunk's channel or leg id: legs of one call that share it are one attempt on the trunk.
	Channel string
	// Ringing is how long the leg rang before it was answered.
	Ringing Length

	// Invite is when the call was first signalled, Start the provider's start, by which it filters.
	// Start is always set; the others may be zero.
	Invite, Start, Answer, End time.Time
	// Duration is the provider's own, never negative. NoDuration means that it has none, which
	// doesn't change a call with a known duration.
	Duration   time.Duration
	NoDuration bool
	// Talk and Connected are the call's values if they differ from Duration: how long persons
	// talked, and how long anybody was connected.
	Talk, Connected Length

	Direction Direction
	// CallType is the provider's own type in snake case (CallType function).
	CallType string
	Outcome  Outcome
	// Trunk is the SBC's FQDN, the operator or the SIP trunk.
	Trunk string
	// SIPCode is the final SIP code (RFC 3261), 0 included.
	SIPCode Int
	// SubCode is Microsoft's sub reason.
	SubCode Int
	// Reason is a short stable slug from the taxonomy, never free text.
	Reason string
	// FaultDomain is set if the taxonomy knows more than the outcome implies; see Fault.
	FaultDomain FaultDomain
	// ReasonPhrase is the provider's text; for logs only.
	ReasonPhrase string

	// Charges are the amounts by component, at most MaxCharges. An unknown amount has no entry; a
	// known zero has one.
	Charges []Charge
	// Country is the other party's, ISO 3166-1 alpha-2, `001` for shared codes.
	Country string

	// MediaBypass says whether media bypassed the provider's media processors.
	MediaBypass                   Bool
	MediaLocation, SignalLocation string

	Emergency  Emergency
	Recordings []Recording
	// Legs are the parts of a record that is a whole call. Without legs the record is one leg,
	// unless ListsLegs says that the provider lists legs and had none for this call.
	Legs      []Leg
	ListsLegs bool
	// Second is the attempt on the trunk onto which a record leads that came over another trunk. It is
	// implied: a part of the record's leg.
	Second *Leg

	// Visits are the call's visits to queues. They count with the first final version of the
	// record, or the first that is Settled if parts of a record settle. They belong to the record,
	// whether it is a call or another record of its group.
	Visits []Visit
	// NoCall says that the record is only a visit, not a call.
	NoCall bool

	// Sessions are the call's, if the provider lists them; each counts once by its id.
	Sessions []Session
	// Streams, Ratings and MediaBypass count with the first record that is Settled: after that the
	// provider adds nothing to them.
	Streams []Stream
	Ratings []string
	Settled bool

	// CallerNumber and CalleeNumber may be E.164, masked, a label, or anything else. Redaction applies.
	CallerNumber, CalleeNumber string
	// Class is the kind of the other party's number, if the number itself was removed: see
	// NumberClass.
	Class string
	// NoClass: the kind of number was decided, and there is none.
	NoClass bool
	// UserID, UserName and UserPrincipal name the provider's user. Redaction applies.
	UserID, UserName, UserPrincipal string

	// ProviderLabels are labels from the provider's own fields. None is shown unless the operator lists it.
	ProviderLabels []Label
	// Labels are the operator's, looked up before redaction. A mapping doesn't set them.
	Labels Labels

	// Extra are the provider's own fields, for logs only.
	Extra []Attr

	// Origins say which values of the row made fields; nil: the caller of the source doesn't ask for them.
	Origins []Origin
}

// Origin is where a field of a record was taken from.
type Origin struct {
	// Field is its name in definitions.
	Field string
	// Value is the row's text that made it; empty where that may be personal.
	Value string
	// Table says that a table translated the value.
	Table bool
	// Where is the line of the definition, such as acmetel.yaml:12.
	Where string
}

// Reset empties the record and keeps the memory of its slices.
func (r *Record) Reset() {
	*r = Record{
		AltIDs:         r.AltIDs[:0],
		Charges:        r.Charges[:0],
		Recordings:     r.Recordings[:0],
		Legs:           r.Legs[:0],
		Visits:         r.Visits[:0],
		Sessions:       r.Sessions[:0],
		Streams:        r.Streams[:0],
		Ratings:        r.Ratings[:0],
		ProviderLabels: r.ProviderLabels[:0],
		Extra:          r.Extra[:0],
	}
}

// longestSetup limits a plausible set-up time. An older invite is wrong, such as Windows' zero
// time, the year 1601.
const longestSetup = 24 * time.Hour

// Setup is the time from invite to answer of a connected call, or to its start if the answer is
// unknown: time to answer outbound, time to forward inbound.
func (r *Record) Setup() (time.Duration, bool) {
	if !r.Outcome.Connected() || r.Invite.IsZero() || r.Start.IsZero() {
		return 0, false
	}
	setup := cmp.Or(r.Answer, r.Start).Sub(r.Invite)
	if setup < 0 || setup > longestSetup {
		return 0, false
	}
	return setup, true
}

// LongestCall limits a plausible duration. No provider documents a longest call: Teams ends a
// meeting after 30 hours, and a month leaves room for a line that is never hung up. A longer one
// comes from a counter that overflowed, and would change a sum by years.
const LongestCall = 31 * 24 * time.Hour

// Duration is a call's duration of n units, or the problem with it.
func Duration(n int64, unit time.Duration) (d time.Duration, problem string) {
	switch {
	case n < 0:
		return 0, "is negative"
	case n > int64(LongestCall/unit):
		return 0, "is longer than 31 days"
	}
	return time.Duration(n) * unit, ""
}

// DeriveDuration takes a duration that the provider doesn't give from the answer to the end, where both are plausible.
func (r *Record) DeriveDuration() {
	if d := r.End.Sub(r.Answer); r.NoDuration && !r.Answer.IsZero() && d >= 0 && d <= LongestCall {
		r.Duration, r.NoDuration = d, false
	}
}

// TalkTime is how long persons talked in an answered call, if known.
func (r *Record) TalkTime() (talk time.Duration, known bool) {
	switch {
	case r.Outcome != Answered:
		return 0, false
	case r.Talk.Known:
		return r.Talk.Value, true
	}
	return r.Duration, !r.NoDuration
}

// ConnectedTime is how long anybody was connected, voicemail and machines included, if known.
func (r *Record) ConnectedTime() (connected time.Duration, known bool) {
	if r.Connected.Known {
		return r.Connected.Value, true
	}
	return r.Duration, r.Outcome.Connected() && !r.NoDuration
}

// Fault is the part of the network where a call that didn't connect ended.
func (r *Record) Fault() FaultDomain { return cmp.Or(r.FaultDomain, r.Outcome.FaultDomain()) }

// Ended is the time from which lateness is measured: the end of a connected call, the start of
// another (docs/metrics.md, `late`), or the end of the wait if the record is only for a visit.
func (r *Record) Ended() time.Time {
	if r.NoCall && len(r.Visits) > 0 {
		return r.Start.Add(r.Visits[0].Wait.Value)
	}
	if !r.Outcome.Connected() {
		return r.Start
	}
	if end := r.Start.Add(r.Duration); r.End.Before(end) {
		return end
	}
	return r.End
}

// MaxCharges limits the components of a record's price, because the ledger keeps them with each
// call.
const MaxCharges = 64

// Charge is an amount of money for one component of a call's price.
type Charge struct {
	// Component is `usage`, `connection`, `forwarding`, `included` or `purchased`.
	Component string
	// Currency is ISO 4217; if the provider has none it is empty, and the source's own applies.
	Currency string
	Amount   Money
}

// Recording is attached to a call. Each id counts once, in whichever version it appears (counting.md 14).
type Recording struct {
	ID, Type string
}

// Emergency says whether a call went to emergency services.
type Emergency uint8

// The kinds of emergency calls.
const (
	NoEmergency Emergency = iota
	EmergencyReal
	EmergencyTest // to a test number (933 in the US and Canada)
)

// Optional is a value that may be unknown.
type Optional[T any] struct {
	Value T
	Known bool
}

type (
	// Int is an integer that may be unknown.
	Int = Optional[int64]
	// Float is a number that may be unknown.
	Float = Optional[float64]
	// Length is a duration that may be unknown.
	Length = Optional[time.Duration]
)

// KnownInt is a known Int.
func KnownInt(v int64) Int { return Int{Value: v, Known: true} }

// KnownFloat is a known Float.
func KnownFloat(v float64) Float { return Float{Value: v, Known: true} }

// KnownLength is a known Length.
func KnownLength(v time.Duration) Length { return Length{Value: v, Known: true} }

// Bool is a truth value that may be unknown.
type Bool uint8

// The values of Bool.
const (
	Unsaid Bool = iota
	False
	True
)

// KnownBool is a known Bool.
func KnownBool(v bool) Bool {
	if v {
		return True
	}
	return False
}

// Known says whether the value is known.
func (b Bool) Known() bool { return b != Unsaid }

var boolNames = [...]string{"", "false", "true"}

// String is `true`, `false` or empty.
func (b Bool) String() string { return boolNames[b] }
