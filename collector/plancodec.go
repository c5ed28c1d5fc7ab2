package collector

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
	Joined     span          `json:"joined"`
	Open       []task        `json:"open,omitempty"`
	Unreadable time.Duration `json:"unreadable,omitempty"`
	Unread     []unreadable  `json:"unread,omitempty"`
	// Changes is left out by a feed that is read by ranges alone, and ignored by a
	// program that knows no other.
	Changes changes `json:"changes,omitzero"`
}

// encode is the plan as the ledger keeps it. A task of which nothing was read is
// left out: it begins anew.
func (p *plan) encode() ([]byte, error) {
	stored := storedPlan{
		Version:  planVersion,
		Interval: p.ladder.interval, Lookback: p.ladder.lookback,
		Reads: p.reads, Joined: p.joined, Unreadable: p.unreadable,
		Unread: p.unread, Changes: p.changes,
	}
	for _, t := range p.open {
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

// decodePlan reads a stored plan for a feed whose levels may have changed since.
// What can't be read, and what doesn't make sense, is a plan that has read
// nothing, so that a catch-up follows: it costs a deep read and loses nothing.
// The error is for the log only.
func decodePlan(data []byte, l ladder) (*plan, error) {
	p := newPlan(l)
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
	was := ladder{interval: stored.Interval, lookback: stored.Lookback}
	for m := range p.reads {
		for i, at := range stored.Reads {
			if was.reach(i) >= l.reach(m) {
				p.reads[m] = latest(p.reads[m], at.UTC())
			}
		}
	}
	p.joined, p.unreadable, p.unread, p.changes = stored.Joined, stored.Unreadable, stored.Unread, stored.Changes
	if was == l {
		p.open = stored.Open
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
			return fmt.Errorf("the unreadable span %s", u.name())
		}
	}
	l := ladder{interval: s.Interval, lookback: s.Lookback}
	if len(s.Reads) != l.last()+1 {
		return fmt.Errorf("%d levels instead of %d", len(s.Reads), l.last()+1)
	}
	if s.Joined.To.Before(s.Joined.From) {
		return fmt.Errorf("a range from %s to %s", s.Joined.From, s.Joined.To)
	}
	if !slices.IsSortedFunc(s.Open, func(a, b task) int { return a.Level - b.Level }) {
		return fmt.Errorf("%d tasks out of order", len(s.Open))
	}
	for i := range s.Open {
		if err := s.Open[i].validate(l.last()); err != nil {
			return err
		}
		if i > 0 && s.Open[i].Level == s.Open[i-1].Level {
			return fmt.Errorf("two tasks of level %d", s.Open[i].Level)
		}
	}
	return nil
}

func (t *task) validate(last int) error {
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
