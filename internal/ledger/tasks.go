package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

const (
	// setAsideFor is how long work set aside is kept untried, and the floor stays behind while any was refused: no provider keeps a call longer.
	setAsideFor = 45 * 24 * time.Hour
	// namedAgain is how soon what was set aside is tried when a list names it again: not with each list.
	namedAgain = time.Hour
)

// writeTasks changes the feed's pending work with the page (counting.md 4).
func (p *pageCommit) writeTasks() {
	for i := range p.page.Done {
		p.removeTask(&p.page.Done[i])
	}
	for i := range p.page.Enqueue {
		w := &p.page.Enqueue[i]
		if p.isKnown(w) {
			p.removeTask(w) // nor is it needed if it waits already
			continue
		}
		if p.err != nil {
			return
		}
		queued, err := p.ledger.engine.enqueue(p.id, w)
		p.failed(err)
		p.result.Queued += int(flag(queued))
	}
}

// isKnown says whether work would read a version of a record that is known, or an older one, as of the end of the page.
func (p *pageCommit) isKnown(w *Task) bool {
	if !p.spec.Hourless || w.Kind != TaskRecord || w.Version == 0 {
		return false
	}
	st := p.lookup(p.ledger.hasher.idKey(w.Key), p.buckets...)
	var k known
	return st != nil && !p.failed(k.parse(st.stored)) && k.version >= w.Version
}

// removeTask removes work that is done, unless a greater version of it waits.
func (p *pageCommit) removeTask(w *Task) {
	p.exec(`DELETE FROM tasks WHERE feed = ? AND kind = ? AND key = ? AND version <= ?`, p.id, w.Kind, w.Key, w.Version)
}

// enqueue lets work wait, and says whether it is to be tried anew. The same version again, such as a list brings it, makes nothing due
// earlier that is being tried again. What was set aside stays so, and is tried soon; it is as new if a newer version names it.
func (e *engine) enqueue(feed int64, w *Task) (queued bool, err error) {
	var was Task
	next := *w
	err = e.scanRow(`SELECT `+taskColumns+` FROM tasks WHERE feed = ? AND kind = ? AND key = ?`, []any{feed, w.Kind, w.Key}, was.columns()...)
	isNew := errors.Is(err, sql.ErrNoRows)
	switch {
	case isNew:
	case err != nil:
		return false, err
	case w.Version < was.Version:
		return false, nil
	case w.Version > was.Version || w.SetAside:
	case was.SetAside:
		next.SetAside, next.Due, next.Problem = true, w.Due.Add(namedAgain), was.Problem
		if was.Due.Before(next.Due) {
			next.Due = was.Due
		}
	case w.Attempts < was.Attempts:
		return false, nil
	}
	_, err = e.exec(`INSERT INTO tasks (feed, `+taskColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (feed, kind, key) DO UPDATE
		SET version = excluded.version, due = excluded.due, attempts = excluded.attempts, set_aside = excluded.set_aside, problem = excluded.problem`,
		feed, w.Kind, w.Key, next.Version, micros(next.Due), next.Attempts, flag(next.SetAside), metrics.CleanLabel(next.Problem))
	return (isNew || was.SetAside) && !next.SetAside, err
}

const taskColumns = `kind, key, version, due, attempts, set_aside, problem`

func (w *Task) columns() []any {
	return []any{&w.Kind, &w.Key, &w.Version, asTime{&w.Due}, &w.Attempts, &w.SetAside, &w.Problem}
}

const dueTasks = `SELECT ` + taskColumns + ` FROM tasks
	WHERE feed = ? AND set_aside = ? AND due <= ? AND kind <> '` + TaskSpan + `' ORDER BY due, kind, key LIMIT ?`

// Due is the feed's work that is due and wasn't set aside, the longest due first.
func (f *Feed) Due(ctx context.Context, now time.Time, limit int) ([]Task, error) {
	return f.due(ctx, false, now, limit)
}

// SetAside is the feed's work that was set aside and is due to be tried again, the longest due first.
func (f *Feed) SetAside(ctx context.Context, now time.Time, limit int) ([]Task, error) {
	return f.due(ctx, true, now, limit)
}

func (f *Feed) due(ctx context.Context, setAside bool, now time.Time, limit int) ([]Task, error) {
	reader, err := f.ledger.reading(ctx)
	if err != nil {
		return nil, err
	}
	all, err := readRows(reader, dueTasks, []any{f.id, flag(setAside), micros(now), limit}, (*Task).columns)
	if err != nil {
		return nil, fmt.Errorf("read pending work: %w", err)
	}
	return all, nil
}

// Waiting is how much work waits, due or not, and how much was set aside.
func (f *Feed) Waiting(ctx context.Context) (waiting, setAside int, err error) {
	reader, err := f.ledger.reading(ctx)
	if err != nil {
		return 0, 0, err
	}
	err = reader.scanRow(`SELECT COALESCE(sum(1 - set_aside), 0), COALESCE(sum(set_aside), 0) FROM tasks
		WHERE feed = ? AND kind <> '`+TaskSpan+`'`, []any{f.id}, &waiting, &setAside)
	if err != nil {
		return 0, 0, fmt.Errorf("count pending work: %w", err)
	}
	return waiting, setAside, nil
}
