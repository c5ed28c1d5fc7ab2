package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Plan is the read plan: which range of time is due.
//
//	          due                     piece read                 last piece read
//	level m ──────▶ read [from, now) ────────────▶ cursor moves ────────────────▶ levels 0…m stamped
//	                  ▲                   │ new records in a range that no            watermark joined
//	                  │                   ▼ later read covers
//	                  └─────────── the piece again, at most 5 times
//
// History and catch-up are reads of the deepest level that reach further back.
type Plan struct {
	Ladder Ladder `json:"ladder"`
	// Levels are the levels of the ladder, the shallowest first.
	Levels []Level `json:"levels"`
	// Joined is the span that was read without a gap, up to the latest read. When the watermark
	// reaches Joined.From it jumps to Joined.To.
	Joined Span `json:"joined"`
	// Expired is the length of the spans that the provider no longer kept when they were due.
	Expired time.Duration `json:"expired,omitempty"`
	// Reached is where the watermark would be if neither spans with missing rows nor records that must still be fetched
	// held it back; zero: nothing does. Reads are planned by it. HistoryRead is the same for the end of the first
	// history.
	Reached     time.Time `json:"reached,omitzero"`
	HistoryRead bool      `json:"history_read,omitempty"`
}

// Level is the state of one level of the ladder: its last read, and the one under way.
type Level struct {
	// Read is when its last complete read began; zero: never.
	Read time.Time `json:"read,omitzero"`
	// Open is its read under way, which isn't changed, only replaced; nil: there is none.
	Open *LevelRead `json:"open,omitempty"`
	// Again is for calls that have settled before the level is due.
	Again Again `json:"again,omitzero"`
}

// Again is an early read of a level. All times are by the earlier clock.
type Again struct {
	// At is when it may begin; zero: none is wanted.
	At time.Time `json:"at,omitzero"`
	// From is the earliest time at which it may begin: Wait after the last such read.
	From time.Time     `json:"from,omitzero"`
	Wait time.Duration `json:"wait,omitempty"`
}

// LevelRead is a read of a level in progress.
type LevelRead struct {
	Level int `json:"-"`
	// Wanted is when it was first begun: shallower levels are due from that time.
	Wanted time.Time `json:"wanted"`
	// Join is where the range would begin if the provider kept everything. No later read will
	// cover the range before LastChance.
	Join       time.Time `json:"join"`
	LastChance time.Time `json:"last_chance"`
	// To is its end: now when it began.
	To time.Time `json:"to"`
	// Cursor is the end of the part that has been read.
	Cursor time.Time `json:"cursor"`
	// End is the end of the piece that is being read again, and Pass how often it was read.
	End  time.Time `json:"end,omitzero"`
	Pass int       `json:"pass,omitempty"`
	// Lost is the length of its part that the provider no longer keeps.
	Lost time.Duration `json:"lost,omitempty"`
	// Again says that it was begun only for Level.Again.
	Again bool `json:"again,omitempty"`
}

// started says whether a piece was read.
func (t *LevelRead) started() bool { return t.Cursor.After(t.Join) || t.Pass > 0 }

// View is the state that the plan depends on.
type View struct {
	// Now is the feed's clock, the later one while clocks differ: spans are read up to it.
	Now time.Time
	// Gap is the difference to the earlier clock (counting.md 10): spans begin earlier by Gap, and no
	// position passes Now - Gap.
	Gap time.Duration
	// Floor and Watermark are the ledger's.
	Floor, Watermark time.Time
	// Edge is the time before which the provider keeps no records; zero if that isn't known.
	Edge time.Time
	// Skip are the spans that reads leave out, in order.
	Skip []Span
	// Grain is the shortest range that the provider gives, such as a day: reads begin at a multiple
	// of it, so that they cover more calls. Zero: any length.
	Grain time.Duration
}

// EarlierNow is the time by the earlier clock.
func (v *View) EarlierNow() time.Time { return v.Now.Add(-v.Gap) }

// Encode returns the plan as the ledger keeps it. It leaves out reads that haven't read anything,
// because they start over.
func (p *Plan) Encode() ([]byte, error) {
	stored := p.Clone()
	for m := range stored.Levels {
		if l := &stored.Levels[m]; l.Open != nil && !l.Open.started() {
			l.Open = nil
		}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode the read plan: %w", err)
	}
	return data, nil
}

// Decode reads a stored plan. Without one, or with one that can't be decoded or is of another
// interval or lookback, the plan has read nothing, so that a catch-up follows: that costs a deep
// read and loses nothing. The error is for the log only.
func Decode(data []byte, l Ladder) (*Plan, error) {
	p := New(l)
	if len(data) == 0 {
		return p, nil
	}
	var stored Plan
	if err := json.Unmarshal(data, &stored); err != nil {
		return p, fmt.Errorf("decode the read plan: %w", err)
	}
	p.Expired, p.Reached, p.HistoryRead = stored.Expired, stored.Reached, stored.HistoryRead
	if stored.Ladder != l {
		return p, nil
	}
	if len(stored.Levels) != len(p.Levels) {
		return p, errors.New("decode the read plan: it has levels that its interval and lookback don't make")
	}
	for m := range stored.Levels {
		if t := stored.Levels[m].Open; t != nil {
			t.Level = m
		}
	}
	return &stored, nil
}

// New returns a plan that has read nothing.
func New(l Ladder) *Plan {
	return &Plan{Ladder: l, Levels: make([]Level, l.Last()+1)}
}

// Clone returns a copy that shares nothing with p.
func (p *Plan) Clone() *Plan {
	q := *p
	q.Levels = slices.Clone(p.Levels)
	return &q
}

// PutRead adds a read under way, or replaces its level's.
func (p *Plan) PutRead(t LevelRead) { p.Levels[t.Level].Open = &t }

// deeperBegun is when the latest read under way of a deeper level was begun, which covers
// what this level owed until then. Zero if there is none.
func (p *Plan) deeperBegun(level int, counts func(level int) bool) time.Time {
	var at time.Time
	for m := level + 1; m < len(p.Levels); m++ {
		if t := p.Levels[m].Open; t != nil && counts(m) {
			at = Latest(at, t.Wanted)
		}
	}
	return at
}

// lastRead is when a level was last read, or a deeper read that covers it was begun.
func (p *Plan) lastRead(level int) time.Time {
	return Latest(p.Levels[level].Read, p.deeperBegun(level, func(int) bool { return true }))
}

// behind says whether the watermark is further back than any level reaches, so
// that only a catch-up can move it.
func (p *Plan) behind(v View) bool {
	return v.Watermark.Before(v.EarlierNow().Add(-p.Ladder.Reach(p.Ladder.Last())))
}

// CatchUp makes a read due that reaches back to the watermark.
func (p *Plan) CatchUp(watermark time.Time) {
	p.Levels[0].Read = Earliest(p.Levels[0].Read, watermark)
}

// DropFuture drops what the plan has read, begun or put off after now, when the clock was set back.
func (p *Plan) DropFuture(now time.Time) {
	for m := range p.Levels {
		l := &p.Levels[m]
		switch {
		case l.Read.After(now.Add(ClockTolerance)):
			l.Read = time.Time{}
		case l.Read.After(now):
			l.Read = now
		}
		if t := l.Open; t != nil && (t.Wanted.After(now) || t.To.After(now.Add(ClockTolerance))) {
			l.Open = nil
		}
	}
	if p.Joined.To.After(now.Add(ClockTolerance)) {
		p.Joined = Span{}
	}
	p.Reached = Earliest(p.Reached, now)
}
