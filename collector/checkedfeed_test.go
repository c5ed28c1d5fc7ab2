package collector

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// pruneInterval is how often the program prunes its ledger.
const pruneInterval = 10 * time.Minute

// checkedFeed is a feed of a real ledger, and notes what goes wrong while the collector uses it.
type checkedFeed struct {
	*ledger.Feed

	t      *testing.T
	ledger *ledger.Ledger
	local  func() time.Time // the ledger's clock
	spec   ledger.FeedSpec
	prunes bool // as the program does
	pruned time.Time

	mu        sync.Mutex
	counted   map[string]time.Time // by id, when each was counted
	latest    map[string]version   // by id, what came of each
	added     int                  // how many the ledger counted
	tooOld    int
	commits   int
	positions []counting.Position
	broken    []string // what was found to be wrong

	refuse func(page *counting.Page) error                 // before a commit
	lost   func(page *counting.Page) error                 // after it was committed
	queue  func() error                                    // before it says what is due
	check  func(was *counting.State, p *counting.Position) // before a position moves
	fact   func(*facts.Fact)                               // of what is counted
}

// version is the latest number of a record, and whether it has settled.
type version struct {
	number  int64
	settled bool
}

// newCheckedFeed opens a ledger whose feed begins at an origin.
func newCheckedFeed(t *testing.T, origin time.Time) *checkedFeed {
	t.Helper()
	f := &checkedFeed{t: t, local: time.Now, counted: make(map[string]time.Time), latest: make(map[string]version)}
	var err error
	f.ledger, err = ledger.Open(t.Context(), ledger.Settings{
		Storage: ledger.Storage{Folder: t.TempDir(), Unsynced: true}, Now: func() time.Time { return f.local() },
		Options: metrics.Options{SeriesLimit: 1000}, Reserve: 1 << 20,
		OnFact: func(fact *facts.Fact, _ []metrics.Delta) {
			if f.fact != nil {
				f.fact(fact)
			}
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.ledger.Close()) })
	f.spec = ledger.FeedSpec{Fingerprint: "one", Settings: counting.Settings{
		Source: "contoso", Provider: "p", Feed: "calls", History: time.Since(origin), LateAfter: time.Hour,
	}}
	f.open(48 * time.Hour)
	return f
}

// open opens the feed, which keeps ids as long as a lookback needs.
func (f *checkedFeed) open(lookback time.Duration) {
	f.t.Helper()
	f.spec.Lookback = lookback
	var err error
	f.Feed, err = f.ledger.Feed(f.t.Context(), f.spec)
	require.NoError(f.t, err)
}

// Commit counts a page.
func (f *checkedFeed) Commit(ctx context.Context, page *counting.Page) (r counting.Result, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		if err := f.refuse(page); err != nil {
			return r, err
		}
	}
	was := f.State()
	if page.Position != nil && f.check != nil {
		f.check(&was, page.Position)
	}
	if r, err = f.Feed.Commit(ctx, page); err != nil {
		return r, err
	}
	f.commits++
	f.added += r.New
	f.tooOld += r.TooOld
	for _, record := range page.Records {
		id := record.ID
		if id == "" {
			id = fmt.Sprint(record.Synthetic, "#", record.Twin)
		}
		if record.Provisional {
			f.broken = append(f.broken, id+" was committed although it isn't final")
		}
		if _, known := f.counted[id]; !known && !record.Start.Before(was.Floor) {
			f.counted[id] = page.ObservedAt
		}
		f.latest[id] = version{max(f.latest[id].number, record.Version), f.latest[id].settled || record.Settled}
	}
	if page.Position != nil {
		f.positions = append(f.positions, *page.Position)
	}
	if f.prunes && f.local().Sub(f.pruned) >= pruneInterval {
		f.pruned = f.local()
		if err := f.ledger.Prune(ctx); err != nil {
			return r, err
		}
	}
	if f.lost != nil {
		return r, f.lost(page)
	}
	return r, nil
}

// begin commits what an earlier run has left.
func (f *checkedFeed) begin(page *counting.Page) {
	f.t.Helper()
	_, err := f.Feed.Commit(f.t.Context(), page)
	require.NoError(f.t, err)
}

// Due implements Ledger.
func (f *checkedFeed) Due(ctx context.Context, now time.Time, limit int) ([]work.Item, error) {
	if err := f.asked(); err != nil {
		return nil, err
	}
	return f.Feed.Due(ctx, now, limit)
}

// SetAside implements Ledger.
func (f *checkedFeed) SetAside(ctx context.Context, now time.Time, limit int) ([]work.Item, error) {
	if err := f.asked(); err != nil {
		return nil, err
	}
	return f.Feed.SetAside(ctx, now, limit)
}

func (f *checkedFeed) asked() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queue == nil {
		return nil
	}
	return f.queue()
}

// tasks are all work that waits or was set aside.
func (f *checkedFeed) tasks() []work.Item {
	f.t.Helper()
	const all = 1 << 20
	ever := f.local().Add(100 * 365 * day)
	due, err := f.Feed.Due(f.t.Context(), ever, all)
	require.NoError(f.t, err)
	aside, err := f.Feed.SetAside(f.t.Context(), ever, all)
	require.NoError(f.t, err)
	return append(due, aside...)
}

// moves is how often the position moved.
func (f *checkedFeed) moves() (n int) {
	f.with(func() { n = len(f.positions) })
	return n
}

// with changes the feed, or what embeds it, while a loop runs over it.
func (f *checkedFeed) with(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// wantSound wants that nothing broke, that each record counted once, and that no record was too old.
func (f *checkedFeed) wantSound(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, problem := range f.broken[:min(5, len(f.broken))] {
		t.Error(problem)
	}
	if f.added != len(f.counted) {
		t.Errorf("%d records were counted %d times", len(f.counted), f.added)
	}
	if f.tooOld > 0 {
		t.Errorf("%d records were too old", f.tooOld)
	}
}
