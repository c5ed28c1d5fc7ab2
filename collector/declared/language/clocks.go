package language

import "time"

// Moment is a time of a row. Clocks that are set back show an hour twice, so a local time in it means one of two
// instants.
type Moment struct {
	At    time.Time // as it was read; zero: the row has none
	Other time.Time // the other instant; zero without one
}

// InOrder chooses the instants of the times of a row that are in order and closest together. In case of doubt it
// leaves them as they were read.
func InOrder(moments []Moment) {
	best := 0
	shortest, ordered := span(moments, best)
	for others := 1; others < 1<<len(moments); others++ {
		if length, is := span(moments, others); is && (!ordered || length < shortest) {
			best, shortest, ordered = others, length, true
		}
	}
	for i := range moments {
		moments[i].At = moments[i].instant(best, i)
	}
}

// instant is one of the two instants: the other one if that bit of others is set.
func (m Moment) instant(others, bit int) time.Time {
	if others>>bit&1 == 0 {
		return m.At
	}
	return m.Other
}

// span is how long the times take from the first to the last, and whether they exist and are in order.
func span(moments []Moment, others int) (length time.Duration, ordered bool) {
	var first, last time.Time
	ordered = true
	for i, m := range moments {
		at := m.instant(others, i)
		switch {
		case m.At.IsZero() && others>>i&1 == 0:
			continue
		case first.IsZero():
			first = at
		}
		ordered = ordered && !at.IsZero() && !at.Before(last)
		last = at
	}
	return last.Sub(first), ordered
}

// near is how close to an instant a change of the clocks matters.
const near = 24 * time.Hour

// SetBack says whether clocks in a zone are set back near an instant.
func SetBack(at time.Time, zone *time.Location) bool {
	_, before := at.Add(-near).In(zone).Zone()
	_, after := at.Add(near).In(zone).Zone()
	return before > after
}

// Zones are the zones of the value's times that have none; otherwise is the source's.
func (v *Value) Zones(otherwise *time.Location) (all []*time.Location) {
	for i := range v.alternatives {
		if a := &v.alternatives[i]; len(a.Time) > 0 {
			all = append(all, a.zone(otherwise))
		}
	}
	return all
}

// Other is the other instant that the time may mean.
func (g *Result) Other() (other time.Time, problem string) {
	at, problem := g.parseTime(g.Text)
	if problem != "" {
		return at, problem
	}
	if other = g.other(g.Text, at); other.IsZero() {
		return other, NoValue
	}
	return g.minus(other)
}

// other is the other instant that a text may mean, which was read as the given one; zero without one.
func (g *Result) other(text string, at time.Time) time.Time {
	zone := g.by.zone(g.in.Zone)
	if at.IsZero() || !SetBack(at, zone) {
		return time.Time{}
	}
	local, _ := g.by.parseTimeIn(text, time.UTC, g.in.Now)
	east, _ := g.by.parseTimeIn(text, time.FixedZone("", 60*60), g.in.Now)
	if local.Sub(east) != time.Hour {
		return time.Time{} // the text has its own offset, or a zone's name
	}
	return OtherInstant(at, zone)
}

// OtherInstant is the other instant at which clocks in a zone show the same time, because they are set back; zero
// without one.
func OtherInstant(at time.Time, zone *time.Location) time.Time {
	_, offset := at.In(zone).Zone()
	for _, side := range [...]time.Duration{-near, near} {
		_, then := at.Add(side).In(zone).Zone()
		other := at.Add(time.Duration(offset-then) * time.Second)
		if _, there := other.In(zone).Zone(); there == then && then != offset {
			return other
		}
	}
	return time.Time{}
}
