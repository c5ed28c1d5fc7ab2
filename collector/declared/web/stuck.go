package web

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// stuck describes a span that fails at each poll. The reader then reads the rows behind it (counting.md 31).
type stuck struct {
	failed span      // at the last poll
	polls  int       // that failed there, one after the other
	bad    []badSpan // the shortest spans that failed, those without a gap as one: the next poll asks for them at once
}

// badSpan is a span that can't be read, and since when that is known. One that is given up stays known until the
// position has passed it, which another bad span may prevent.
type badSpan struct {
	span

	since   time.Time
	givenUp bool
}

const (
	// stuckPolls is how many polls fail on a span before newer ones are read.
	stuckPolls = 5
	// givesUpAfter is how long the reader asks for a bad span before it gives that up, and how old the span then is
	// beyond the lookback. Meanwhile each poll reads all rows behind it, and the ledger knows their ids.
	givesUpAfter = 48 * time.Hour
	// mostSkipped is how many spans one poll steps over that no poll before it has.
	mostSkipped = 4
	// mostHalves limits the bad spans: the reader asks for no more halves.
	mostHalves = 16
)

// cut is where a span ends that begins at a time: where what is known to be bad begins or ends, or after the longest
// time.
func (s *stuck) cut(from, to time.Time, longest time.Duration) time.Time {
	if longest > 0 && s.find(from) == nil {
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

// find is the bad span that has a time; nil without one.
func (s *stuck) find(at time.Time) *badSpan {
	if i := slices.IndexFunc(s.bad, func(b badSpan) bool { return b.has(at) }); i >= 0 {
		return &s.bad[i]
	}
	return nil
}

// lengthBefore is how long the bad span is that ends at a time; 0 without one.
func (s *stuck) lengthBefore(at time.Time) time.Duration {
	if i := slices.IndexFunc(s.bad, func(b badSpan) bool { return b.to.Equal(at) }); i >= 0 {
		return s.bad[i].length()
	}
	return 0
}

// skip notes a bad span.
func (s *stuck) skip(bad badSpan) {
	if i := slices.IndexFunc(s.bad, func(b badSpan) bool { return !b.givenUp && b.to.Equal(bad.from) }); i >= 0 {
		bad.from = s.bad[i].from
		s.bad[i] = bad
		return
	}
	s.bad = append(s.bad, bad)
}

// halve has the next poll ask for the halves of a bad span, of which one may have healed.
func (s *stuck) halve(bad *badSpan) {
	if len(s.bad) >= mostHalves {
		return
	}
	second := *bad
	second.from = bad.from.Add(bad.length() / 2).Truncate(time.Second)
	bad.to = second.from
	s.bad = append(s.bad, second)
}

// served forgets the parts of bad spans that were read.
func (s *stuck) served(all span) {
	var left []badSpan
	for _, b := range s.bad {
		for _, part := range []span{{b.from, earliest(b.to, all.from)}, {latest(b.from, all.to), b.to}} {
			if part.from.Before(part.to) {
				left = append(left, badSpan{part, b.since, b.givenUp})
			}
		}
	}
	s.bad = left
}

// giveUp notes that a span is no longer asked for.
func (s *stuck) giveUp(all span) {
	s.served(all)
	s.bad = append(s.bad, badSpan{span: all, givenUp: true})
}

// forget forgets bad spans that end before a time.
func (s *stuck) forget(before time.Time) {
	s.bad = slices.DeleteFunc(s.bad, func(b badSpan) bool { return b.to.Before(before) })
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
