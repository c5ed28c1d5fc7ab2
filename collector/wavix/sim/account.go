package sim

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// side is a type of call, and the world whose calls are of it.
type side uint8

const (
	placed side = iota
	received
	sides
)

// String is the type as Wavix and the label have it.
func (s side) String() string { return [...]string{Placed, Received}[s] }

func (s side) direction() cdr.Direction { return [...]cdr.Direction{cdr.Outbound, cdr.Inbound}[s] }

// sideOf is the side of a type, and whether there is one.
func sideOf(callType string) (side, bool) {
	if callType == Received {
		return received, true
	}
	return placed, callType == Placed
}

// AccountSettings say whose calls an account has: worlds of PlacedMix and ReceivedMix, or of parts of these; nil for none.
type AccountSettings struct{ Placed, Received *simulator.World }

// Account is the calls of an account, of both types. It is safe for concurrent use; the zero value has none.
type Account struct {
	worlds [sides]*simulator.World

	mu      sync.Mutex
	days    map[dayKey]*[sides][]place // guarded by mu, as indexed
	indexed int
}

// NewAccount makes an account of two worlds.
func NewAccount(s AccountSettings) (*Account, error) {
	if s.Placed != nil && s.Placed == s.Received {
		return nil, errors.New("simulated Wavix: the same world is placed and received")
	}
	return &Account{worlds: [sides]*simulator.World{s.Placed, s.Received}}, nil
}

// eachRow calls f for every row of the calls that start in [from, to), in the same order each time; a call's own row comes before what is
// linked to it. The row belongs to f until it returns.
func (a *Account) eachRow(from, to time.Time, f func(*row)) {
	for of, w := range a.worlds {
		if w == nil {
			continue
		}
		w.Each(from, to, func(c *simulator.Call) bool {
			for _, p := range partsOf(c) {
				r := a.row(side(of), c, p)
				f(&r)
			}
			return true
		})
	}
}

// eachActive calls f for the rows whose call is in progress at an instant, or ended less than linger before it.
func (a *Account) eachActive(at time.Time, linger time.Duration, f func(*row)) {
	const longest = 8*time.Hour + maxSetup + maxOffset
	a.eachRow(at.Add(-longest-linger), at.Add(maxSetup), func(r *row) {
		if begin, _, end := r.life(); !begin.After(at) && end.Add(linger).After(at) {
			f(r)
		}
	})
}

// Active is how many calls are in progress at an instant, by direction: inbound and outbound have an entry each. A forwarded call is two,
// and so is one between two of the account's numbers.
func (a *Account) Active(at time.Time) map[cdr.Direction]int {
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	a.eachActive(at, 0, func(r *row) { active[r.side.direction()]++ })
	return active
}

// place is where a row is made from, and what listing it depends on.
type place struct {
	published, start int64 // in milliseconds
	call             uint64
	world            side
	part             part
	copies           int
}

// dayKey is what the index of a day depends on. Days of several time zones overlap.
type dayKey struct {
	from, to    int64
	order       Order
	copiesCount bool
}

// maxIndexed is how many rows the indexes hold before they are dropped.
const maxIndexed = 6_000_000

// day is the index of a day: its rows by type, in their order, whether they are published yet or not.
func (a *Account) day(key dayKey) *[sides][]place {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d := a.days[key]; d != nil {
		return d
	}
	d := new([sides][]place)
	a.eachRow(time.UnixMilli(key.from).Add(-maxOffset), time.UnixMilli(key.to), func(r *row) {
		p := place{
			published: r.Versions()[0].Published.UnixMilli(), start: r.Start.UnixMilli(), call: r.Place(),
			world: r.world, part: r.part, copies: r.Copies,
		}
		if p.start < key.from || p.start >= key.to {
			return
		}
		times := 1
		if key.copiesCount {
			times, p.copies = p.copies, 1
		}
		for range times {
			d[r.side] = append(d[r.side], p)
		}
	})
	for i := range d {
		slices.SortFunc(d[i], func(x, y place) int {
			first := cmp.Compare(x.start, y.start)
			if key.order == Shuffled {
				first = cmp.Compare(mix64(uint64(x.start)), mix64(uint64(y.start)))
			}
			return cmp.Or(first, cmp.Compare(x.world, y.world), cmp.Compare(x.call, y.call), cmp.Compare(x.part, y.part))
		})
		if key.order == Descending {
			slices.Reverse(d[i])
		}
		a.indexed += len(d[i])
	}
	if a.days == nil || a.indexed > maxIndexed {
		a.days, a.indexed = map[dayKey]*[sides][]place{}, len(d[0])+len(d[1])
	}
	a.days[key] = d
	return d
}

// terms are what a listing depends on besides the request.
type terms struct {
	zone        *time.Location
	order       Order
	copiesCount bool
	at          time.Time
}

// midnight is when a day begins, so many after another. It isn't always 24 hours after the one before, nor at 0:00.
func midnight(first time.Time, days int, zone *time.Location) time.Time {
	return time.Date(first.Year(), first.Month(), first.Day()+days, 0, 0, 0, 0, zone)
}

// all is the disposition that filters nothing.
const all = "all"

// list is the rows of a type that start on a day from first to last, which are midnights of the zone, and are visible.
func (a *Account) list(first, last time.Time, of side, disposition string, t terms) (list []place) {
	begin, end := t.at, time.Time{}
	for _, w := range a.worlds {
		if w != nil {
			from, _ := w.Span()
			begin, end = simulator.Earlier(from, begin), t.at
		}
	}
	// Nothing starts long before the first call, or is visible that starts later.
	if early := begin.In(t.zone).AddDate(0, 0, -2); first.Before(early) {
		first = early
	}
	var days []dayKey
	for n := 0; ; n++ {
		from, to := midnight(first, n, t.zone), midnight(first, n+1, t.zone)
		if from.After(last) || from.After(end) {
			break
		}
		days = append(days, dayKey{from.UnixMilli(), to.UnixMilli(), t.order, t.copiesCount})
	}
	if t.order == Descending {
		slices.Reverse(days)
	}
	for _, key := range days {
		for _, p := range a.day(key)[of] {
			if p.published <= t.at.UnixMilli() && (disposition == all || a.matches(&p, disposition, t.at)) {
				list = append(list, p)
			}
		}
	}
	return list
}

// at makes the row at a place.
func (a *Account) at(p *place) row {
	var c simulator.Call
	a.worlds[p.world].Call(p.call, &c)
	return a.row(p.world, &c, p.part)
}

// matches says whether a filter by disposition lets a row pass: case doesn't matter, and a row without a disposition passes as answered if it was.
func (a *Account) matches(p *place, disposition string, at time.Time) bool {
	r := a.at(p)
	k := r.Versions()[r.At(at)].Kind
	return strings.EqualFold(k.Phrase, disposition) || k.Phrase == "" && k.Outcome == cdr.Answered && disposition == "answered"
}
