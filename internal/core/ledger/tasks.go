package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// setAsideFor is how long a task that was set aside is kept once its next try is overdue, and
// how far the floor stays back while any task was refused: no provider keeps a call longer.
const setAsideFor = 45 * 24 * time.Hour

// writeTasks changes the feed's tasks. A greater version that a replica has enqueued since they were read stays.
func (p *pageCommit) writeTasks() error {
	for i := range p.change.DoneTasks {
		w := &p.change.DoneTasks[i]
		if err := p.exec(`DELETE FROM tasks WHERE feed = ? AND kind = ? AND key = ? AND version <= ?`, p.id, w.Kind,
			w.Key, w.Version); err != nil {
			return err
		}
	}
	for i := range p.change.PutTasks {
		if err := putTask(&p.ledger.engine.Session, p.id, &p.change.PutTasks[i]); err != nil {
			return err
		}
	}
	return nil
}

// addTask adds a task, or merges it with the one that waits under its key, and returns whether it
// wasn't waiting already.
func addTask(e *engine.Session, feed int64, w *work.Item) (queued bool, err error) {
	was := new(work.Item)
	err = e.ScanRow(`SELECT `+taskColumns+` FROM tasks WHERE feed = ? AND kind = ? AND key = ?`,
		[]any{feed, w.Kind, w.Key}, taskTargets(was)...)
	if errors.Is(err, sql.ErrNoRows) {
		was, err = nil, nil
	}
	if err != nil {
		return false, err
	}
	next, queued, changed := w.Enqueued(was)
	if !changed {
		return false, nil
	}
	return queued, putTask(e, feed, &next)
}

func putTask(e *engine.Session, feed int64, w *work.Item) error {
	_, err := e.Exec(`INSERT INTO tasks (feed, `+taskColumns+
		`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (feed, kind, key) DO UPDATE
		SET version = excluded.version, due = excluded.due, attempts = excluded.attempts, set_aside =
		excluded.set_aside, problem = excluded.problem, data = excluded.data`,
		feed, w.Kind, w.Key, w.Version, engine.Micros(w.Due), w.Attempts, engine.Flag(w.SetAside),
		metrics.CleanLabel(w.Problem), w.Data)
	return err
}

const taskColumns = `kind, key, version, due, attempts, set_aside, problem, data`

// taskTargets are where taskColumns are scanned into.
func taskTargets(w *work.Item) []any {
	return []any{&w.Kind, &w.Key, &w.Version, engine.Time(&w.Due), &w.Attempts, &w.SetAside, &w.Problem, &w.Data}
}

// Because of a bare LIMIT ? SQLite would prepare the statement again at each use.
const dueTasks = `SELECT ` + taskColumns + ` FROM tasks
	WHERE feed = ? AND set_aside = ? AND due <= ? AND kind NOT IN ('` + work.Span + `', '` + work.Call + `')
	ORDER BY due, version, kind, key LIMIT ? + 0`

// Due returns the feed's tasks that are due and weren't set aside, the longest due first.
func (f *Feed) Due(ctx context.Context, now time.Time, limit int) ([]work.Item, error) {
	return f.readDue(ctx, false, now, limit)
}

// SetAside returns the feed's tasks that were set aside and are due to be tried again, the longest due first.
func (f *Feed) SetAside(ctx context.Context, now time.Time, limit int) ([]work.Item, error) {
	return f.readDue(ctx, true, now, limit)
}

func (f *Feed) readDue(ctx context.Context, setAside bool, now time.Time, limit int) ([]work.Item, error) {
	return readUnlocked(ctx, f.ledger, "pending work", dueTasks,
		[]any{f.id, engine.Flag(setAside), engine.Micros(now), limit}, taskTargets)
}

// CallsWaiting returns how many calls wait that began in a range of time.
func (f *Feed) CallsWaiting(ctx context.Context, from, to time.Time) (n int, err error) {
	reader, err := f.ledger.readSession(ctx)
	if err == nil {
		err = reader.ScanRow(`SELECT count(*) FROM tasks WHERE feed = ? AND kind = '`+work.Call+
			`' AND version >= ? AND version < ?`,
			[]any{f.id, engine.Micros(from), engine.Micros(to)}, &n)
	}
	return n, err
}

// Waiting returns how many tasks wait, due or not, and how many were set aside, without spans and calls.
func (f *Feed) Waiting(ctx context.Context) (waiting, setAside int, err error) {
	reader, err := f.ledger.readSession(ctx)
	if err != nil {
		return 0, 0, err
	}
	err = reader.ScanRow(`SELECT COALESCE(sum(1 - set_aside), 0), COALESCE(sum(set_aside), 0) FROM tasks
		WHERE feed = ? AND kind NOT IN ('`+work.Span+`', '`+work.Call+`')`, []any{f.id}, &waiting, &setAside)
	if err != nil {
		return 0, 0, fmt.Errorf("count pending work: %w", err)
	}
	return waiting, setAside, nil
}
