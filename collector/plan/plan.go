package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Plan is the read plan: which range of time is due.
//
//	          due                     piece read                 last piece read
//	level m ──────▶ task [from, now) ────────────▶ cursor moves ────────────────▶ levels 0…m stamped
//	                  ▲                   │ new records in a range that no            watermark joined
//	                  │                   ▼ later read covers
//	                  └─────────── the piece again, at most 5 times
//
// History and catch-up are tasks of the deepest level that reach further back.
type Plan struct {
	Ladder Ladder `json:"ladder"`
	// Reads is when the last complete read of each level began; zero: never.
	Reads []time.Time `json:"reads"`
	// Joined has been read without a hole, up to the latest read. Once the watermark comes up to its beginning, it takes its end.
	Joined Span `json:"joined"`
	// Open are the reads under way, at most one a level, the deepest last.
	Open []Task `json:"open,omitempty"`
	// Gone is how much time the provider no longer kept when it was due.
	Gone time.Duration `json:"gone,omitempty"`
	// Unread are the spans that are stepped over, in order.
	Unread []Unreadable `json:"unread,omitempty"`
	// Changes is carried here and not used, so that a commit has it beside the rows that its token brought.
	Changes Changes `json:"changes,omitzero"`
}

// Changes is how far a feed was read by changes.
type Changes struct {
	// Token is the provider's; empty if there is none.
	Token string `json:"token"`
	// Since is from when on all changes were asked for.
	Since time.Time `json:"since"`
}

// Task is one level's read under way.
type Task struct {
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
func (t *Task) started() bool { return t.Cursor.After(t.Join) || t.Pass > 0 }

// View is the state of the world that the plan depends on.
type View struct {
	// Now is the feed's clock.
	Now time.Time
	// Floor and watermark are the ledger's.
	Floor, Watermark time.Time
	// Edge is how far back the provider keeps records; zero if that isn't known.
	Edge time.Time
}

// Encode returns the plan as the ledger keeps it. A task of which nothing was read is left out: it begins anew.
func (p *Plan) Encode() ([]byte, error) {
	stored := p.Clone()
	stored.Open = slices.DeleteFunc(stored.Open, func(t Task) bool { return !t.started() })
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode the read plan: %w", err)
	}
	return data, nil
}

// Decode reads a stored plan. Without one, or with one that can't be decoded or is of another interval or lookback, the plan
// has read nothing, so that a catch-up follows: that costs a deep read and loses nothing. The error is for the log only.
func Decode(data []byte, l Ladder) (*Plan, error) {
	p := New(l)
	if len(data) == 0 {
		return p, nil
	}
	var stored Plan
	if err := json.Unmarshal(data, &stored); err != nil {
		return p, fmt.Errorf("decode the read plan: %w", err)
	}
	if stored.Ladder == l && len(stored.Reads) == len(p.Reads) {
		return &stored, nil
	}
	p.Gone, p.Unread, p.Changes = stored.Gone, stored.Unread, stored.Changes
	return p, nil
}

// New returns a plan that has read nothing.
func New(l Ladder) *Plan {
	return &Plan{Ladder: l, Reads: make([]time.Time, l.Last()+1)}
}

// Clone shares nothing with p.
func (p *Plan) Clone() *Plan {
	q := *p
	q.Reads, q.Open, q.Unread = slices.Clone(p.Reads), slices.Clone(p.Open), slices.Clone(p.Unread)
	return &q
}

// OpenTask is the read under way of a level, nil if there is none.
func (p *Plan) OpenTask(level int) *Task {
	for i := range p.Open {
		if p.Open[i].Level == level {
			return &p.Open[i]
		}
	}
	return nil
}

// PutTask puts a task in its place.
func (p *Plan) PutTask(t Task) {
	at, found := slices.BinarySearchFunc(p.Open, t.Level, func(o Task, level int) int { return o.Level - level })
	if found {
		p.Open[at] = t
		return
	}
	p.Open = slices.Insert(p.Open, at, t)
}

// deeper is when the latest task under way of a deeper level was begun: it
// answers for what was owed until then. Zero if there is none.
func (p *Plan) deeper(level int, counts func(level int) bool) time.Time {
	var at time.Time
	for i := range p.Open {
		if t := &p.Open[i]; t.Level > level && counts(t.Level) {
			at = Latest(at, t.Wanted)
		}
	}
	return at
}

// base is when a level was last read, or taken on by a deeper task under way.
func (p *Plan) base(level int) time.Time {
	return Latest(p.Reads[level], p.deeper(level, func(int) bool { return true }))
}

// behind says whether the watermark is further back than any level reaches, so
// that only a catch-up can move it.
func (p *Plan) behind(v View) bool {
	return v.Watermark.Before(v.Now.Add(-p.Ladder.Reach(p.Ladder.Last())))
}

// DropFuture drops what the plan has read or begun after now, when the clock was set back.
func (p *Plan) DropFuture(now time.Time) {
	for m, at := range p.Reads {
		switch {
		case at.After(now.Add(ClockTolerance)):
			p.Reads[m] = time.Time{}
		case at.After(now):
			p.Reads[m] = now
		}
	}
	p.Open = slices.DeleteFunc(p.Open, func(t Task) bool {
		return t.Wanted.After(now) || t.To.After(now.Add(ClockTolerance))
	})
	if p.Joined.To.After(now.Add(ClockTolerance)) {
		p.Joined = Span{}
	}
}
