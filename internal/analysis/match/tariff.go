package match

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Tariff rounds durations up: to First, and beyond it in steps of Next, in seconds.
type Tariff struct{ First, Next int64 }

// tariffShare is how many of the pairs whose durations differ must fit a tariff for it to be theirs.
const tariffShare = 0.95

// tariffs are those that are tried, the ones with larger steps first.
var tariffs = slices.Concat(
	[]Tariff{{60, 60}, {30, 30}, {60, 30}, {30, 6}, {60, 6}, {18, 6}, {6, 6}, {10, 10}, {20, 10}, {1, 1}},
	[]Tariff{{6, 1}, {10, 1}, {12, 1}, {15, 1}, {18, 1}, {20, 1}, {30, 1}, {60, 1}, {120, 1}, {180, 1}},
)

// ParseTariff reads `60/60`.
func ParseTariff(text string) (*Tariff, error) {
	t := new(Tariff)
	if _, err := fmt.Sscanf(text, "%d/%d", &t.First, &t.Next); err != nil || t.String() != text ||
		min(t.First, t.Next) < 1 || max(t.First, t.Next) > 1<<31 {
		return nil, errors.New("give the seconds of the first and of each further step, such as 60/60, 30/6 or 1/1")
	}
	return t, nil
}

// String is such as 60/60.
func (t Tariff) String() string { return fmt.Sprintf("%d/%d", t.First, t.Next) }

// round is what a call of a duration is billed as.
func (t Tariff) round(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	seconds := t.First
	if more := int64((d+time.Second-1)/time.Second) - t.First; more > 0 {
		seconds += (more + t.Next - 1) / t.Next * t.Next
	}
	return time.Duration(seconds) * time.Second
}

// tariffCount counts which tariffs pairs fit.
type tariffCount struct {
	pairs     int     // whose durations differ
	fits, all [32]int // by tariffs: these, and all pairs, which decide between tariffs that fit as many
}

func (c *tariffCount) add(left, right time.Duration) {
	differ := (left - right).Abs() > DurationTolerance
	if differ {
		c.pairs++
	}
	for i, t := range tariffs {
		if t.round(left) != right {
			continue
		}
		if c.all[i]++; differ {
			c.fits[i]++
		}
	}
}

// best is the tariff of the pairs, nil if they have none.
func (c *tariffCount) best() *Tariff {
	best := 0
	for i := range tariffs {
		if cmp.Or(cmp.Compare(c.fits[i], c.fits[best]), cmp.Compare(c.all[i], c.all[best])) > 0 {
			best = i
		}
	}
	if c.pairs == 0 || float64(c.fits[best]) < tariffShare*float64(c.pairs) {
		return nil
	}
	return &tariffs[best]
}
