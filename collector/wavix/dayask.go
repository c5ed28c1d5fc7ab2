package wavix

import (
	"context"
	"slices"
)

// Values of dayLook.counted beside a total.
const (
	notAsked  = -1
	neverSaid = -2
)

// spareRequests is how many requests a read may take beside four times the day's pages.
const spareRequests = 1000

// dayAnswer is a page as it came, in the order of the list. Its rows are valid until the
// next is asked for.
type dayAnswer struct {
	number int
	// size is how many rows a full page has.
	size int
	// offset is how many rows the list has before the page's.
	offset int
	keys   []uint64
	times  []int64
	// total is how many rows the provider says the list has; -1: it doesn't say.
	total int
}

// end is how many rows the list has up to the page's last.
func (a *dayAnswer) end() int { return a.offset + len(a.keys) }

// pages is how many pages the list has.
func (a *dayAnswer) pages() int { return pagesOf(a.total, a.size) }

func pagesOf(rows, size int) int { return (rows + size - 1) / max(size, 1) }

// keep gives the answer rows of its own.
func (a *dayAnswer) keep() {
	a.keys, a.times = slices.Clone(a.keys), slices.Clone(a.times)
}

// ask asks for a page.
func (k *dayLook) ask(ctx context.Context, number, perPage int) (dayAnswer, error) {
	a, err := k.request(ctx, number, perPage)
	if err != nil || a.total >= 0 || k.counted == neverSaid {
		return a, err
	}
	return k.askTotal(ctx, a, number, perPage)
}

// askTotal finds the total for a page of a format that doesn't say it. Where the day grows
// at its begin, places are told by it, so it is asked for before and after the page until
// both agree; a whole read doesn't need it that exactly.
func (k *dayLook) askTotal(ctx context.Context, a dayAnswer, number, perPage int) (dayAnswer, error) {
	k.silent = true
	exact := k.day.pass == nil && k.day.log != nil && k.day.log.flip
	for try := 0; ; try++ {
		before, short := k.counted, len(a.keys) < a.size
		if before < 0 || exact || short || a.end() >= before {
			if err := k.count(ctx); err != nil {
				return dayAnswer{}, err
			}
		}
		a.total = k.counted
		switch {
		case a.total < 0:
			a.total = -1
			return a, nil
		case short && len(a.keys) > 0 && before <= a.end() && a.end() <= a.total:
			a.total = a.end() // the page itself shows where the list ended
		case exact && a.total != before && try < 3:
			var err error
			if a, err = k.request(ctx, number, perPage); err != nil || a.total >= 0 {
				return a, err
			}
			continue
		}
		a.total = max(a.total, a.end())
		k.say(a.total)
		return a, nil
	}
}

// request asks for a page once.
func (k *dayLook) request(ctx context.Context, number, perPage int) (dayAnswer, error) {
	if most := spareRequests + 4*pagesOf(k.total, max(k.size, 1)); k.reader.requests > k.began+int64(most) {
		return dayAnswer{}, k.unsettled() // whatever the reason, it isn't gone on with for ever
	}
	info, err := k.page(ctx, number, perPage)
	if err != nil {
		return dayAnswer{}, err
	}
	k.keys, k.times = append(k.keys[:0], info.Keys...), append(k.times[:0], info.Times...)
	if len(k.times) != len(k.keys) {
		k.times = k.times[:0]
		for range k.keys {
			k.times = append(k.times, 0)
		}
	}
	a := dayAnswer{number: number, size: info.PerPage, keys: k.keys, times: k.times, total: info.Total}
	if short := len(a.keys) + 3; number == 1 && len(a.keys) > 0 && (a.size <= 0 || short < a.total) {
		a.size = len(a.keys) // less than it says, or says: only a row or two may have come in between
	}
	if a.size <= 0 || len(a.keys) > a.size {
		a.size = max(len(a.keys), perPage)
	}
	a.offset, k.size = (number-1)*a.size, a.size
	k.say(a.total)
	return a, nil
}

// page asks the provider.
func (k *dayLook) page(ctx context.Context, number, perPage int) (pageInfo, error) {
	k.reader.requests++
	return k.reader.pager.Page(ctx, k.query, number, perPage)
}

// count asks for the total alone. The last answer's rows stay.
func (k *dayLook) count(ctx context.Context) error {
	info, err := k.page(ctx, 1, 1)
	if k.counted = info.Total; err == nil && info.Total < 0 {
		k.counted = neverSaid
	}
	return err
}

// say takes note of a total.
func (k *dayLook) say(total int) {
	if total < 0 {
		return
	}
	k.drift = 0
	if k.total > 0 {
		k.drift = max(0, total-k.total)
	}
	k.total = total
	if k.day.log != nil {
		k.day.log.total = total
	}
}
