package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// Figures of the last hours that aren't series, each from a table:
//
//	activity   calls and failures by the five minutes in which they began, for the status page
//	connected  when calls were connected: a row per commit, for cdr_call_peak_concurrency
//	trunks     the numbers of trunks, from 1, which connected refers to

// Activity is the number of calls of a feed that began in the five minutes from Start, whenever they
// were read. Failures are the calls that counted with the outcome `failed`.
type Activity struct {
	Source, Feed    string
	Start           time.Time
	Calls, Failures int64
}

// Activity returns the activity of all feeds since a time, at most of the last 25 hours, in order of
// Start. It includes feeds that are no longer configured, and first histories in progress. It doesn't
// wait for a commit.
func (l *Ledger) Activity(ctx context.Context, from time.Time) ([]Activity, error) {
	since := max(counting.ActivityOf(from), counting.ActivityOf(l.settings.Now().Add(-counting.ActivityKept)))
	return readUnlocked(ctx, l, "activity", `
		SELECT f.source, f.feed, 1000000 * a.second, a.calls, a.failures
		FROM activity a JOIN feeds f ON f.id = a.feed WHERE a.second >= ? ORDER BY a.second, a.feed`, []any{since},
		func(a *Activity) []any {
			return []any{&a.Source, &a.Feed, engine.Time(&a.Start), &a.Calls, &a.Failures}
		})
}

func (p *pageCommit) writeActivity() error {
	p.args = p.args[:0]
	for second, a := range p.change.Activity {
		p.args = append(p.args, p.id, second, a.Calls, a.Failures)
	}
	return p.ledger.engine.ExecMany(`INSERT INTO activity (feed, second, calls, failures)`, `(?, ?, ?, ?)`,
		` ON CONFLICT (feed, second) DO UPDATE SET calls = activity.calls + excluded.calls,
		failures = activity.failures + excluded.failures`, p.args)
}

// writeConnected writes new trunks and the times at which calls were connected. It computes the
// peaks again if a change lies in their hour or the hour moves.
func (p *pageCommit) writeConnected() error {
	for i, name := range p.change.NewTrunks {
		if err := p.exec(`INSERT INTO trunks (feed, id, name) VALUES (?, ?, ?)`, p.id, len(p.trunks)+i+1,
			name); err != nil {
			return err
		}
	}
	was, next := &p.known.State, &p.change.State
	if next.ConnectedFrom > was.ConnectedFrom {
		if err := p.exec(`DELETE FROM connected WHERE feed = ? AND until <= ?`, p.id, next.ConnectedFrom); err != nil {
			return err
		}
	}
	var data []byte
	lastEnd, end, inHour := int64(0), p.hourEnd(next), false
	for _, e := range p.change.Edges {
		data = binary.AppendVarint(binary.AppendVarint(data, e.Trunk*e.Change), e.At)
		lastEnd = max(lastEnd, e.At)
		inHour = inHour || e.At < end.UnixMicro()
	}
	if len(data) > 0 {
		if err := p.exec(`INSERT INTO connected (feed, seq, until, data) VALUES (?, ?, ?, ?)`, p.id, p.seq+1, lastEnd,
			data); err != nil {
			return err
		}
	}
	p.newPeaks = inHour || !was.HistoryDone || !end.Equal(p.hourEnd(was)) || next.ConnectedFrom != was.ConnectedFrom
	if !p.newPeaks {
		return nil
	}
	var err error
	p.peaks, err = p.findPeaks(next)
	return err
}

func (f *Feed) hourEnd(s *counting.State) time.Time { return counting.PeakHourEnd(s, f.spec.LateAfter) }

// findPeaks computes the most calls connected at once in the hour before hourEnd, by trunk; nil if
// not all calls of that hour are known.
func (f *Feed) findPeaks(s *counting.State) (map[int64]int64, error) {
	end := f.hourEnd(s)
	begin := end.Add(-counting.PeakWindow)
	from, to := begin.UnixMicro(), end.UnixMicro()
	if !s.HistoryDone || begin.Before(s.Origin) || from < s.ConnectedFrom {
		return nil, nil
	}
	rows, err := engine.ReadRows(&f.ledger.engine.Session, `SELECT data FROM connected WHERE feed = ? AND until > ?`,
		[]any{f.id, from},
		func(data *[]byte) []any { return []any{data} })
	if err != nil {
		return nil, err
	}
	var edges []counting.Edge
	for _, data := range rows {
		r := pack.Reader{Data: data}
		for len(r.Data) > 0 {
			e := counting.Edge{Trunk: r.Varint(), At: max(r.Varint(), from), Change: 1}
			if e.Trunk < 0 {
				e.Trunk, e.Change = -e.Trunk, -1
			}
			if e.At < to {
				edges = append(edges, e)
			}
		}
		if r.Bad {
			return nil, counting.ErrRow
		}
	}
	// At equal times, ends sort before starts.
	slices.SortFunc(edges, func(a, b counting.Edge) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Change, b.Change))
	})
	now, peaks := make(map[int64]int64), make(map[int64]int64)
	for _, e := range edges {
		now[e.Trunk] += e.Change
		peaks[e.Trunk] = max(peaks[e.Trunk], now[e.Trunk])
	}
	return peaks, nil
}

// loadTrunks reads the trunks' numbers.
func (l *Ledger) loadTrunks(series *metrics.FeedSeries, feed int64) (map[string]int64, error) {
	names, err := engine.ReadRows(&l.engine.Session, `SELECT name FROM trunks WHERE feed = ? ORDER BY id`, []any{feed},
		func(name *string) []any { return []any{name} })
	trunks := make(map[string]int64)
	for i, name := range names {
		trunks[name] = int64(i + 1)
		l.store.AddTrunk(series, name)
	}
	return trunks, err
}
