package match

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Error is what keeps two books from being joined, and what to do about it.
type Error string

func (e Error) Error() string { return string(e) }

// Class is what the comparison of a call came to. Each call is in the first that fits.
type Class int

// The classes, in their order.
const (
	Ambiguous Class = iota
	OnlyLeft
	OnlyRight
	Rounded
	Duration
	Price
	Same
	classes
)

var classNames = [classes]string{"ambiguous", "only_left", "only_right", "rounded", "duration", "price", "same"}

// String is the name in JSON.
func (c Class) String() string { return classNames[c] }

// Classes are all, in their order.
func Classes() (all []Class) {
	for c := range classes {
		all = append(all, c)
	}
	return all
}

// Settings say how calls are paired.
type Settings struct {
	// From and To bound the starts by the left clock.
	From, To time.Time
	// Tolerance is how far apart starts may be, after the clock is corrected.
	Tolerance time.Duration
	// Tariff rounds the right durations; nil: it is found.
	Tariff *Tariff
	// Visit, if set, is called for each call of the range with what it pairs with, in no order; of ambiguous ones with
	// each call alone.
	Visit func(c Class, left, right *Call) error
	// Note is called with a sentence about each thing that isn't compared.
	Note func(text string)
}

// DurationTolerance is how far apart durations may be that are the same.
const DurationTolerance = time.Second

// Sums are of the calls of one book.
type Sums struct {
	Calls    int64
	duration time.Duration
	charges  map[string]cdr.Money
}

func (s *Sums) add(c *Call) {
	if s.charges == nil {
		s.charges = make(map[string]cdr.Money)
	}
	s.Calls++
	s.duration += c.Duration
	addPrice(s.charges, c.Price)
}

// Add is the sum of both.
func (s Sums) Add(o Sums) Sums {
	s.Calls, s.duration, s.charges = s.Calls+o.Calls, s.duration+o.duration, maps.Clone(s.charges)
	if s.charges == nil {
		s.charges = make(map[string]cdr.Money)
	}
	for currency, amount := range o.charges {
		sum := s.charges[currency]
		s.charges[currency] = sum.Add(&amount)
	}
	return s
}

// Minus is what s has more than o.
func (s Sums) Minus(o Sums) Sums {
	negative := Sums{Calls: -o.Calls, duration: -o.duration, charges: make(map[string]cdr.Money)}
	for currency, amount := range o.charges {
		negative.charges[currency] = amount.Neg()
	}
	return s.Add(negative)
}

func (s Sums) isZero() bool { return s.Calls == 0 && s.duration == 0 && len(s.Charges()) == 0 }

// Minutes is the sum of the durations in minutes, with six decimals, rounded half away from zero.
func (s Sums) Minutes() string {
	const decimals = 1_000_000
	sign, n := "", (s.duration.Abs()+30*time.Microsecond)/(60*time.Microsecond)
	if s.duration < 0 && n > 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%d.%06d", sign, n/decimals, n%decimals)
}

// Charges are the exact sums by currency, without zeros.
func (s Sums) Charges() map[string]string {
	all := make(map[string]string)
	for currency, amount := range s.charges {
		if amount.Sign() != 0 {
			all[currency] = amount.String()
		}
	}
	return all
}

// Sides are the sums of both books.
type Sides struct{ Left, Right Sums }

// Result is what the comparison of two books came to.
type Result struct {
	// Offset is the right clock minus the left one.
	Offset  time.Duration
	Tariff  *Tariff
	Classes [classes]Sides
	given   bool // the tariff was
}

// Total is the sum of all classes.
func (r *Result) Total() (total Sides) {
	for i := range r.Classes {
		total.Left, total.Right = total.Left.Add(r.Classes[i].Left), total.Right.Add(r.Classes[i].Right)
	}
	return total
}

// Differs says whether the books differ. Ambiguous calls do if their sums do, rounded ones unless the tariff was given.
func (r *Result) Differs() bool {
	for c := range classes {
		sides := &r.Classes[c]
		switch c {
		case Same:
			continue
		case Rounded:
			if r.given {
				continue
			}
		case Ambiguous:
			if sides.Left.Minus(sides.Right).isZero() {
				continue
			}
		case OnlyLeft, OnlyRight, Duration, Price, classes:
		}
		if sides.Left.Calls+sides.Right.Calls > 0 {
			return true
		}
	}
	return false
}

// Around is by how much more of both books must be read on both sides of the range.
func (s *Settings) Around() time.Duration { return zoneStep + s.Tolerance }

// Run joins two books whose records were all added.
func Run(ctx context.Context, s Settings, leftBook, rightBook *Book) (*Result, error) {
	m := &matcher{ctx: ctx, settings: s, left: leftBook, right: rightBook}
	if err := m.prepare(); err != nil {
		return nil, err
	}
	var err error
	if m.clock, err = m.estimateClock(); err != nil {
		return nil, err
	}
	if m.clock.found == 0 {
		s.Note("no call of one book has the numbers of a call of the other one: " +
			"see that both have caller and callee, and give --country if one has national numbers")
	}
	if m.clock.opposite {
		s.Note("the books have opposite directions, each as its own end sees them: they are compared that way")
	}
	m.result = &Result{Offset: m.clock.offset, Tariff: s.Tariff, given: s.Tariff != nil}
	if s.Tariff == nil && m.durations {
		m.counts = new(tariffCount)
		if err := m.walk(); err != nil {
			return nil, err
		}
		m.result = &Result{Offset: m.clock.offset, Tariff: m.counts.best()}
		m.counts = nil
	}
	return m.result, m.walk()
}

// prepare makes the calls of both books, and says what they can't be compared by.
func (m *matcher) prepare() error {
	s := &m.settings
	books := [...]*Book{left: m.left, right: m.right}
	for party, who := range [...]string{"callers", "callees"} {
		m.masking[party] = m.left.parties[party].join(m.right.parties[party])
		for _, b := range books {
			switch p := &b.parties[party]; {
			case p.allHidden():
				m.hidden[party] = true
				s.Note(fmt.Sprintf("%s hides the numbers of %s: calls are joined without them", b.settings.Name, who))
			case p.hidden > 0:
				s.Note(fmt.Sprintf("%s hides the numbers of %s of %d calls: they pair only with calls that "+
					"hide them too",
					b.settings.Name, who, p.hidden))
			}
		}
	}
	for _, b := range books {
		if b.listed > 0 && m.hidden[0] && m.hidden[1] {
			return Error("the numbers of one book are hidden, so its calls can't be joined with others: " +
				"read it where they are shown, or see that its definition has caller and callee")
		}
		if err := b.makeCalls(s.From.Add(-s.Around()), s.To.Add(s.Around()), m.masking[0], m.masking[1]); err != nil {
			return err
		}
	}
	for _, b := range books {
		if b.listed == 0 {
			return Error(fmt.Sprintf("%s has no calls from %s", b.settings.Name, span(s.From, s.To)))
		}
	}
	for i, b := range books {
		other := books[1-i]
		switch {
		case b.found == 0:
			return Error(fmt.Sprintf("%s has no calls from %s, its calls start from %s: "+
				"the books don't overlap in time; choose --from and --to for both",
				b.settings.Name, span(s.From, s.To), span(b.first, b.last)))
		case b.first.After(other.last.Add(furthest)):
			return Error(fmt.Sprintf("the books don't overlap in time: %s begins at %s, %s ends at %s",
				b.settings.Name, b.first.Format(time.RFC3339), other.settings.Name, other.last.Format(time.RFC3339)))
		}
		for _, has := range []struct {
			it, other bool
			what      string
		}{{b.durations, other.durations, "durations"}, {b.prices, other.prices, "prices"}} {
			if !has.it && has.other {
				s.Note(fmt.Sprintf("%s has no %s: they aren't compared", b.settings.Name, has.what))
			}
		}
	}
	m.durations, m.prices = m.left.durations && m.right.durations, m.left.prices && m.right.prices
	for _, b := range books {
		repeated := repeatedHours(b.settings.Zone, s.From.Add(-s.Around()), s.To.Add(s.Around()))
		m.repeated = append(m.repeated, repeated...)
	}
	slices.SortFunc(m.repeated, func(a, b repeated) int { return a.from.Compare(b.from) })
	m.repeated = slices.Compact(m.repeated)
	return nil
}

func span(from, to time.Time) string {
	return from.Format(time.RFC3339) + " to " + to.Format(time.RFC3339)
}

// repeated is a span of time whose local times come twice; by is the time between the two.
type repeated struct {
	from, to time.Time
	by       time.Duration
}

// repeatedHours are the spans of a zone in which clocks are set back.
func repeatedHours(zone *time.Location, from, to time.Time) (all []repeated) {
	if zone == nil {
		return nil
	}
	for at := from; at.Before(to); {
		_, end := at.In(zone).ZoneBounds()
		if end.IsZero() {
			break
		}
		_, before := end.Add(-time.Second).In(zone).Zone()
		_, after := end.In(zone).Zone()
		if by := time.Duration(before-after) * time.Second; by > 0 {
			all = append(all, repeated{end.Add(-by).UTC(), end.Add(by).UTC(), by})
		}
		at = end
	}
	return all
}
