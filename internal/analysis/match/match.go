package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

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

// ClassNames are the names of all classes, in their order.
func ClassNames() []string { return classNames[:] }

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

// Around is by how much more of both books must be read on both sides of the range: their clocks may differ by that
// much.
func (s *Settings) Around() time.Duration { return furthest + s.Tolerance }

// Sums are of the calls of one book.
type Sums struct {
	Calls    int64
	Charges  cdr.Amounts
	duration time.Duration
}

func (s *Sums) addCall(c *Call) {
	s.Calls, s.duration = s.Calls+1, s.duration+c.Duration
	addPrice(&s.Charges, c.Price)
}

// Minus is what s has more than o.
func (s Sums) Minus(o Sums) Sums {
	return Sums{s.Calls - o.Calls, s.Charges.Minus(o.Charges), s.duration - o.duration}
}

// Minutes is the sum of the durations in minutes.
func (s Sums) Minutes() string { return cdr.Minutes(s.duration) }

// Result is what the comparison of two books came to.
type Result struct {
	// Offset is the right clock minus the left one.
	Offset time.Duration
	Tariff *Tariff
	// Classes are the sums of the left and of the right book.
	Classes [classes][2]Sums
	given   bool // the tariff was
}

// Total is the sum of all classes.
func (r *Result) Total() (total [2]Sums) {
	for _, sides := range r.Classes {
		for i := range sides {
			total[i].Calls, total[i].duration = total[i].Calls+sides[i].Calls, total[i].duration+sides[i].duration
			total[i].Charges.AddAll(sides[i].Charges)
		}
	}
	return total
}

// Differs says whether the books differ. Ambiguous calls do if their sums do, rounded ones unless the tariff was given.
func (r *Result) Differs() bool {
	for c, sides := range r.Classes {
		differ := sides[left].Calls+sides[right].Calls > 0
		switch Class(c) {
		case Same:
			differ = false
		case Rounded:
			differ = differ && !r.given
		case Ambiguous:
			more := sides[left].Minus(sides[right])
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

	calls [2]*disksort.Sorter // of each book by numbers and start
	clock clock

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
		calls: [2]*disksort.Sorter{disksort.New(folder), disksort.New(folder)},
	}
	defer func() { err = errors.Join(err, m.calls[left].Close(), m.calls[right].Close()) }()
	if err = m.prepare(); err == nil {
		err = m.estimateClock()
	}
	if err != nil {
		return nil, err
	}
	m.result = &Result{Offset: m.clock.offset, Tariff: s.Tariff, given: s.Tariff != nil}
	if s.Tariff == nil && m.durations {
		m.counts = new(tariffCount)
		if err := m.pairCalls(); err != nil {
			return nil, err
		}
		m.result.Tariff, m.counts = m.counts.best(), nil
	}
	if err := m.pairCalls(); err != nil {
		return nil, err
	}
	return m.result, m.needCalls()
}

// needCalls returns an error if a book has calls around the range only: all calls of the other one would be missing.
func (m *matcher) needCalls() error {
	for side, b := range m.books {
		n := 0
		for class := range m.result.Classes {
			n += int(m.result.Classes[class][side].Calls)
		}
		if n == 0 {
			s := &m.settings
			return fmt.Errorf("%s has no calls from %s, its calls start from %s: "+
				"the books don't overlap in time; choose --from and --to for both",
				b.settings.Name, span(s.From, s.To), span(b.first, b.last))
		}
	}
	return nil
}

// each goes through the calls of both books, by numbers and by start by the left clock.
func (m *matcher) each(use func(*node) error) error {
	var next [2]func() (*node, error, bool)
	var first [2]*node // of those that are left; nil: there are none
	for side := range next {
		pull, stop := iter.Pull2(m.sorted(side))
		defer stop()
		next[side] = pull
	}
	advance := func(side int) (err error) {
		first[side], err, _ = next[side]()
		return err
	}
	err := errors.Join(advance(left), advance(right))
	for err == nil && first != ([2]*node{}) {
		side, l, r := left, first[left], first[right]
		if l == nil || r != nil && cmp.Or(cmp.Compare(r.key, l.key), r.at.Compare(l.at)) < 0 {
			side = right
		}
		if err = use(first[side]); err == nil {
			err = advance(side)
		}
	}
	return err
}

// sorted yields the calls of a book, by numbers and start.
func (m *matcher) sorted(side int) iter.Seq2[*node, error] {
	return func(yield func(*node, error) bool) {
		for data, err := range m.calls[side].All() {
			n, start := &node{side: side}, uint64(0)
			if err == nil {
				n.entry, err = parseEntry(data, &n.key, &start)
			}
			if n.at = n.Start; side == right {
				n.at = n.at.Add(-m.clock.offsetAt(n.at))
			}
			if err == nil {
				err = m.ctx.Err()
			}
			if !yield(n, err) {
				return
			}
		}
	}
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
		return errors.New("the numbers of one book are hidden, so its calls can't be joined with others: " +
			"read it where they are shown, or see that its definition has caller and callee")
	}
	from, to := s.From.Add(-s.Around()), s.To.Add(s.Around())
	for side, b := range m.books {
		if b.first.IsZero() {
			return fmt.Errorf("%s has no calls from %s", b.settings.Name, span(s.From, s.To))
		}
		err := b.makeCalls(from, to, func(c *Call) error {
			key := maphash.Comparable(seed, [2]string{m.parties[0].key(c.Caller), m.parties[1].key(c.Callee)})
			e := entry{Call: *c}
			return e.add(m.calls[side], key, timeKey(c.Start))
		})
		if err != nil {
			return err
		}
		for _, hour := range repeatedHours(b.settings.Zone, from, to) {
			if !slices.Contains(m.repeated, hour) { // both books may have the zone
				m.repeated = append(m.repeated, hour)
			}
		}
	}
	return m.compareBooks()
}

// compareBooks says what the books don't both have.
func (m *matcher) compareBooks() error {
	s := &m.settings
	for i, b := range m.books {
		other := m.books[1-i]
		if b.first.After(other.last.Add(furthest)) {
			return fmt.Errorf("the books don't overlap in time: %s begins at %s, %s ends at %s",
				b.settings.Name, b.first.Format(time.RFC3339), other.settings.Name, other.last.Format(time.RFC3339))
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
