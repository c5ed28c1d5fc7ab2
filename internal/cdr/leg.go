package cdr

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Party is who picked up a leg.
type Party uint8

// The parties. The order is part of the ledger's format: append only.
const (
	Person         Party = iota // the default; a conference counts as a person
	PartyVoicemail              // voicemail
	PartyMachine                // a queue, hunt group, attendant, menu, parking slot or announcement
	Onward                      // a machine that connected the caller on this leg; only its answer has a time
	Own                         // the caller's side: the phone that click-to-call rings first
)

var partyNames = [...]string{"person", "voicemail", "machine", "onward", "own"}

// String is the word of a definition.
func (p Party) String() string { return partyNames[p] }

// Leg is one attempt to connect a call to one party: a record, or a part of one.
type Leg struct {
	// ID is unique within the call; AltIDs are additional ids that a child may name. Parent is an
	// id of the parent leg.
	ID     string
	AltIDs []string
	Parent string
	// Order is where a leg without an id of the provider stands among the legs of its call.
	Order int
	// Type is the label `leg_type`, a slug.
	Type  string
	Party Party
	// Outcome is the leg's own outcome. NoOutcome means that it doesn't say how the call ended.
	Outcome   Outcome
	NoOutcome bool
	// Start, Answer and End are zero if unknown; Duration is the connected time, from answer to
	// end.
	Start, Answer, End time.Time
	Ringing, Duration  Length
	Direction          Direction
	Trunk              string
	// Channel is the trunk's channel: legs that share it are one attempt.
	Channel string
	// Master says that the leg describes the whole call, so it isn't an attempt.
	Master bool
	// Implied says that the record has the leg by itself beside those that it lists, so it isn't counted as one.
	Implied bool
	// Whole says that the leg fulfils the condition `whole`.
	Whole bool
	// UserID, UserName and UserPrincipal name the provider's user. Redaction applies.
	UserID, UserName, UserPrincipal string
	Emergency                       Emergency
}

// EffectiveParty is who picked the leg up, by its outcome if that shows it.
func (l *Leg) EffectiveParty() Party {
	switch l.Outcome {
	case Voicemail:
		return PartyVoicemail
	case Machine:
		return PartyMachine
	case Unknown, Answered, Busy, NoAnswer, Cancelled, Rejected, InvalidNumber, NotAllowed, Failed, NotConnected:
	}
	return l.Party
}

// IsSecond says whether the leg is a record's attempt on a second trunk. A call doesn't begin with it.
func (l *Leg) IsSecond() bool { return l.Implied && !l.Master }

// OwnOutcome is how the leg itself ended: for an answered leg, by the party that answered.
func (l *Leg) OwnOutcome() Outcome {
	if l.Outcome == Answered {
		switch l.Party {
		case PartyVoicemail:
			return Voicemail
		case PartyMachine:
			return Machine
		case Person, Onward, Own:
		}
	}
	return l.Outcome
}

// Leg is the leg of a record without Legs.
func (r *Record) Leg() Leg {
	l := Leg{
		ID: r.ID, AltIDs: r.AltIDs, Parent: r.Parent, Type: r.CallType, Party: r.Party, Outcome: r.Outcome,
		NoOutcome: r.NoOutcome,
		Start:     r.Start, Answer: r.Answer, End: r.End, Ringing: r.Ringing, Direction: r.Direction, Trunk: r.Trunk,
		Channel: r.Channel,
		Whole:   r.Whole, UserID: r.UserID, UserName: r.UserName, UserPrincipal: r.UserPrincipal,
		Emergency: r.Emergency,
	}
	if !r.NoDuration {
		l.Duration = KnownLength(r.Duration)
	}
	return l
}

// LegsAreSessions says whether the record's legs are its sessions, in the same order.
func (r *Record) LegsAreSessions() bool { return len(r.Sessions) > 0 && len(r.Legs) == len(r.Sessions) }

// LegRecord is a record for one leg of a redacted record, for the leg's log record.
func (r *Record) LegRecord(n int) *Record {
	l := &r.Legs[n]
	leg := &Record{
		ID: r.ID, CallID: r.CallID, Start: cmp.Or(l.Start, r.Start), Answer: l.Answer, End: l.End,
		Duration: l.Duration.Value, NoDuration: !l.Duration.Known,
		Direction: l.Direction, CallType: l.Type, Outcome: l.OwnOutcome(), Trunk: l.Trunk,
		UserID: l.UserID, UserName: l.UserName, UserPrincipal: l.UserPrincipal, Labels: r.Labels, Legs: []Leg{*l},
	}
	if l.ID == "" {
		leg.Legs[0].ID = strconv.Itoa(n)
	}
	return leg
}

// CallLegs are the legs that a record gives its call: those that it lists, else itself, and Second.
func (r *Record) CallLegs() []Leg {
	legs := slices.Clone(r.Legs)
	if len(legs) == 0 {
		legs = append(legs, r.Leg())
	}
	if r.Second != nil {
		legs = append(legs, *r.Second)
	}
	return legs
}

// Interval is a span of time, To excluded.
type Interval struct{ From, To time.Time }

// Connected is when the leg was connected: from answer to end, else for its duration from its
// answer, else for its duration from the end of its ringing. It is zero if the leg wasn't connected,
// or if that is unknown; a leg that was connected for no time has a time, and no length. An `own` leg
// is connected once it has an answer, whatever its outcome.
func (l *Leg) Connected() Interval {
	if !l.Outcome.Connected() && (l.Party != Own || l.Answer.IsZero()) {
		return Interval{}
	}
	i := Interval{From: l.Answer, To: l.End}
	switch {
	case !l.Answer.IsZero() && l.End.After(l.Answer):
	case l.Duration.Known && l.Duration.Value >= 0:
		if i.From = cmp.Or(l.Answer, l.Start.Add(l.Ringing.Value)); i.From.IsZero() {
			return Interval{}
		}
		i.To = i.From.Add(l.Duration.Value)
	case l.Answer.IsZero() || !l.End.Equal(l.Answer):
		return Interval{}
	}
	if i.To.Sub(i.From) > LongestCall {
		return Interval{}
	}
	return i
}

// Ended is when the leg ended: its end, else its answer and duration, else its start.
func (l *Leg) Ended() time.Time {
	if !l.End.IsZero() {
		return l.End
	}
	if i := l.Connected(); !i.To.IsZero() {
		return i.To
	}
	return l.Start
}
