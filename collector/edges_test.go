package collector

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// counting.md 10: a machine that slept, whose clock is right again, isn't taken for a
// Date that jumps, weeks later.
func TestRule10_AMachineThatSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept, offset time.Duration
		c := NewClock(func() time.Time { return time.Now().Add(slept) },
			func() (time.Duration, bool) { return offset, true })
		for range 5 {
			pass(t, time.Minute)
			c.sampleDate()
		}
		slept = 10 * 24 * time.Hour
		for range 5 {
			pass(t, time.Minute)
			c.sampleDate()
		}
		offset = 3 * time.Second
		for range 5 {
			pass(t, time.Minute)
			c.sampleDate()
		}
		if earlier, later := c.times(); !later.Equal(earlier) || c.Offset() != offset {
			t.Errorf("the offset is %s, the times %s and %s", c.Offset(), earlier, later)
		}
	})
}

// committed is a ledger whose state stays, and that remembers what was committed.
type committed struct {
	state counting.State
	all   []*counting.Page
}

func (p *committed) State() counting.State { return p.state }

func (p *committed) Commit(_ context.Context, page *counting.Page) (counting.Result, error) {
	p.all = append(p.all, page)
	return counting.Result{}, nil
}

// silent is a provider without calls.
type silent struct{}

func (silent) Pages(context.Context, time.Time, time.Time) iter.Seq2[*Page, error] {
	return func(func(*Page, error) bool) {}
}

// counting.md 5, 10: the second feed of a source, whose clock is known already, sets
// its origin by it too before it plans.
func TestRule05_TheFirstPollOfEachFeedMovesNothing(t *testing.T) {
	clock := NewClock(time.Now, func() (time.Duration, bool) { return -3 * time.Hour, true })
	state := counting.State{Origin: time.Now(), Floor: time.Now(), Watermark: time.Now()}
	for _, name := range []string{"first feed", "second feed"} {
		t.Run(name, func(t *testing.T) {
			sink := &committed{state: state}
			loop := NewLoop(FeedSettings{Info: &FeedInfo{
				Reader: silent{}, Interval: time.Minute,
				Lookback: 48 * time.Hour,
			}, Ledger: sink, Clock: clock})
			if err := partOf[*ranges](loop).do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(sink.all) != 1 || sink.all[0].Position != nil {
				t.Fatalf("%d pages", len(sink.all))
			}
			if got := time.Since(sink.all[0].ObservedAt); got < 3*time.Hour-time.Minute || got > 3*time.Hour+
				time.Minute {
				t.Errorf("the page was observed %s ago by our clock, want 3h", got)
			}
		})
	}
}

// days is a provider of which only whole days can be asked, and where that is slow.
type days struct {
	t    *testing.T
	read time.Duration
}

func (d *days) Pages(_ context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return pagesOf(func(emit func(*Page) error) error { return d.readAll(from, to, emit) })
}

func (d *days) readAll(from, to time.Time, emit func(*Page) error) error {
	for day := from.Truncate(24 * time.Hour); day.Before(to); day = day.Add(24 * time.Hour) {
		for range 10 {
			pass(d.t, 2*time.Second)
			if err := emit(&Page{}); err != nil {
				return err
			}
		}
		d.read += 24 * time.Hour
	}
	return nil
}

// TestSlowDaysAreCaughtUpWith: the first history of a provider that only has days, and takes
// 20 s for one, is read in as many days, and not in ever shorter pieces of them.
func TestSlowDaysAreCaughtUpWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, provider := NewClock(time.Now, nil), &days{t: t}
		p := &pages{}
		p.state.Origin = clock.Now().Add(-72 * time.Hour)
		p.state.Floor, p.state.Watermark = p.state.Origin, p.state.Origin
		limits := Limits{MaxRange: 7 * 24 * time.Hour, Grain: 24 * time.Hour}
		info := &FeedInfo{
			Name: "calls", Reader: provider, Limits: limits, Interval: time.Second,
			Lookback: 48 * time.Hour,
		}
		loop := NewLoop(FeedSettings{Source: "acme", Info: info, Ledger: p, Clock: clock})
		for polls := 1; clock.Now().Sub(p.state.Watermark) > 5*time.Minute; polls++ {
			if polls > 10 {
				t.Fatalf("after %d reads of %s it is %s behind", polls, provider.read,
					clock.Now().Sub(p.state.Watermark))
			}
			if err := partOf[*ranges](loop).do(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if provider.read > 10*24*time.Hour {
			t.Errorf("%s were read for three days of history", provider.read)
		}
	})
}
