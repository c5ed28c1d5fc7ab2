package wavix

import "context"

// order reads a few pages of a large day to see whether its rows are in the order of their
// start, and from which end. The log holds them if they are.
func (k *dayLook) order(ctx context.Context, first dayAnswer) (timed bool, err error) {
	last, err := k.ask(ctx, first.pages(), first.size)
	if err != nil {
		return false, err
	}
	k.flip = middle(first.times) > middle(last.times)
	k.day.log = newDayLog(first.size, k.flip)
	k.day.log.total = last.total
	k.since = k.reader.requests
	for _, a := range []*dayAnswer{&last, &first} {
		s := k.sight(a)
		if k.reader.matcher.place(k.day.log, &s).verdict != placed {
			k.day.log.timed = false
		}
	}
	return k.quarters(ctx)
}

// quarters sees three more pages, and says whether all is in the order of time so far.
func (k *dayLook) quarters(ctx context.Context) (timed bool, err error) {
	for i := range 3 {
		l := k.day.log
		if !l.timed {
			break
		}
		if _, _, err := k.see(ctx, l.rowsListed()*(i+1)/4, l.size); err != nil {
			return false, err
		}
	}
	return k.day.log.timed, nil
}

// part is the part of the log that matters, by chunks that were seen: low is the last that
// begins before the window, -1 if there is none, and high the first that begins after it,
// or the end of the day; -1 if neither was seen yet.
func (k *dayLook) part() (low, high int) {
	l := k.day.log
	low, high = -1, -1
	if l.ended >= k.since {
		high = len(l.chunks) - 1
	}
	if !k.windowed() {
		return low, high
	}
	for i := range l.chunks {
		switch c := &l.chunks[i]; {
		case c.seen < k.since || c.first == noTime:
		case c.first < k.from:
			low = i
		case c.first > k.to:
			return low, i
		}
	}
	return low, high
}

// sides sees a page before the window, near it, and then, if the end of the day was seen,
// one after it. Pages that were seen already will do.
func (k *dayLook) sides(ctx context.Context, both bool) error {
	tried := -1
	for range idleRequests {
		place, middle, ok := k.leftOf(k.from)
		if ok && both {
			place, middle, ok = k.rightOf(k.to)
		}
		if ok {
			return nil
		}
		if place == tried {
			place = middle // the rows that should be there have moved on
		}
		tried = place
		if err := k.walk(ctx, place, k.day.log.size); err != nil {
			return err
		}
		if !k.windowed() {
			return nil // it isn't in the order of time, so all of it is read
		}
	}
	return errOrder
}

// near is how far from the window a page may be: this costs less than coming nearer.
func (l *dayLog) near() int { return 16*l.size + 4*chunkTop }

// leftOf is the place to look at to come nearer to the begin of the window, between the end
// of the last page that was seen before it and the first chunk that isn't before it; middle
// is the place between them, and ok says that they are near enough.
func (k *dayLook) leftOf(from int64) (place, middle int, ok bool) {
	l := k.day.log
	guesses := l.guesses(k.since)
	believed, end, right := 0, 0, 0
	for i := range l.chunks {
		c := &l.chunks[i]
		if c.first != noTime && c.first >= from {
			right = guesses[i]
			break
		}
		right = guesses[i] + len(c.rows)
		if c.first != noTime {
			believed = guesses[i]
			if c.seen >= k.since {
				end = right
			}
		}
	}
	middle = (end + right) / 2
	if right-believed <= l.near() {
		return believed, middle, right-end <= l.near()
	}
	return middle, middle, right-end <= l.near()
}

// rightOf is the same for the end of the window: between the last chunk that isn't after it
// and the first page that was seen after it, or the end of the day.
func (k *dayLook) rightOf(to int64) (place, middle int, ok bool) {
	l := k.day.log
	guesses := l.guesses(k.since)
	left, believed, begin := 0, -1, l.rowsListed()
	for i := range l.chunks {
		c := &l.chunks[i]
		switch {
		case c.first == noTime:
		case c.first <= to:
			left = guesses[i]
		case c.seen >= k.since:
			begin = min(begin, guesses[i])
		case believed < 0:
			believed = guesses[i] + l.size
		}
	}
	middle = (left + begin) / 2
	ok = begin-left <= l.near()+l.size || len(guesses) == 0 || left >= guesses[len(guesses)-1]
	if believed > left+l.size && believed < begin && believed-left <= l.near() {
		return believed, middle, ok
	}
	return middle, middle, ok
}
