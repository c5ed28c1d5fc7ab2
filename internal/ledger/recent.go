package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// What is shown of the last hours beside the series, each from a table:
//
//	tallies    of trunk 0: calls and failures by the five minutes in which they began, for the status page;
//	           of the others: by the second in which they were first seen, for cdr_media_bypass_ratio
//	connected  when calls were connected: a row per commit, for cdr_call_peak_concurrency
//	trunks     the numbers of trunks, from 1, which tallies and connected refer to

const (
	activitySeconds = 5 * 60
	// activityKept is how far back activity is kept, activityAhead how far ahead of a feed's clock a call may begin to be in it.
	activityKept, activityAhead = 25 * time.Hour, time.Hour

	// peakWindow is the hour of cdr_call_peak_concurrency, peakStep by how much it moves on before what is older is deleted.
	peakWindow, peakStep = time.Hour, 10 * time.Minute
	// peakKept is how long calls are kept at the most: while a feed reads its history, or lags as far behind, no peak is shown.
	peakKept = 72 * time.Hour
	// peakAhead is how far ahead of a feed's clock a call may end: past it, its end is a mistake.
	peakAhead = 24 * time.Hour
)

// Activity is how many calls of a feed began in the five minutes from Start on, whenever they were read. Failures are those whose outcome
// was `failed` when they were first read; a part of a call that failed is one beside its parent, as in cdr_calls_total.
type Activity struct {
	Source, Provider, Feed string
	Start                  time.Time
	Calls, Failures        int64
}

// Activity is what the feeds have had since a time, at most of the last 25 hours, in order of Start: also feeds that are no longer
// configured, and first histories that are under way. It waits for no commit.
func (l *Ledger) Activity(ctx context.Context, from time.Time) ([]Activity, error) {
	reader, err := l.reading(ctx)
	if err != nil {
		return nil, err
	}
	since := max(activityOf(from), activityOf(l.settings.Now().Add(-activityKept)))
	all, err := readRows(reader, `SELECT f.source, f.provider, f.feed, 1000000 * t.second, t.total, t.part
		FROM tallies t JOIN feeds f ON f.id = t.feed WHERE t.trunk = 0 AND t.second >= ? ORDER BY t.second, t.feed`, []any{since},
		func(a *Activity) []any {
			return []any{&a.Source, &a.Provider, &a.Feed, asTime{&a.Start}, &a.Calls, &a.Failures}
		})
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return all, nil
}

// activityOf is the first second of the five minutes of a time.
func activityOf(at time.Time) int64 { return at.Unix() / activitySeconds * activitySeconds }

// tally is how many calls were counted, and how many of them failed (of trunk 0) or had their media bypassed.
type (
	tallyKey struct{ trunk, second int64 }
	tally    struct{ part, total int64 }
)

func (p *pageCommit) addTally(key tallyKey, isPart bool) {
	t := p.tallies[key]
	p.tallies[key] = tally{t.part + flag(isPart), t.total + 1}
}

func (p *pageCommit) addActivity(r *cdr.Record) {
	at := p.page.ObservedAt
	if !r.Start.Before(at.Add(-activityKept)) && !r.Start.After(at.Add(activityAhead)) {
		p.addTally(tallyKey{second: activityOf(r.Start)}, r.Outcome == cdr.Failed)
	}
}

func (p *pageCommit) writeTallies() {
	p.args = p.args[:0]
	for key, t := range p.tallies {
		p.args = append(p.args, p.id, key.trunk, key.second, t.part, t.total)
	}
	if p.err == nil {
		p.failed(p.ledger.engine.execMany(`INSERT INTO tallies (feed, trunk, second, part, total)`, `(?, ?, ?, ?, ?)`,
			` ON CONFLICT (feed, trunk, second) DO UPDATE SET part = tallies.part + excluded.part, total = tallies.total + excluded.total`, p.args))
	}
}

// span is when a call was connected, in microseconds since 1970, end excluded, and over which trunk; 0 is no span.
type span struct{ trunk, start, end int64 }

// edge is an end of a span, from which on one call more (1) is connected over a trunk, or one less (-1). A revised call adds the opposite
// of the edges that it had, and those that it has now.
type edge struct{ trunk, at, change int64 }

// connectedIn is when a call was connected, from its answer, or its start if that isn't known, to its end; empty if that isn't known.
func (p *pageCommit) connectedIn(r *cdr.Record) span {
	start, end, latest := r.Start, r.End, p.page.ObservedAt.Add(peakAhead)
	if !r.Answer.IsZero() {
		start = r.Answer
	}
	if !end.After(start) || end.After(latest) {
		end = start.Add(r.Duration)
	}
	if !r.Outcome.Connected() || r.NoDuration || !end.After(start) || end.After(latest) {
		return span{}
	}
	return span{start: start.UnixMicro(), end: end.UnixMicro()}
}

// connect counts a connected call, unless it ended before all that is kept, and returns what to take off again if it is revised.
func (p *pageCommit) connect(r *cdr.Record) span {
	s := p.connectedIn(r)
	if s.end <= p.was.connectedFrom {
		return span{}
	}
	s.trunk = p.trunkNumber(r.Trunk)
	p.changeSpan(s, 1)
	return s
}

func (p *pageCommit) changeSpan(s span, count int64) {
	if s.trunk != 0 {
		p.edges = append(p.edges, edge{s.trunk, s.start, count}, edge{s.trunk, s.end, -count})
	}
}

// reconnect moves a call among those that are connected at once, as a further version has it, over the trunk that it was first seen with.
// A call of several records is there with the one that made it a connected call; moved says what became of that.
func (p *pageCommit) reconnect(k *known, e *entry, moved int) {
	was, now := k.span, p.connectedIn(e.record)
	switch {
	case moved < 0:
		p.changeSpan(was, -1)
		k.span = span{}
	case now == (span{}):
	case was.trunk != 0:
		k.span = span{was.trunk, now.start, now.end}
		if k.span != was {
			p.changeSpan(was, -1)
			p.changeSpan(k.span, 1)
		}
	case moved > 0 || p.alone(k, e):
		k.span = p.connect(e.record)
	}
}

// alone says whether the times of a record are those of its call.
func (p *pageCommit) alone(k *known, e *entry) bool {
	st := p.states[e.group]
	return k.flags&rowFurther == 0 && (st == nil || !p.group(st).other)
}

// trunkNumber is the number of a trunk, folded past the limit (counting.md 22).
func (p *pageCommit) trunkNumber(name string) int64 {
	name = metrics.CleanLabel(name)
	if n := p.trunks[name]; n != 0 {
		return n
	}
	if i := slices.Index(p.newTrunks, name); i >= 0 {
		return int64(len(p.trunks) + i + 1)
	}
	if len(p.trunks)+len(p.newTrunks) >= p.ledger.settings.Options.SeriesLimit && name != metrics.OverflowValue {
		return p.trunkNumber(metrics.OverflowValue)
	}
	p.newTrunks = append(p.newTrunks, strings.Clone(name))
	return int64(len(p.trunks) + len(p.newTrunks))
}

// hourEnd is the end of the hour of cdr_call_peak_concurrency.
func (f *Feed) hourEnd(s *State) time.Time { return s.Watermark.Add(-f.spec.LateAfter) }

// writeConnected writes new trunks and when calls were connected, and finds the peaks anew if that lies in their hour or the hour moves.
func (p *pageCommit) writeConnected() {
	for i, name := range p.newTrunks {
		p.exec(`INSERT INTO trunks (feed, id, name) VALUES (?, ?, ?)`, p.id, len(p.trunks)+i+1, name)
	}
	p.pruneConnected()
	var data []byte
	until, end, inHour := int64(0), p.hourEnd(&p.next), false
	for _, e := range p.edges {
		data = binary.AppendVarint(binary.AppendVarint(data, e.trunk*e.change), e.at)
		until = max(until, e.at)
		inHour = inHour || e.at < end.UnixMicro()
	}
	if len(data) > 0 {
		p.exec(`INSERT INTO connected (feed, seq, until, data) VALUES (?, ?, ?, ?)`, p.id, p.seq+1, until, data)
	}
	p.newPeaks = inHour || !p.was.HistoryDone || !end.Equal(p.hourEnd(p.was)) || p.next.connectedFrom != p.was.connectedFrom
	if p.newPeaks && p.err == nil {
		p.peaks, p.err = p.findPeaks(&p.next)
	}
}

// pruneConnected deletes rows of calls all of which ended before the hour.
func (p *pageCommit) pruneConnected() {
	keep := p.hourEnd(&p.next).Add(-peakWindow)
	if least := p.page.ObservedAt.Add(-peakKept); keep.Before(least) {
		keep = least
	}
	p.next.connectedFrom = min(p.next.connectedFrom, micros(p.page.ObservedAt)) // a clock was ahead
	if from := keep.UnixMicro(); from >= p.next.connectedFrom+peakStep.Microseconds() {
		p.next.connectedFrom = from
		p.exec(`DELETE FROM connected WHERE feed = ? AND until <= ?`, p.id, from)
	}
}

// findPeaks finds the most calls connected at once in the hour before hourEnd, by trunk; nil if not all calls of that hour are known.
func (f *Feed) findPeaks(s *State) (map[int64]int64, error) {
	end := f.hourEnd(s)
	begin := end.Add(-peakWindow)
	from, to := begin.UnixMicro(), end.UnixMicro()
	if !s.HistoryDone || begin.Before(s.Origin) || from < s.connectedFrom {
		return nil, nil
	}
	rows, err := readRows(&f.ledger.engine.session, `SELECT data FROM connected WHERE feed = ? AND until > ?`, []any{f.id, from},
		func(data *[]byte) []any { return []any{data} })
	if err != nil {
		return nil, err
	}
	var edges []edge
	for _, data := range rows {
		r := reader{data: data}
		for len(r.data) > 0 {
			e := edge{trunk: r.varint(), at: max(r.varint(), from), change: 1}
			if e.trunk < 0 {
				e.trunk, e.change = -e.trunk, -1
			}
			if e.at < to {
				edges = append(edges, e)
			}
		}
		if r.bad {
			return nil, errRow
		}
	}
	// Who ends as another connects isn't connected at once with it.
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.change, b.change)) })
	now, peaks := make(map[int64]int64), make(map[int64]int64)
	for _, e := range edges {
		now[e.trunk] += e.change
		peaks[e.trunk] = max(peaks[e.trunk], now[e.trunk])
	}
	return peaks, nil
}

// loadTrunks reads the trunks' numbers and what the trailing gauge is made of.
func (l *Ledger) loadTrunks(series *metrics.FeedSeries, feed int64) (map[string]int64, error) {
	names, err := readRows(&l.engine.session, `SELECT name FROM trunks WHERE feed = ? ORDER BY id`, []any{feed},
		func(name *string) []any { return []any{name} })
	if err != nil {
		return nil, err
	}
	trunks := make(map[string]int64)
	for i, name := range names {
		trunks[name] = int64(i + 1)
		l.store.AddTrunk(series, name)
	}
	tallies, err := readRows(&l.engine.session, `SELECT second, trunk, part, total FROM tallies WHERE feed = ? AND trunk > 0 ORDER BY second`, []any{feed},
		func(b *metrics.Bypass) []any { return []any{&b.Second, &b.Trunk, &b.Bypassed, &b.Total} })
	for _, b := range tallies {
		if int(b.Trunk) > len(names) {
			return nil, fmt.Errorf("read trunks: %w", errRow)
		}
		l.store.AddBypass(series, b)
	}
	return trunks, err
}
