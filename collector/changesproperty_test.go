package collector

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/soak"
)

// TestPropertyChangesAndRangesGiveTheSameTotals reads the same calls in both ways in
// any order: answers of any size, rows that only ranges have, rows without ids and
// twins among them, tokens that are lost, accounts that offer changes at times, crashes
// before and after any commit, failures of any request, polls when nothing is due.
func TestPropertyChangesAndRangesGiveTheSameTotals(t *testing.T) {
	for seed := range soak.Seeds(3) {
		synctest.Test(t, func(t *testing.T) {
			random := seeded(seed)
			l := plan.Ladder{Interval: time.Minute, Lookback: time.Duration(1+random.IntN(200)) * time.Minute}
			m := newModel(time.Now().Add(-time.Duration(random.IntN(600)) * time.Minute))
			m.pageSize = 1 + random.IntN(40)
			traffic(m, time.Now().Add(3*time.Hour), 2*time.Minute, l.Lookback)
			for i := range m.rows { // every ninth has no id, and may have twins
				if i%9 == 0 {
					m.rows[i].synthetic, m.rows[i].id = fmt.Sprint("at ", m.rows[i].start.Unix()/600), ""
					m.rows[i].start = m.rows[i].start.Truncate(10 * time.Minute)
					m.rows[i].published = m.rows[i].start
				}
			}
			sortRows(m)
			of := newChanging(m)
			of.size = 1 + random.IntN(40)
			of.hides = func(row modelRow) bool { return !row.published.Equal(row.start) && row.start.Unix()%7 == 0 }
			calm := false
			m.fault = func(time.Time, time.Time, int) error {
				if !calm && random.IntN(10) == 0 {
					return errProvider
				}
				return nil
			}
			of.more = func() bool { return !calm && random.IntN(30) == 0 }
			of.answer = func(string) error {
				switch n := random.IntN(60); {
				case calm:
				case n < 6:
					return errProvider
				case n < 8:
					of.epoch++
				case n == 8:
					return ErrNoSync
				}
				return nil
			}
			crash := errors.New("the process dies")
			after := false
			m.refuse = func(*ledger.Page) error {
				after = !calm && random.IntN(12) == 0
				if !calm && !after && random.IntN(12) == 0 {
					return crash
				}
				return nil
			}
			dies := func(s *FeedSettings) {
				s.Ledger = fails{Ledger: m, after: func() error {
					if after {
						return crash
					}
					return nil
				}}
			}
			loop := syncLoop(of, l, dies)
			for end := time.Now().Add(4 * time.Hour); time.Now().Before(end); {
				if err := loop.feed.Poll(t.Context()); errors.Is(err, crash) {
					loop = syncLoop(of, l, dies)
				}
				pass(t, min(loop.feed.Wait(t.Context()), time.Duration(random.IntN(120))*time.Second))
			}
			calm, after = true, false
			pass(t, l.Lookback)
			loop = syncLoop(of, l, dies)
			for end := time.Now().Add(2*l.Lookback + 10*time.Minute); time.Now().Before(end); {
				if err := loop.feed.Poll(t.Context()); err != nil {
					t.Fatal(err)
				}
				pass(t, max(loop.feed.Wait(t.Context()), time.Second))
			}
			want := 0
			for _, row := range m.rows {
				if !row.start.Before(m.state.Origin) {
					want++
				}
			}
			if len(m.counted) != want || m.state.Records != uint64(want) || len(m.broken) > 0 {
				t.Fatalf("seed %d: %d of %d calls are counted; %v", seed, len(m.counted), want, m.broken)
			}
			if behind := time.Since(m.state.Watermark); behind > 3*time.Minute || loop.feed.(*RangeFeed).Reads() != "changes" {
				t.Fatalf("seed %d: the watermark is %s behind", seed, behind)
			}
		})
	}
}

// syncTroubled is a model with changes to which things happen.
type syncTroubled struct {
	*troubled

	of *changing
}

func newSyncTroubled(t *testing.T, seed uint64, l plan.Ladder) *syncTroubled {
	tr := &syncTroubled{troubled: newTroubled(t, seed, l.Interval, l.Lookback)}
	tr.of = newChanging(tr.model)
	tr.of.answer = func(string) error {
		if is := tr.now(); is.down || tr.flips.Float64() < is.flaky {
			return errProvider
		}
		return nil
	}
	tr.of.hides = func(row modelRow) bool { return !row.published.Equal(row.start) && row.start.Unix()%11 == 0 }
	return tr
}

func (tr *syncTroubled) start() {
	tr.mu.Lock()
	tr.answered = false
	tr.mu.Unlock()
	tr.loop = syncLoop(tr.of, plan.Ladder{Interval: tr.interval, Lookback: tr.lookback})
	tr.loop.Start()
}

// without answers requests for changes with an error for a while.
func (tr *syncTroubled) without(err error, d time.Duration) {
	tr.mu.Lock()
	usual := tr.of.answer
	tr.of.answer = func(string) error { return err }
	tr.mu.Unlock()
	pass(tr.t, d)
	tr.mu.Lock()
	tr.of.answer = usual
	tr.mu.Unlock()
}

// happen makes one thing happen, and ends it.
func (tr *syncTroubled) happen() {
	long := tr.lookback * 2
	switch tr.next(11) {
	case 0: // a quick restart
		tr.loop.Stop()
		tr.start()
	case 1: // downtime
		tr.loop.Stop()
		pass(tr.t, tr.between(time.Minute, long))
		tr.start()
	case 2: // the provider is down
		tr.with(trouble{down: true}, tr.between(time.Minute, long))
	case 3: // the provider fails with long ranges
		tr.with(trouble{longest: tr.between(10*time.Minute, tr.lookback)}, tr.between(time.Minute, long))
	case 4: // the disk is full
		tr.with(trouble{full: true}, tr.between(time.Minute, long/4))
	case 5: // our clock is set
		tr.with(trouble{skew: tr.between(time.Second, long) - long/2}, tr.between(time.Minute, tr.lookback/4))
	case 6: // the provider's Date is wrong
		tr.with(trouble{lie: -tr.between(time.Second, tr.lookback)}, tr.between(time.Minute, tr.lookback/4))
	case 7: // the plan and the token are lost
		tr.loop.Stop()
		tr.mu.Lock()
		tr.state.Plan = [][]byte{nil, []byte("{"), []byte(`{"v":99}`)}[tr.random.IntN(3)]
		tr.mu.Unlock()
		tr.start()
	case 8: // changes fail
		tr.without(errProvider, tr.between(time.Minute, long))
	case 9: // changes aren't offered
		tr.without(fmt.Errorf("sync: %w", ErrNoSync), tr.between(time.Minute, long))
	case 10: // the token is lost
		tr.mu.Lock()
		tr.of.epoch++
		tr.mu.Unlock()
	}
}

// TestNothingIsLostWhateverHappensToChanges runs a feed that is read by changes with all that trouble, and wants every call counted once.
func TestNothingIsLostWhateverHappensToChanges(t *testing.T) {
	for _, c := range []struct {
		plan.Ladder
		every  time.Duration
		rounds int // how often each kind of trouble comes
	}{
		{plan.Ladder{Interval: time.Minute, Lookback: 12 * time.Hour}, 5 * time.Minute, 1},
		{plan.Ladder{Interval: time.Second, Lookback: 30 * time.Minute}, 6 * time.Second, 1},
		{plan.Ladder{Interval: time.Minute, Lookback: time.Minute}, time.Minute, 20},
	} {
		if testing.Short() && c.Interval != time.Second {
			continue
		}
		for seed := range soak.Seeds(1) {
			t.Run(fmt.Sprint(c.Interval, " of ", c.Lookback, " ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tr := newSyncTroubled(t, seed, c.Ladder)
					tr.endure(c.rounds*11, c.every, tr.start, tr.happen)
					tr.change(trouble{})
					pass(t, 2*c.Lookback+10*time.Minute)
					tr.loop.Stop()
					tr.verify()
					t.Logf("%d requests for changes", len(tr.of.asked))
				})
			})
		}
	}
}
