package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// size is how many calls a test's world has: fewer in the short run.
func size(calls int) int {
	if testing.Short() {
		return calls / 10
	}
	return calls
}

// counted says how what a feed has counted differs from its world's totals as of
// these instants.
func (x *exporter) counted(n *tenant, feed string, at ...time.Time) error {
	return asError(diff(x.scrape().tables("contoso", feed), expected(view(n.worlds[feed], at...))))
}

// counts waits until every feed's metrics are the totals as of these instants.
func (x *exporter) counts(n *tenant, at ...time.Time) {
	x.t.Helper()
	for feed := range n.worlds {
		x.countsFeed(n, "contoso", feed, at...)
	}
}

func (x *exporter) countsFeed(n *tenant, source, feed string, at ...time.Time) {
	x.t.Helper()
	want := expected(view(n.worlds[feed], at...))
	eventually(x.t, fmt.Sprintf("count %s/%s exactly", source, feed), func() error {
		x.running()
		return asError(diff(x.scrape().tables(source, feed), want))
	})
}

// caughtUp waits until everything that the tenant has published by now was read.
func (x *exporter) caughtUp(n *tenant, feeds ...string) {
	x.t.Helper()
	for _, feed := range feeds {
		now := float64(n.Now().UnixMilli()) / 1000
		eventually(x.t, "read "+feed+" up to now", func() error {
			x.running()
			at, err := x.scrape().one("cdr_exporter_watermark_timestamp_seconds", "source=contoso", "feed="+feed)
			if err == nil && at < now {
				err = fmt.Errorf("the watermark is %gs behind", now-at)
			}
			return err
		})
	}
}

// unfold moves the tenant's time ahead until everything was published, and expects
// exact totals at each step. It begins with publication held at the first of the
// instants that it returns.
func (x *exporter) unfold(n *tenant, at ...time.Time) []time.Time {
	x.t.Helper()
	x.counts(n, at...)
	for range 3 {
		n.Advance(12 * time.Hour)
		at = append(at, n.Visible())
		x.counts(n, at...)
	}
	return at
}

// TestFairWeather (guarantees 1, 3, 5): what is counted and delivered is what there
// is, and both ways out say the same.
func TestFairWeather(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, past(1, sim.PSTNMix(), size(10_000))),
		DirectRouting: world(t, past(2, sim.DirectRoutingMix(), size(10_000))),
		Gzip:          true,
	})
	r := newReceiver(t, n.vault, otlpsink.Settings{})
	x := start(t, n.vault, launch{config: n.configure(settings{OTLP: r.overHTTP("")}), shipped: true}).ready()
	now := n.Now()
	for feed := range n.worlds {
		if err := x.counted(n, feed, now); err != nil {
			t.Errorf("%s once it is ready: %v", feed, err)
		}
	}
	x.rows(n, now)
	for feed, w := range n.worlds {
		r.delivered(w, feed, now)
		r.tells(w, feed, now)
		r.inOrder(feed)
	}
	r.agrees(x)
	x.bypassed(n, now)
	// All ended days before they were first seen.
	if found := x.scrape().series("cdr_calls_total", "late=false"); len(found) != 0 {
		t.Errorf("old calls aren't late: %v", found)
	}
	x.stop()
	if n := r.Repeats(); n != 0 {
		t.Errorf("%d log records came twice though nothing failed", n)
	}
	x = n.start(settings{}).ready()
	x.counts(n, now)
	x.bypassed(n, now)
	x.stop()
}

// bypassed checks the trailing share of calls with media bypass, all of which were
// first seen within the window (counting.md 25).
func (x *exporter) bypassed(n *tenant, now time.Time) {
	x.t.Helper()
	all, bypassed := make(map[string]int), make(map[string]int)
	for key, calls := range view(n.worlds[directRouting], now).MediaBypass {
		all[key.Trunk] += calls
		if key.Bypass == cdr.True {
			bypassed[key.Trunk] += calls
		}
	}
	m := x.scrape()
	for trunk, calls := range all {
		want := float64(bypassed[trunk]) / float64(calls)
		if err := m.is(want, "cdr_media_bypass_ratio", "feed="+directRouting, "trunk="+trunk); err != nil {
			x.t.Error(err)
		}
	}
	if got := len(m.series("cdr_media_bypass_ratio")); got != len(all) {
		x.t.Errorf("cdr_media_bypass_ratio has %d series, want %d", got, len(all))
	}
}

// rows checks what a process that has read a tenant from the beginning says of the
// rows, each of which is new or set aside once.
func (x *exporter) rows(n *tenant, at ...time.Time) {
	x.t.Helper()
	for feed, w := range n.worlds {
		want := view(w, at...)
		for result, rows := range map[string]int{
			"new": want.Records, "revised": changes(w, at...), "invalid": want.Invalid, "ignored": 0, "too_old": 0,
		} {
			if err := x.scrape().is(float64(rows), "cdr_exporter_rows_total", "source=contoso", "feed="+feed, "result="+result); err != nil {
				x.t.Error(err)
			}
		}
		if got := x.feed("contoso", feed).Records; got != int64(want.Records) {
			x.t.Errorf("the status tells %d records of %s, want %d", got, feed, want.Records)
		}
	}
}

// TestLateRowsAndRevisions (guarantees 1, 2, 3; counting.md 6, 8, 16): late rows are
// found, revisions are counted once, at any age within the lookback.
func TestLateRowsAndRevisions(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, unfolding(3, sim.PSTNMix(), size(5_000))),
		DirectRouting: world(t, unfolding(4, sim.DirectRoutingMix(), size(5_000))),
	})
	r := newReceiver(t, n.vault, otlpsink.Settings{})
	began := n.Pause()
	x := n.start(settings{OTLP: r.overGRPC("")}).ready()
	at := x.unfold(n, began)
	n.Advance(12 * time.Hour) // everything is read again, and changes nothing
	x.caughtUp(n, pstn, directRouting)
	x.counts(n, at...)
	x.rows(n, at...)
	for feed, w := range n.worlds {
		r.delivered(w, feed, at...)
	}
	r.agrees(x)
	x.stop()
}

// TestMalformedRows (guarantee 6; counting.md 14, 18): a row that can't be read is
// counted once and logged once, with where it stood and without what it says; rows
// without an id are calls.
func TestMalformedRows(t *testing.T) {
	t.Parallel()
	spoilt := func(s simulator.Settings) simulator.Settings {
		s.Malformed, s.NoID, s.Duplicated = 0.05, 0.02, 0.1
		return s
	}
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, spoilt(past(5, sim.PSTNMix(), size(4_000)))),
		DirectRouting: world(t, spoilt(past(6, sim.DirectRoutingMix(), size(4_000)))),
		PageSize:      200,
	})
	began := n.Pause()
	x := n.start(settings{}).ready()
	x.counts(n, began)
	n.Advance(12 * time.Hour)
	x.caughtUp(n, pstn, directRouting)
	x.counts(n, began)
	x.rows(n, began)
	x.stop()
	for feed, w := range n.worlds {
		logged := linesWith(x.log.String(), "a row can't be read", "feed="+feed, "at=")
		if want := view(w, began).Invalid; len(logged) != want {
			t.Errorf("%d malformed rows of %s were logged, want %d", len(logged), feed, want)
		}
	}
	for _, content := range []string{"yesterday", "2026-02-30", "hidden", "5a5a"} {
		if line := lineWith(x.log.String(), "a row can't be read", content); line != "" {
			t.Errorf("the log repeats the content of a malformed row: %s", line)
		}
	}
}
