package wavix

import (
	"context"
	"errors"
	"slices"
)

const (
	// streamTries is how often in a row a stream may break, or end early, before the day is
	// read by pages.
	streamTries = 3
	// usualPage is how many rows the provider gives if nobody says how many.
	usualPage = 25
)

// stream reads a day whole in one answer, if the format has such a one, and says whether it
// did. The first page tells how many rows there must be, and whether the stream has them in
// the order of the list.
func (k *dayLook) stream(ctx context.Context, first dayAnswer) (done bool, err error) {
	d := k.day
	if k.reader.noStream || d.cuts >= streamTries || k.reader.streamOdd && first.pages() > smallDay {
		return false, nil
	}
	for d.cuts < streamTries {
		keys, ok, err := k.export(ctx)
		switch {
		case err != nil:
			d.cuts++
			return false, err
		case !ok:
			k.reader.noStream = true
			return false, nil
		}
		distinct := len(slices.Compact(slices.Sorted(slices.Values(keys))))
		switch {
		case distinct >= first.total:
			d.cuts = 0
			return true, k.streamed(ctx, first, keys, distinct)
		case len(keys) == usualPage || len(keys) == dayPerPage || len(keys) == first.size:
			k.reader.noStream = true // it gives a page
			return false, nil
		}
		d.cuts++
	}
	return false, nil
}

// export asks for the stream once.
func (k *dayLook) export(ctx context.Context) (keys []uint64, ok bool, err error) {
	k.reader.requests++
	ok, err = k.reader.pager.Whole(ctx, k.query, func(some []uint64) error {
		keys = append(keys, some...)
		return nil
	})
	return keys, ok, err
}

// streamed makes a log of a stream's rows, in whichever order agrees with the first page.
func (k *dayLook) streamed(ctx context.Context, first dayAnswer, keys []uint64, distinct int) error {
	d := k.day
	d.passed, d.total, d.distinct = k.reader.now(), first.total, distinct
	ordered := k.streamLog(first, keys)
	if !ordered {
		slices.Reverse(keys)
		ordered = k.streamLog(first, keys)
	}
	l := d.log
	l.far = max(0, l.distinct()-distinct)
	if newestFirst(first.times) {
		l.reverse()
		l.timed = true
	}
	if ordered && l.pages() > smallDay {
		_, err := k.quarters(ctx)
		if ordered = !errors.Is(err, errOrder); ordered && err != nil {
			return err
		}
	} else {
		l.timed = false // nobody looks
	}
	if !ordered {
		k.reader.streamOdd, d.log = true, nil
		return nil
	}
	return k.catchUp(ctx, 0, k.began)
}

// streamLog makes a log of rows, and says whether they are in the order of the list, as far
// as the first page shows.
func (k *dayLook) streamLog(first dayAnswer, keys []uint64) bool {
	l := newDayLog(first.size, false)
	l.total = first.total
	k.since = k.reader.requests
	for part := range slices.Chunk(keys, chunkTop) {
		c := dayChunk{at: l.known, total: first.total, seen: k.since, side: k.since, read: k.reader.now().Unix(), rows: make([]uint32, 0, len(part))}
		for _, key := range part {
			c.rows = append(c.rows, fingerprint(key))
		}
		c.twice = twiceIn(c.rows)
		l.chunks, l.known = append(l.chunks, c), l.known+len(part)
	}
	l.reach(l.known, first.total, k.since)
	k.day.log = l
	s := k.sight(&first)
	p := k.reader.matcher.place(l, &s)
	return p.verdict == placed && 2*len(p.fresh) <= len(s.rows)
}
