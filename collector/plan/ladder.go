package plan

import "time"

// Ladder is the levels of the read plan (counting.md 6). Level m is read every
// period(m) and reaches back reach(m), so that a call published d after its
// start is seen within max(d/4, interval) more.
//
//	level  period          reach
//	  0    interval        9 intervals
//	  1    2 intervals     18 intervals
//	  m    2^m intervals   9·2^m intervals
//	  …
//	  last                 1.25 lookback
//
// Why it holds: a call published d after its start is level m's business when
// 4·2^m < d/interval ≤ 8·2^m (level 0's below that). Its next read is at most
// 2^m intervals away, which is less than d/4, and reaches back one period more
// than d.
type Ladder struct {
	Interval time.Duration `json:"interval"`
	Lookback time.Duration `json:"lookback"`
}

// Period is the longest time between two complete reads of a level.
func (l Ladder) Period(m int) time.Duration { return l.Interval << m }

// Last is the deepest level: the first that reaches back 1.25 lookbacks.
func (l Ladder) Last() int {
	m := 0
	for 9*l.Period(m) < l.Lookback+l.Lookback/4 {
		m++
	}
	return m
}

// Reach is how far back a read of a level goes that is on time. A lookback of
// less than four periods needs more than its quarter on top, or the calls
// published at its end would fall between two reads.
func (l Ladder) Reach(m int) time.Duration {
	return min(9*l.Period(m), max(l.Lookback+l.Lookback/4, l.Lookback+l.Period(m)))
}

// Owed is the longest delay of publication that a level answers for.
func (l Ladder) Owed(m int) time.Duration { return min(8*l.Period(m), l.Lookback) }

// early is how much before its time a level may be read, when a poll is due anyway.
func (l Ladder) early() time.Duration { return l.Interval / 2 }
