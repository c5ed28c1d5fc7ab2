package ledger

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

const (
	// peakWindow is the time of which cdr_call_peak_concurrency tells.
	peakWindow = time.Hour
	// peakStep is how many minutes are folded at once when they aren't needed any more.
	peakStep = 10
	// peakAhead is how far ahead of a feed's clock a call may end: past it, its end is a
	// mistake.
	peakAhead = 24 * time.Hour
)

// keptFrom is the first minute of which a feed with that origin counts all calls. What
// began before the origin is none of its calls, so no peak can be told of it.
func keptFrom(origin time.Time) int64 {
	return metrics.MinuteOf(origin.Add(time.Minute - time.Microsecond))
}

// connectedIn is when a call was connected, from its answer, or its start if that isn't
// told, to its end, and whether that is known.
func (p *pageWork) connectedIn(r *cdr.Record) (start, end time.Time, known bool) {
	if !r.Outcome.Connected() || r.NoDuration {
		return start, end, false
	}
	start, end = r.Start, r.End
	if !r.Answer.IsZero() {
		start = r.Answer
	}
	latest := p.observed.Add(peakAhead)
	if !end.After(start) || end.After(latest) {
		end = start.Add(r.Duration)
	}
	return start, end, end.After(start) && !end.After(latest)
}

// connected counts a call among those that are connected at once.
func (p *pageWork) connected(r *cdr.Record) metrics.Span {
	start, end, known := p.connectedIn(r)
	if !known {
		return metrics.Span{}
	}
	return p.tally.Connect(r.Trunk, start, end)
}

// reconnected moves a call among those that are connected at once, as a further version
// has it. A call of several records is there with the one that made it a connected call.
func (p *pageWork) reconnected(old *known, e *entry) {
	span := &old.counted.span
	start, end, known := p.connectedIn(e.record)
	switch {
	case p.moved < 0:
		p.tally.Disconnect(*span)
		*span = metrics.Span{}
	case !known:
	case span.Trunk == 0 && (p.moved > 0 || p.alone(old, e)):
		*span = p.tally.Connect(e.record.Trunk, start, end)
	case span.Trunk != 0 && (span.Start != start.UnixMicro() || span.End != end.UnixMicro()):
		*span = p.tally.Reconnect(*span, start, end)
	}
}

// alone says whether a record alone tells when its call was connected.
func (p *pageWork) alone(old *known, e *entry) bool {
	if old.flags&rowFurther != 0 {
		return false
	}
	st := p.states[e.group]
	if e.record.Group == "" || st == nil {
		return true
	}
	g, err := parseGroup(st.stored)
	return err == nil && !g.other
}

// hourEnd is when the hour ends that cdr_call_peak_concurrency tells of.
func (f *Feed) hourEnd(s *State) time.Time { return s.Watermark.Add(-f.spec.LateAfter) }

// showHour tells the series which hour that is.
func (f *Feed) showHour() {
	f.ledger.store.Window(f.series, f.row.state.connectedFrom, f.hourEnd(&f.row.state))
}

// writeConnected writes when the page's calls connected and ended, and folds what isn't
// needed any more.
func (f *Feed) writeConnected(p *pageWork) error {
	e, end, was := f.ledger.engine, f.hourEnd(&p.next), p.next.connectedFrom
	from := was
	if need := metrics.MinuteOf(end.Add(-peakWindow)); need >= from+peakStep {
		from = need
	}
	from = p.tally.Connected(from, end)
	p.next.connectedFrom = from
	if from != was {
		if _, err := e.exec(`DELETE FROM connected WHERE feed = ? AND minute < ?`, f.row.id, from); err != nil {
			return err
		}
	}
	for _, t := range p.tally.Trunks() {
		if _, err := e.exec(`INSERT INTO trunks (feed, id, name, connected) VALUES (?, ?, ?, ?)
			ON CONFLICT (feed, id) DO UPDATE SET connected = excluded.connected`, f.row.id, t.ID, t.Name, t.NextBefore()); err != nil {
			return err
		}
	}
	return p.tally.Minutes(func(trunk, at int64, data []byte) error {
		if data == nil {
			_, err := e.exec(`DELETE FROM connected WHERE feed = ? AND minute = ? AND trunk = ?`, f.row.id, at, trunk)
			return err
		}
		_, err := e.exec(`INSERT INTO connected (feed, minute, trunk, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (feed, minute, trunk) DO UPDATE SET data = excluded.data`, f.row.id, at, trunk, data)
		return err
	})
}

// loadConnected reads the trunks and their minutes.
func (l *Ledger) loadConnected(f *metrics.FeedSeries, feed int64) error {
	rows, err := l.engine.query(`SELECT id, name, connected FROM trunks WHERE feed = ? ORDER BY id`, feed)
	if err != nil {
		return err
	}
	var id, n int64
	err = scanAll(rows, func() error {
		var name string
		if err := rows.Scan(&id, &name, &n); err != nil {
			return err
		}
		l.store.LoadTrunk(f, id, name, n)
		return nil
	})
	if err != nil {
		return err
	}
	if rows, err = l.engine.query(`SELECT trunk, minute, data FROM connected WHERE feed = ?`, feed); err != nil {
		return err
	}
	return scanAll(rows, func() error {
		var data []byte
		if err := rows.Scan(&id, &n, &data); err != nil {
			return err
		}
		return l.store.LoadMinute(f, id, n, data)
	})
}
