package collector

import "time"

// overlap is how much adjacent ranges share (counting.md 9).
const overlap = time.Second

// span is a range of time; the zero span is none.
type span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// join adds a range to a span that has no holes. A range that doesn't touch it
// replaces it if it is later, and is left out if it is earlier.
func (s span) join(from, to time.Time) span {
	switch {
	case s.To.IsZero() || from.After(s.To):
		return span{From: from, To: to}
	case to.Before(s.From):
		return s
	}
	return span{From: earliest(s.From, from), To: latest(s.To, to)}
}

// earliest is the earlier of two times; zero is a time like any other.
func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// latest is the later of two times.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// outward is a range in whole seconds that holds a range.
func outward(from, to time.Time) (time.Time, time.Time) {
	end := to.UTC().Truncate(time.Second)
	if end.Before(to) {
		end = end.Add(time.Second)
	}
	return from.UTC().Truncate(time.Second), end
}
