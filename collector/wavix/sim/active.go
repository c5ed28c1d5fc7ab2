package sim

import (
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The longest that a call is in progress, and how long before it starts it may be
// set up.
const (
	maxTalk  = 8 * time.Hour
	maxSetup = 20 * time.Second
	maxRing  = 45 * time.Second
)

// progress is when a row's call was in progress, from its set-up to its end, both in
// milliseconds since 1970.
type progress struct {
	begin, end int64
	place
}

// life is when a row's call began, was answered (zero if never) and ended.
func (r *row) life() (begin, answered, end time.Time) {
	style := styleOf(r.id) >> 20
	if r.noID {
		style = styleOf(r.call.ID) >> 20
	}
	v := &r.versions[0]
	if v.outcome.Connected() {
		setup := time.Second + time.Duration(style%uint64(maxSetup-time.Second)).Truncate(time.Millisecond)
		return r.start.Add(-setup), r.start, r.start.Add(v.duration)
	}
	ring := time.Second + time.Duration(style%uint64(maxRing-time.Second)).Truncate(time.Millisecond)
	return r.start, time.Time{}, r.start.Add(ring)
}

// hours are the calls that started in an hour, as they were needed. The zero value
// has none.
type hours struct {
	mu    sync.Mutex
	known map[int64][]progress
}

// maxHours is how many hours are remembered.
const maxHours = 48

const hour = int64(time.Hour / time.Millisecond)

// of is the calls that start in an hour, counted from 1970.
func (h *hours) of(a *Account, n int64) []progress {
	h.mu.Lock()
	defer h.mu.Unlock()
	if list, ok := h.known[n]; ok {
		return list
	}
	var list []progress
	from, to := n*hour, (n+1)*hour
	a.eachRow(time.UnixMilli(from).Add(-maxOffset), time.UnixMilli(to), func(r *row) {
		if start := r.start.UnixMilli(); start < from || start >= to {
			return
		}
		begin, _, end := r.life()
		list = append(list, progress{
			begin: begin.UnixMilli(), end: end.UnixMilli(),
			place: place{block: r.call.Block, number: uint16(r.call.Number), world: r.world(), part: r.part},
		})
	})
	if h.known == nil || len(h.known) >= maxHours {
		h.known = make(map[int64][]progress)
	}
	h.known[n] = list
	return list
}

// forget drops the hours of a span.
func (h *hours) forget(from, to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := range h.known {
		if (n+1)*hour > from.Add(-maxOffset).UnixMilli() && n*hour <= to.Add(maxOffset).UnixMilli() {
			delete(h.known, n)
		}
	}
}

// eachActive calls f for the rows whose call is in progress at an instant, or ended
// less than linger before it, in an order that stays the same. The row belongs to f
// until it returns.
func (a *Account) eachActive(at time.Time, linger time.Duration, f func(*row)) {
	instant, lingers := at.UnixMilli(), linger.Milliseconds()
	first := at.Add(-maxTalk-linger-maxSetup).UnixMilli() / hour
	last := at.Add(maxSetup).UnixMilli() / hour
	var m maker
	for n := first; n <= last; n++ {
		for _, p := range a.hours.of(a, n) {
			if p.begin <= instant && instant < p.end+lingers {
				f(m.make(a, &p.place))
			}
		}
	}
}

// Active is how many calls are in progress at an instant, by direction: inbound and
// outbound have an entry each. A forwarded call is two, and so is one between two of
// the account's numbers.
func (a *Account) Active(at time.Time) map[cdr.Direction]int {
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	a.eachActive(at, 0, func(r *row) { active[r.side.direction()]++ })
	return active
}
