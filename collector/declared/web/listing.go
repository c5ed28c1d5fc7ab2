package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// listing is one list as it is read. If the list has a total, each row counts once, even if rows
// come in while the pages are read and push others from page to page.
type listing struct {
	*reader

	piece  piece
	values string  // of `for`
	rows   *rowSet // if the list has a total
	days   dayRows // of the whole read, if the provider has a list of totals
	ids    forIDs  // of the whole read

	previous      int // the total when the previous page came
	first, latest int // the first and the latest total; below zero without one
	// ended: the list has no further pages, whatever Next says.
	ended bool
	near  span // what the request asks for, and a little more
	// strangers are rows outside near, the first of which has the time firstStranger. asked: the list has others too.
	strangers     int
	firstStranger time.Time
	asked         bool
}

func newListing(r *reader, p piece, days dayRows, ids forIDs) *listing {
	return &listing{
		reader: r, piece: p, values: fmt.Sprint(p.values), rows: newRowSet(), days: days, ids: ids,
		first: -1, latest: -1, previous: -1, near: r.nearOf(p),
	}
}

// askTotal asks for the total, if the pages have none.
func (l *listing) askTotal(ctx context.Context) error {
	if l.counter == nil {
		return nil
	}
	walk, pages := l.counter.list(ctx, l.piece)
	for _, err := range pages {
		if err != nil {
			return fmt.Errorf("read the total: %w", err)
		}
		break
	}
	l.setTotal(walk.page.total)
	return nil
}

func (l *listing) setTotal(total int) {
	if total < 0 {
		return
	}
	if l.latest = total; l.first < 0 {
		l.first = total
	}
}

// read reads the rows of a page. It leaves out rows that don't belong to the wanted span, because
// another read has them, and rows that the previous page had.
func (l *listing) read(
	ctx context.Context, mapper rowmap.Mapper, walk *walk, number int, wanted span,
) (*collector.Page, error) {
	page, rows, digests := new(collector.Page), walk.page.rows, walk.digests
	rules := collector.Rules{ByArrival: l.Filter.By == ByInserted}
	l.setTotal(walk.page.total)
	moved, err := l.moved(ctx, walk.before, digests)
	if err != nil {
		return nil, err
	}
	for i := moved; i < len(rows); i++ {
		mapped := mapper.Map(&rows[i])
		r := mapped.Record
		if l.Total != nil {
			l.rows.add(r, digests[i])
		}
		if r != nil && !r.Provisional {
			l.compare(l.Filter.At(r))
		}
		if r != nil && !l.Filter.Contains(wanted.from, wanted.to, r) && !l.mayLieIn(wanted, l.Filter.At(r)) {
			if r.Provisional || l.isPlausible(l.Filter.At(r)) {
				continue
			}
			mapped, r = rowmap.Result{Invalid: "its time is before 1980 or over a year ahead, so no span has it"}, nil
		}
		if r != nil && l.countsByDay(r) {
			l.days.add(l.Filter.At(r), r, digests[i])
		}
		if r != nil && l.For != nil && l.ids.inOther(r, l.values, &rules) {
			continue
		}
		mapped.Put(page, l.content(rows[i].Raw), fmt.Sprintf("page %d, row %d", number, i+1))
	}
	l.ended = l.ended || l.Complete != "" && l.latest >= 0 && l.rows.size() >= l.latest
	return page, nil
}

// isPlausible says whether a row may have a time. Programs write the year 1900, 1970 or 9999 for none, and a row that
// no span contains would never count, and nobody would know.
func (l *listing) isPlausible(at time.Time) bool {
	_, later := l.clocks()
	return at.Year() >= 1980 && at.Before(later.AddDate(1, 0, 0))
}

// mayLieIn says whether a local time may also mean an instant in a span, because clocks that are set back show an
// hour twice.
func (f *Feed) mayLieIn(wanted span, at time.Time) bool {
	return slices.ContainsFunc(f.Zones, func(zone *time.Location) bool {
		other := language.OtherInstant(at, zone)
		return !other.IsZero() && wanted.has(other)
	})
}

// mayDiffer is how far a row may lie outside the span of its list: an end may be included, or rounded. Time zones
// differ by more.
const mayDiffer = 10 * time.Minute

// nearOf is the span that a list's request names, and a little more. An end that it doesn't name is far away.
func (r *reader) nearOf(p piece) span {
	near := span{p.from.Add(-mayDiffer), p.to.Add(mayDiffer)}
	if !r.Request.names("from") {
		near.from = time.Time{}
	}
	if !r.Request.names("to") {
		near.to = p.to.AddDate(1000, 0, 0)
	}
	return near
}

// compare notes whether the exporter asked for the time of a row.
func (l *listing) compare(at time.Time) {
	if l.near.has(at) || l.mayLieIn(l.near, at) {
		l.asked = true
	} else if l.strangers++; l.strangers == 1 {
		l.firstStranger = at
	}
}

// warn logs once that the list has nothing but rows of other times: no read counts them, and nobody would know why.
func (l *listing) warn() {
	switch {
	case l.asked:
		l.warned.Store(false)
	case l.strangers > 0 && l.Filter.By != ByInserted && !l.warned.Swap(true):
		l.logger.Warn("The provider listed only rows outside the time that the exporter asked for, and this list "+
			"counts none of them: compare the time zone of `start`, and the request's filter, with what the provider "+
			"means",
			"feed", l.Name, "from", l.piece.from.UTC(), "to", l.piece.to.UTC(), "rows", l.strangers,
			"first_row", l.firstStranger.UTC())
	}
}

// content is what a row that can't be read is known by: equal rows of lists for different values are
// different rows.
func (l *listing) content(raw []byte) []byte {
	for _, key := range slices.Sorted(maps.Keys(l.piece.values)) {
		raw = slices.Concat([]byte(l.piece.values[key]+" "), raw)
	}
	return raw
}

// moved is how many of the first rows of a page came here from the page before, because as many
// rows came in meanwhile: at most as many as the total grew by.
func (l *listing) moved(ctx context.Context, before, rows []uint64) (moved int, err error) {
	if !l.counted() {
		return 0, nil
	}
	if len(rows) > 0 && slices.Equal(rows, before) { // some providers repeat the last page, and a cache any
		if l.latest < 0 {
			return 0, errRepeated
		}
		l.ended = true
		return len(rows), nil
	}
	if l.MayLackIDs && shared(before, rows, len(rows)) > 0 {
		if err := l.askTotal(ctx); err != nil {
			return 0, err
		}
	}
	grown := l.latest - l.previous
	if l.previous = l.latest; before == nil {
		return 0, nil
	}
	moved = shared(before, rows, grown)
	if l.MayLackIDs && (grown > len(before) || others(before, rows, moved, grown)) {
		// The page may have rows of any earlier page, or moved rows behind new ones.
		return 0, &collector.FewerRows{From: l.piece.from, To: l.piece.to, Rows: l.rows.size(), Total: l.latest}
	}
	return moved, nil
}

// others says whether further rows, behind those that moved, may have come from the page before.
func others(before, rows []uint64, moved, grown int) bool {
	return moved < grown && slices.ContainsFunc(rows[moved:min(grown, len(rows))], func(row uint64) bool {
		return slices.Contains(before[max(0, len(before)-grown):len(before)-moved], row)
	})
}

// refusedBehind says whether an error comes from a provider that counts pages or rows and refuses a
// page after the last one, where other providers return no rows.
func (l *listing) refusedBehind(w *walk, err error) bool {
	return l.counted() && errors.Is(err, httpclient.ErrLinkExpired) && l.latest >= 0 && w.rows >= l.latest
}

// shared is how many rows, at most some, end one page and begin the next.
func shared(before, after []uint64, most int) int {
	n := max(0, min(most, len(before), len(after)))
	for n > 0 && !slices.Equal(before[len(before)-n:], after[:n]) {
		n--
	}
	return n
}

// fewer is the error of a list that was read to its end and has fewer rows than its total, or nil.
// Rows that came in meanwhile may be missing: the next read has them.
func (l *listing) fewer() *collector.FewerRows {
	rows, total := l.rows.size(), l.latest
	if l.counted() && l.Complete != "" {
		total = min(l.first, l.latest)
	}
	if rows >= total {
		return nil
	}
	return &collector.FewerRows{From: l.piece.from, To: l.piece.to, Rows: rows, Total: total}
}

// daySums are the rows and the totals of days.
type daySums struct {
	days    []collector.ProviderTotal
	unknown []time.Time // days of which a list has no total
}

// add adds a list of a day.
func (s *daySums) add(day time.Time, l *listing) {
	ours, theirs := l.rows.size(), l.latest
	if l.latest < 0 {
		s.unknown = append(s.unknown, day)
		return
	}
	if l.first <= ours && ours <= l.latest {
		theirs = ours // rows came in while the list was read
	}
	i := slices.IndexFunc(s.days, func(d collector.ProviderTotal) bool { return d.Day.Equal(day) })
	if i < 0 {
		i = len(s.days)
		s.days = append(s.days, collector.ProviderTotal{Day: day.UTC()})
	}
	s.days[i].Ours += ours
	s.days[i].Theirs += theirs
}

// all are the days of which each list has a total.
func (s *daySums) all() []collector.ProviderTotal {
	return slices.DeleteFunc(s.days, func(d collector.ProviderTotal) bool {
		return slices.ContainsFunc(s.unknown, d.Day.Equal)
	})
}
