package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// pageCommit is the commit of one page. It reads the stored state of the page's keys, lets
// internal/core/counting decide the changes, writes them, and updates memory once they are durable.
// The next page reuses its buffers.
type pageCommit struct {
	*Feed

	page     *counting.Page
	now      time.Time // by the local clock, which rules zero_for, start times and windows
	settings counting.Settings
	decision *counting.Decision
	keys     *counting.Keys
	known    counting.Known
	change   *counting.Change

	// Made by write.
	changes  *metrics.Changes
	drafts   [outbox.Signals]outbox.Draft
	redacted cdr.Record // the record whose log records are made
	args     []any      // of a statement
	peaks    map[int64]int64
	newPeaks bool // the peaks were computed again
}

// Commit counts a page as a whole. After an error nothing of it was committed, or that is unknown:
// read its rows again. After ErrFull and ErrOutboxFull pause first, and after ErrFenced get the new
// State. If ctx ends, a commit that hasn't begun is given up; one that has begun continues.
func (f *Feed) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	l := f.ledger
	if err := l.mu.LockWithin(ctx); err != nil {
		return counting.Result{}, err
	}
	defer l.mu.Unlock()
	if f.lost {
		return counting.Result{}, ErrNotOwner
	}
	if err := l.Paused(); err != nil && len(page.Records) > 0 {
		return counting.Result{}, err
	}
	// The space of the reserve is for the outbox: reading waits until there is room for a reserve again.
	if l.reserve.released && !l.fillReserve() {
		return counting.Result{}, fmt.Errorf("%w: free some space; reading goes on by itself then", ErrFull)
	}
	if f.ids.IsFull() {
		if err := f.packIDs(ctx); err != nil {
			return counting.Result{}, err
		}
	}
	p := &l.page
	p.Feed, p.page, p.now, p.settings = f, page, l.settings.Now(), f.spec.Settings
	p.settings.Redactor = l.redactor
	p.settings.Traces, p.settings.TracesHistory = l.settings.Tracer != nil, l.settings.TracesHistory
	page.ObservedAt = cmp.Or(page.ObservedAt, p.now)
	p.keys = p.decision.Keys(page, &p.settings, &l.hasher)
	if err := l.commitChange(ctx, f, p.writePage, p.publish); err != nil {
		return counting.Result{}, err
	}
	result := p.change.Result
	result.PremiumCalls = metrics.PremiumCalls(p.change.Facts, page.ObservedAt, l.redactor.Account)
	for p.change.Result.MoreCalls { // as many calls are due as one commit looks at, so there may be more
		p.page = &counting.Page{
			ObservedAt: page.ObservedAt,
			Position:   &counting.Position{Read: p.decision.CompleteRead()},
		}
		p.keys = p.decision.Keys(p.page, &p.settings, &l.hasher)
		if err := l.commitChange(ctx, f, p.writePage, p.publish); err != nil {
			break // they are due with the next read too
		}
		result.AddCalls(&p.change.Result)
		if p.change.Result.Counted == 0 {
			break // those that are due wait for another read
		}
	}
	if result.SkippedLogs+result.SkippedSpans > 0 && l.settings.OnSkip != nil {
		l.settings.OnSkip(result.SkippedLogs, result.SkippedSpans)
	}
	return result, nil
}

// writePage is the body of the transaction. It runs from the beginning each time the transaction is retried.
func (p *pageCommit) writePage() error {
	if p.steppedBack.Load() && (p.page.Position != nil || len(p.page.Done) > 0) {
		return ErrFenced // the commits before it must be read again
	}
	if err := p.readKnown(); err != nil {
		return err
	}
	var err error
	if p.change, err = p.decision.Decide(&p.known); err != nil {
		return err
	}
	for _, write := range [...]func() error{
		p.writeIDs, p.writeBadRows, p.writeSeries, p.writeActivity, p.writeDailyTotals, p.writeOutbox, p.writeTasks,
		p.findOldest, p.writeState, p.writeConnected,
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return p.saveState(&p.change.State)
}

// readKnown reads the stored state of all keys of the page.
func (p *pageCommit) readKnown() error {
	k := &p.known
	*k = counting.Known{
		State: *p.committed.Load(), IDs: k.IDs[:0],
		Trunks: p.trunks, TrunkLimit: p.ledger.settings.Options.SeriesLimit,
	}
	var err error
	k.Tasks, k.Waiting = make(map[counting.TaskKey]work.Item), p.waitingCalls
	for keys := p.keys; keys != nil; keys = p.decision.More(k) {
		if k.IDs, err = p.ids.Known(k.IDs, keys.IDs, k.State.Floor); err != nil {
			return err
		}
		if err := p.readTasks(keys.Tasks); err != nil {
			return err
		}
	}
	if err := p.readDueCalls(); err != nil {
		return err
	}
	return p.readBadRows()
}

func (p *pageCommit) readTasks(keys []counting.TaskKey) error {
	p.args = p.args[:0]
	for _, key := range keys {
		p.args = append(p.args, key.Kind, key.Key)
	}
	// SQLite takes half the time for VALUES that it takes for a list of rows.
	return p.ledger.engine.QueryIn(`SELECT `+taskColumns+` FROM tasks WHERE feed = ? AND (kind, key) IN (VALUES `,
		`(?, ?)`, p.id, p.args,
		func(rows *sql.Rows) error {
			var w work.Item
			err := rows.Scan(taskTargets(&w)...)
			p.known.Tasks[counting.TaskKey{Kind: w.Kind, Key: w.Key}] = w
			return err
		})
}

// readDueCalls reads the calls that wait and that the page may make whole, and the oldest if too many
// would still wait.
func (p *pageCommit) readDueCalls() error {
	complete := p.decision.CompleteRead()
	if p.waitingCalls == 0 || complete == nil {
		return nil
	}
	k := &p.known
	k.Surplus = make(map[counting.Hash]bool)
	read := func(where string, limit int, surplus bool, args ...any) error {
		return p.ledger.engine.ScanAll(`SELECT `+taskColumns+` FROM tasks WHERE feed = ? AND kind = '`+work.Call+`' `+
			where+` LIMIT ? + 0`, // see dueTasks
			append(append([]any{p.id}, args...), limit), func(rows *sql.Rows) error {
				var w work.Item
				if err := rows.Scan(taskTargets(&w)...); err != nil {
					return err
				}
				key, err := counting.CallOf(w.Key)
				k.Tasks[counting.TaskKey{Kind: w.Kind, Key: w.Key}] = w
				k.DueCalls, k.Surplus[key] = append(k.DueCalls, key), surplus
				return err
			})
	}
	// A call from before what was read waits for a deeper read. Until then it delays nothing.
	until, from := engine.Micros(complete.Began), int64(math.MinInt64)
	if !complete.To.IsZero() {
		until = min(until, engine.Micros(complete.To))
	}
	if !complete.From.IsZero() {
		from = engine.Micros(complete.From)
	}
	err := read(`AND set_aside = 0 AND due <= ? AND version >= ? ORDER BY due, version, kind, key`, counting.DueAtOnce,
		false, until, from)
	if err == nil { // what came while a clock was ahead would wait until then
		ahead := p.page.ObservedAt.Add(counting.StartAhead + max(p.settings.Settle, p.settings.WholeAfter))
		err = read(`AND set_aside = 0 AND due > ? AND version >= ? ORDER BY due, version, kind, key`,
			counting.DueAtOnce-len(k.DueCalls), false, engine.Micros(ahead), from)
	}
	surplus := min(p.waitingCalls-counting.MostWaiting, counting.DueAtOnce) - len(k.DueCalls)
	if err != nil || surplus <= 0 {
		return err
	}
	return read(`AND NOT (set_aside = 0 AND due <= ? AND version >= ?) ORDER BY version, key`, surplus, true,
		until, from)
}

// findOldest finds the call that a read must look at next: the oldest of those that wait.
func (p *pageCommit) findOldest() error {
	if p.change.Result.Waiting == 0 || p.decision.CompleteRead() == nil {
		return nil
	}
	result := &p.change.Result
	err := p.ledger.engine.ScanRow(`SELECT version, due FROM tasks WHERE feed = ? AND kind = '`+work.Call+
		`' AND set_aside = 0 AND due <= ? AND version >= ? ORDER BY version LIMIT 1`,
		[]any{p.id, engine.Micros(p.page.ObservedAt.Add(p.settings.Settle)), engine.Micros(p.change.State.Floor)},
		engine.Time(&result.Oldest), engine.Time(&result.Settled))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

func (p *pageCommit) readBadRows() error {
	p.args = p.args[:0]
	for _, hash := range p.keys.BadRows {
		p.args = append(p.args, int64(hash))
	}
	p.known.BadRows = make(map[counting.Hash]bool)
	return p.ledger.engine.QueryIn(`SELECT hash FROM bad_rows WHERE feed = ? AND hash IN (`, `?`, p.id, p.args,
		func(rows *sql.Rows) error {
			var hash int64
			err := rows.Scan(&hash)
			p.known.BadRows[counting.Hash(hash)] = true
			return err
		})
}

func (p *pageCommit) exec(text string, args ...any) error {
	_, err := p.ledger.engine.Exec(text, args...)
	return err
}

// writeIDs writes the new states under the number of this commit.
func (p *pageCommit) writeIDs() error { return p.ids.Keep(p.seq+1, p.change.Keep) }

func (p *pageCommit) writeBadRows() error {
	p.args = p.args[:0]
	for _, row := range p.change.BadRows {
		p.args = append(p.args, p.id, int64(row.Hash), engine.Micros(p.page.ObservedAt), row.Problem)
	}
	return p.ledger.engine.ExecMany(`INSERT INTO bad_rows (feed, hash, at, problem)`, `(?, ?, ?, ?)`, ``, p.args)
}

// addChanges adds what the page changes to the working copies of its series.
func (p *pageCommit) addChanges() {
	p.changes = p.ledger.store.Begin(p.series, p.now)
	for i := range p.change.Facts {
		f := &p.change.Facts[i]
		changed := p.changes.Add(f)
		if p.ledger.settings.OnFact != nil {
			p.ledger.settings.OnFact(f, changed)
		}
	}
	p.change.Result.Overflow = p.changes.Overflow
}

// seriesColumns are those that a new series brings.
const seriesColumns = `metric, labels, start, shown, value`

func (p *pageCommit) writeSeries() error {
	p.addChanges()
	e := p.ledger.engine
	p.args = p.args[:0]
	var buf []byte
	for _, s := range p.changes.Changed {
		buf = s.AppendNext(buf[:0])
		if s.ID != 0 {
			p.args = append(p.args, s.ID, string(buf))
			continue
		}
		var err error
		s.ID, err = e.Insert("series", seriesColumns, p.id,
			s.Labels.Def.Name, labelsText(s.LabelValues()), engine.Micros(s.Start), engine.Flag(s.Shown), string(buf))
		if err != nil {
			return err
		}
	}
	return e.ExecMany(`UPDATE series SET value = v.column2 FROM (`, `(CAST(? AS BIGINT), ?)`,
		`) AS v WHERE series.id = v.column1`, p.args)
}

// writeState writes an origin that moved, and shows the series of a first history that ended.
func (p *pageCommit) writeState() error {
	was, next := &p.known.State, &p.change.State
	if !next.Origin.Equal(was.Origin) {
		if err := p.exec(`UPDATE feeds SET origin = ? WHERE id = ?`, engine.Micros(next.Origin), p.id); err != nil {
			return err
		}
	}
	if !p.endsHistory() {
		return nil
	}
	return p.exec(`UPDATE series SET start = ?, shown = 1 WHERE feed = ?`,
		engine.Micros(startFor(next.Origin, p.now)), p.id)
}

func (p *pageCommit) endsHistory() bool {
	return p.change.State.HistoryDone && !p.known.State.HistoryDone
}

// publish updates memory with what is durable now.
func (p *pageCommit) publish() {
	store, next := p.ledger.store, &p.change.State
	p.changes.Apply(func(source int, e *metrics.Exemplar) {
		if call := source - 1 - len(p.page.Records); call >= 0 {
			c := &p.change.Calls[call]
			e.TraceID, e.RecordUID = c.Event.TraceID(c.Record.CallID), c.Event.UID("")
			if p.decision.Traces() {
				e.SpanID = c.Event.SpanID(counting.EventCall, "")
			}
			return
		}
		event := p.decision.FirstEvent(source - 1)
		e.TraceID, e.RecordUID = event.TraceID(p.ledger.redactor.CallID(p.page.Records[source-1])), event.UID("")
		if p.decision.HasSpans(source - 1) {
			e.SpanID = event.SpanID(counting.EventCall, "")
		}
	})
	for _, name := range p.change.NewTrunks {
		store.AddTrunk(p.series, name)
		p.trunks[name] = int64(len(p.trunks) + 1)
	}
	if p.newPeaks {
		store.SetPeaks(p.series, p.peaks)
	}
	if p.endsHistory() {
		store.Reveal(p.series, startFor(next.Origin, p.now))
	}
	p.ids.Apply()
	p.waitingCalls = p.change.Result.Waiting
	p.rememberRows()
	p.committed.Store(new(*next))
	for s := range p.drafts {
		p.ledger.outboxes[s].Add(&p.drafts[s])
	}
}
