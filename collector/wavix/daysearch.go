package wavix

import "context"

// idleRequests is how many pages may be read in a search without a row that is new.
const idleRequests = 64

// agedSight is after how many requests rows are seen again before a search relies on where
// they are.
const agedSight = 8

// search reads what is missing in the window: as long as two neighbours that were seen
// don't have the same lag, a page between them. Halving finds a late row in as many
// requests as the number of pages has binary digits; where rows are known to be missing,
// these are read at once, the latest first.
func (k *dayLook) search(ctx context.Context) error {
	idle, tried := 0, -1
	for {
		l := k.day.log
		low, high := k.part()
		if high < 0 {
			if len(l.chunks) == 0 {
				return nil
			}
			if err := k.end(ctx); err != nil {
				return err
			}
			continue
		}
		a, b, rows := l.rift(low, high, k.since)
		if b < 0 {
			k.cleaned(low, high)
			return nil
		}
		if rows < 0 && a >= 0 && l.chunks[a].seen > l.chunks[b].seen && b > a+1 && b < high && l.chunks[b+1].side < k.since {
			l.chunks[b].seen = 0 // a row came in before both since it was seen
			continue
		}
		place, size, known := k.between(low, a, b, rows), l.size, l.known
		if place == tried {
			size = max(1, size-size/3) // so that it isn't where two pages meet
		}
		if idle++; idle > idleRequests || idle > 8 && k.mayTurn && l.growsElsewhere() {
			k.idled = true
			return errOrder
		}
		if err := k.walk(ctx, place, size); err != nil {
			return err
		}
		tried = place
		if k.day.log.known != known {
			idle, tried = 0, -1
		}
	}
}

// walk sees a place. If none of the page's rows are known and the log doesn't show where
// they belong, it sees the rows that make it doubtful, or, if these are elsewhere, the
// pages after it up to one with a row that is known.
func (k *dayLook) walk(ctx context.Context, place, size int) error {
	p, s, err := k.see(ctx, place, size)
	if err != nil || p.verdict != nowhere {
		return err
	}
	if p, _, err := k.see(ctx, p.doubtful, size); err != nil || p.verdict != nowhere {
		return err
	}
	for p.verdict == nowhere {
		place = max(place, s.at) + len(s.rows)
		if p, s, err = k.see(ctx, place, size); err != nil {
			return err
		}
	}
	return nil
}

// rift finds the last two neighbours that were seen, among those from low to high, between
// which rows are missing (or, below 0, too many); b is -1 if there are none.
func (l *dayLog) rift(low, high int, since int64) (a, b, rows int) {
	indexes := l.indexes()
	b = -1
	for i := high; i >= max(low, 0); i-- {
		c := &l.chunks[i]
		if c.seen < since {
			continue
		}
		if b >= 0 && (b != i+1 || l.chunks[b].side < since) {
			if rows = l.chunks[b].at - indexes[b] - (c.at - indexes[i]); rows != 0 {
				return i, b, rows
			}
		}
		b = i
	}
	if b >= 0 && low < 0 {
		if rows = l.chunks[b].at - indexes[b] - l.odd; rows != 0 {
			return -1, b, rows
		}
	}
	return -1, -1, 0
}

// between is the place to look at next between two neighbours with a rift.
func (k *dayLook) between(low, a, b, rows int) int {
	l := k.day.log
	end := 0
	if a >= 0 {
		end = l.chunks[a].at + len(l.chunks[a].rows)
	}
	at := l.chunks[b].at
	switch {
	case rows < 0 && a >= 0 && l.chunks[a].seen > l.chunks[b].seen:
		return at - rows + min(len(l.chunks[b].rows), l.size) - 1 // where b must be by now
	case b == a+1 && rows < 0:
		return at
	case b == a+1:
		return at - 1
	}
	if a >= 0 && b > a+1 {
		// What came in before a since may be all that is missing. Before the window it
		// mostly does.
		aged := int64(agedSight)
		if a == low && k.windowed() {
			aged = 1
		}
		if l.chunks[b].seen-l.chunks[a].seen > aged {
			return end - 1
		}
	}
	place := at
	for i := b; i > a && rows > 0; i-- {
		if l.chunks[i].gap > 0 {
			return place - 1
		}
		if i > 0 {
			place -= len(l.chunks[i-1].rows)
		}
	}
	return max(0, (end+at)/2)
}

// cleaned takes note that nothing is missing from low to high: each row up to there has the
// lag that low has.
func (k *dayLook) cleaned(low, high int) {
	l := k.day.log
	if high < 0 {
		return
	}
	indexes, lag, from := l.indexes(), l.odd, 0
	if low >= 0 {
		lag, from = l.chunks[low].at-indexes[low], indexes[low]
	}
	top := l.chunks[high]
	for i := low + 1; i < high; i++ {
		gap, side := l.chunks[i].gap, l.chunks[i].side
		l.chunks[i].stands(indexes[i]+lag, &top)
		if i == 0 {
			l.chunks[i].gap, l.chunks[i].side = gap, side
		}
	}
	if high != len(l.chunks)-1 {
		return
	}
	if l.clean >= 0 && l.cleanLag == lag {
		from = min(from, l.clean)
	}
	l.clean, l.cleanLag = from, lag
}

// stands notes where a chunk stands, with nothing between it and the one before, by what
// another shows.
func (c *dayChunk) stands(at int, seen *dayChunk) {
	c.at, c.seen, c.total, c.gap, c.side = at, seen.seen, seen.total, 0, seen.seen
}
