package ledger

import "time"

// A fact of which it isn't known in which hour it was remembered lies in a span: a
// session's views, a record's children and the calls of one recording start at times
// of their own. Spans share the table seen with the hours and are numbered downwards
// from below 0, so that neither meets the other.
//
//	hour < 0   spans: groups, children, recordings, records of feeds without hours
//	hour = 0   rows set aside, by their content
//	hour > 0   ids, by the hour of the call's start

// spanSeconds is how long a span is: with the nearer neighbour looked at too, a fact
// is found from at least half of that away, whichever came first.
const (
	spanSeconds = 4 * 24 * 3600
	spanReach   = spanSeconds / 2 * time.Second
)

// spanOf is the span of a start, as the table's hour.
func spanOf(start time.Time) int64 { return -(start.Unix() / spanSeconds) }

// nearSpan is the neighbouring span that is nearer to a start.
func nearSpan(start time.Time) int64 {
	if start.Unix()%spanSeconds < spanSeconds/2 {
		return spanOf(start) + 1
	}
	return spanOf(start) - 1
}

// lastSpan is the oldest span in which anything may still be looked for. A start at
// the floor looks spanReach back, and an id that is known may start a little before.
func lastSpan(floor time.Time) int64 { return spanOf(floor.Add(-spanReach - 2*time.Hour)) }
