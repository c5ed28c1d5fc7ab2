package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// longestHold is how long the list waits at most until what it has named was fetched.
const longestHold = time.Hour

// holding is a position that waits until what was named is done, or put off. A list that
// was read has only named calls: they have been looked for when they were fetched. If the
// watermark went before them, so would the floor, and they would be too old; and the first
// history would be shown while it is counted (counting.md 5, 7, 20). It isn't stored: the
// plan finds it again after a restart.
type holding struct {
	held bool
	// at is the time up to which nothing may be due.
	at          time.Time
	watermark   time.Time
	historyDone bool
	// until is when the next piece is listed even so.
	until time.Duration
}

// hold takes a position that was kept back.
func (h *holding) hold(watermark time.Time, historyDone bool, at time.Time) {
	h.held = true
	h.at = plan.Latest(h.at, at)
	h.watermark = plan.Latest(h.watermark, watermark)
	h.historyDone = h.historyDone || historyDone
}

// wait lets the list wait for what was named.
func (h *holding) wait(tick time.Duration) {
	if h.held {
		h.until = tick + longestHold
	}
}

// taskSink is the sink of a TaskFeed's list.
type taskSink struct {
	Sink

	feed  *TaskFeed
	state ledger.State
}

// Commit implements Sink: what is named is due at once, and what depends on its being
// fetched stays behind.
func (s *taskSink) Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error) {
	h, named := &s.feed.holding, false
	for i := range page.Enqueue {
		if w := &page.Enqueue[i]; w.Due.IsZero() {
			w.Due, named = page.ObservedAt, true
		}
	}
	var kept ledger.Position
	if p := page.Position; p != nil {
		kept.Watermark, kept.HistoryDone = p.Watermark, p.HistoryDone && !s.state.HistoryDone
		p.Watermark, p.HistoryDone = time.Time{}, false
	}
	result, err := s.Sink.Commit(ctx, page)
	if err != nil {
		return result, err
	}
	if kept.HistoryDone || !kept.Watermark.IsZero() || named && h.held { // what is named again is due only now
		h.hold(kept.Watermark, kept.HistoryDone, page.ObservedAt)
	}
	return result, nil
}

// release commits the position that waits, once nothing holds it: all was fetched, or a
// witness says that the provider refuses only some. The list goes on before that if there
// are only a few left, which were refused: other calls aren't to be late for that.
func (f *TaskFeed) release(ctx context.Context, sink Sink) error {
	h, now := &f.holding, sink.Now()
	if !h.held {
		return nil
	}
	// Our clock may have been set back since.
	tasks, err := f.settings.Queue.Due(ctx, plan.Earliest(h.at, now), f.fetching.parallel)
	switch {
	case err != nil:
		return err
	case len(tasks) > 0:
		if f.fetching.onlyRefused(tasks) {
			h.until = 0
		}
		return nil
	}
	position := &ledger.Position{Watermark: h.watermark, HistoryDone: h.historyDone}
	if _, err := sink.Commit(ctx, &ledger.Page{Position: position, ObservedAt: now}); err != nil {
		return err
	}
	*h = holding{}
	return nil
}
