package simulator

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// publish makes the call's first version and later ones.
func (w *World) publish(c *Call, kind *Kind, d *Draws) {
	v := Version{Kind: kind, Duration: kind.drawDuration(d)}
	w.price(&v, d)
	delay := time.Duration(0)
	if len(w.s.Delays) != 0 {
		delay = d.Delay(w.s.Delays)
	}
	end := c.End(&v)
	v.Published = end.Add(delay)
	if w.tooLate(c, v.Published) {
		if v.Published = c.Start.Add(w.s.MaxLate); v.Published.Before(end) {
			v.Published = end
		}
	}
	c.versions[0] = v
	c.published = 1
	if !d.Hits(w.s.Revised) {
		return
	}
	w.revise(c, d)
	if c.published == 2 && d.below(4) == 0 {
		w.revise(c, d)
	}
}

// revise adds a version, unless there is nothing to change or it would come too late. The possible
// changes depend on the call.
func (w *World) revise(c *Call, d *Draws) {
	last := &c.versions[c.published-1]
	next := *last
	next.Published = last.Published.Add(d.Duration(w.s.RevisedAfterMin, w.s.RevisedAfterMax))
	if w.tooLate(c, next.Published) {
		return
	}
	first := c.published == 1
	kind := last.Kind
	switch choice := d.below(4); {
	case choice <= 1 && kind.Becomes != nil:
		next.Kind = kind.Becomes
		if kind.Becomes.Outcome.Connected() {
			next.Duration = kind.Becomes.drawDuration(d)
			w.price(&next, d)
			next.Currency = last.Currency
		}
	case choice == 0 && kind.Priced && first:
		last.Usage, last.Connection, last.Currency = Price{}, Price{}, ""
	case choice <= 2 && kind.Priced && last.Usage.Known:
		reprice(&next, d)
	case first && c.User != nil:
		last.Incomplete = true
	default:
		return
	}
	c.versions[c.published] = next
	c.published++
}

func (w *World) price(v *Version, d *Draws) {
	switch {
	case v.Kind.Free:
		v.Usage, v.Connection = Price{Known: true}, Price{Known: true}
	case v.Kind.Priced:
		t := Pick(d, w.s.Mix.Tariffs)
		minutes := int64((v.Duration + time.Minute - 1) / time.Minute)
		v.Usage = Price{Amount: t.PerMinute * Amount(minutes), Known: true}
		v.Connection = Price{Known: true}
		if v.Kind.Outcome.Connected() {
			v.Connection.Amount = t.Connection
		}
		v.Currency = t.Currency
		if d.below(500) == 0 {
			// A refund comes as an amount below zero.
			v.Usage.Amount = -v.Usage.Amount
		}
	}
}

// reprice changes the price of a call: more, less or nothing.
func reprice(v *Version, d *Draws) {
	switch d.below(3) {
	case 0:
		v.Usage.Amount += Amount(d.between(1, 2500))
	case 1:
		v.Usage.Amount -= Amount(d.between(1, 2500))
	default:
		v.Usage.Amount, v.Connection.Amount = 0, 0
	}
}

// Country is the label of the other party's country.
func (c *Call) Country() string {
	if c.Prefix == nil || c.versions[0].Kind.Direction == cdr.DirectionUnknown {
		return ""
	}
	return c.Prefix.Country
}
