package collector

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// SyncSettings are what NewSyncFeed needs.
type SyncSettings struct {
	// Ranges are those of the RangeFeed beside the token. Its Interval is the feed's.
	Ranges RangeSettings
	// Sync reads by changes.
	Sync SyncReader
}

const (
	// besideLevel is the shallowest level of ranges that is read beside a token that
	// works: every 8 intervals. What the token misses is then seen within 8 intervals or
	// a quarter of its delay, whichever is longer.
	besideLevel = 3
	// drainPatience is after how many intervals without the end of a drain the ranges
	// keep the bound on delays by themselves again, and drainTries after how many
	// failures in a row: some 10 s.
	drainPatience = 4
	drainTries    = 4
)

// SyncFeed reads by changes where the account offers it, with ranges at deep levels
// beside it, and else by ranges alone (counting.md 11). A poll is a piece of a range or
// a step of a drain: one request for what has changed since the token. Neither waits
// for more than one poll of the other.
//
//	                 a drain has ended
//	ranges alone ─────────────────────────▶ changes, and ranges of level 3 and deeper
//	     ▲                                           │
//	     └───────────────────────────────────────────┘
//	       not offered, failing, or no drain ended for 4 intervals
//
// One plan serves both states, so there is nothing to hand over between them: to it the
// levels that the token stands in for are late, and a level that is late still owes what
// was late when it was last read. The token is kept with the plan. One loop polls the
// feed; Reads may be called by others meanwhile.
type SyncFeed struct {
	ranges *RangeFeed
	reader SyncReader
	drain  drain
	beside bool // the last poll was a step of a drain

	changes atomic.Bool // whether changes are read at present
}

// NewSyncFeed makes a feed of a reader by changes and one of ranges.
func NewSyncFeed(settings SyncSettings) *SyncFeed {
	ranges := NewRangeFeed(settings.Ranges)
	return &SyncFeed{
		ranges: ranges,
		reader: settings.Sync,
		drain:  drain{interval: ranges.ladder.Interval, random: ranges.settings.Random},
		beside: true, // ranges begin: their first read is short and sets the clock
	}
}

// Poll implements Feed: it makes the next step of a drain or reads the next piece of a
// range, whichever is due first, and each in turn while both are.
func (f *SyncFeed) Poll(ctx context.Context, state ledger.State, sink Sink) error {
	f.ranges.load(state)
	f.ranges.seen = f.ranges.view(state)
	f.settle()
	f.beside = f.changesFirst()
	if f.beside {
		err := f.step(ctx, state, sink)
		f.settle()
		if !errors.Is(err, ErrNoSync) {
			return err
		}
	}
	return f.ranges.Poll(ctx, state, sink)
}

// changesFirst says whether the next poll is a step of a drain.
func (f *SyncFeed) changesFirst() bool {
	changes, ranges := f.drainWait(), f.ranges.Wait()
	if changes <= 0 && ranges <= 0 {
		return !f.beside
	}
	return changes <= ranges
}

// drainWait is how long from now to the next step of a drain.
func (f *SyncFeed) drainWait() time.Duration {
	return max(f.drain.due(), f.ranges.attempts.throttled) - f.ranges.settings.Clock.Elapsed()
}

// settle decides which levels are left to changes.
func (f *SyncFeed) settle() {
	byChanges := f.drain.reliable(f.ranges.settings.Clock.Elapsed())
	f.changes.Store(byChanges)
	level := 0
	if byChanges {
		level = besideLevel
	}
	f.ranges.from(level)
}

// Wait implements Paced.
func (f *SyncFeed) Wait() time.Duration {
	return max(min(f.drainWait(), f.ranges.Wait()), 0)
}

// Trouble implements Paced.
func (f *SyncFeed) Trouble() error {
	if err := f.ranges.Trouble(); err != nil {
		return err
	}
	return f.drain.err
}

// Reads says how the feed is read at present: `changes`, with ranges at deep levels
// beside them, or `ranges`. It may be called at any time.
func (f *SyncFeed) Reads() string {
	if f.changes.Load() {
		return "changes"
	}
	return "ranges"
}

// Unread are the spans of time that are stepped over. It may be called at any time.
func (f *SyncFeed) Unread() []string { return f.ranges.Unread() }
