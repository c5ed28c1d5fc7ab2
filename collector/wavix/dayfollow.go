package wavix

import (
	"context"
	"errors"
)

// stuckRequests is how many pages at the end of a day may show nothing that is new.
const stuckRequests = 8

// follow brings a day's log up to date: the end at which the day grows, and then what
// doesn't fit between it and the begin of the window. What came in anywhere while this was
// done shows at the end again, so the end is looked at until nothing has moved.
func (k *dayLook) follow(ctx context.Context) error {
	for turn := range 3 {
		l := k.day.log
		l.stayed, l.shifted = 0, 0
		k.mayTurn = turn < 2
		again, err := k.rounds(ctx)
		if !again {
			return err
		}
		k.day.log.reverse()
	}
	return nil
}

// rounds follows a day as long as something moves. Again says that the day was found to
// grow at the other end.
func (k *dayLook) rounds(ctx context.Context) (again bool, err error) {
	for round := range dayRounds {
		k.since = k.reader.requests + 1
		if round == 0 {
			k.drift = k.day.log.came
		}
		var quiet bool
		if k.past() {
			quiet, err = k.pastWindow(ctx)
		} else {
			quiet, err = k.present(ctx, round == 0)
		}
		if k.mayTurn && k.day.log.growsElsewhere() && (err == nil && !quiet || errors.Is(err, errOrder)) {
			return true, nil
		}
		if err != nil || quiet {
			return false, err
		}
	}
	return false, nil
}

// past says whether the window ends well before the rows that are known last.
func (k *dayLook) past() bool {
	l := k.day.log
	if !k.windowed() {
		return false
	}
	index := 0
	for i := range l.chunks {
		if c := &l.chunks[i]; c.first > k.to {
			return l.known-index > 2*l.size
		}
		index += len(l.chunks[i].rows)
	}
	return false
}

// pastWindow reads what is missing in a window that doesn't reach up to the end: its begin
// is seen, then its end, and if as many rows are unknown before both, none are between.
func (k *dayLook) pastWindow(ctx context.Context) (quiet bool, err error) {
	if err := k.sides(ctx, false); err != nil {
		return false, err
	}
	if l := k.day.log; l.known == l.rowsListed()-l.odd && k.reader.requests >= k.since {
		return true, nil // all is known
	}
	if err := k.sides(ctx, true); err != nil {
		return false, err
	}
	if _, high := k.part(); high < 0 {
		return k.present(ctx, false) // the rows after it aren't where they were believed to be
	}
	asked := k.reader.requests
	err = k.search(ctx)
	return k.reader.requests == asked, err
}

// present reads what is missing in a window that reaches up to the end, or in the whole
// day.
func (k *dayLook) present(ctx context.Context, first bool) (quiet bool, err error) {
	l := k.day.log
	if first && l.moved && k.windowed() {
		// Late rows came before, so some will have come now: seen in this order, the begin
		// of the window and the end tell whether within it.
		if err := k.sides(ctx, false); err != nil {
			return false, err
		}
	}
	before := l.endTotal
	if err := k.end(ctx); err != nil {
		return false, err
	}
	if first && k.mayTurn && k.day.log.growsElsewhere() {
		return false, nil
	}
	l = k.day.log
	fits := k.adopt()
	if first {
		l.moved, l.came = !fits, max(0, l.endTotal-before)
	}
	return k.window(ctx)
}

// window reads what is missing in the window. Quiet says that nothing was, by what was seen
// of it in an order that proves it: its begin before its end, or nothing came in between.
func (k *dayLook) window(ctx context.Context) (quiet bool, err error) {
	asked := k.reader.requests
	if k.windowed() {
		if err := k.sides(ctx, true); err != nil {
			return false, err
		}
	}
	l := k.day.log
	low, high := k.part()
	backwards := k.reader.requests > asked && high == len(l.chunks)-1 && high >= 0 && (k.silent || l.total != l.chunks[high].total)
	asked = k.reader.requests
	if _, b, _ := l.rift(low, high, k.since); b >= 0 {
		backwards = false
	}
	err = k.search(ctx)
	return k.reader.requests == asked && !backwards, err
}

// windowed says whether only a part of the day matters.
func (k *dayLook) windowed() bool {
	l := k.day.log
	return l.timed && l.pages() > smallDay
}

// end sees the rows at the end at which the day grows, and before them back to one that
// was known.
func (k *dayLook) end(ctx context.Context) error {
	k.met = k.day.log.known == 0
	for stuck, known := 0, -1; stuck < stuckRequests; stuck++ {
		l := k.day.log
		n := len(l.chunks)
		if l.known != known {
			stuck, known = 0, l.known
		}
		switch {
		case l.ended < k.since:
			place := l.rowsListed() - 1
			if l.flip {
				place += k.drift // the first page
			} else if n > 0 {
				behind := l.guesses(k.since)[n-1] + len(l.chunks[n-1].rows)
				if l.chunks[n-1].seen < k.since {
					behind--
				}
				place = min(place, behind)
			}
			if _, _, err := k.see(ctx, place, l.size); err != nil {
				return err
			}
			if l := k.day.log; len(l.chunks) == 0 && l.rowsListed() <= 0 {
				l.clean, l.cleanLag, l.ended = 0, l.odd, k.reader.requests
				return nil // an empty day
			} else if l.ended >= k.since {
				l.cut(k.since)
			}
		case !k.met:
			first := k.firstSeen()
			if c := &l.chunks[first]; c.at <= 0 || k.windowed() && (c.first < k.from || c.first > k.to) {
				return nil
			}
			if _, _, err := k.see(ctx, l.chunks[first].at-1, l.size); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return errOrder
}

// cut takes off the rows behind the page that ends the list: they are gone from it.
func (l *dayLog) cut(since int64) {
	n := len(l.chunks)
	for n > 0 && l.chunks[n-1].seen < since {
		n--
		l.known -= len(l.chunks[n].rows)
	}
	clear(l.chunks[n:])
	l.chunks = l.chunks[:n]
}

// firstSeen is the first of the chunks at the end that were seen.
func (k *dayLook) firstSeen() int {
	l := k.day.log
	i := len(l.chunks) - 1
	for i > 0 && l.chunks[i-1].seen >= k.since {
		i--
	}
	return i
}

// adopt takes all rows as seen from which on nothing was missing, if the rows at the end
// have the lag that they had then. It says whether they do.
func (k *dayLook) adopt() bool {
	l := k.day.log
	if len(l.chunks) == 0 {
		return true
	}
	indexes, first := l.indexes(), k.firstSeen()
	c := l.chunks[first]
	lag := c.at - indexes[first]
	if _, b, _ := l.rift(first, len(l.chunks)-1, k.since); b >= 0 {
		return false
	}
	if k.met && lag == l.odd {
		l.clean, l.cleanLag = 0, lag // there are no more rows than are known
	}
	if !k.met || l.clean < 0 || l.cleanLag != lag {
		return false
	}
	for i := range first {
		switch gap, side := l.chunks[i].gap, l.chunks[i].side; {
		case indexes[i] < l.clean:
		default:
			l.chunks[i].stands(indexes[i]+lag, &c)
			if indexes[i] == l.clean {
				l.chunks[i].gap, l.chunks[i].side = gap, side // before it something may be missing
			}
		}
	}
	return true
}
