package simulator

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Leg is a leg of a call: the provider's values and their meaning.
type Leg struct {
	// Wire is the provider's type of leg, Type the label.
	Wire, Type string
	Outcome    cdr.Outcome
	// After is how long after the call's start it begins.
	After time.Duration
	// The provider's values. User says that the leg is a user's.
	Action, Direction, Transport, Result string
	User                                 bool
}

// Recording is a kind of recording.
type Recording struct {
	Weight
	// Wire is the provider's type, Type the label.
	Wire, Type string
}

// recordable is the shortest duration of a recorded call.
const recordable = 30 * time.Second

// extend adds what only some providers have: fractions of seconds, rows that aren't final yet, and
// recordings, which may come later than their call.
func (w *World) extend(c *Call, d *Draws) {
	if w.s.Mix.Milliseconds {
		c.shorten(d)
	}
	if c.versions[0].Kind.Ignored || c.Flaw != NoFlaw || c.NoID {
		return
	}
	w.record(c, d)
	w.precede(c, d)
}

// shorten takes a fraction of a second off half of the durations. Prices and times of publication
// stay.
func (c *Call) shorten(d *Draws) {
	if d.below(2) == 0 {
		return
	}
	fraction := d.Duration(time.Millisecond, 999*time.Millisecond)
	for i := range c.Versions() {
		if v := &c.versions[i]; v.Kind.Outcome.Connected() && v.Duration >= time.Second && v.Kind.Fixed == 0 {
			v.Duration -= fraction
		}
	}
}

// record draws a call's recording, and the version that brings it.
func (w *World) record(c *Call, d *Draws) {
	first := &c.versions[0]
	if w.s.Recorded == 0 || !d.Hits(w.s.Recorded) || !first.Kind.Outcome.Connected() || first.Duration < recordable {
		return
	}
	c.Recording = Pick(d, w.s.Mix.Recordings)
	last := c.versions[c.published-1]
	last.Recorded = true
	last.Published = last.Published.Add(d.Duration(max(w.s.RevisedAfterMin, time.Millisecond),
		max(w.s.RevisedAfterMax, time.Millisecond)))
	if d.Hits(w.s.RecordedLate) && !w.tooLate(c, last.Published) {
		c.versions[c.published] = last
		c.published++
		return
	}
	for i := range c.Versions() {
		c.versions[i].Recorded = true
	}
}

// tooLate says whether a version would come later than the settings allow.
func (w *World) tooLate(c *Call, published time.Time) bool {
	return w.s.MaxLate != 0 && published.After(c.Start.Add(w.s.MaxLate))
}

// precede puts a row of the call in progress before the first one.
func (w *World) precede(c *Call, d *Draws) {
	first := &c.versions[0]
	// A call in progress is listed a few seconds after it began.
	begun := c.Start.Add(d.Duration(3*time.Second, 10*time.Second))
	if !d.Hits(w.s.InProgress) || !first.Kind.Outcome.Connected() || !begun.Before(c.End(first)) {
		return
	}
	early := Version{Kind: first.Kind, Currency: first.Currency, InProgress: true, Published: begun}
	copy(c.versions[1:], c.versions[:c.published])
	c.versions[0] = early
	c.published++
}

// final is the first final version.
func (c *Call) final() *Version {
	if c.versions[0].InProgress {
		return &c.versions[1]
	}
	return &c.versions[0]
}
