package wavix

import (
	"context"
	"time"
)

// refresh reads the rows of the window again that were read longest ago: a charge that
// changed moves no total. A range of a day that isn't in the order of time stands for the
// same part of its rows, so that the ranges of a day together cover it.
func (k *dayLook) refresh(ctx context.Context) error {
	before := k.reader.now().Add(-k.reader.changesAfter()).Unix()
	if done, err := k.restream(ctx, before); done || err != nil {
		return err
	}
	stale := -1
	for {
		i, place, rows := k.stalest(before)
		if i < 0 {
			return nil
		}
		if rows == stale { // the list doesn't show it any more
			k.day.log.chunks[i].read = k.reader.now().Unix()
			stale = -1
			continue
		}
		stale = rows
		if err := k.walk(ctx, place, k.day.log.size); err != nil {
			return err
		}
	}
}

// stalest is the last chunk of the window that was read before a time, -1 if there is none,
// the place of its last row, and how many rows such chunks have.
func (k *dayLook) stalest(before int64) (chunk, place, rows int) {
	l := k.day.log
	guesses := l.guesses(k.since)
	low, high := k.slice(guesses)
	chunk = -1
	for i := range l.chunks {
		c := &l.chunks[i]
		if c.read >= before || guesses[i]+len(c.rows) <= low || guesses[i] >= high {
			continue
		}
		chunk, place, rows = i, guesses[i]+len(c.rows)-1, rows+len(c.rows)
	}
	return chunk, place, rows
}

// slice is which places the window stands for.
func (k *dayLook) slice(guesses []int) (low, high int) {
	l := k.day.log
	listed := l.rowsListed()
	switch {
	case l.pages() <= smallDay:
		return 0, listed
	case !l.timed:
		begin, length := k.query.Day.Unix(), int64(24*time.Hour/time.Second)
		part := func(at int64) int { return int(min(max(at-begin, 0), length) * int64(listed) / length) }
		return part(k.from), part(k.to)
	}
	high = listed
	for i := range l.chunks {
		switch first := l.chunks[i].first; {
		case first == noTime:
		case first < k.from:
			low = guesses[i]
		case first > k.to:
			return low, guesses[i]
		}
	}
	return low, high
}

// restream reads a day again by a stream, if the format has one and pages would be many.
func (k *dayLook) restream(ctx context.Context, before int64) (done bool, err error) {
	l, d := k.day.log, k.day
	if _, _, rows := k.stalest(before); rows <= smallDay*l.size || k.reader.noStream || d.cuts >= streamTries {
		return false, nil
	}
	keys, ok, err := k.export(ctx)
	if err != nil {
		d.cuts++
		return false, err
	}
	if !ok || len(keys) < l.known {
		k.reader.noStream = k.reader.noStream || !ok
		return false, nil
	}
	for i := range l.chunks {
		l.chunks[i].read = k.reader.now().Unix()
	}
	return true, nil
}
