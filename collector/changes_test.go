package collector

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// TestChanges_EveryDelayWithinAnInterval runs changes for weeks without trouble.
func TestChanges_EveryDelayWithinAnInterval(t *testing.T) {
	for _, c := range []struct{ interval, lookback, run, every, latency time.Duration }{
		{time.Minute, 48 * time.Hour, 3 * 24 * time.Hour, 2 * time.Minute, 200 * time.Millisecond},
		{5 * time.Minute, 72 * time.Hour, 5 * 24 * time.Hour, 4 * time.Minute, 30 * time.Second},
		{time.Second, time.Hour, 90 * time.Minute, 3 * time.Second, 50 * time.Millisecond},
		{time.Minute, time.Minute, 8 * time.Hour, 20 * time.Second, 0}, // the shortest lookback: one level
		{7 * time.Minute, 100 * time.Minute, 3 * 24 * time.Hour, 3 * time.Minute, time.Minute},
	} {
		t.Run(fmt.Sprint(c.interval, " of ", c.lookback), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				of := newChanging(newModel(time.Now().Add(-c.lookback / 2)))
				of.latency = c.latency
				began := time.Now()
				traffic(of.model, began.Add(c.run), c.every, c.lookback)
				loop := syncLoop(of, plan.Ladder{Interval: c.interval, Lookback: c.lookback})
				loop.Start()
				pass(t, c.run)
				loop.Stop()
				of.seenInTime(t, began, func(time.Duration) time.Duration { return c.interval })
				if behind := time.Since(of.state.Watermark); behind > c.interval+of.longest() {
					t.Errorf("the watermark is %s behind", behind)
				}
			})
		})
	}
}

// A feed that was read by ranges goes on by changes, and back: the plan is the same one.
func TestChanges_TheStoredPlan(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bare := plan.New(minutely)
	for m := range bare.Reads {
		bare.Reads[m] = now
	}
	with := bare.Clone()
	with.Changes = plan.Changes{Token: "t1", Since: now.Add(-time.Hour)}
	for _, c := range []struct {
		name string
		data []byte
		want string // token
		deep bool   // the deepest level is due
	}{
		{"none", nil, "", true},
		{"of ranges alone", mustEncode(t, bare), "", false},
		{"of both", mustEncode(t, with), "t1", false},
		{"broken", []byte(`{"changes":{"token":"t1"`), "", true},
		{"a token that isn't text", bytes.Replace(mustEncode(t, with), []byte(`"t1"`), []byte("17"), 1), "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plan.Decode(c.data, minutely)
			if (err != nil) != (c.deep && c.data != nil) || p.Changes.Token != c.want || p.Reads[minutely.Last()].IsZero() != c.deep {
				t.Errorf("the error is %v, the token %q, the deepest level was read %s", err, p.Changes.Token, p.Reads[minutely.Last()])
			}
		})
	}
	if strings.Contains(string(mustEncode(t, bare)), "changes") {
		t.Error("a plan of ranges alone tells of changes")
	}
}

// A feed whose configuration no longer offers changes goes on by ranges without a deep
// read, and later from the token where it stopped.
func TestChanges_RangesAloneGoOnFromTheSamePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		loop.Stop()
		reads, asked := len(of.reads), len(of.asked)
		loop = loopOver(of.model, time.Minute, 48*time.Hour)
		loop.Start()
		pass(t, time.Hour)
		loop.Stop()
		if n := len(of.reads) - reads; n < 58 || n > 65 {
			t.Errorf("%d ranges in an hour", n)
		}
		for _, r := range of.reads[reads:] {
			if r.to.Sub(r.from) > 10*time.Hour {
				t.Errorf("a range of %s", r.to.Sub(r.from))
			}
		}
		loop = syncLoop(of, minutely)
		loop.Start()
		pass(t, time.Minute)
		loop.Stop()
		if next := of.asked[asked]; next.token == "" || next.err != nil {
			t.Errorf("changes go on from %q: %v", next.token, next.err)
		}
	})
}

// A restart goes on from the token that it finds, and costs one short range at most.
func TestChanges_ARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		loop.Stop()
		reads, asked := len(of.reads), len(of.asked)
		loop = syncLoop(of, minutely)
		loop.Start()
		pass(t, 3*time.Minute)
		loop.Stop()
		if n, m := len(of.reads)-reads, len(of.asked)-asked; n > 1 || m < 3 || m > 4 {
			t.Errorf("%d ranges and %d requests for changes in three minutes", n, m)
		}
	})
}

// While the time is in doubt a short read that fails is tried again, and stands in the
// way of no level later.
func TestRangeFeed_AShortReadInDoubtThatFails(t *testing.T) {
	clock := NewClock(time.Now, func() (time.Duration, bool) { return 0, true }) // not asked yet
	down := true
	read := readerFunc(func(time.Time, time.Time, func(*Page) error) error {
		if down {
			return errProvider
		}
		return nil
	})
	info := &FeedInfo{Reader: read, Interval: time.Minute, Lookback: 48 * time.Hour}
	f := newRangeFeed(FeedSettings{Info: info, Ledger: &committed{state: ledger.State{Watermark: clock.Now()}}, Clock: clock})
	if err := f.Poll(t.Context()); err == nil || f.Wait(t.Context()) > time.Second || f.Trouble() == nil {
		t.Fatalf("the error is %v; it waits for %s; the trouble is %v", err, f.Wait(t.Context()), f.Trouble())
	}
	down = false
	if err := f.Poll(t.Context()); err != nil || f.Wait(t.Context()) > time.Second || f.Trouble() != nil {
		t.Errorf("the error is %v; it waits for %s; the trouble is %v", err, f.Wait(t.Context()), f.Trouble())
	}
}

// What an answer holds beside calls is handled as a page of a range is.
func TestChanges_WhatComesWithChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		seen := newObserved()
		m := quiet(t, minutely, time.Now())
		sink := &committed{state: m.State()}
		day := time.Now().Truncate(24 * time.Hour)
		answer := func(names string) *Page {
			b := &Page{
				Invalid:  []ledger.BadRow{{At: "row 3", Problem: "no start"}},
				Ignored:  []ledger.BadRow{{At: "row 4"}},
				Unmapped: []Unmapped{{Field: "result", Value: "New Thing"}},
				Totals:   []DayTotal{{Day: day, Ours: 3, Theirs: 4}},
			}
			for name := range strings.FieldsSeq(names) {
				b.Records = append(b.Records, &cdr.Record{Synthetic: name, Provisional: name == "b"})
			}
			return b
		}
		answers := []*Page{answer("a b a"), answer("a b")}
		changes := func(context.Context, string, time.Time) (*Page, SyncPosition, error) {
			b := answers[0]
			answers = answers[1:]
			return b, SyncPosition{Token: fmt.Sprint(len(answers)), More: len(answers) > 0}, nil
		}
		feed := newRangeFeed(FeedSettings{
			Info:   &FeedInfo{Reader: silent{}, Sync: changes, Interval: time.Minute, Lookback: 48 * time.Hour},
			Ledger: sink, Own: seen.Feed, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		for len(answers) > 0 {
			if err := feed.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var twins []string
		for _, page := range sink.all {
			for _, r := range page.Records {
				twins = append(twins, fmt.Sprint(r.Synthetic, r.Twin))
			}
			if page == sink.all[len(sink.all)-1] {
				continue // the position
			}
			if len(page.Invalid) != 1 || len(page.Ignored) != 1 || page.ObservedAt.IsZero() {
				t.Errorf("a page of %+v", page)
			}
		}
		// A row that came before comes again when it changes: it is no twin of its own.
		if want := "a0 b0 a1 a0 b0"; strings.Join(twins, " ") != want {
			t.Errorf("twins are %v, want %s", twins, want)
		}
		if !sink.all[0].Records[1].Provisional {
			t.Error("a record that isn't final is told as one")
		}
		if seen.value(metrics.UnmappedValues, "result") != 2 || strings.Count(log.String(), "New Thing") != 1 {
			t.Errorf("unmapped %v, log %s", seen.value(metrics.UnmappedValues), log.String())
		}
		if total, less := seen.value(metrics.ProviderRecords, "today"), seen.value(metrics.ReconciliationDifference, "today"); total != 4 || less != -1 {
			t.Errorf("the provider has %v today, we have %v of them", total, less)
		}
	})
}

// A call in progress that the changes tell of once and never again is found by the
// deepest ranges, which the ledger then counts as it stands (counting.md 17).
func TestRule17_WhatStaysInProgressIsFoundByRanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of, loop := syncing(t)
		start := time.Now().Add(time.Second)
		of.mu.Lock()
		of.rows = []modelRow{{id: "stuck", start: start, published: start}}
		final := false
		of.refuse = func(page *ledger.Page) error {
			page.Records = slices.DeleteFunc(page.Records, func(*cdr.Record) bool {
				final = final || page.ObservedAt.Sub(start) > 48*time.Hour
				return !final
			})
			return nil
		}
		of.mu.Unlock()
		pass(t, 47*time.Hour)
		if n := of.State().Records; n > 0 {
			t.Errorf("%d calls are counted before the lookback has passed", n)
		}
		pass(t, 13*time.Hour)
		loop.Stop()
		if at, ok := of.counted["stuck"]; !ok || at.Sub(start) > 48*time.Hour+513*time.Minute {
			t.Errorf("it was counted: %t, after %s", ok, at.Sub(start))
		}
	})
}

// Reads may be asked for while the feed is polled.
func TestChanges_ReadsFromOtherGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := newChanging(quiet(t, minutely, time.Now()))
		loop := syncLoop(of, minutely)
		feed := loop.feed.(*RangeFeed)
		if feed.Wait(t.Context()) != 0 || feed.Reads() != "ranges" || feed.Trouble() != nil {
			t.Errorf("before the first poll it waits for %s, reads %s and has trouble: %v", feed.Wait(t.Context()), feed.Reads(), feed.Trouble())
		}
		seen := make(map[string]bool)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 300 {
				seen[loop.Status().Reads] = true
				<-time.After(time.Second)
			}
		}()
		loop.Start()
		<-done
		loop.Stop()
		if !seen["ranges"] || !seen["changes"] {
			t.Errorf("seen: %v", seen)
		}
	})
}
