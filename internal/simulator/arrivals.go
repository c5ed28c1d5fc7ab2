package simulator

import "math"

// blockCalls is the approximate number of calls in a block.
const blockCalls = 512

// arrivals say when calls start. Time is cut into blocks of equal length. Each block has a number
// of calls, which start anywhere in it. Times are in milliseconds since 1970.
type arrivals struct {
	seed uint64
	from int64
	// period is a block's length; the last block of a historical world may be shorter.
	period int64
	// length and calls describe a historical world; length is 0 for a live one.
	length, calls int64
	// rate is a live world's calls in a thousand seconds.
	rate int64
}

func newArrivals(s *Settings) arrivals {
	a := arrivals{seed: s.Seed, from: s.From.UnixMilli(), calls: int64(s.Calls)}
	if !s.To.IsZero() {
		a.length = max(1, s.To.UnixMilli()-a.from)
		blocks := max(1, min(a.calls/blockCalls, a.length/1000))
		a.period = (a.length + blocks - 1) / blocks
		return a
	}
	a.rate = max(1, int64(s.PerSecond*1000))
	seconds := min(max(1, blockCalls*1000/a.rate), 600)
	a.period = seconds * 1000
	return a
}

func (a *arrivals) lastBlock() int64 {
	if a.length == 0 {
		return math.MaxInt64
	}
	return (a.length - 1) / a.period
}

// blockOf is the block of an instant; negative before the world began.
func (a *arrivals) blockOf(at int64) int64 {
	since := at - a.from
	if since < 0 {
		return -1
	}
	return since / a.period
}

func (a *arrivals) bounds(block int64) (from, to int64) {
	from = block * a.period
	to = from + a.period
	if a.length != 0 {
		to = min(to, a.length)
	}
	return a.from + from, a.from + to
}

func (a *arrivals) count(block int64) int {
	if a.length != 0 {
		from, to := a.bounds(block)
		return int(a.calls*(to-a.from)/a.length - a.calls*(from-a.from)/a.length)
	}
	d := newDraws(a.seed, uint64(block), 0xb10c)
	// Calls, in thousandths.
	mean := a.rate * a.period / 1000
	n := (mean + d.below(1000)) / 1000
	// Two dice give a hump about as wide as a Poisson distribution's.
	width := int64(math.Sqrt(float64(n))) * 2
	return int(max(0, n+d.between(0, width)+d.between(0, width)-width))
}
