package collector

import (
	"slices"
	"time"
)

// plan is the read plan: which range of time is due (counting.md 5 to 10). It is
// a value without clock or I/O; what it remembers is committed with each
// position, so that a restart goes on where it stopped.
//
//	          due                     piece read                 last piece read
//	level m ──────▶ task [from, now) ────────────▶ cursor moves ────────────────▶ levels 0…m stamped
//	                  ▲                   │ new records in a range that no            watermark joined
//	                  │                   ▼ later read covers
//	                  └─────────── the piece again, at most 5 times
//
// A task that is longer than a piece stays open and takes turns with what is due
// at shallower levels. History and catch-up are tasks of the deepest level that
// reach further back.
type plan struct {
	ladder ladder
	// reads is when the last complete read of each level began; zero: never.
	reads []time.Time
	// joined has been read without a hole, up to the latest read. The watermark
	// takes its end as soon as it comes up to its beginning.
	joined span
	// open are the reads under way, at most one a level, the deepest last.
	open []task
	// unreadable is how much time the provider no longer kept when it was due.
	unreadable time.Duration
	// unread are the spans that are stepped over, in order.
	unread []unreadable
	// changes is how far a feed was read by changes beside it: the plan carries it and
	// has no use for it.
	changes changes
}

// task is one level's read under way.
type task struct {
	Level int `json:"level"`
	// Wanted is when it was first begun: shallower levels are due from then on.
	Wanted time.Time `json:"wanted"`
	// Join is where the range would begin if the provider kept everything; Old is
	// up to where no later read will cover it.
	Join time.Time `json:"join"`
	Old  time.Time `json:"old"`
	// To is its end: now when it began.
	To time.Time `json:"to"`
	// Cursor is up to where it has been read.
	Cursor time.Time `json:"cursor"`
	// End and Pass are the piece that is read again, and how often it was.
	End  time.Time `json:"end,omitzero"`
	Pass int       `json:"pass,omitempty"`
	// Lost is how much of it the provider no longer keeps.
	Lost time.Duration `json:"lost,omitempty"`
}

// started says whether a piece of the task was read.
func (t *task) started() bool { return t.Cursor.After(t.Join) || t.Pass > 0 }

// view is the state of the world that the plan depends on.
type view struct {
	// now is the feed's clock.
	now time.Time
	// floor and watermark are the ledger's.
	floor, watermark time.Time
	// edge is how far back the provider keeps records; zero if that isn't known.
	edge time.Time
}

// newPlan has read nothing.
func newPlan(l ladder) *plan {
	return &plan{ladder: l, reads: make([]time.Time, l.last()+1)}
}

// clone shares nothing with p.
func (p *plan) clone() *plan {
	q := *p
	q.reads, q.open = slices.Clone(p.reads), slices.Clone(p.open)
	return &q
}

// task is the read under way of a level, nil if there is none.
func (p *plan) task(level int) *task {
	for i := range p.open {
		if p.open[i].Level == level {
			return &p.open[i]
		}
	}
	return nil
}

// putTask puts a task in its place.
func (p *plan) putTask(t task) {
	if old := p.task(t.Level); old != nil {
		*old = t
		return
	}
	at, _ := slices.BinarySearchFunc(p.open, t.Level, func(o task, level int) int { return o.Level - level })
	p.open = slices.Insert(p.open, at, t)
}

// dropTasks forgets the tasks of levels up to one that were wanted no later than at.
func (p *plan) dropTasks(level int, at time.Time) {
	p.open = slices.DeleteFunc(p.open, func(t task) bool { return t.Level <= level && !t.Wanted.After(at) })
}

// deeper is when the latest task under way of a deeper level was begun: it
// answers for what was owed until then. Zero if there is none.
func (p *plan) deeper(level int, counts func(level int) bool) time.Time {
	var at time.Time
	for i := range p.open {
		if t := &p.open[i]; t.Level > level && counts(t.Level) {
			at = latest(at, t.Wanted)
		}
	}
	return at
}

// base is when a level was last read, or taken on by a deeper task under way.
func (p *plan) base(level int) time.Time {
	return latest(p.reads[level], p.deeper(level, func(int) bool { return true }))
}

// behind says whether the watermark is further back than any level reaches, so
// that only a catch-up can move it.
func (p *plan) behind(v view) bool {
	return v.watermark.Before(v.now.Add(-p.ladder.reach(p.ladder.last())))
}

// dropFuture drops what the plan has read or begun after now, when the clock was set back.
func (p *plan) dropFuture(now time.Time) {
	for m, at := range p.reads {
		switch {
		case at.After(now.Add(clockTolerance)):
			p.reads[m] = time.Time{}
		case at.After(now):
			p.reads[m] = now
		}
	}
	p.open = slices.DeleteFunc(p.open, func(t task) bool {
		return t.Wanted.After(now) || t.To.After(now.Add(clockTolerance))
	})
	if p.joined.To.After(now.Add(clockTolerance)) {
		p.joined = span{}
	}
}
