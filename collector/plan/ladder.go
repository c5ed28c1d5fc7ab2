package plan

import "time"

// Ladder is the levels of the read plan (counting.md 6). Level m is read every
// period(m) and reaches back reach(m), so that a call published d after its
// start is seen within max(d/2, interval) more.
//
//	level  period          reach
//	  0    interval        5 intervals
//	  1    2 intervals     10 intervals
//	  m    2^m intervals   5·2^m intervals
//	  …
//	  last lookback/4      1.25 lookback
//
// Why it holds: a call published d after its start is level m's business when
// 2·2^m < d/interval ≤ 4·2^m (level 0's below that). Its next read is at most
// 2^m intervals away, which is less than d/2, and reaches back one period more
// than d.
type Ladder struct {
	Interval time.Duration `json:"interval"`
	Lookback time.Duration `json:"lookback"`
}

// Period is the longest time between two complete reads of a level.
func (l Ladder) Period(m int) time.Duration { return min(l.Interval<<m, l.longest()) }

// longest is the period of the deepest level.
func (l Ladder) longest() time.Duration { return max(l.Interval, (l.Lookback+3)/4) }

// Last is the deepest level: the first that reaches back 1.25 lookbacks.
func (l Ladder) Last() int {
	m := 0
	for l.Period(m) < l.longest() {
		m++
	}
	return m
}

// Reach is how far back a read of a level goes that is on time: one period more than Covers.
func (l Ladder) Reach(m int) time.Duration { return l.Covers(m) + l.Period(m) }

// Covers is the longest delay of publication that a level finds.
func (l Ladder) Covers(m int) time.Duration { return min(4*l.Period(m), l.Lookback) }

// early is how much before its time a level may be read, when a poll is due anyway.
func (l Ladder) early() time.Duration { return l.Interval / 2 }
