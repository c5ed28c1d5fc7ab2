package web

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// stuck describes a span that fails at each poll. The reader then reads the rows behind it (counting.md 31).
type stuck struct {
	failed span   // at the last poll
	polls  int    // that failed there, one after the other
	bad    []span // the shortest spans that failed, those without a gap as one: the next poll asks for them at once
}

const (
	// stuckPolls is how many polls fail on a span before newer ones are read.
	stuckPolls = 5
	// givesUpAfter is how long after the lookback a bad span is given up: what follows it is read at each poll
	// meanwhile, and ids are known for as long.
	givesUpAfter = 48 * time.Hour
	// mostSkipped is how many spans one poll steps over that no poll before it has.
	mostSkipped = 4
)

// cut is where a span ends that begins at a time: where what is known to be bad begins or ends, or after the longest
// time.
func (s *stuck) cut(from, to time.Time, longest time.Duration) time.Time {
	if longest > 0 && !s.isKnown(from) {
		to = earliest(to, from.Add(longest).Truncate(time.Second))
	}
	for _, b := range s.bad {
		switch {
		case b.has(from):
			to = earliest(to, b.to)
		case from.Before(b.from) && b.from.Before(to):
			to = b.from
		}
	}
	return to
}

func (s *stuck) isKnown(from time.Time) bool {
	return slices.ContainsFunc(s.bad, func(b span) bool { return b.has(from) })
}

// skip notes a bad span.
func (s *stuck) skip(bad span) {
	if i := slices.IndexFunc(s.bad, func(b span) bool { return b.to.Equal(bad.from) }); i >= 0 {
		s.bad[i].to = bad.to
		return
	}
	s.bad = append(s.bad, bad)
}

// served forgets bad spans within one that was read.
func (s *stuck) served(all span) {
	s.bad = slices.DeleteFunc(s.bad, func(b span) bool { return !b.from.Before(all.from) && !b.to.After(all.to) })
}

// forget forgets bad spans that end before a time.
func (s *stuck) forget(before time.Time) {
	s.bad = slices.DeleteFunc(s.bad, func(b span) bool { return b.to.Before(before) })
}

// shortest is how short the reader makes a span to find a bad one.
func (r *insertedReader) shortest() time.Duration {
	return max(time.Minute, r.Filter.Grain, r.Filter.Step)
}

// isStuck says whether the span fails for good: at several polls, while the newest rows are served.
func (p *insertedPoll) isStuck(ctx context.Context, failed error) bool {
	s := &p.stuck
	if !s.failed.has(p.cursor) { // the earliest time that the provider keeps moves on
		s.polls = 0
	}
	s.failed = span{p.cursor, latest(p.next.to, p.cursor.Add(time.Second))}
	if s.polls++; s.polls < stuckPolls || !collector.BlamesSpan(failed) {
		return false
	}
	newest := p.Filter.upTo(span{p.earlier.Add(-p.shortest() - p.Filter.MinAge), p.earlier}, p.earlier)
	for page, err := range p.reader.read(ctx, newest, everything, func(*collector.Page) {}) {
		if err != nil {
			return false
		}
		if !p.yield(page, nil) {
			p.stopped = true
			return false
		}
	}
	return true
}
