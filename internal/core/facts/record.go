package facts

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Context is what must be known of a record beyond itself when it is counted for the first time.
type Context struct {
	// Late: first seen more than the feed's late_after after its end.
	Late bool
	// Currency stands in for one that the provider doesn't give.
	Currency string
	// BypassLater: whether media bypassed is known when the record has settled, and counted then.
	BypassLater bool
}

// All functions below are pure: they append facts to dst and return it.

// AppendRecord appends the facts of a record that is a call by itself and was seen for the first
// time.
func AppendRecord(dst []Fact, r *cdr.Record, c Context) []Fact {
	dst = AppendOwn(dst, r, c.Currency)
	if r.Emergency != cdr.NoEmergency {
		dst = append(dst, Fact{Kind: Emergency, Record: r})
	}
	return appendTrunkTime(AppendCall(dst, r, c), r)
}

// AppendOwn appends the facts of a record that was seen for the first time, whether it is a call by itself or a leg of
// one.
func AppendOwn(dst []Fact, r *cdr.Record, currency string) []Fact {
	return appendCharges(AppendLegs(dst, r), r, currency)
}

// AppendLegs appends the legs of a record: those that it lists, else itself. Legs that are sessions count with
// their sessions, which may come in later versions.
func AppendLegs(dst []Fact, r *cdr.Record) []Fact {
	if r.LegsAreSessions() {
		return dst
	}
	for i := range r.Legs {
		if r.Legs[i].Implied {
			continue
		}
		dst = append(dst, Fact{Kind: Leg, Record: r, Part: i})
	}
	if len(r.Legs) == 0 && !r.ListsLegs {
		dst = append(dst, Fact{Kind: Leg, Record: r, Part: -1})
	}
	return dst
}

func appendCharges(dst []Fact, r *cdr.Record, currency string) []Fact {
	for _, c := range r.Charges {
		c.Currency = cmp.Or(c.Currency, currency)
		dst = AppendCharge(dst, r, nil, c)
	}
	return dst
}

// AppendCharge appends the first amount known of a component. Zero changes nothing; one below zero
// is a credit.
func AppendCharge(dst []Fact, r *cdr.Record, first *ChargeLabels, c cdr.Charge) []Fact {
	if c.Amount.Sign() <= 0 {
		return AppendCorrection(dst, r, first, c)
	}
	return append(dst, Fact{Kind: Charge, Record: r, First: first, Charge: c})
}

// AppendCorrection appends a later change of a component's amount.
func AppendCorrection(dst []Fact, r *cdr.Record, first *ChargeLabels, c cdr.Charge) []Fact {
	if c.Amount.Sign() == 0 {
		return dst
	}
	return append(dst, Fact{Kind: Correction, Record: r, First: first, Charge: c})
}

// AppendCall appends the facts of a call without its legs and without the time of its trunks.
func AppendCall(dst []Fact, r *cdr.Record, c Context) []Fact {
	dst = append(dst, Fact{Kind: Call, Record: r, Late: c.Late})
	if !r.Outcome.Connected() {
		dst = append(dst, Fact{Kind: Failure, Record: r, Late: c.Late})
	}
	dst = appendSetup(appendTimes(dst, r), r)
	if !c.BypassLater {
		dst = appendBypass(dst, r)
	}
	return dst
}

// AppendConnected appends how long a connected call of one record took, on its trunk too, and how
// long its set-up was.
func AppendConnected(dst []Fact, r *cdr.Record) []Fact { return appendSetup(AppendDuration(dst, r), r) }

// AppendDuration appends how long a connected call of one record took, on its trunk too.
func AppendDuration(dst []Fact, r *cdr.Record) []Fact { return appendTrunkTime(appendTimes(dst, r), r) }

// AppendTalk appends the talk time of an answered call, if known.
func AppendTalk(dst []Fact, r *cdr.Record) []Fact {
	if talk, known := r.TalkTime(); known {
		dst = append(dst, Fact{Kind: Talk, Record: r, Time: talk})
	}
	return dst
}

// AppendLonger appends by how much the connected time of a call of one record grew, on its trunk too.
func AppendLonger(dst []Fact, r *cdr.Record, by time.Duration) []Fact {
	dst = append(dst, Fact{Kind: Connected, Record: r, Time: by})
	if r.Trunk != "" {
		dst = append(dst, OnTrunk(r, r.Trunk, r.Direction, by))
	}
	return dst
}

// appendTimes appends talk and connected time. A duration that the provider doesn't give isn't one
// of 0 s.
func appendTimes(dst []Fact, r *cdr.Record) []Fact {
	dst = AppendTalk(dst, r)
	if connected, known := r.ConnectedTime(); known {
		dst = append(dst, Fact{Kind: Connected, Record: r, Time: connected})
	}
	return dst
}

func appendSetup(dst []Fact, r *cdr.Record) []Fact {
	if setup, known := r.Setup(); known {
		dst = append(dst, Fact{Kind: Setup, Record: r, Time: setup})
	}
	return dst
}

func appendTrunkTime(dst []Fact, r *cdr.Record) []Fact {
	if connected, known := r.ConnectedTime(); known && r.Trunk != "" {
		dst = append(dst, OnTrunk(r, r.Trunk, r.Direction, connected))
	}
	if l := r.Second; l != nil {
		if i := l.Connected(); i.To.After(i.From) {
			dst = append(dst, OnTrunk(r, l.Trunk, l.Direction, i.To.Sub(i.From)))
		}
	}
	return dst
}

// OnTrunk is how long a call occupied a trunk.
func OnTrunk(r *cdr.Record, trunk string, direction cdr.Direction, connected time.Duration) Fact {
	return Fact{Kind: TrunkTime, Record: r, Trunk: trunk, Direction: direction, Time: connected}
}

func appendBypass(dst []Fact, r *cdr.Record) []Fact {
	if !r.MediaBypass.Known() {
		return dst
	}
	return append(dst, Fact{Kind: Bypass, Record: r})
}

// AppendSettled appends what is known when a record has settled: streams, ratings and, if
// AppendCall left it for later, whether media bypassed.
func AppendSettled(dst []Fact, r *cdr.Record, bypassLater bool) []Fact {
	for i := range r.Streams {
		dst = append(dst, Fact{Kind: Stream, Record: r, Part: i})
	}
	for i := range r.Ratings {
		dst = append(dst, Fact{Kind: Rating, Record: r, Part: i})
	}
	if bypassLater {
		dst = appendBypass(dst, r)
	}
	return dst
}
