package ledger

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// cdr_call_peak_concurrency is the most calls of a trunk that were connected at once in an
// hour. The table connected has the instants at which calls connect and end, to the
// microsecond, in a row per minute and trunk: a commit only appends to rows, and a call
// that is revised appends the opposite of what it had and what it has now. Minutes before
// the hour are folded: the calls that are connected then connect at the first instant of
// the first minute that is kept (State.connectedFrom).

const (
	// peakWindow is the length of the hour of cdr_call_peak_concurrency.
	peakWindow = time.Hour
	// peakStep is how many minutes are folded at once.
	peakStep = 10
	// peakKept is how far back minutes are kept at the most: while a feed reads its history, or lags as far behind, no peak is shown.
	peakKept = 72 * time.Hour
	// peakAhead is how far ahead of a feed's clock a call may end: past it, its end is a
	// mistake.
	peakAhead = 24 * time.Hour

	minuteMicros = 60e6
)

// span is when a call was connected, in microseconds since 1970, from start up to but
// without end, and over which trunk, by its number in the table trunks; 0 is no span.
type span struct{ trunk, start, end int64 }

// edge is an instant at which a call of a trunk connects or ends.
type edge struct {
	trunk, at int64
	connects  bool
}

// connectedIn is when a call was connected, from its answer, or its start if that isn't
// known, to its end, and whether that is known.
func (p *pageCommit) connectedIn(r *cdr.Record) (s span, known bool) {
	if !r.Outcome.Connected() || r.NoDuration {
		return s, false
	}
	start, end := r.Start, r.End
	if !r.Answer.IsZero() {
		start = r.Answer
	}
	latest := p.page.ObservedAt.Add(peakAhead)
	if !end.After(start) || end.After(latest) {
		end = start.Add(r.Duration)
	}
	return span{start: start.UnixMicro(), end: end.UnixMicro()}, end.After(start) && !end.After(latest)
}

// connect counts a call among those that are connected at once and returns what to take
// off again if it is revised. A call that ended before all that is kept isn't needed.
func (p *pageCommit) connect(r *cdr.Record) span {
	s, known := p.connectedIn(r)
	if !known || s.end <= p.row.state.connectedFrom*minuteMicros {
		return span{}
	}
	s.trunk = p.trunkNumber(r.Trunk)
	p.addEdges(s, true)
	return s
}

// addEdges adds a span, or takes it off again.
func (p *pageCommit) addEdges(s span, connects bool) {
	if s.trunk != 0 {
		p.edges = append(p.edges, edge{s.trunk, s.start, connects}, edge{s.trunk, s.end, !connects})
	}
}

// reconnect moves a call among those that are connected at once, as a further version has
// it, over the trunk that it was first seen with. A call of several records is there with
// the one that made it a connected call; moved says what became of that.
func (p *pageCommit) reconnect(k *known, e *entry, moved int) {
	was := &k.span
	now, known := p.connectedIn(e.record)
	switch {
	case moved < 0:
		p.addEdges(*was, false)
		*was = span{}
	case !known:
	case was.trunk == 0 && (moved > 0 || p.alone(k, e)):
		*was = p.connect(e.record)
	case was.trunk != 0 && (now.start != was.start || now.end != was.end):
		now.trunk = was.trunk
		p.addEdges(*was, false)
		p.addEdges(now, true)
		*was = now
	}
}

// alone says whether the times of a record are those of its call.
func (p *pageCommit) alone(k *known, e *entry) bool {
	if k.flags&rowFurther != 0 {
		return false
	}
	st := p.states[e.group]
	if e.record.Group == "" || st == nil {
		return true
	}
	g, err := parseGroup(st.stored)
	return err == nil && !g.other
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

// writeConcurrency writes the trunks that are new and when the page's calls connected and
// ended, and finds the peaks anew if any of that lies in their hour or the hour moves.
func (p *pageCommit) writeConcurrency() error {
	for i, name := range p.newTrunks {
		if _, err := p.ledger.engine.exec(`INSERT INTO trunks (feed, id, name) VALUES (?, ?, ?)`,
			p.row.id, len(p.trunks)+i+1, name); err != nil {
			return err
		}
	}
	end := p.hourEnd(&p.next)
	keep := end.Add(-peakWindow)
	if least := p.page.ObservedAt.Add(-peakKept); keep.Before(least) {
		keep = least
	}
	if from := keep.Unix() / 60; from >= p.next.connectedFrom+peakStep {
		if err := p.foldConnected(from); err != nil {
			return err
		}
	}
	if err := p.writeEdges(); err != nil {
		return err
	}
	inHour := slices.ContainsFunc(p.edges, func(e edge) bool { return e.at < end.UnixMicro() })
	was := &p.row.state
	if !inHour && was.HistoryDone && end.Equal(p.hourEnd(was)) && p.next.connectedFrom == was.connectedFrom {
		return nil
	}
	var err error
	p.newPeaks = true
	p.peaks, err = p.findPeaks(&p.next)
	return err
}

// foldConnected makes a minute the first that is kept.
func (p *pageCommit) foldConnected(from int64) error {
	e, connected := p.ledger.engine, make(map[int64]int)
	err := p.eachConnected(from-1, func(_, trunk int64, instants []uint32) {
		for _, i := range instants {
			connected[trunk] += connectionChange(i)
		}
	})
	if err != nil {
		return err
	}
	for trunk, n := range connected {
		for range n {
			p.edges = append(p.edges, edge{trunk: trunk, at: from * minuteMicros, connects: true})
		}
	}
	p.next.connectedFrom = from
	_, err = e.exec(`DELETE FROM connected WHERE feed = ? AND minute < ?`, p.row.id, from)
	return err
}

var addConnected = newManyRows(4, `INSERT INTO connected (feed, minute, trunk, data)`,
	` ON CONFLICT (feed, minute, trunk) DO UPDATE SET data = CAST(connected.data || excluded.data AS BLOB)`)

// writeEdges appends the page's edges to their minutes. What lies before all that is kept
// goes to its first instant.
func (p *pageCommit) writeEdges() error {
	first := p.next.connectedFrom * minuteMicros
	for i := range p.edges {
		p.edges[i].at = max(p.edges[i].at, first)
	}
	slices.SortFunc(p.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at/minuteMicros, b.at/minuteMicros), cmp.Compare(a.trunk, b.trunk))
	})
	data, from := make([]byte, 0, 4*len(p.edges)), 0
	p.args = p.args[:0]
	for i, e := range p.edges {
		minute := e.at / minuteMicros
		data = binary.BigEndian.AppendUint32(data, uint32(e.at-minute*minuteMicros)<<1|uint32(flag(e.connects)))
		if i+1 < len(p.edges) && p.edges[i+1].at/minuteMicros == minute && p.edges[i+1].trunk == e.trunk {
			continue
		}
		p.args = append(p.args, p.row.id, minute, e.trunk, data[from:])
		from = len(data)
	}
	return p.ledger.engine.execMany(addConnected, p.args)
}

// connectionChange is how an instant changes the number of calls that are connected.
func connectionChange(instant uint32) int { return int(instant&1)*2 - 1 }

// eachConnected calls each for every minute and trunk up to a minute, in order of the
// minutes. The instants are microseconds of the minute, shifted by one bit, which is set if
// a call connects: sorted, who ends as another connects isn't connected at once with it.
func (f *Feed) eachConnected(last int64, each func(minute, trunk int64, instants []uint32)) error {
	rows, err := f.ledger.engine.query(`SELECT minute, trunk, data FROM connected WHERE feed = ? AND minute <= ? ORDER BY minute, trunk`, f.id, last)
	if err != nil {
		return err
	}
	var instants []uint32
	return scanAll(rows, func() error {
		var minute, trunk int64
		var data []byte
		if err := rows.Scan(&minute, &trunk, &data); err != nil {
			return err
		}
		instants = instants[:0]
		for ; len(data) >= 4; data = data[4:] {
			instants = append(instants, binary.BigEndian.Uint32(data))
		}
		slices.Sort(instants)
		each(minute, trunk, instants)
		return nil
	})
}

// findPeaks finds the most calls connected at once in the hour before hourEnd, by the
// number of the trunk; nil if not all calls of that hour are known.
func (f *Feed) findPeaks(s *State) (map[int64]int, error) {
	end := f.hourEnd(s)
	begin := end.Add(-peakWindow)
	from, to := begin.UnixMicro(), end.UnixMicro()
	if !s.HistoryDone || begin.Before(s.Origin) || from < s.connectedFrom*minuteMicros {
		return nil, nil
	}
	now, peaks := make(map[int64]int), make(map[int64]int)
	return peaks, f.eachConnected(to/minuteMicros, func(minute, trunk int64, instants []uint32) {
		for _, i := range instants {
			at := minute*minuteMicros + int64(i>>1)
			if at >= to {
				return
			}
			now[trunk] += connectionChange(i)
			if at <= from {
				peaks[trunk] = now[trunk]
			} else {
				peaks[trunk] = max(peaks[trunk], now[trunk])
			}
		}
	})
}

// showPeaks finds and shows the peaks of what is committed.
func (f *Feed) showPeaks() error {
	peaks, err := f.findPeaks(&f.row.state)
	if err == nil {
		f.ledger.store.SetPeaks(f.series, peaks)
	}
	return err
}

// loadTrunks reads the trunks' numbers.
func (l *Ledger) loadTrunks(series *metrics.FeedSeries, feed int64) (map[string]int64, error) {
	rows, err := l.engine.query(`SELECT id, name FROM trunks WHERE feed = ? ORDER BY id`, feed)
	if err != nil {
		return nil, err
	}
	trunks := make(map[string]int64)
	return trunks, scanAll(rows, func() error {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		trunks[name] = id
		l.store.AddTrunk(series, name)
		return nil
	})
}
