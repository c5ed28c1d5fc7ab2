package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// planVersion is the version of the plan's stored form. A version that isn't
// known is as good as no plan.
const planVersion = 1

// storedPlan is the plan as the ledger keeps it.
type storedPlan struct {
	Version int `json:"v"`
	// Interval and Lookback are what the levels were made of.
	Interval   time.Duration `json:"interval"`
	Lookback   time.Duration `json:"lookback"`
	Reads      []time.Time   `json:"reads"`
	Joined     Span          `json:"joined"`
	Open       []Task        `json:"open,omitempty"`
	Unreadable time.Duration `json:"unreadable,omitempty"`
	Unread     []Unreadable  `json:"unread,omitempty"`
	// Changes is left out by a feed that is read by ranges alone, and ignored by a
	// program that knows no other.
	Changes Changes `json:"changes,omitzero"`
}

// Encode is the plan as the ledger keeps it. A task of which nothing was read is
// left out: it begins anew.
func (p *Plan) Encode() ([]byte, error) {
	stored := storedPlan{
		Version:  planVersion,
		Interval: p.Ladder.Interval, Lookback: p.Ladder.Lookback,
		Reads: p.Reads, Joined: p.Joined, Unreadable: p.unreadable,
		Unread: p.Unread, Changes: p.Changes,
	}
	for _, t := range p.Open {
		if t.started() {
			stored.Open = append(stored.Open, t)
		}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode the read plan: %w", err)
	}
	return data, nil
}

// Decode reads a stored plan for a feed whose levels may have changed since.
// What can't be read, and what doesn't make sense, is a plan that has read
// nothing, so that a catch-up follows: it costs a deep read and loses nothing.
// The error is for the log only.
func Decode(data []byte, l Ladder) (*Plan, error) {
	p := New(l)
	if len(data) == 0 {
		return p, nil
	}
	var stored storedPlan
	if err := json.Unmarshal(data, &stored); err != nil {
		return p, fmt.Errorf("decode the read plan: %w", err)
	}
	if err := stored.validate(); err != nil {
		return p, fmt.Errorf("decode the read plan: %w", err)
	}
	was := Ladder{Interval: stored.Interval, Lookback: stored.Lookback}
	for m := range p.Reads {
		for i, at := range stored.Reads {
			if was.Reach(i) >= l.Reach(m) {
				p.Reads[m] = Latest(p.Reads[m], at.UTC())
			}
		}
	}
	p.Joined, p.unreadable, p.Unread, p.Changes = stored.Joined, stored.Unreadable, stored.Unread, stored.Changes
	if was == l {
		p.Open = stored.Open
	}
	return p, nil
}

// validate says what doesn't make sense.
func (s *storedPlan) validate() error {
	if s.Version != planVersion {
		return fmt.Errorf("version %d isn't known", s.Version)
	}
	const longest = 10 * 366 * 24 * time.Hour
	if s.Interval <= 0 || s.Interval > longest || s.Lookback <= 0 || s.Lookback > longest || s.Unreadable < 0 {
		return fmt.Errorf("an interval of %s and a lookback of %s", s.Interval, s.Lookback)
	}
	for _, u := range s.Unread {
		if !u.From.Before(u.To) || u.Tries < 0 {
			return fmt.Errorf("the unreadable span %s", u.String())
		}
	}
	l := Ladder{Interval: s.Interval, Lookback: s.Lookback}
	if len(s.Reads) != l.Last()+1 {
		return fmt.Errorf("%d levels instead of %d", len(s.Reads), l.Last()+1)
	}
	if s.Joined.To.Before(s.Joined.From) {
		return fmt.Errorf("a range from %s to %s", s.Joined.From, s.Joined.To)
	}
	if !slices.IsSortedFunc(s.Open, func(a, b Task) int { return a.Level - b.Level }) {
		return fmt.Errorf("%d tasks out of order", len(s.Open))
	}
	for i := range s.Open {
		if err := s.Open[i].validate(l.Last()); err != nil {
			return err
		}
		if i > 0 && s.Open[i].Level == s.Open[i-1].Level {
			return fmt.Errorf("two tasks of level %d", s.Open[i].Level)
		}
	}
	return nil
}

func (t *Task) validate(last int) error {
	switch {
	case t.Level < 0 || t.Level > last:
		return fmt.Errorf("a task of level %d", t.Level)
	case t.Pass < 0 || t.Pass >= maxPasses:
		return fmt.Errorf("a task in pass %d", t.Pass)
	case t.Lost < 0:
		return fmt.Errorf("a task that lost %s", t.Lost)
	case t.Cursor.Before(t.Join) || t.To.Before(t.Cursor) || t.Wanted.After(t.To):
		return fmt.Errorf("a task from %s to %s that is at %s", t.Join, t.To, t.Cursor)
	}
	return nil
}
