package wavix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// peekEvery is after how many pages of a whole read the day's latest rows are looked
	// at, if they are at its other end.
	peekEvery = 60
	// smaller is by which part pages are smaller when a day is read whole once more: what
	// was missed where two pages meet isn't there again.
	smaller = 10
	// samePages is how many pages may be the same as the one before: as many rows as a page
	// has may have come in between.
	samePages = 3
)

// dayPass is a whole read of a day, page after page.
type dayPass struct {
	number, size int
	// first is the total when this try began, total the last; -1: it isn't said.
	first, total int
	// ordered says that the pages have followed one another so far. Then rows that come in
	// later are for later; else only the last total says whether all were found.
	ordered bool
	// keys are the rows of this try, each once if the pages followed one another.
	keys []uint64
	// all are those of the tries before, in order; missing is how many the last one lacked,
	// and twice which rows it had several times.
	all, twice []uint64
	missing    int
	tries      int
	cost       int
	since      int64
	touched    time.Time
	// page is the page before, same how many before it were the same; end is how many rows there are
	// up to the last that had any, short whether that wasn't full.
	page  []uint64
	same  int
	end   int
	short bool
}

// pass reads a day whole, from its first page to its last, which finds every row that was
// listed when it began as long as rows only come in. A is its first page, or nil. If fewer
// different rows were found than the total says, it is done again, up to five times, with
// pages of another size; rows that are listed twice make the second find as much as the
// first, and then that is all there is.
func (k *dayLook) pass(ctx context.Context, a *dayAnswer) error {
	d := k.day
	if d.pass == nil {
		done, err := k.beginPass(ctx, a)
		if done || err != nil {
			return err
		}
	} else {
		a, k.since = nil, d.pass.since
	}
	p := d.pass
	for {
		if p.ordered && d.log.growsElsewhere() {
			d.log.reverse()
		}
		err := k.pages(ctx, p, a)
		p.touched, a = k.reader.now(), nil
		if err != nil {
			return err
		}
		if p.complete() {
			return k.passed(ctx, p)
		}
		if p.tries++; p.tries == dayPasses {
			k.endPass(p)
			return fmt.Errorf("the calls %s on %s are listed differently each time: %d of %d were found in %d whole reads",
				k.query.Kind, k.query.Day.Format(time.DateOnly), len(p.all), len(p.all)+p.missing, p.tries)
		}
		p.number, p.size = 1, max(1, p.size-p.size/smaller)
	}
}

// beginPass begins a whole read, unless the day is one page or a stream gives it.
func (k *dayLook) beginPass(ctx context.Context, a *dayAnswer) (done bool, err error) {
	d := k.day
	if k.reader.now().Before(d.rest) {
		return true, k.resting()
	}
	if a == nil {
		first, err := k.ask(ctx, 1, dayPerPage)
		if err != nil {
			return true, err
		}
		a = &first
	}
	if a.total >= 0 && len(a.keys) >= a.total {
		k.only(*a)
		return true, nil
	}
	a.keep()
	if a.total >= 0 {
		if done, err := k.stream(ctx, *a); done || err != nil {
			return true, err
		}
	}
	d.pass = &dayPass{number: 1, size: a.size, ordered: true, since: k.reader.requests, touched: k.reader.now()}
	k.since = d.pass.since
	d.log = newDayLog(a.size, a.total >= 0 && (k.flip || newestFirst(a.times)))
	d.log.total = max(a.total, 0)
	if a.total >= 0 {
		k.counted = a.total
	}
	if k.silent {
		return false, nil // the total must be known before the first page is
	}
	return false, k.take(d.pass, a)
}

// pages reads the pages of a whole read to the last.
func (k *dayLook) pages(ctx context.Context, p *dayPass, a *dayAnswer) error {
	for {
		if p.number == 1 && k.silent {
			if err := k.count(ctx); err != nil {
				return err
			}
			a = nil
		}
		if a == nil || p.number > 1 {
			next, err := k.ask(ctx, p.number, p.size)
			if err != nil {
				return err
			}
			if err := k.take(p, &next); err != nil {
				return err
			}
			a = &next
		}
		switch {
		case len(a.keys) == 0:
			return k.passEnd(ctx, p)
		case a.total >= 0 && a.end() >= a.total && (p.short || a.end() == a.total && !k.silent):
			return nil
		}
		p.number++
		if err := k.peek(ctx, p); err != nil {
			return err
		}
	}
}

// take takes a page of a whole read.
func (k *dayLook) take(p *dayPass, a *dayAnswer) error {
	p.cost++
	p.size = a.size
	if a.number == 1 {
		p.first, p.page = a.total, p.page[:0]
	}
	p.same++
	if a.number == 1 || a.total != p.total || len(a.keys) == 0 || !slices.Equal(p.page, a.keys) {
		p.same = 0
	}
	if p.same == samePages {
		return fmt.Errorf("page %d of the calls %s on %s is the same as the page before: the provider doesn't turn pages",
			a.number, k.query.Kind, k.query.Day.Format(time.DateOnly))
	}
	p.total = a.total
	if len(a.keys) > 0 {
		p.end, p.short = a.end(), len(a.keys) < a.size
		p.page = append(p.page[:0], a.keys...)
	}
	k.collect(p, a)
	return nil
}

// collect puts a page into the log, and its new rows among the keys.
func (k *dayLook) collect(p *dayPass, a *dayAnswer) {
	if !p.ordered {
		p.keys = append(p.keys, a.keys...)
		return
	}
	n, s := len(a.keys), k.sight(a)
	placing := k.reader.matcher.place(k.day.log, &s)
	if placing.verdict != placed {
		p.keys = append(p.keys, a.keys...)
		if placing.verdict == astray {
			p.ordered, k.day.log = false, nil
		}
		return
	}
	for _, row := range placing.fresh {
		if s.reversed {
			row = n - 1 - row
		}
		p.keys = append(p.keys, a.keys[row])
	}
}

// peek hands on the latest rows of a day in which they come last, during a long read.
func (k *dayLook) peek(ctx context.Context, p *dayPass) error {
	last := pagesOf(k.total, p.size)
	if p.cost%peekEvery != 0 || !p.ordered || k.day.log.flip || last <= p.number {
		return nil
	}
	a, err := k.ask(ctx, last, p.size)
	if err != nil {
		return err
	}
	p.cost++
	k.collect(p, &a)
	return nil
}

// passEnd ends a whole read at an empty page. If the page before wasn't full either, the
// list ends there, whatever the total says; it is asked for again, since the two may have
// been counted one after the other.
func (k *dayLook) passEnd(ctx context.Context, p *dayPass) error {
	if !p.ordered || p.number == 1 {
		return nil
	}
	phantom := k.total - p.end
	a, err := k.ask(ctx, p.number-1, p.size)
	if err != nil {
		return err
	}
	p.cost++
	k.collect(p, &a)
	if l := k.day.log; l != nil && a.total >= 0 && a.total-a.end() == phantom {
		if l.flip {
			for i := range l.chunks {
				l.chunks[i].at += l.phantom - phantom
			}
		}
		l.phantom = phantom
	}
	return nil
}

// complete says whether a try found all that there is.
func (p *dayPass) complete() bool {
	slices.Sort(p.keys)
	twice := repeated(p.keys)
	p.all = slices.Compact(slices.Sorted(slices.Values(append(p.all, p.keys...))))
	p.keys = p.keys[:0]
	want := p.first
	if !p.ordered {
		want = p.total
	}
	missing := want - len(p.all)
	agreed := p.tries > 0 && missing == p.missing && (p.ordered || slices.Equal(twice, p.twice))
	p.missing, p.twice = missing, twice
	return want < 0 || missing <= 0 || agreed
}

// repeated are the keys that are there more than once, as often as they are too many.
func repeated(sorted []uint64) []uint64 {
	var twice []uint64
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			twice = append(twice, sorted[i])
		}
	}
	return twice
}

// endPass ends a whole read, and begins the rest after it.
func (k *dayLook) endPass(p *dayPass) {
	d := k.day
	d.pass = nil
	d.cost = p.cost
	d.rest = k.reader.now().Add(time.Duration(p.cost)*secondsPerRequest - freePass)
}

// passed takes note of what a whole read found, and reads what came in meanwhile.
func (k *dayLook) passed(ctx context.Context, p *dayPass) error {
	d := k.day
	k.endPass(p)
	d.passed, d.total, d.distinct = k.reader.now(), p.total, len(p.all)
	l := d.log
	if l == nil {
		return nil
	}
	l.far = max(0, l.distinct()-d.distinct)
	if l.growsElsewhere() {
		l.reverse()
	}
	return k.catchUp(ctx, p.missing, p.since)
}

// catchUp reads what came in during a whole read. As many rows as that found missing may be
// missing still: the list is said to have them and doesn't show them.
// That is all there is if the whole read began in this read of the day.
func (k *dayLook) catchUp(ctx context.Context, missing int, since int64) error {
	began := k.began
	k.idled = false
	err := k.follow(ctx)
	if !errors.Is(err, errOrder) {
		return err
	}
	l := k.day.log
	if last := len(l.chunks) - 1; k.idled && last >= 0 {
		l.odd = l.chunks[last].at - l.indexes()[last]
		l.clean, l.cleanLag = 0, l.odd
	}
	if k.idled && l.odd <= missing {
		return nil
	}
	k.day.log = nil
	if since < began {
		return k.unsettled()
	}
	return nil
}
