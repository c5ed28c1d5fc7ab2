package wavix

import (
	"context"
	"slices"
)

// fingerprint is what the log keeps of a row's key. Two rows of a day may have the same
// one; where a row is looked for there are a few thousand.
func fingerprint(key uint64) uint32 { return uint32((key * 0x9e3779b97f4a7c15) >> 32) }

// see asks for the page that has a place and puts it into the log.
func (k *dayLook) see(ctx context.Context, place, perPage int) (dayPlaced, daySight, error) {
	l := k.day.log
	at := place
	if l.flip {
		at = l.rowsListed() + k.drift - 1 - place
	}
	a, err := k.ask(ctx, max(at, 0)/perPage+1, perPage)
	if err != nil {
		return dayPlaced{}, daySight{}, err
	}
	if a.total < 0 {
		return dayPlaced{}, daySight{}, errOrder // places can't be told without it
	}
	if a.number == 1 && len(a.keys) >= a.total-l.phantom {
		k.only(a)
		return dayPlaced{met: true}, daySight{total: a.total}, nil
	}
	if perPage == l.size && a.size != l.size {
		l.size = a.size
	}
	s := k.sight(&a)
	p := k.reader.matcher.place(l, &s)
	k.met = k.met || p.met
	if p.verdict == astray {
		return p, s, errOrder
	}
	return p, s, k.listEnd(ctx, &a)
}

// sight turns an answer into the log's order.
func (k *dayLook) sight(a *dayAnswer) daySight {
	l := k.day.log
	s := daySight{at: a.offset, total: a.total, request: k.reader.requests, since: k.since, now: k.reader.now().Unix(), times: a.times}
	k.rows = k.rows[:0]
	for _, key := range a.keys {
		k.rows = append(k.rows, fingerprint(key))
	}
	s.rows = k.rows
	if l.flip {
		s.reversed = true
		slices.Reverse(s.rows)
		slices.Reverse(s.times)
		s.at = max(a.total, 0) - l.phantom - a.end()
	}
	return s
}

// only begins the log anew with a page that has all rows of the day.
func (k *dayLook) only(a dayAnswer) {
	l := newDayLog(a.size, newestFirst(a.times))
	l.total, l.phantom = a.total, a.total-len(a.keys)
	k.day.log = l
	k.since = k.reader.requests
	if len(a.keys) > 0 {
		s := k.sight(&a)
		k.reader.matcher.place(l, &s)
	}
	l.clean, l.cleanLag = 0, 0
	l.reach(len(a.keys), a.total, k.reader.requests)
}

// newestFirst says whether the rows of a page seem to begin with the latest.
func newestFirst(times []int64) bool {
	return middle(times[:len(times)/2]) > middle(times[len(times)/2:])
}

// middle is the mean start of rows, without those that have none.
func middle(times []int64) int64 {
	sum, n := int64(0), int64(0)
	for _, at := range times {
		if at != noTime {
			sum, n = sum+at, n+1
		}
	}
	return sum / max(n, 1)
}

// listEnd looks behind a page that isn't full: the list ends there, whatever the total
// says. If it goes on, places can't be told by page numbers.
func (k *dayLook) listEnd(ctx context.Context, a *dayAnswer) error {
	l := k.day.log
	if len(a.keys) >= a.size || a.end() == a.total-l.phantom {
		return nil
	}
	phantom := a.total - a.end()
	if len(a.keys) == 0 {
		if a.offset >= a.total-l.phantom {
			return nil // asked for behind the end, which has come nearer
		}
		return errOrder
	}
	next, err := k.ask(ctx, a.number+1, a.size)
	switch {
	case err != nil:
		return err
	case len(next.keys) > 0:
		return errOrder
	}
	if l.flip {
		for i := range l.chunks {
			l.chunks[i].at += l.phantom - phantom
		}
	}
	l.phantom = phantom
	l.reach(a.end(), a.total, k.reader.requests)
	return nil
}
