package collector

import (
	"sync"
	"time"
)

// observed is an Observer that remembers.
type observed struct {
	mu         sync.Mutex
	polls      map[bool]int
	rows       map[string]int
	delays     []time.Duration
	overflow   map[string]int
	unmapped   map[string]int
	watermark  time.Time
	newest     time.Time
	success    time.Time
	catchingUp bool
	unreadable time.Duration
	offset     time.Duration
	waiting    int
	setAside   int
	totals     []DayTotal
}

func newObserved() *observed {
	return &observed{polls: map[bool]int{}, rows: map[string]int{}, overflow: map[string]int{}, unmapped: map[string]int{}}
}

func (o *observed) with(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *observed) Poll(ok bool)              { o.with(func() { o.polls[ok]++ }) }
func (o *observed) Rows(result string, n int) { o.with(func() { o.rows[result] += n }) }
func (o *observed) Delays(all []time.Duration) {
	o.with(func() { o.delays = append(o.delays, all...) })
}

func (o *observed) Overflow(folded map[string]int) {
	o.with(func() {
		for metric, n := range folded {
			o.overflow[metric] += n
		}
	})
}
func (o *observed) Unmapped(field string)      { o.with(func() { o.unmapped[field]++ }) }
func (o *observed) Watermark(at time.Time)     { o.with(func() { o.watermark = at }) }
func (o *observed) NewestCall(at time.Time)    { o.with(func() { o.newest = at }) }
func (o *observed) LastSuccess(at time.Time)   { o.with(func() { o.success = at }) }
func (o *observed) CatchingUp(yes bool)        { o.with(func() { o.catchingUp = yes }) }
func (o *observed) Unreadable(d time.Duration) { o.with(func() { o.unreadable = d }) }
func (o *observed) Reconciled(day time.Time, ours, theirs int) {
	o.with(func() { o.totals = append(o.totals, DayTotal{Day: day, Ours: ours, Theirs: theirs}) })
}

func (o *observed) Tasks(_ string, waiting, setAside int) {
	o.with(func() { o.waiting, o.setAside = waiting, setAside })
}
func (o *observed) ClockOffset(d time.Duration) { o.with(func() { o.offset = d }) }
