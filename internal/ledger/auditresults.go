package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// AuditResult is what an audit found of a feed and a day of UTC, or the newest audit of a feed of all its days.
type AuditResult struct {
	Source, Feed string
	// Day is when the day begins; of several days the first.
	Day time.Time
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
		args = append(args, feed, micros(r.Day), micros(r.At), r.Listed, r.Missing, flag(r.Differs))
	}
	return e.transact(ctx, func() error {
		for ; len(args) > 0; args = args[6:] {
			if _, err := e.exec(`INSERT INTO audits (feed, day, at, listed, missing, differs) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (feed, day) DO UPDATE SET at = excluded.at, listed = excluded.listed, missing = excluded.missing, differs = excluded.differs`,
				args[:6]...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Audits are the newest audits, one of each feed that was audited.
func (l *Ledger) Audits(ctx context.Context) (all []AuditResult, err error) {
	reader, err := l.readSession(ctx)
	if err != nil {
		return nil, err
	}
	err = reader.scanAll(`SELECT f.source, f.feed, min(a.day), a.at, CAST(sum(a.listed) AS BIGINT), CAST(sum(a.missing) AS BIGINT), max(a.differs)
		FROM audits a JOIN feeds f ON f.id = a.feed WHERE a.at = (SELECT max(at) FROM audits b WHERE b.feed = a.feed)
		GROUP BY f.source, f.feed, a.at`, nil, func(rows *sql.Rows) error {
		var r AuditResult
		err := rows.Scan(&r.Source, &r.Feed, asTime{&r.Day}, asTime{&r.At}, &r.Listed, &r.Missing, &r.Differs)
		all = append(all, r)
		return err
	})
	return all, err
}
