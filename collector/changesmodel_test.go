package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// changing is a model provider that gives its rows by changes, too: in the order in
// which they were published.
type changing struct {
	*model
	size   int                      // how many rows an answer has, unless more share an instant
	epoch  int                      // tokens of another one are lost
	answer func(token string) error // before an answer
	hides  func(row modelRow) bool  // rows that no answer has
	more   func() bool              // says that there is more, whatever there is
	order  []modelRow               // the rows by when they were published
	asked  []syncRead
}

// syncRead is one request for changes.
type syncRead struct {
	at, ended, from time.Time
	token           string
	rows            int
	more            bool
	err             error
}

func newChanging(m *model) *changing { return &changing{model: m, size: 250} }

// Sync answers with what had changed when it was asked.
func (c *changing) Sync(ctx context.Context, token string, from time.Time) (*Page, SyncPosition, error) {
	read := syncRead{at: c.clock(), token: token, from: from}
	b, at, err := c.changed(ctx, token, from)
	read.ended, read.err, read.more = c.clock(), err, at.More
	if b != nil {
		read.rows = len(b.Records)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, read)
	return b, at, err
}

func (c *changing) changed(ctx context.Context, token string, from time.Time) (*Page, SyncPosition, error) {
	now := c.clock()
	if err := c.wait(ctx); err != nil {
		return nil, SyncPosition{}, err
	}
	c.mu.Lock()
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		if err := answer(token); err != nil {
			return nil, SyncPosition{}, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.answered = c.date().Sub(c.local()), true
	if len(c.order) != len(c.rows) {
		c.order = slices.Clone(c.rows)
		slices.SortStableFunc(c.order, func(a, b modelRow) int { return a.published.Compare(b.published) })
	}
	after := from.Add(-1)
	if token != "" {
		var epoch int
		var nano int64
		if _, err := fmt.Sscanf(token, "%d after %d in", &epoch, &nano); err != nil || epoch != c.epoch {
			return nil, SyncPosition{}, fmt.Errorf("sync: %w", ErrTokenLost)
		}
		after = time.Unix(0, nano)
	}
	rows, more := c.since(after, now)
	b := &Page{}
	for _, row := range rows {
		after = row.published
		if c.hides == nil || !c.hides(row) {
			b.Records = append(b.Records, &cdr.Record{ID: row.id, Start: row.start, Synthetic: row.synthetic})
		}
	}
	more = more || c.more != nil && c.more()
	return b, SyncPosition{Token: fmt.Sprintf("%d after %d in %d", c.epoch, after.UnixNano(), len(c.asked)), More: more}, nil
}

// since are the next rows that were published after an instant and no later than now.
func (c *changing) since(after, now time.Time) (rows []modelRow, more bool) {
	first, _ := slices.BinarySearchFunc(c.order, after, func(r modelRow, t time.Time) int {
		return cmp.Or(r.published.Compare(t), -1)
	})
	for i, row := range c.order[first:] {
		if row.published.After(now) {
			break
		}
		if i >= c.size && row.published.After(rows[i-1].published) {
			return rows, true
		}
		rows = append(rows, row)
	}
	return rows, false
}

// requests are those for changes so far.
func (c *changing) requests() []syncRead {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

// longest is how long a poll takes at most: one of each kind may be in the way.
func (c *changing) longest() time.Duration {
	var longest time.Duration
	for _, r := range c.asked {
		longest = max(longest, r.ended.Sub(r.at))
	}
	return longest + c.took()
}

// syncLoop is a loop with a RangeFeed that reads by changes, over a model.
func syncLoop(c *changing, l plan.Ladder, change ...func(*FeedSettings)) *Loop {
	change = append(change, func(s *FeedSettings) { s.Info.Sync = c.Sync })
	return loopOver(c.model, l.Interval, l.Lookback, change...)
}

// syncing is a loop over a model whose history is done, and that reads by changes.
func syncing(t *testing.T, change ...func(*FeedSettings)) (*changing, *Loop) {
	t.Helper()
	c := newChanging(quiet(t, minutely, time.Now()))
	loop := syncLoop(c, minutely, change...)
	loop.Start()
	pass(t, 10*time.Minute)
	if reads := loop.Status().Reads; reads != "changes" {
		t.Fatalf("after ten minutes %s are read", reads)
	}
	return c, loop
}

// seenInTime wants each row that was published since an instant to be counted within
// its bound.
func (c *changing) seenInTime(t *testing.T, since time.Time, bound func(late time.Duration) time.Duration) {
	t.Helper()
	seen, worst, longest := 0, 0, c.longest()
	for _, row := range c.rows {
		at, ok := c.counted[row.id]
		late := row.published.Sub(row.start)
		most := bound(late) + longest
		switch {
		case row.start.Before(c.state.Origin) || row.published.Before(since):
		case !ok && row.published.Add(most).Before(time.Now()):
			t.Fatalf("a call published %s after its start at %s wasn't seen", late, row.start)
		case ok && at.Sub(row.published) > most:
			if worst++; worst < 5 {
				t.Errorf("a call published %s after its start, at %s, was seen %s later, want at most %s", late, row.published, at.Sub(row.published), most)
			}
		case ok:
			seen++
		}
	}
	for i, problem := range c.broken {
		if i < 5 {
			t.Error(problem)
		}
	}
	if seen < 1000 {
		t.Errorf("only %d calls: this shows nothing", seen)
	}
}
