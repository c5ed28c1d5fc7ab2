package simulator

import "time"

// Draws are random numbers that follow from a world's seed, a place and a purpose:
// for what a provider's simulator adds to a call by itself. They aren't safe for
// concurrent use.
type Draws struct{ dice dice }

// drawsOf keeps them apart from the world's own.
const drawsOf = 0xd2a35

// Draws are the random numbers for a purpose at a place.
func (w *World) Draws(place, purpose uint64) Draws {
	return Draws{throw(w.s.Seed^drawsOf, place, purpose)}
}

// Bits are 64 random bits.
func (d *Draws) Bits() uint64 { return d.dice.pcg.Uint64() }

// Below is a number from 0 up to, without, n; 0 if n is 0.
func (d *Draws) Below(n int) int { return int(d.dice.below(int64(n))) }

// Between is a number from low to high, both included.
func (d *Draws) Between(low, high int) int { return int(d.dice.between(int64(low), int64(high))) }

// Duration is between two durations, in whole milliseconds.
func (d *Draws) Duration(low, high time.Duration) time.Duration { return d.dice.duration(low, high) }

// Hits says yes for a part of all draws, from 0 to 1.
func (d *Draws) Hits(part float64) bool { return d.dice.hits(shareOf(part)) }

// UUID is a random one.
func (d *Draws) UUID() UUID { return newUUID(d.dice.pcg.Uint64(), d.dice.pcg.Uint64()) }

// Delay draws from a distribution; zero from an empty one.
func (d *Draws) Delay(delays []Delay) time.Duration {
	sum := 0
	for i := range delays {
		sum += delays[i].Weight
	}
	n := d.Below(sum)
	for i := range delays {
		if n < delays[i].Weight {
			return d.Duration(delays[i].Min, delays[i].Max)
		}
		n -= delays[i].Weight
	}
	return 0
}

// Reach is how long after a call's start its last version is published at most.
func (w *World) Reach() time.Duration { return w.reach }
