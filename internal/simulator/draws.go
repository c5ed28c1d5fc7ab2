package simulator

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// Draws are random numbers that follow from a world's seed, a place and a purpose. They use
// integers only, so that every machine draws the same numbers. They aren't safe for concurrent use.
type Draws struct{ pcg rand.PCG }

// newDraws are the draws of one place. Neighbouring places have unrelated numbers.
func newDraws(seed, a, b uint64) Draws {
	var d Draws
	d.pcg.Seed(Scatter(seed^Scatter(a)), Scatter(b+0x9e3779b97f4a7c15))
	return d
}

// Scatter maps similar numbers to unrelated ones: the finaliser of SplitMix64.
func Scatter(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return h.Sum64()
}

// Draws are the random numbers for a purpose at a place, for what a provider's simulator adds to a
// call. They differ from the world's own.
func (w *World) Draws(place, purpose uint64) Draws {
	return newDraws(w.s.Seed^0xd2a35, place, purpose)
}

func (d *Draws) below(n int64) int64 {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int64(hi)
}

func (d *Draws) between(low, high int64) int64 { return low + d.below(high-low+1) }

// Below is a number from 0 to n-1; 0 if n is 0.
func (d *Draws) Below(n int) int { return int(d.below(int64(n))) }

// Between is a number from low to high, both included.
func (d *Draws) Between(low, high int) int { return low + d.Below(high-low+1) }

// Duration is between two durations, in whole milliseconds.
func (d *Draws) Duration(low, high time.Duration) time.Duration {
	return time.Duration(d.between(low.Milliseconds(), high.Milliseconds())) * time.Millisecond
}

// Hits is true with the given probability, from 0 to 1.
func (d *Draws) Hits(part float64) bool { return d.pcg.Uint64()>>32 < uint64(part*(1<<32)) }

// UUID is a version 4 UUID, RFC 9562.
type UUID = uuid.UUID

// UUID is a random one.
func (d *Draws) UUID() (u UUID) {
	binary.BigEndian.PutUint64(u[:], d.pcg.Uint64()&^0xf000|0x4000)
	binary.BigEndian.PutUint64(u[8:], d.pcg.Uint64()&^(3<<62)|2<<62)
	return u
}

// Weight is the relative frequency of a thing. Types that embed it can be picked.
type Weight int

func (w Weight) weight() int { return int(w) }

// Pick draws one of some things; nil if there are none.
func Pick[T interface{ weight() int }](d *Draws, list []T) *T {
	sum := 0
	for i := range list {
		sum += list[i].weight()
	}
	n := d.Below(sum)
	for i := range list {
		if n -= list[i].weight(); n < 0 {
			return &list[i]
		}
	}
	return nil
}

// Delay draws from a distribution; zero from an empty one.
func (d *Draws) Delay(delays []Delay) time.Duration {
	if part := Pick(d, delays); part != nil {
		return d.Duration(part.Min, part.Max)
	}
	return 0
}
