package history

import "time"

// lookback is how long Prometheus shows a sample for, unless a newer one comes: a series
// has one at least as often from its first change on.
const lookback = 5 * time.Minute

// grid is where samples lie: at the begin and the end of the range, and between them at
// multiples of the step since 1970, so that histories of adjacent ranges fit together. All
// of it is in milliseconds.
type grid struct {
	from, to int64
	// step is the distance of multiples, hold that of samples which repeat a value.
	step, hold int64
}

func newGrid(from, to time.Time, step time.Duration) grid {
	hold := max(step, lookback.Truncate(step))
	return grid{from: from.UnixMilli(), to: to.UnixMilli(), step: step.Milliseconds(), hold: hold.Milliseconds()}
}

// at is where what happened at a time within the range is seen first: a sample holds all
// that happened before it.
func (g grid) at(t time.Time) int64 {
	return min((t.UnixMilli()/g.step+1)*g.step, g.to)
}

// before is the last multiple before a sample, or the begin of the range.
func (g grid) before(at int64) int64 { return max((at-1)/g.step*g.step, g.from) }
