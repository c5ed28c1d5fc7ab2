package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// findFeed is a feed by its present name or the one that it had, nil if the ledger has neither.
func (i *Inspector) findFeed(spec *FeedSpec) (found *Feed) {
	for _, f := range i.feeds {
		switch {
		case f.spec.Feed != spec.Feed:
		case f.spec.Source == spec.Source:
			return f
		case f.spec.Source == spec.RenamedFrom:
			found = f
		}
	}
	return found
}

// Identity says which ledger is read.
func (i *Inspector) Identity() (Identity, error) {
	return readIdentity(i.ledger.engine.ScanRow)
}

// State returns the committed state of a feed, and whether the ledger has the feed.
func (i *Inspector) State(spec FeedSpec) (counting.State, bool) {
	f := i.findFeed(&spec)
	if f == nil {
		return counting.State{}, false
	}
	return f.State(), true
}

// Preview reads and decides a page as a commit does, and writes nothing.
func (i *Inspector) Preview(spec FeedSpec, page *counting.Page) (*counting.Findings, error) {
	f := i.findFeed(&spec)
	if f == nil {
		return nil, fmt.Errorf("audit: the ledger doesn't have %s/%s", spec.Source, spec.Feed)
	}
	if f.keyCheck != i.ledger.hasher.Check() {
		return nil, fmt.Errorf("audit: %w", errOtherKey)
	}
	p := pageCommit{
		Feed: f, page: page, now: page.ObservedAt, settings: spec.Settings,
		decision: counting.NewDecision(),
	}
	p.keys = p.decision.Keys(page, &p.settings, &i.ledger.hasher)
	if err := p.readKnown(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return p.decision.Preview(&p.known)
}

// Counted calls use with each record of a feed that is remembered and may start in a range.
func (i *Inspector) Counted(spec FeedSpec, from, to time.Time, use func(counting.Stored)) error {
	f := i.findFeed(&spec)
	if f == nil {
		return nil
	}
	for _, bucket := range f.ids.Buckets() {
		if !spec.MayHold(bucket, from, to) {
			continue
		}
		entries, err := f.ids.Bucket(bucket)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.IsRecord() {
				use(entry)
			}
		}
	}
	return nil
}

// Series calls use with the labels after the base labels and the value of each series that a feed has of a metric.
func (i *Inspector) Series(spec FeedSpec, d *metrics.Def, use func(own []string, v *metrics.Value)) {
	if f := i.findFeed(&spec); f != nil {
		f.series.Each(d, use)
	}
}

// auditsKept is how long results are kept.
const auditsKept = 366 * 24 * time.Hour

// StoreAudit stores the results of an audit, and replaces earlier results of the same days. It takes
// no lock, since it changes nothing that a commit changes: an exporter may run.
func (s Storage) StoreAudit(ctx context.Context, audited Identity, spec FeedSpec, results []daily.Audit) (err error) {
	e, err := s.openTables(ctx, s.database(), engine.Access{Known: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.Transact(ctx, func() error { return writeAudit(&e.Session, audited, spec, results) })
}

// StoreAudit stores the results of an audit of this ledger, and replaces earlier results of the same days.
func (l *Ledger) StoreAudit(ctx context.Context, audited Identity, spec FeedSpec, results []daily.Audit) error {
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	return l.commitChange(ctx, nil, func() error { return writeAudit(&l.engine.Session, audited, spec, results) }, nil)
}

// writeAudit writes the results only to the ledger that was audited (counting.md 34).
func writeAudit(s *engine.Session, audited Identity, spec FeedSpec, results []daily.Audit) error {
	now, err := readIdentity(s.ScanRow)
	switch {
	case err != nil && !errors.Is(err, engine.ErrNoTable):
		return err
	case now != audited:
		return fmt.Errorf("%w: the result of the audit isn't kept in another one", ErrReplaced)
	}
	var feed int64
	err = s.ScanRow(`SELECT id FROM feeds WHERE feed = ? AND source IN (?, ?) ORDER BY source = ? DESC`,
		[]any{spec.Feed, spec.Source, spec.RenamedFrom, spec.Source}, &feed)
	if err != nil {
		return fmt.Errorf("keep the result of an audit: %w", err)
	}
	for _, r := range results {
		if _, err := s.Exec(`
			INSERT INTO audits (feed, day, whole, at, listed, missing, changed) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (feed, day, whole) DO UPDATE SET at = excluded.at, listed = excluded.listed,
			missing = excluded.missing, changed = excluded.changed`,
			feed, engine.Micros(r.Day.Time), engine.Flag(r.Whole), engine.Micros(r.Began), r.Listed, r.Missing,
			r.Changed); err != nil {
			return err
		}
	}
	return nil
}

// Audits returns the newest audit of each feed, and the newest audits that ran since a time or of the
// days since then, in order of feed and day. It doesn't wait for a commit.
func (l *Ledger) Audits(ctx context.Context, from time.Time) ([]daily.Audit, error) {
	return readUnlocked(ctx, l, "audits", `SELECT f.source, f.feed, a.day, a.whole, a.at, a.listed, a.missing, a.changed
		FROM audits a JOIN feeds f ON f.id = a.feed
		WHERE a.day >= ? OR a.at >= ? OR a.at = (SELECT max(at) FROM audits b WHERE b.feed = a.feed)
		ORDER BY a.feed, a.day, a.at`, []any{engine.Micros(from), engine.Micros(from)},
		func(r *daily.Audit) []any {
			return []any{
				&r.Source, &r.Feed, engine.Time(&r.Day.Time), &r.Whole, engine.Time(&r.Began),
				&r.Listed, &r.Missing, &r.Changed,
			}
		})
}
