package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// listing is the rows of one type and some days that are visible at an instant.
type listing struct {
	account *Account
	side    side
	at      time.Time
	// disposition filters, unless it is `all`.
	disposition string
	// days are in the order in which they are listed.
	days []*day
}

// terms are what a listing depends on besides the request.
type terms struct {
	zone        *time.Location
	order       Order
	copiesCount bool
	at          time.Time
}

// listing is the rows whose call started on a day from first to last, both included,
// which are midnights of the zone.
func (a *Account) listing(first, last time.Time, of side, disposition string, t terms) *listing {
	l := &listing{account: a, side: of, at: t.at, disposition: disposition}
	begin, end, ok := a.span()
	if !ok {
		return l
	}
	// What starts after the instant isn't visible.
	if end = end.Add(maxOffset); end.Before(begin) || t.at.Before(end) {
		end = t.at.Add(time.Millisecond)
	}
	// There is nothing long before the first call.
	if early := begin.In(t.zone).AddDate(0, 0, -2); first.Before(early) {
		first = early
	}
	for n := 0; ; n++ {
		from, to := midnight(first, n, t.zone), midnight(first, n+1, t.zone)
		if from.After(last) || !from.Before(end) {
			break
		}
		if to.After(begin) {
			key := dayKey{from.UnixMilli(), to.UnixMilli(), t.order, t.copiesCount}
			l.days = append(l.days, a.days.of(a, key))
		}
	}
	if t.order == Descending {
		slices.Reverse(l.days)
	}
	return l
}

// midnight is when a day begins, so many after another. It isn't always 24 hours after
// the one before, nor always at 0:00.
func midnight(first time.Time, days int, zone *time.Location) time.Time {
	return time.Date(first.Year(), first.Month(), first.Day()+days, 0, 0, 0, 0, zone)
}

// total is how many rows there are, each with its copies as one.
func (l *listing) total() int {
	n := 0
	for _, d := range l.days {
		if l.disposition == all {
			n += d.lists[l.side].count(l.at.UnixMilli())
			continue
		}
		l.matching(d, func(*place) bool {
			n++
			return true
		})
	}
	return n
}

// matching walks those of a day that the filter lets pass.
func (l *listing) matching(d *day, f func(*place) bool) {
	var m maker
	d.lists[l.side].walk(l.at.UnixMilli(), 0, func(p *place) bool {
		r := m.make(l.account, p)
		if !r.matches(&r.versions[r.at(l.at)], l.disposition) {
			return true
		}
		return f(p)
	})
}

// page calls emit for some rows after others, copies included. The row belongs to
// emit until it returns.
func (l *listing) page(skip, limit int, emit func(*row, *version)) {
	var m maker
	one := func(p *place) bool {
		if limit == 0 {
			return false
		}
		limit--
		r := m.make(l.account, p)
		for range p.copies {
			emit(r, &r.versions[r.at(l.at)])
		}
		return true
	}
	for _, d := range l.days {
		if limit == 0 {
			return
		}
		if l.disposition == all {
			skip = d.lists[l.side].walk(l.at.UnixMilli(), skip, one)
			continue
		}
		l.matching(d, func(p *place) bool {
			if skip > 0 {
				skip--
				return true
			}
			return one(p)
		})
	}
}

// maker makes rows of places.
type maker struct {
	call simulator.Call
	row  row
}

func (m *maker) make(a *Account, p *place) *row {
	a.worlds[p.world].CallAt(&m.call, p.block, int(p.number))
	a.fill(&m.row, p.world, &m.call, p.part)
	return &m.row
}

// all is the disposition that filters nothing.
const all = "all"

// matches says whether a filter by disposition lets a version pass: whatever its
// case, and for a row without one by whether it was answered.
func (r *row) matches(v *version, disposition string) bool {
	if v.disposition == "" {
		return v.outcome == cdr.Answered && disposition == "answered"
	}
	return strings.EqualFold(v.disposition, disposition)
}
