package simulator

import (
	"math/bits"
	"math/rand/v2"
	"time"
)

// dice is a stream of random numbers that follows from a place in the world.
// It uses whole numbers only, so that every machine throws the same.
type dice struct{ pcg rand.PCG }

// throw is the stream of one place. The streams of neighbours aren't alike.
func throw(seed, a, b uint64) dice {
	var d dice
	d.pcg.Seed(mix64(seed^mix64(a)), mix64(b+0x9e3779b97f4a7c15))
	return d
}

// mix64 is the finaliser of SplitMix64.
func mix64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below is a number from 0 up to, without, n; 0 if n is 0.
func (d *dice) below(n int64) int64 {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int64(hi)
}

// between is a number from low to high, both included.
func (d *dice) between(low, high int64) int64 { return low + d.below(high-low+1) }

// duration is between two durations, in whole milliseconds.
func (d *dice) duration(low, high time.Duration) time.Duration {
	return time.Duration(d.between(low.Milliseconds(), high.Milliseconds())) * time.Millisecond
}

// hits says yes for a share of all throws.
func (d *dice) hits(s share) bool { return d.pcg.Uint64()>>32 < uint64(s) }

// share is a part of one, in parts of 2^32.
type share uint64

func shareOf(part float64) share { return share(part * (1 << 32)) }

// table draws from weighted things: one place per unit of weight.
type table []uint16

func newTable(weights []int) table {
	var t table
	for i, w := range weights {
		for range w {
			t = append(t, uint16(i))
		}
	}
	return t
}

func (t table) draw(d *dice) int { return int(t[d.below(int64(len(t)))]) }
