package match

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
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

const (
	// LongestTolerance bounds Settings.Tolerance.
	LongestTolerance = 10 * time.Minute
	// DurationTolerance is how far apart durations may be that are the same.
	DurationTolerance = time.Second
)

// Around is by how much more of both books must be read on both sides of the range.
func (s *Settings) Around() time.Duration { return zoneStep + s.Tolerance }

// Sums are of the calls of one book.
type Sums struct {
	Calls    int64
	Charges  cdr.Amounts
	duration time.Duration
}

func (s *Sums) add(o *Sums) {
	s.Calls, s.duration = s.Calls+o.Calls, s.duration+o.duration
	s.Charges.AddAll(o.Charges)
}

// Minus is what s has more than o.
func (s Sums) Minus(o Sums) Sums {
	return Sums{s.Calls - o.Calls, s.Charges.Minus(o.Charges), s.duration - o.duration}
}

// Minutes is the sum of the durations in minutes.
func (s Sums) Minutes() string { return cdr.Minutes(s.duration) }

// Sides are the sums of both books.
type Sides struct{ Left, Right Sums }

func (s *Sides) add(calls [2]*Call) {
	for side, sums := range [...]*Sums{&s.Left, &s.Right} {
		if c := calls[side]; c != nil {
			sums.Calls, sums.duration = sums.Calls+1, sums.duration+c.Duration
			addPrice(&sums.Charges, c.Price)
		}
	}
}

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
		total.Left.add(&r.Classes[i].Left)
		total.Right.add(&r.Classes[i].Right)
	}
	return total
}

// Differs says whether the books differ. Ambiguous calls do if their sums do, rounded ones unless the tariff was given.
func (r *Result) Differs() bool {
	for c, sides := range r.Classes {
		differ := sides.Left.Calls+sides.Right.Calls > 0
		switch Class(c) {
		case Same:
			differ = false
		case Rounded:
			differ = differ && !r.given
		case Ambiguous:
			more := sides.Left.Minus(sides.Right)
			differ = more.Calls != 0 || more.duration != 0 || len(more.Charges.Texts()) > 0
		default:
		}
		if differ {
			return true
		}
	}
	return false
}

// matcher joins two books.
type matcher struct {
	ctx      context.Context //nolint:containedctx // of one Run
	settings Settings
	books    [2]*Book
	parties  [2]party // what the callers and callees of both books show
	hidden   [2]bool  // one book has none of them

	calls     *disksort.Sorter // of both books by numbers and start
	corrected *disksort.Sorter // the same, with starts by the left clock
	clock     clock

	durations, prices bool // both books have them
	repeated          []repeated
	counts            *tariffCount // while the tariff is looked for
	result            *Result
}

// Run joins two books whose records were all added.
func Run(ctx context.Context, s Settings, leftBook, rightBook *Book) (_ *Result, err error) {
	folder := leftBook.settings.Folder
	m := &matcher{
		ctx: ctx, settings: s, books: [2]*Book{leftBook, rightBook},
		calls: disksort.New(folder), corrected: disksort.New(folder),
	}
	defer func() { err = errors.Join(err, m.calls.Close(), m.corrected.Close()) }()
	for _, step := range []func() error{m.prepare, m.estimateClock, m.correct} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	m.result = &Result{Offset: m.clock.offset, Tariff: s.Tariff, given: s.Tariff != nil}
	if s.Tariff == nil && m.durations {
		m.counts = new(tariffCount)
		if err := m.pairCalls(); err != nil {
			return nil, err
		}
		m.result.Tariff, m.counts = m.counts.best(), nil
	}
	return m.result, m.pairCalls()
}

// each goes through calls by numbers and start. An entry is valid until the next one.
func (m *matcher) each(calls *disksort.Sorter, use func(key uint64, at time.Time, e *entry) error) error {
	var key, at uint64
	var e entry
	for data, err := range calls.All() {
		if err == nil {
			e, err = parseEntry(data, &key, &at)
		}
		if err == nil {
			err = m.ctx.Err()
		}
		if err == nil {
			err = use(key, keyTime(at), &e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// correct sorts the calls by the left clock.
func (m *matcher) correct() error {
	if m.clock.opposite {
		m.settings.Note("the books have opposite directions, each as its own end sees them: they are compared that way")
	}
	return m.each(m.calls, func(key uint64, at time.Time, e *entry) error {
		if e.side == right {
			at = at.Add(-m.clock.offsetAt(at))
		}
		return e.add(m.corrected, key, timeKey(at))
	})
}

// prepare makes the calls of both books, and says what they can't be compared by.
func (m *matcher) prepare() error {
	s := &m.settings
	for i, who := range [...]string{"callers", "callees"} {
		m.parties[i] = m.books[left].parties[i].join(&m.books[right].parties[i])
		for _, b := range m.books {
			switch p := &b.parties[i]; {
			case p.allHidden():
				m.hidden[i] = true
				s.Note(fmt.Sprintf("%s hides the numbers of %s: calls are joined without them", b.settings.Name, who))
			case p.hidden > 0:
				s.Note(fmt.Sprintf("%s hides the numbers of %s of %d calls: they pair only with calls that "+
					"hide them too", b.settings.Name, who, p.hidden))
			}
		}
	}
	if m.hidden[0] && m.hidden[1] {
		return Error("the numbers of one book are hidden, so its calls can't be joined with others: " +
			"read it where they are shown, or see that its definition has caller and callee")
	}
	from, to := s.From.Add(-s.Around()), s.To.Add(s.Around())
	for side, b := range m.books {
		if b.first.IsZero() {
			return Error(fmt.Sprintf("%s has no calls from %s", b.settings.Name, span(s.From, s.To)))
		}
		err := b.makeCalls(from, to, func(c *Call) error {
			key := maphash.Comparable(seed, [2]string{m.parties[0].key(c.Caller), m.parties[1].key(c.Callee)})
			e := entry{Call: *c, side: side}
			return e.add(m.calls, key, timeKey(c.Start))
		})
		if err != nil {
			return err
		}
		m.repeated = append(m.repeated, repeatedHours(b.settings.Zone, from, to)...)
	}
	return m.compareBooks()
}

// compareBooks says what the books don't both have.
func (m *matcher) compareBooks() error {
	s := &m.settings
	for i, b := range m.books {
		other := m.books[1-i]
		switch {
		case b.found == 0:
			return Error(fmt.Sprintf("%s has no calls from %s, its calls start from %s: "+
				"the books don't overlap in time; choose --from and --to for both",
				b.settings.Name, span(s.From, s.To), span(b.first, b.last)))
		case b.first.After(other.last.Add(furthest)):
			return Error(fmt.Sprintf("the books don't overlap in time: %s begins at %s, %s ends at %s",
				b.settings.Name, b.first.Format(time.RFC3339), other.settings.Name, other.last.Format(time.RFC3339)))
		}
		if !b.durations && other.durations {
			s.Note(b.settings.Name + " has no durations: they aren't compared")
		}
		if !b.prices && other.prices {
			s.Note(b.settings.Name + " has no prices: they aren't compared")
		}
	}
	l, r := m.books[left], m.books[right]
	m.durations, m.prices = l.durations && r.durations, l.prices && r.prices
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

func (r *repeated) has(at time.Time) bool { return !at.Before(r.from) && at.Before(r.to) }

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
