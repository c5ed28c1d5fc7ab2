package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/ids"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// What operators and other commands read of a ledger, or do with it, while no exporter or another process has it open.

// Inspector reads a ledger as it was at one instant. An Inspector of a Storage takes no lock: another
// process may write to the ledger meanwhile. An Inspector of an open Ledger blocks its commits until
// it is closed.
type Inspector struct {
	ledger *Ledger
	feeds  []*Feed
	close  func() error
}

// FeedReport is a ledger's content of a feed.
type FeedReport struct {
	Source, Provider, Feed string
	State                  counting.State
	// Journal is the number of ids that aren't in blocks yet.
	Journal int
	// Buckets are in order of their time: records by hour, then what is kept by four days.
	Buckets []BucketReport
	// Waiting is how many items of work wait, SetAside how many of them are set aside, and Calls how many calls wait
	// for further legs.
	Waiting, SetAside, Calls int
	// WaitingCalls are those that wait longest from now on, at most mostWaitingCalls.
	WaitingCalls []counting.WaitingCall
	// Owed are the items that were set aside or have failed, and the spans that are read again: first those that were
	// set aside, each group in order of their due times.
	Owed []work.Item
	// BadRows are the rows that were set aside, by their problem, the most frequent first.
	BadRows []BadRowReport
}

// mostWaitingCalls is how many calls that wait a report lists.
const mostWaitingCalls = 20

// BucketReport describes the blocks of an hour, or of four days.
type BucketReport struct {
	Start time.Time
	Hour  bool // it is of an hour
	// Blocks is the number of SQL rows, IDs the number of keys in them; a key may be in several blocks.
	Blocks, IDs int
	// Bytes is their size on disk.
	Bytes int64
}

// BadRowReport is the number of rows that were set aside for a reason, and the time of the last one.
type BadRowReport struct {
	Problem string
	Rows    int
	Last    time.Time
}

// Inspect opens a ledger for reading.
func (s Storage) Inspect(ctx context.Context) (*Inspector, error) {
	e, err := s.openTables(ctx, s.withoutTimeout(), engine.Access{View: true})
	if err != nil {
		return nil, err
	}
	i := &Inspector{ledger: &Ledger{
		mu: newLock(), view: true, settings: Settings{Storage: s, Now: time.Now}, engine: e,
		idMemory: ids.NewMemory(0, 0),
		store:    metrics.NewStore(metrics.Options{}, time.Now),
	}, close: e.Close}
	secret, err := readMeta(&e.Session, "key")
	if err == nil {
		i.ledger.hasher, err = counting.NewHasher(secret)
	}
	if err == nil {
		err = i.load()
	}
	if err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// load reads all feeds of the file, configured or not, in order of their names.
func (i *Inspector) load() error {
	err := i.ledger.engine.ScanAll(`SELECT id, source, provider, feed FROM feeds WHERE id > 0 ORDER BY source, feed`,
		nil, func(rows *sql.Rows) error {
			f := &Feed{ledger: i.ledger}
			i.feeds = append(i.feeds, f)
			return rows.Scan(&f.id, &f.spec.Source, &f.spec.Provider, &f.spec.Feed)
		})
	if err != nil {
		return err
	}
	for _, f := range i.feeds {
		if err := f.load(); err != nil {
			return fmt.Errorf("%s: %w", f.name(), err)
		}
	}
	return nil
}

// Inspect reads the feeds that are open here. No commit begins before Close, so do nothing slow before
// it.
func (l *Ledger) Inspect(ctx context.Context) (*Inspector, error) {
	if err := l.mu.LockWithin(ctx); err != nil {
		return nil, err
	}
	if err := l.ensureOpen(ctx); err != nil {
		l.mu.Unlock()
		return nil, err
	}
	return &Inspector{
		ledger: l, feeds: slices.Collect(maps.Values(l.feeds)),
		close: func() error { l.mu.Unlock(); return nil },
	}, nil
}

// Close ends reading. It is called once.
func (i *Inspector) Close() error { return i.close() }

// Size is how many bytes the ledger's files take, the write-ahead log included.
func (i *Inspector) Size() (int64, error) { return i.ledger.Size() }

// Outbox is how many log records and spans wait to be sent.
func (i *Inspector) Outbox() (waiting struct{ Records, Spans int64 }, err error) {
	if waiting.Records, err = outbox.Count(&i.ledger.engine.Session, outbox.Logs); err == nil {
		waiting.Spans, err = outbox.Count(&i.ledger.engine.Session, outbox.Spans)
	}
	return waiting, err
}

// Feeds reports on every feed.
func (i *Inspector) Feeds() ([]FeedReport, error) {
	var all []FeedReport
	for _, f := range i.feeds {
		r, err := f.report()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name(), err)
		}
		all = append(all, r)
	}
	return all, nil
}

func (f *Feed) report() (r FeedReport, err error) {
	e := &f.ledger.engine.Session
	r = FeedReport{Source: f.spec.Source, Provider: f.spec.Provider, Feed: f.spec.Feed, State: f.State()}
	r.Journal = f.ids.Sizes().JournalIDs
	err = e.ScanAll(`SELECT bucket, count(*), sum(ids), sum(length(keys) + length(states)) FROM blocks
		WHERE feed = ? GROUP BY bucket ORDER BY bucket <= 0, abs(bucket)`, []any{f.id}, func(rows *sql.Rows) error {
		var bucket int64
		var b BucketReport
		err := rows.Scan(&bucket, &b.Blocks, &b.IDs, &b.Bytes)
		b.Start, b.Hour = counting.BucketStart(bucket)
		r.Buckets = append(r.Buckets, b)
		return err
	})
	if err != nil {
		return r, err
	}
	r.Calls = f.waitingCalls
	if err := e.ScanRow(`SELECT count(*), COALESCE(sum(set_aside), 0) FROM tasks
		WHERE feed = ? AND kind <> '`+work.Call+`'`, []any{f.id}, &r.Waiting, &r.SetAside); err != nil {
		return r, err
	}
	if r.WaitingCalls, err = f.describeCalls(mostWaitingCalls); err != nil {
		return r, err
	}
	r.Owed, err = engine.ReadRows(e, `SELECT `+taskColumns+` FROM tasks
		WHERE feed = ? AND kind <> '`+work.Call+`' AND (set_aside = 1 OR attempts > 0 OR kind = '`+work.Span+`')
		ORDER BY set_aside DESC, due, kind, key`, []any{f.id}, taskTargets)
	if err != nil {
		return r, err
	}
	r.BadRows, err = engine.ReadRows(e, `SELECT problem, count(*), max(at) FROM bad_rows
		WHERE feed = ? GROUP BY problem ORDER BY count(*) DESC, problem`, []any{f.id},
		func(b *BadRowReport) []any { return []any{&b.Problem, &b.Rows, engine.Time(&b.Last)} })
	return r, err
}

// describeCalls describes calls that wait for further legs, first those that wait longest from now on.
func (f *Feed) describeCalls(most int) (calls []counting.WaitingCall, err error) {
	err = f.ledger.engine.ScanAll(`SELECT `+taskColumns+` FROM tasks
		WHERE feed = ? AND kind = '`+work.Call+`' ORDER BY due DESC, key LIMIT ?`, []any{f.id, most},
		func(rows *sql.Rows) error {
			var item work.Item
			if err := rows.Scan(taskTargets(&item)...); err != nil {
				return err
			}
			call, err := counting.DescribeCall(&item)
			calls = append(calls, call)
			return err
		})
	return calls, err
}

// Verify returns the errors that it finds in the ledger. It calls progress with each feed's name and
// the number of ids checked.
func (i *Inspector) Verify(progress func(feed string, ids int)) []error {
	var problems []error
	for _, f := range i.feeds {
		ids, err := i.verifyFeed(f)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", f.name(), err))
		}
		progress(f.name(), ids)
	}
	for _, err := range [...]error{outbox.Verify(&i.ledger.engine.Session), i.verifyFile()} {
		if err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// verifyFeed checks the form of every id, that aliases lead to records, and that the number of
// calls remembered fits the number counted.
func (i *Inspector) verifyFeed(f *Feed) (ids int, err error) {
	s, calls := f.committed.Load(), uint64(0)
	for _, bucket := range f.ids.Buckets() {
		entries, err := f.ids.Bucket(bucket)
		if err != nil {
			return ids, err
		}
		for _, entry := range entries {
			ids++
			isCall, err := i.verifyEntry(f, &entry)
			if err != nil {
				return ids, err
			}
			calls += uint64(engine.Flag(isCall))
		}
	}
	var problems []error
	if f.keyCheck != i.ledger.hasher.Check() {
		problems = append(problems, errOtherKey)
	}
	pruned := s.Floor.After(s.Origin)
	if calls > s.Calls || calls < s.Calls && !pruned {
		problems = append(problems, fmt.Errorf("%d calls are remembered, %d were counted", calls, s.Calls))
	}
	_, err = f.describeCalls(math.MaxInt) // the legs of each can be read
	return ids, errors.Join(append(problems, f.verifyTotals(), err)...)
}

// verifyEntry checks an id and returns whether it is a call's.
func (i *Inspector) verifyEntry(f *Feed, stored *counting.Stored) (isCall bool, err error) {
	if err := stored.Check(); err != nil {
		return false, err
	}
	if of, ok := stored.Alias(); ok && !counting.IsForgotten(of.Bucket, f.committed.Load().Floor) {
		if data, err := f.ids.Get(of); err != nil || data == nil {
			return false, errors.Join(err, fmt.Errorf("the id of a record leads nowhere: %w", counting.ErrRow))
		}
	}
	return stored.IsCall(), nil
}

func (i *Inspector) verifyFile() error {
	if i.ledger.Shared() {
		return nil
	}
	var problem string
	err := i.ledger.engine.ScanRow(`PRAGMA integrity_check(1)`, nil, &problem)
	if err == nil && problem != "ok" {
		return fmt.Errorf("SQLite: %s", problem)
	}
	return err
}

// Compact rewrites the file without free room. It takes the ledger's lock: ErrLocked while the exporter runs.
func Compact(ctx context.Context, s Storage) (before, after int64, err error) {
	if s.Postgres != nil {
		return 0, 0, errors.New("PostgreSQL gives free room back by itself (autovacuum): there is nothing to do")
	}
	if err := s.mustExist(); err != nil {
		return 0, 0, err
	}
	l, err := Open(ctx, Settings{Storage: s, Now: time.Now})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if before, err = l.Size(); err != nil {
		return 0, 0, err
	}
	if err := l.mu.LockWithin(ctx); err != nil {
		return 0, 0, err
	}
	defer l.mu.Unlock()
	for _, text := range [...]string{`VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := l.engine.Exec(text); err != nil {
			return 0, 0, fmt.Errorf("compact ledger: %w", err)
		}
	}
	after, err = l.Size()
	return before, after, err
}

// Summary is the part of a ledger that commands need; another process may have the ledger open.
type Summary struct {
	// HashKey is the ledger's own key of redaction by hash.
	HashKey []byte
	// Origins are the origins of feeds by `source/feed`.
	Origins map[string]time.Time
}

// ReadSummary reads a ledger without its lock. If the ledger doesn't exist, the summary has a new key,
// for this call only, and no origins.
func ReadSummary(ctx context.Context, s Storage) (Summary, error) {
	i, err := s.Inspect(ctx)
	if errors.Is(err, errNoLedger) {
		h, err := counting.NewHasher(counting.NewSecret())
		return Summary{HashKey: h.Privacy()}, err
	}
	if err != nil {
		return Summary{}, err
	}
	defer i.Close() //nolint:errcheck // nothing was written
	g := Summary{HashKey: i.ledger.hasher.Privacy(), Origins: make(map[string]time.Time)}
	for _, f := range i.feeds {
		g.Origins[f.name()] = f.State().Origin
	}
	return g, nil
}
