package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/ids"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// stateColumns are the columns of a State that anyone may read of the table feeds, and stateTargets
// where they are scanned into.
const stateColumns = `origin, floor, watermark, newest, history_done, records`

func stateTargets(s *counting.State) []any {
	return []any{
		engine.Time(&s.Origin),
		engine.Time(&s.Floor),
		engine.Time(&s.Watermark),
		engine.Time(&s.NewestCall),
		&s.HistoryDone,
		&s.Calls,
	}
}

// Feed is the state of one feed. It is safe for concurrent use.
type Feed struct {
	ledger *Ledger
	id     int64 // of its line in the table feeds
	series *metrics.FeedSeries

	// committed is the state as of the last commit, readable without the lock. It isn't changed, only replaced.
	committed atomic.Pointer[counting.State]
	// rowKeys change with each load, so that rows remembered before aren't found again: another
	// writer may have revised their records.
	rowKeys atomic.Pointer[rowKeys]
	// steppedBack says that a failover lost commits that memory had, and that reading hasn't begun again since.
	steppedBack atomic.Bool

	// All below is guarded by Ledger.mu.
	spec       FeedSpec
	lost       bool  // another replica owns it now: nothing is committed any more
	epoch, seq int64 // of its line, as of the last commit
	keyCheck   int64
	ids        *ids.Store
	trunks     map[string]int64 // their numbers, from 1
	// waitingCalls is how many calls wait for further legs.
	waitingCalls int
}

func (f *Feed) name() string { return f.spec.Source + "/" + f.spec.Feed }

// advanceSeq moves the sequence number. It returns ErrFenced if another writer has moved it, owns
// the feed now, or has made another ledger (counting.md 34).
func (f *Feed) advanceSeq() error {
	n, err := f.ledger.engine.Exec(`UPDATE feeds SET seq = seq + 1 WHERE id = ? AND epoch = ? AND seq = ? AND owner
		= ? AND key_check = ?`,
		f.id, f.epoch, f.seq, f.ledger.replica(), f.ledger.hasher.Check())
	if err == nil && n != 1 {
		return ErrFenced
	}
	return err
}

// saveState writes the state, after advanceSeq.
func (f *Feed) saveState(s *counting.State) error {
	_, err := f.ledger.engine.Exec(`UPDATE feeds SET floor = ?, watermark = ?, newest = ?, history_done = ?, records
		= ?, connected_from = ?,
		history_read = ? WHERE id = ?`,
		engine.Micros(s.Floor), engine.Micros(s.Watermark), engine.Micros(s.NewestCall), engine.Flag(s.HistoryDone),
		int64(s.Calls), s.ConnectedFrom, engine.Micros(s.HistoryRead), f.id)
	return errors.Join(err, f.saveResume(s.Resume))
}

// Feed opens a feed's state, creates it at its first start, and shows its series. A feed that is
// already open gets the new spec.
func (l *Ledger) Feed(ctx context.Context, spec FeedSpec) (*Feed, error) {
	if err := l.mu.LockWithin(ctx); err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	name := spec.Source + "/" + spec.Feed
	id, err := l.ensureLine(ctx, spec)
	f := l.feeds[name]
	if err != nil {
		if f != nil && errors.Is(err, ErrOtherAccount) {
			l.store.Active(f.series, false) // another account's series aren't this one's
		}
		return nil, err
	}
	if f != nil {
		f.spec = spec
		peaks, err := f.findPeaks(f.committed.Load())
		if err != nil {
			return nil, err
		}
		l.store.SetPeaks(f.series, peaks)
		l.store.SetNoReasons(f.series, spec.NoReasons)
		l.store.Active(f.series, true)
		return f, nil
	}
	f = &Feed{ledger: l, id: id, spec: spec}
	if err := f.load(); err != nil {
		return nil, err
	}
	if err := l.loadOutbox(); err != nil { // what waits of a feed that was another replica's
		return nil, err
	}
	if err := l.compareCatalogue(); err != nil {
		return nil, err
	}
	l.feeds[name] = f
	l.store.Active(f.series, true)
	return f, nil
}

// load reads the feed's line and series. Memory changes only when all of it could be read.
func (f *Feed) load() error {
	l, state := f.ledger, new(counting.State)
	var owner string
	var epoch, seq, check int64
	err := l.engine.ScanRow(`SELECT owner, epoch, seq, key_check, connected_from, history_read, `+stateColumns+
		` FROM feeds WHERE id = ?`, []any{f.id},
		append([]any{&owner, &epoch, &seq, &check, &state.ConnectedFrom, engine.Time(&state.HistoryRead)},
			stateTargets(state)...)...)
	if err != nil {
		return fmt.Errorf("read the state of feed %d: %w", f.id, err)
	}
	if owner != l.replica() && !l.view {
		if f.ids != nil { // it was this replica's: now its owner shows it
			l.removeFeed(f)
		}
		return ErrNotOwner
	}
	if !l.view && check != l.hasher.Check() {
		return fmt.Errorf("feed %d: %w", f.id, errOtherKey)
	}
	f.keyCheck = check
	if f.ids != nil && seq < f.seq { // what is read now follows what is gone
		f.steppedBack.Store(true)
	}
	series := metrics.NewFeed(f.spec.Source, f.spec.Provider, f.spec.Feed, state.HistoryDone)
	series.NoReasons = f.spec.NoReasons
	if state.Resume, err = l.loadResume(f.id); err != nil {
		return err
	}
	if state.Spans, err = engine.ReadRows(&l.engine.Session, `SELECT `+taskColumns+` FROM tasks
		WHERE feed = ? AND kind = '`+work.Span+`' ORDER BY key`, []any{f.id}, taskTargets); err != nil {
		return fmt.Errorf("read the spans that feed %d reads again: %w", f.id, err)
	}
	trunks, err := l.loadTrunks(series, f.id)
	if err != nil {
		return err
	}
	remembered, failed := ids.Load(&l.engine.Session, f.id, l.idMemory)
	if err := errors.Join(l.loadSeries(series, f.id), failed); err != nil {
		return err
	}
	peaks, err := f.findPeaks(state)
	if err != nil {
		return err
	}
	var calls int
	if err := l.engine.ScanRow(`SELECT count(*) FROM tasks WHERE feed = ? AND kind = '`+work.Call+`'`, []any{f.id},
		&calls); err != nil {
		return err
	}
	f.waitingCalls = calls
	if f.ids != nil {
		f.ids.Release()
	}
	l.store.SetPeaks(series, peaks)
	l.store.Replace(f.series, series)
	f.epoch, f.seq, f.series, f.trunks, f.ids = epoch, seq, series, trunks, remembered
	f.committed.Store(state)
	f.rowKeys.Store(newRowKeys())
	return nil
}

func (l *Ledger) loadSeries(f *metrics.FeedSeries, feed int64) error {
	defs := make(map[string]*metrics.Def)
	for _, d := range metrics.Catalogue() {
		defs[d.Name] = d
	}
	var one metrics.Stored
	var labels string
	return l.engine.ScanAll(`SELECT id, metric, labels, start, shown, value FROM series WHERE feed = ? ORDER BY id`,
		[]any{feed}, func(rows *sql.Rows) error {
			err := rows.Scan(&one.ID, &one.Metric, &labels, engine.Time(&one.Start), &one.Shown, &one.Value)
			if err != nil {
				return err
			}
			d := defs[one.Metric]
			if d == nil {
				return nil // a metric that this program no longer has: kept, not shown
			}
			one.LabelValues = nil
			if err := json.Unmarshal([]byte(labels), &one.LabelValues); err != nil {
				return fmt.Errorf("read labels of series %d: %w", one.ID, err)
			}
			return l.store.Load(f, d, one)
		})
}

// ensureLine finds a feed's row, takes over that of renamed_from, or makes one, and checks that it is
// of the same account (counting.md 19). The commit lock is held.
func (l *Ledger) ensureLine(ctx context.Context, spec FeedSpec) (id int64, err error) {
	if err := l.ensureOpen(ctx); err != nil {
		return 0, err
	}
	id, current, err := l.findLine(spec)
	if err != nil || !current { // else nothing is written, and nobody is waited for
		err = l.commitAlone(ctx, func() error {
			id, current, err = l.findLine(spec)
			if err != nil || current {
				return err
			}
			return l.writeLine(spec, &id)
		})
	}
	for name, f := range l.feeds { // open under a former name, which this or another replica has changed
		if err == nil && f.id == id && name != spec.Source+"/"+spec.Feed {
			l.removeFeed(f)
		}
	}
	return id, err
}

// findLine is the line that a feed has or takes over, 0 if there is none, and whether it needs no change.
func (l *Ledger) findLine(spec FeedSpec) (id int64, current bool, err error) {
	type line struct {
		id                  int64
		source, fingerprint string
	}
	lines, err := engine.ReadRows(&l.engine.Session, `SELECT id, source, fingerprint FROM feeds
		WHERE feed = ? AND (source IN (?, ?) OR former = ? AND fingerprint = ?)`,
		[]any{spec.Feed, spec.Source, spec.RenamedFrom, spec.Source, spec.Fingerprint},
		func(one *line) []any { return []any{&one.id, &one.source, &one.fingerprint} })
	if err != nil {
		return 0, false, err
	}
	var own, old, renamed *line
	for i := range lines {
		switch one := &lines[i]; one.source {
		case spec.Source:
			own = one
		case spec.RenamedFrom:
			old = one
		default:
			renamed = one
		}
	}
	found := cmp.Or(own, old)
	switch {
	case own != nil && old != nil:
		return 0, false, fmt.Errorf("%w: source %s can't take over feed %s of %s, since both names have "+
			"state: remove renamed_from",
			ErrRenamed, spec.Source, spec.Feed, spec.RenamedFrom)
	// by a replica whose configuration is newer: nothing is counted again under the former name
	case found == nil && renamed != nil:
		return 0, false, fmt.Errorf("%w: source %s, feed %s, was renamed to %s by a renamed_from: use that "+
			"name here too, or set renamed_from: %s",
			ErrRenamed, spec.Source, spec.Feed, renamed.source, renamed.source)
	case found == nil:
		return 0, false, nil
	case found.fingerprint != spec.Fingerprint && !spec.SameAccount:
		return 0, false, fmt.Errorf("%w: source %s now points at another account for feed %s (the ledger has "+
			"%s, the configuration %s): "+
			"give the new account a new source name; if it is the old account under a new name, set renamed_from%s",
			ErrOtherAccount, spec.Source, spec.Feed, found.fingerprint, spec.Fingerprint, spec.OtherAccount)
	}
	return found.id, found == own && found.fingerprint == spec.Fingerprint, nil
}

// writeLine makes a feed's line if its id is 0, else it takes it over.
func (l *Ledger) writeLine(spec FeedSpec, id *int64) error {
	if *id != 0 {
		_, err := l.engine.Exec(`UPDATE feeds SET former = CASE source WHEN ? THEN former ELSE source END, source =
			?, fingerprint = ? WHERE id = ?`,
			spec.Source, spec.Source, spec.Fingerprint, *id)
		return err
	}
	origin := l.settings.Now().Add(-spec.History).Truncate(time.Second)
	first := engine.Micros(origin.Add(-spec.Lead))
	return l.engine.ScanRow(`INSERT INTO feeds (id, source, former, provider, feed, fingerprint, owner, epoch, seq,
		key_check, origin, floor, watermark, newest,
		history_done, records, connected_from, history_read)
		SELECT max(id) + 1, ?, '', ?, ?, ?, '', 1, 0, ?, ?, ?, ?, 0, 0, 0, 0, 0 FROM feeds RETURNING id`,
		[]any{
			spec.Source, spec.Provider, spec.Feed, spec.Fingerprint, l.hasher.Check(),
			engine.Micros(origin), first, first,
		}, id)
}

// Hide stops showing a feed that is no longer configured. Its state stays.
func (l *Ledger) Hide(source, feed string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.feeds[source+"/"+feed]; f != nil {
		l.store.Active(f.series, false)
	}
}

// Begin says that reading begins, with the State from now on: what was read before isn't in hand any more.
func (f *Feed) Begin() { f.steppedBack.Store(false) }

// State returns the last committed state. It doesn't wait for a commit.
func (f *Feed) State() counting.State {
	s := *f.committed.Load()
	s.Resume = append([]byte(nil), s.Resume...)
	return s
}

// labelsText is a series' own label values as the ledger keeps them.
func labelsText(own []string) string {
	text, _ := json.Marshal(own) // strings always encode
	return string(text)
}

// startFor is the created timestamp of series that a first history shows: the origin, or none if it
// lies so near that Prometheus would put a zero there and see a spike (counting.md 20).
func startFor(origin, now time.Time) time.Time {
	if now.Sub(origin) < 2*time.Hour {
		return time.Time{}
	}
	return origin
}
