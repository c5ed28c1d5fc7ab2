package web

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
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
// of the spans that were read, in seconds since 1970, and how much time is lost, in nanoseconds.
type insertedReader struct {
	*reader

	loggedEdge atomic.Int64 // last logged edge, in seconds since 1970
	stuck      stuck
	// deleted is the latest span that is lost: the provider deleted it before it was read, or can't give it.
	// lostBefore is how long all earlier ones were.
	deleted    span
	lostBefore time.Duration
}

// lost is how much time is lost.
func (r *insertedReader) lost() time.Duration { return r.lostBefore + r.deleted.length() }

// unread is how much time wasn't read: the provider deleted it before, or can't give it.
func (r *insertedReader) unread() time.Duration {
	sum := r.lost()
	for _, bad := range r.stuck.bad {
		if bad.givenUp {
			continue // it is lost
		}
		sum += max(0, bad.to.Sub(latest(bad.from, r.deleted.to)))
	}
	return sum
}

// Pages implements collector.StreamReader. It reads a span again if rows are missing by the
// provider's total. If they stay missing, the position stops before the span, newer spans are read,
// and the error comes last. So it does with a span that can't be read, once that is stuck.
func (r *insertedReader) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		p := r.begin(from)
		p.yield = yield
		for !p.stopped && p.choose() {
			fewer, failed := p.read(ctx)
			switch {
			case p.stopped:
			case failed != nil:
				p.getAround(ctx, failed)
			case fewer == nil || p.tries == collector.FewerRowsReads:
				p.moveOn(fewer)
			}
		}
		if p.incomplete != nil && !p.stopped {
			yield(nil, &collector.Partial{Err: p.incomplete}) // newer spans were read
		}
	}
}

// insertedPoll is one poll of a feed by insertion.
type insertedPoll struct {
	*insertedReader

	yield func(*collector.Page, error) bool
	limit time.Time // rows inserted later are read at the next poll
	known bool      // something was read before, at this poll or an earlier one
	at    time.Time // all before it was read, or is lost

	cursor  time.Time     // where unread time begins
	overlap time.Duration // with what was read
	longest time.Duration // of the next span; 0: as the filter says

	earlier time.Time // the earlier clock, when the span was chosen
	next    span      // with the overlap
	began   time.Time // when the request began
	tries   int       // how often it was read

	asked      bool
	stepsOver  bool  // over spans that fail, because a span is stuck
	skipped    int   // how many of these no earlier poll knew
	incomplete error // the first one that leaves something unread
	upToClock  bool  // all is read that the provider's clock allows
	stopped    bool  // by the consumer, or by an error that it got
}

// begin begins where the last poll ended.
func (r *insertedReader) begin(from collector.StreamPosition) *insertedPoll {
	at, lost, known := decodePosition(from.Resume)
	if !known {
		at = from.Origin
	}
	if lost > r.lost() { // by an earlier process, or by another replica meanwhile
		r.lostBefore, r.deleted = lost, span{}
	}
	_, later := r.clocks()
	switch edge := r.edge(later); {
	case known && at.After(later.Add(clockTolerance)):
		at = latest(later.Add(-r.Lookback), edge) // a clock was ahead; ids are known for longer
	case known && at.Before(edge):
		r.lose(span{at, edge})
	}
	overlap := r.Filter.Overlap.Time
	r.stuck.forget(at.Add(-overlap))
	return &insertedPoll{
		insertedReader: r, limit: from.Now, known: known, at: at, cursor: at, overlap: overlap,
	}
}

// choose chooses the next span. It returns false if there is none.
func (p *insertedPoll) choose() bool {
	if p.upToClock {
		return false
	}
	for bad := p.stuck.find(p.cursor); bad != nil && bad.givenUp; bad = p.stuck.find(p.cursor) {
		p.goBehind(bad.to)
	}
	earlier, later := p.clocks()
	p.earlier = earliest(earlier, p.limit)
	if !p.cursor.Before(p.at) {
		p.at = p.kept(p.at, later, p.known)
		p.cursor = p.at
	}
	begin := latest(p.cursor.Add(-p.overlap), p.edge(later)).Truncate(time.Second)
	p.next = p.piece(span{begin, p.earlier}, p.earlier)
	if !p.cursor.Before(p.Filter.upTo(span{to: p.earlier}, p.earlier).to) {
		if !p.known || p.asked || !p.cursor.After(p.earlier.Add(clockTolerance)) {
			return false
		}
		// The answer shows the provider's clock, which was seen before ours was set.
		begin = earliest(begin, p.cursor.Add(-pieceOverlap))
		p.next = p.piece(span{begin, p.cursor}, p.cursor.Add(p.Filter.MinAge))
	}
	p.next.to = p.stuck.cut(p.cursor, p.next.to, p.longest)
	p.asked = true
	return true
}

// read reads the span. fewer says that rows are missing by the provider's total.
func (p *insertedPoll) read(ctx context.Context) (fewer, failed error) {
	p.began = p.now()
	p.tries++
	for page, err := range p.reader.read(ctx, p.next, everything, func(last *collector.Page) {
		if p.incomplete == nil {
			at := latest(p.at, p.readUpTo(p.next.to, p.began))
			last.Position = &collector.Position{Resume: encodePosition(at, p.lost())}
		}
	}) {
		switch {
		case collector.IsFewerRows(err):
			fewer = err
		case err != nil:
			failed = err
		case !p.yield(page, nil):
			p.stopped = true
			return nil, nil
		}
	}
	return fewer, failed
}

// moveOn goes on behind a span that was read.
func (p *insertedPoll) moveOn(fewer error) {
	p.incomplete = cmp.Or(p.incomplete, fewer)
	p.stuck.served(p.next)
	p.cursor = p.readUpTo(p.next.to, p.began)
	p.at = latest(p.at, p.cursor)
	p.upToClock = p.cursor.Before(p.next.to) // only now is it known that the local clock is ahead of the provider's
	p.tries, p.known, p.overlap = 0, true, pieceOverlap
}

// getAround goes on after an error: with a shorter span, behind the span if that is stuck, or not at all.
func (p *insertedPoll) getAround(ctx context.Context, failed error) {
	known := p.stuck.find(p.cursor)
	if known == nil && !p.stepsOver {
		p.stepsOver = p.isStuck(ctx, failed)
	}
	if known == nil && (!p.stepsOver || p.skipped == mostSkipped || !collector.BlamesSpan(failed)) {
		if !p.stopped {
			p.yield(nil, failed)
		}
		p.stopped = true
		return
	}
	p.tries = 0
	enough := p.shortest()
	if p.isOld(p.next.to) { // what is no longer kept may be long
		enough = max(enough, p.stuck.lengthBefore(p.cursor))
	}
	switch length := p.next.to.Sub(p.cursor); {
	case p.overlap > pieceOverlap: // the bad instant may be in the overlap, which is searched like the rest
		p.cursor, p.overlap = p.next.from, 0
	case known == nil && length > enough:
		p.longest = length / 2
	case known == nil && p.overlap > 0:
		p.overlap = 0
	default:
		p.stepOver(known, failed)
	}
}

// isOld says whether a time is so old that a span may be given up.
func (p *insertedPoll) isOld(at time.Time) bool {
	return at.Before(p.earlier.Add(-p.Lookback - givesUpAfter))
}

// stepOver goes on behind a bad span. The position stays before it, until it is given up. known is the span as earlier
// polls know it, nil if they don't.
func (p *insertedPoll) stepOver(known *badSpan, failed error) {
	bad, blames := span{p.cursor, p.next.to}, collector.BlamesSpan(failed)
	if known != nil {
		bad.to = latest(bad.to, known.to)
	}
	if known != nil && blames && p.isOld(bad.to) && known.since.Before(p.earlier.Add(-givesUpAfter)) {
		p.logger.Warn("A span of time that the provider couldn't give for days is given up", "feed", p.Name,
			"from", bad.from, "to", bad.to, "err", failed)
		p.lose(bad)
		p.stuck.giveUp(bad)
	} else {
		p.incomplete = cmp.Or(p.incomplete, fmt.Errorf("rows inserted from %s to %s: %w",
			bad.from.Format(time.RFC3339), bad.to.Format(time.RFC3339), failed))
		switch {
		case known == nil:
			p.stuck.skip(badSpan{span: bad, since: p.earlier})
			p.skipped++
		case blames && known.length() > p.shortest():
			p.stuck.halve(known)
		}
	}
	p.goBehind(bad.to)
}

// goBehind goes on behind a bad span.
func (p *insertedPoll) goBehind(at time.Time) {
	p.cursor, p.longest = at, 0
	p.at = latest(p.at, p.cursor)
	p.known, p.overlap = true, 0
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

func encodePosition(at time.Time, lost time.Duration) []byte {
	return binary.AppendVarint(binary.AppendVarint(nil, at.Unix()), int64(lost))
}

// decodePosition is the time of a position, and how much is lost before it; ok is false if there is none yet.
func decodePosition(data []byte) (at time.Time, lost time.Duration, ok bool) {
	seconds, n := binary.Varint(data)
	if n <= 0 {
		return at, lost, false
	}
	length, _ := binary.Varint(data[n:])
	return time.Unix(seconds, 0).UTC(), time.Duration(length), true
}
