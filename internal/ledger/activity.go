package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// activitySeconds is the span of time that calls are counted by.
	activitySeconds = 5 * 60
	// activityKept is how far back activity is kept.
	activityKept = 25 * time.Hour
	// activityAhead is how far ahead of a feed's clock a call may begin to be in it.
	activityAhead = time.Hour
)

// Activity is how many calls of a feed began in a span of time, whenever they were read.
type Activity struct {
	Source, Provider, Feed string
	// Start is that of the five minutes.
	Start time.Time
	// Calls are all that began then, each by the start that it was first read with.
	Calls int64
	// Failures are those among them whose outcome is `failed` by now. A part of a call
	// that failed is one beside its parent, as in cdr_calls_total.
	Failures int64
}

// Activity is what the feeds have had since a time, at most of the last 25 hours, in order of Start: also feeds that are no longer
// configured. It holds what was counted, a first history that is under way included. It waits for no commit.
func (l *Ledger) Activity(ctx context.Context, from time.Time) ([]Activity, error) {
	reader, err := l.reading()
	if err != nil {
		return nil, err
	}
	since := max(from.Unix(), l.settings.Now().Add(-activityKept).Unix()) / activitySeconds
	rows, err := reader.QueryContext(ctx, `SELECT f.source, f.provider, f.feed, a.began, a.calls, a.failures
		FROM activity a JOIN feeds f ON f.id = a.feed WHERE a.began >= ? ORDER BY a.began, a.feed`, since)
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	var all []Activity
	return all, scanAll(rows, func() error {
		var began int64
		var a Activity
		if err := rows.Scan(&a.Source, &a.Provider, &a.Feed, &began, &a.Calls, &a.Failures); err != nil {
			return err
		}
		a.Start = time.Unix(began*activitySeconds, 0).UTC()
		all = append(all, a)
		return nil
	})
}

// activityChange is what a page changes of five minutes.
type activityChange struct{ calls, failures int64 }

// activityOf are the five minutes since 1970 that a call is counted in, 0 if it began too
// long ago.
func (p *pageCommit) activityOf(r *cdr.Record) int64 {
	at := p.page.ObservedAt
	if r.Start.Before(at.Add(-activityKept)) || r.Start.After(at.Add(activityAhead)) {
		return 0
	}
	return r.Start.Unix() / activitySeconds
}

// addActivity adds calls and failures to five minutes.
func (p *pageCommit) addActivity(began, calls, failures int64) {
	if began != 0 && (calls != 0 || failures != 0) {
		c := p.activity[began]
		p.activity[began] = activityChange{c.calls + calls, c.failures + failures}
	}
}

var addActivity = newManyRows(4, `INSERT INTO activity (feed, began, calls, failures)`,
	` ON CONFLICT (feed, began) DO UPDATE SET calls = activity.calls + excluded.calls, failures = activity.failures + excluded.failures`)

// writeActivity writes what the page changes of the activity.
func (p *pageCommit) writeActivity() error {
	p.args = p.args[:0]
	for _, began := range slices.Sorted(maps.Keys(p.activity)) {
		c := p.activity[began]
		p.args = append(p.args, p.row.id, began, c.calls, c.failures)
	}
	return p.ledger.engine.execMany(addActivity, p.args)
}
