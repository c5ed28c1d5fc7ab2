package web

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// pieceOverlap is the overlap of two spans of one read.
const pieceOverlap = time.Second

// clockTolerance is by how much a position may be ahead of a clock, as everywhere (plan.ClockTolerance).
const clockTolerance = 2 * time.Minute

// insertedReader reads a feed by when its rows were inserted: each span once, plus the filter's
// overlap with what was read before. It implements collector.StreamReader. The position is the end
// of the spans that were read, in seconds since 1970.
type insertedReader struct {
	*reader

	loggedEdge atomic.Int64 // last logged edge, in seconds since 1970
	stuck      stuck
	// deleted is the latest span that is lost: the provider deleted it before it was read, or can't give it.
	// lostBefore is how long all earlier ones were.
	deleted    span
	lostBefore time.Duration
}

// unread is how much time wasn't read: the provider deleted it before, or can't give it.
func (r *insertedReader) unread() time.Duration {
	sum := r.lostBefore + r.deleted.length()
	for _, bad := range r.stuck.bad {
		sum += max(0, bad.to.Sub(latest(bad.from, r.deleted.to)))
	}
	return sum
}

// Pages implements collector.StreamReader. It reads a span again if rows are missing by the
// provider's total. If they stay missing, the position stops before the span, newer spans are read,
// and the error comes last. So it does with a span that can't be read, once that is stuck.
func (r *insertedReader) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		at, read := decodePosition(from.Resume)
		if !read {
			at = from.Origin
		}
		_, later := r.clocks()
		switch edge := r.edge(later); {
		case read && at.After(later.Add(clockTolerance)):
			at = latest(later.Add(-r.Lookback), edge) // a clock was ahead; ids are known for longer
		case read && at.Before(edge):
			r.lose(span{at, edge})
		}
		cursor, again := at, r.Filter.Overlap.Time // start of the next span, without the overlap
		r.stuck.forget(at.Add(-again))
		var incomplete error
		var longest time.Duration // of the next span; 0: as the filter says
		asked, stepsOver, skipped := false, false, 0
		for reads := 1; ; reads++ {
			earlier, later := r.clocks()
			earlier = earliest(earlier, from.Now)
			if !cursor.Before(at) {
				at = r.kept(at, later, read)
				cursor = at
			}
			begin := latest(cursor.Add(-again), r.edge(later)).Truncate(time.Second)
			next := r.piece(span{begin, earlier}, earlier)
			if !cursor.Before(r.Filter.upTo(span{to: earlier}, earlier).to) {
				if !read || asked || !cursor.After(earlier.Add(clockTolerance)) {
					break
				}
				// The answer shows the provider's clock, which was seen before ours was set.
				begin = earliest(begin, cursor.Add(-pieceOverlap))
				next = r.piece(span{begin, cursor}, cursor.Add(r.Filter.MinAge))
			}
			asked = true
			next.to = r.stuck.cut(cursor, next.to, longest)
			began := r.now()
			var fewer, failed error
			for page, err := range r.read(ctx, next, everything, func(last *collector.Page) {
				if incomplete == nil {
					last.Position = &collector.Position{Resume: encodePosition(latest(at, r.readUpTo(next.to, began)))}
				}
			}) {
				switch {
				case collector.IsFewerRows(err):
					fewer = err
				case err != nil:
					failed = err
				case !yield(page, nil):
					return
				}
			}
			if failed != nil {
				known := r.stuck.isKnown(cursor)
				more := true
				if !known && !stepsOver {
					at := span{cursor, latest(next.to, cursor.Add(time.Second))}
					stepsOver, more = r.isStuck(ctx, failed, at, earlier, yield)
				}
				if !known && (!stepsOver || skipped == mostSkipped || !collector.BlamesSpan(failed)) {
					if more {
						yield(nil, failed)
					}
					return
				}
				switch length := next.to.Sub(cursor); {
				case again > pieceOverlap: // the bad instant may be in the overlap, which is searched like the rest
					cursor, reads, again = begin, 0, 0
					continue
				case !known && length > r.shortest():
					reads, longest = 0, length/2
					continue
				case !known && again > 0:
					reads, again = 0, 0
					continue
				}
				bad := span{cursor, next.to}
				if bad.to.Before(earlier.Add(-r.Lookback - givesUpAfter)) {
					r.logger.Warn("A span of time that the provider couldn't give for days is given up", "feed", r.Name,
						"from", bad.from, "to", bad.to, "err", failed)
					r.lose(bad)
					r.stuck.served(bad)
				} else if incomplete = cmp.Or(incomplete, fmt.Errorf("rows inserted from %s to %s: %w",
					bad.from.Format(time.RFC3339), bad.to.Format(time.RFC3339), failed)); !known {
					r.stuck.skip(bad)
					skipped++
				}
				cursor, longest = next.to, 0
				at = latest(at, cursor)
				reads, read, again = 0, true, 0
				continue
			}
			if fewer != nil && reads < collector.FewerRowsReads {
				continue
			}
			incomplete = cmp.Or(incomplete, fewer)
			r.stuck.served(span{begin, next.to})
			cursor = r.readUpTo(next.to, began)
			at = latest(at, cursor)
			if cursor.Before(next.to) {
				break // only now is it known that the local clock is ahead of the provider's
			}
			reads, read, again = 0, true, pieceOverlap
		}
		if incomplete != nil {
			yield(nil, &collector.Partial{Err: incomplete}) // newer spans were read
		}
	}
}

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

// isStuck says whether a span fails for good: at several polls, while the newest rows are served. more is false if
// the consumer has stopped.
func (r *insertedReader) isStuck(
	ctx context.Context, failed error, at span, now time.Time, yield func(*collector.Page, error) bool,
) (is, more bool) {
	s := &r.stuck
	if !s.failed.has(at.from) { // the earliest time that the provider keeps moves on
		s.polls = 0
	}
	s.failed = at
	if s.polls++; s.polls < stuckPolls || !collector.BlamesSpan(failed) {
		return false, true
	}
	newest := r.Filter.upTo(span{now.Add(-r.shortest() - r.Filter.MinAge), now}, now)
	for page, err := range r.read(ctx, newest, everything, func(*collector.Page) {}) {
		if err != nil {
			return false, true
		}
		if !yield(page, nil) {
			return false, false
		}
	}
	return true, true
}

// piece is the part of a span that one request may cover.
func (r *insertedReader) piece(s span, now time.Time) span {
	if longest := r.Filter.MaxRange; longest > 0 {
		s.to = earliest(s.to, s.from.Add(longest))
	}
	return r.Filter.upTo(s, now)
}

// edge is the earliest time that the provider keeps; zero if unknown.
func (r *insertedReader) edge(later time.Time) time.Time {
	if r.Filter.Retention == 0 {
		return time.Time{}
	}
	return collector.KeptSince(r.Filter.Retention, later).Truncate(time.Second).Add(time.Second)
}

// kept is a position, moved forward to the earliest time that the provider keeps. It logs a loss
// once; at a first start there is only a shorter history.
func (r *insertedReader) kept(at, later time.Time, read bool) time.Time {
	edge := r.edge(later)
	if !at.Before(edge) {
		return at
	}
	if logged := r.loggedEdge.Load(); logged == 0 || at.Unix() > logged {
		keeps := r.Filter.Retention.String()
		if read {
			r.logger.Warn("The provider has deleted rows before they were read", "feed", r.Name, "from", at, "to", edge,
				"keeps", keeps)
		} else {
			r.logger.Info("The history is shorter than configured: the provider has deleted older rows", "feed", r.Name,
				"from", edge, "keeps", keeps)
		}
	}
	r.loggedEdge.Store(edge.Unix())
	return edge
}

// lose notes a span that is lost.
func (r *insertedReader) lose(s span) {
	if !s.from.Equal(r.deleted.from) { // else it grows while nothing can be read
		r.lostBefore += r.deleted.length()
	}
	r.deleted = s
}

// readUpTo is up to when a span was read completely. The answer may be the first to give the
// provider's time: what was still in its future at the request wasn't read.
func (r *insertedReader) readUpTo(to, began time.Time) time.Time {
	offset, _ := r.client.Offset()
	return earliest(to, began.UTC().Add(min(offset, 0)-r.Filter.MinAge).Truncate(time.Second))
}

// spanReader reads the same rows for commands: rows inserted between the start of the first wanted
// call and the latest time at which the last wanted call must be listed.
type spanReader struct{ *insertedReader }

// Pages implements collector.RangeReader.
func (r spanReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		earlier, later := r.clocks()
		end := earliest(to.Add(r.Lookback), earlier)
		for at := r.kept(from, later, false); ; {
			s := r.piece(span{at, end}, earlier)
			if !s.from.Before(s.to) {
				return
			}
			for page, err := range r.read(ctx, s, span{from, to}, func(*collector.Page) {}) {
				if !yield(page, err) || err != nil {
					return
				}
			}
			at = s.to
		}
	}
}

func encodePosition(at time.Time) []byte { return binary.AppendVarint(nil, at.Unix()) }

// decodePosition is the time of a position; ok is false if there is none yet.
func decodePosition(data []byte) (at time.Time, ok bool) {
	seconds, n := binary.Varint(data)
	return time.Unix(seconds, 0).UTC(), n > 0
}
