package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// AuditResult is what an audit found of a feed and a day of UTC.
type AuditResult struct {
	Source, Feed string
	// Day is when the day begins. Whole says that all of it was audited.
	Day   time.Time
	Whole bool
	// At is when the audit began.
	At time.Time
	// Listed and Missing are numbers of records. Differs says that an amount differs.
	Listed, Missing int64
	Differs         bool
}

// auditsKept is how long results are kept.
const auditsKept = 366 * 24 * time.Hour

// StoreAudit keeps the results of an audit in place of those of the same days. It takes no lock, since it touches nothing that a commit does: an
// exporter may run.
func StoreAudit(ctx context.Context, s Storage, spec FeedSpec, results []AuditResult) (err error) {
	if err := s.mustExist(); err != nil {
		return err
	}
	e, err := openEngine(ctx, s.database(), access{known: true}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if err := e.checkSchema(); err != nil {
		return err
	}
	var args []any
	for _, r := range results {
		var feed int64
		err := e.scanRow(`SELECT id FROM feeds WHERE feed = ? AND source IN (?, ?) ORDER BY source = ? DESC`,
			[]any{spec.Feed, spec.Source, spec.RenamedFrom, spec.Source}, &feed)
		if err != nil {
			return fmt.Errorf("keep the result of an audit: %w", err)
		}
		args = append(args, feed, micros(r.Day), flag(r.Whole), micros(r.At), r.Listed, r.Missing, flag(r.Differs))
	}
	return e.transact(ctx, func() error {
		for ; len(args) > 0; args = args[7:] {
			if _, err := e.exec(`INSERT INTO audits (feed, day, whole, at, listed, missing, differs) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (feed, day, whole) DO UPDATE SET at = excluded.at, listed = excluded.listed, missing = excluded.missing, differs = excluded.differs`,
				args[:7]...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Audits are what the newest audit of each feed found, and the newest audits of the days from a time on, in order of feed and day. It waits for no
// commit.
func (l *Ledger) Audits(ctx context.Context, from time.Time) ([]AuditResult, error) {
	reader, err := l.readSession(ctx)
	if err != nil {
		return nil, err
	}
	return readRows(reader, `SELECT f.source, f.feed, a.day, a.whole, a.at, a.listed, a.missing, a.differs
		FROM audits a JOIN feeds f ON f.id = a.feed
		WHERE a.day >= ? OR a.at = (SELECT max(at) FROM audits b WHERE b.feed = a.feed) ORDER BY a.feed, a.day, a.at`, []any{micros(from)},
		func(r *AuditResult) []any {
			return []any{&r.Source, &r.Feed, asTime{&r.Day}, &r.Whole, asTime{&r.At}, &r.Listed, &r.Missing, &r.Differs}
		})
}
