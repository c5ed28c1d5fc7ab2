package plan

import "time"

const (
	// Overlap is how much adjacent ranges share (counting.md 9).
	Overlap = time.Second
	// ClockTolerance is how far clocks may differ before it is shown
	// (counting.md 10).
	ClockTolerance = 2 * time.Minute
	// ClockSlack is how far a new offset must be from the old one to count: a Date
	// is cut to the second, and answers take their time.
	ClockSlack = 2 * time.Second
)

// Span is a range of time; the zero span is none.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (s Span) String() string {
	return s.From.UTC().Format(time.RFC3339) + "/" + s.To.UTC().Format(time.RFC3339)
}

// Length is how long the span is.
func (s Span) Length() time.Duration { return s.To.Sub(s.From) }

// Holds says whether a span lies within, but for the overlap with what was read before.
func (s Span) Holds(part Span) bool {
	return !part.From.Before(s.From.Add(-Overlap)) && !part.To.After(s.To)
}

// join adds a range to a span that has no holes. A later range that doesn't touch the span replaces
// it; an earlier one is left out.
func (s Span) join(from, to time.Time) Span {
	switch {
	case from.After(s.To):
		return Span{From: from, To: to}
	case to.Before(s.From):
		return s
	}
	return Span{From: Earliest(s.From, from), To: Latest(s.To, to)}
}

// Earliest is the earlier of two times; zero is a time like any other.
func Earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Latest is the later of two times.
func Latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ToWholeSeconds rounds a range outward to whole seconds.
func ToWholeSeconds(from, to time.Time) (time.Time, time.Time) {
	end := to.UTC().Truncate(time.Second)
	if end.Before(to) {
		end = end.Add(time.Second)
	}
	return from.UTC().Truncate(time.Second), end
}
