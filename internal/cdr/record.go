package cdr

import (
	"cmp"
	"time"
)

// Record is one call detail record. A field that the provider doesn't give stays at its zero value; where zero is a value of
// its own, the type says whether it was given.
type Record struct {
	// ID is the provider's id of the record, unique within a feed. Empty if it gives none; Synthetic is then needed.
	ID string
	// AltIDs are further ids under which the same record may be known: one known is all known (counting.md 18).
	AltIDs []string
	// Synthetic identifies a record without an id by what it says: type, start in whole seconds, from and to, normalised and
	// joined. Only its keyed hash is stored (counting.md 18).
	Synthetic string
	// Twin numbers the records of one complete read that share one Synthetic, from 0. The reader counts, not the mapping.
	Twin int
	// Version is the provider's own, 0 if it has none. Where it has one, only a greater one changes what was counted.
	Version int64
	// Provisional says that the provider hasn't finished the record: it isn't counted, and is looked up again (counting.md 17).
	Provisional bool

	// CallID groups the records of one call: correlation id, session id.
	CallID string
	// CallKey is what the records that are legs of one call share, unique within a feed for two days. Empty: the record is a call by itself,
	// unless it has a Parent.
	CallKey string
	// Parent is any id of another record whose call key this one shares. Empty, or one of the record's own ids: none.
	Parent string
	// Whole says that the leg fulfils the definition's condition `whole`.
	Whole bool
	// Party is who picked up the leg that the record is.
	Party Party
	// NoOutcome says that the leg doesn't say how its call ended, such as one that was answered elsewhere.
	NoOutcome bool
	// Channel is the trunk's channel or leg id: legs of one call that share it are one attempt on the trunk.
	Channel string
	// Ringing is how long the leg rang before it was answered.
	Ringing Span

	// Invite is when the call was first signalled, Start when the provider says that it started (what it filters by).
	// Start is always set; the others may be zero.
	Invite, Start, Answer, End time.Time
	// Duration is the provider's own, never negative. NoDuration: it gave none, which is no news of a call whose duration is known.
	Duration   time.Duration
	NoDuration bool
	// Talk and Connected are the call's, where they differ from Duration: how long persons talked, and how long anybody was connected.
	Talk, Connected Span

	Direction Direction
	// CallType is the provider's own type in snake case (CallType function).
	CallType string
	Outcome  Outcome
	// Trunk is the SBC's FQDN, the operator or the SIP trunk; see contract 3.
	Trunk string
	// SIPCode is the final SIP code (RFC 3261), 0 included.
	SIPCode Int
	// SubCode is Microsoft's sub reason.
	SubCode Int
	// Reason is a short stable slug from the taxonomy, never free text.
	Reason string
	// FaultDomain is what the taxonomy says of it beyond the outcome; see Fault.
	FaultDomain FaultDomain
	// ReasonPhrase is the provider's text; for logs only.
	ReasonPhrase string

	// Charges are the amounts by component, at most MaxCharges; what isn't known has no entry, a zero that is known has one.
	Charges []Charge
	// Country is the other party's, ISO 3166-1 alpha-2, `001` for shared codes.
	Country string

	// MediaBypass says whether media bypassed the provider's processors.
	MediaBypass                   Bool
	MediaLocation, SignalLocation string

	Emergency  Emergency
	Recordings []Recording
	// Legs are the parts of a record that is a whole call. Without any the record is one leg, unless ListsLegs says that the provider lists them and named
	// none.
	Legs      []Leg
	ListsLegs bool

	// Visits are the call's to queues; they count with the first final version of the record, or the first that is Settled where
	// parts of a record settle. They are of the record, whether it is a call or a further one of its group.
	Visits []Visit
	// NoCall says that the record is of a visit alone: there is no call to count.
	NoCall bool

	// Sessions are the call's, where the provider lists them; each counts once by its id.
	Sessions []Session
	// Streams and Ratings, with MediaBypass, count with the first record that is Settled: the provider brings nothing more of them then.
	Streams []Stream
	Ratings []string
	Settled bool

	// CallerNumber and CalleeNumber may be E.164, masked, a label, or anything else. Redaction applies.
	CallerNumber, CalleeNumber string
	// Class is the kind of the other party's number, where the number itself was removed: see NumberClass.
	Class string
	// UserID, UserName and UserPrincipal name the provider's user. Redaction applies.
	UserID, UserName, UserPrincipal string

	// ProviderLabels are labels from the provider's own fields. None is shown unless the operator lists it.
	ProviderLabels []Label
	// Labels are the operator's, which are looked up before redaction. No mapping sets them.
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

// longestSetup bounds a set-up time that is believed: an invite that is older is a mistake, such as Windows' zero time, the year 1601.
const longestSetup = 24 * time.Hour

// Setup is the time from invite to answer of a connected call, or to its start where the answer isn't known: time to answer outbound, time to forward
// inbound.
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

// LongestCall bounds a duration that is believed. No provider documents how long a call may last: Teams ends a meeting after 30 hours, and a
// month leaves room for a line that is never hung up. What is longer comes from a counter that ran over, and would change a sum by years.
const LongestCall = 31 * 24 * time.Hour

// Duration is a call's duration of n units, or what is wrong with it.
func Duration(n int64, unit time.Duration) (d time.Duration, problem string) {
	switch {
	case n < 0:
		return 0, "is negative"
	case n > int64(LongestCall/unit):
		return 0, "is longer than 31 days"
	}
	return time.Duration(n) * unit, ""
}

// TalkTime is how long persons talked in an answered call, if that is known.
func (r *Record) TalkTime() (talk time.Duration, known bool) {
	switch {
	case r.Outcome != Answered:
		return 0, false
	case r.Talk.Known:
		return r.Talk.Value, true
	}
	return r.Duration, !r.NoDuration
}

// ConnectedTime is how long anybody, voicemail and machines included, was connected, if that is known.
func (r *Record) ConnectedTime() (connected time.Duration, known bool) {
	if r.Connected.Known {
		return r.Connected.Value, true
	}
	return r.Duration, r.Outcome.Connected() && !r.NoDuration
}

// Fault says in whose part a call that didn't connect ended.
func (r *Record) Fault() FaultDomain { return cmp.Or(r.FaultDomain, r.Outcome.FaultDomain()) }

// Ended is the time from which lateness is measured: the end of a connected call, the start of another (contract 3, `late`), the end of the wait
// where the record is of a visit alone.
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

// MaxCharges bounds the components of a record's price, which the ledger keeps with each call.
const MaxCharges = 64

// Charge is an amount of money for one component of a call's price.
type Charge struct {
	// Component is `usage`, `connection`, `forwarding`, `included` or `purchased`.
	Component string
	// Currency is ISO 4217; empty if the provider gives none, and then the source's own applies.
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

// Optional is a value that may not have been given.
type Optional[T any] struct {
	Value T
	Known bool
}

type (
	// Int is a whole number that may not have been given.
	Int = Optional[int64]
	// Float is a number that may not have been given.
	Float = Optional[float64]
	// Span is a duration that may not have been given.
	Span = Optional[time.Duration]
)

// KnownInt is an Int that was given.
func KnownInt(v int64) Int { return Int{Value: v, Known: true} }

// KnownFloat is a Float that was given.
func KnownFloat(v float64) Float { return Float{Value: v, Known: true} }

// KnownSpan is a Span that was given.
func KnownSpan(v time.Duration) Span { return Span{Value: v, Known: true} }

// Bool is a truth value that may not have been given.
type Bool uint8

// The values of Bool.
const (
	Unsaid Bool = iota
	False
	True
)

// KnownBool is a Bool that was given.
func KnownBool(v bool) Bool {
	if v {
		return True
	}
	return False
}

// Known says whether the value was given.
func (b Bool) Known() bool { return b != Unsaid }

var boolNames = [...]string{"", "false", "true"}

// String is `true`, `false` or empty.
func (b Bool) String() string { return boolNames[b] }
