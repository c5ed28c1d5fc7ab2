package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// side is a type of call, and the world whose calls are of it.
type side uint8

const (
	placed side = iota
	received
	sides
)

// String is the type as Wavix and the label have it.
func (s side) String() string {
	if s == received {
		return Received
	}
	return Placed
}

func (s side) direction() cdr.Direction {
	if s == received {
		return cdr.Inbound
	}
	return cdr.Outbound
}

// sideOf is the side of a type.
func sideOf(callType string) (side, bool) {
	switch callType {
	case Placed:
		return placed, true
	case Received:
		return received, true
	}
	return 0, false
}

// AccountSettings say whose calls an account has.
type AccountSettings struct {
	// Placed and Received are worlds of PlacedMix and ReceivedMix, or of less than
	// these; nil for none.
	Placed, Received *simulator.World
	// EarlyLegs lists a leg when it ended, which may be before its parent is listed.
	// Totals are then those of a reader who has met the parent in time.
	EarlyLegs bool
}

// Account is the calls of an account, of both types. It is safe for concurrent use;
// the zero value has none.
type Account struct {
	worlds [sides]*simulator.World
	early  bool
	days   days
	hours  hours
}

// NewAccount makes an account of two worlds. An error says which mix isn't Wavix's.
func NewAccount(s AccountSettings) (*Account, error) {
	if s.Placed != nil && s.Placed == s.Received {
		return nil, errors.New("simulated Wavix: the same world is placed and received")
	}
	a := &Account{worlds: [sides]*simulator.World{s.Placed, s.Received}, early: s.EarlyLegs}
	for of, w := range a.worlds {
		if w == nil {
			continue
		}
		m := w.Mix()
		for _, list := range [][]simulator.Kind{m.Kinds, m.Incident} {
			for i := range list {
				if !scenario(list[i].Wire).fits(side(of)) {
					return nil, fmt.Errorf("simulated Wavix: %s: no call of this type is of kind %q: use PlacedMix and ReceivedMix", m.Name, list[i].Wire)
				}
			}
		}
	}
	return a, nil
}

// span is when the account's calls start; to is zero if they go on.
func (a *Account) span() (from, to time.Time, ok bool) {
	for _, w := range a.worlds {
		if w == nil {
			continue
		}
		begin, end := w.Span()
		if !ok || begin.Before(from) {
			from = begin
		}
		if !ok || end.IsZero() || !to.IsZero() && end.After(to) {
			to = end
		}
		ok = true
	}
	return from, to, ok
}

// maxOffset is how long after its call a linked row starts, at most.
const maxOffset = 5 * time.Second

// eachRow calls f for every row of the calls that start in [from, to), in no
// particular order, except that a call's own row comes before what is linked to it.
// The row belongs to f until it returns.
func (a *Account) eachRow(from, to time.Time, f func(*row)) {
	var r row
	for of, w := range a.worlds {
		if w == nil {
			continue
		}
		w.Each(from, to, func(c *simulator.Call) bool {
			for _, p := range partsOf(c) {
				a.fill(&r, side(of), c, p)
				f(&r)
			}
			return true
		})
	}
}

// failCarrier makes all trunks fail.
func (a *Account) failCarrier(from, to time.Time) {
	for _, w := range a.worlds {
		if w == nil {
			continue
		}
		trunks := w.Mix().Trunks
		for i := range trunks {
			w.FailTrunk(trunks[i].Name, from, to)
		}
	}
	a.days.forget(from, to)
	a.hours.forget(from, to)
}
