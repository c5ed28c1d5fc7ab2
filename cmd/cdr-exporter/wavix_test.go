package main_test

import (
	"net/http"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// zone is a time zone this many hours east of UTC.
func zone(hours int) *time.Location { return time.FixedZone("", hours*3600) }

// spoilt has rows without an id, with copies, and that can't be read.
func spoilt(s simulator.Settings) simulator.Settings {
	s.Malformed, s.NoID, s.Duplicated = 0.02, 0.03, 0.05
	return s
}

// TestFormats: pages, a stream and CSV of one account have the same calls, in each generation of the
// API, in each time zone, under faults.
func TestFormats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings wavixsim.Settings
		auth     string
		formats  []string
	}{
		"2025": {
			wavixsim.Settings{Old: true, Timezone: zone(-11), MaxPerPage: 250},
			"query",
			[]string{"json", "stream", "csv"},
		},
		"2026": {wavixsim.Settings{Timezone: zone(14), MaxPerPage: 100}, "bearer", []string{"json", "stream"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := simulator.NewFaults(211)
			faults.Rate("", 0.03, simulator.Transient()...)
			c.settings.Faults = faults
			at := newSite(t)
			account := newCarrier(t, at, spoilt(unfolding(212, wavixsim.PlacedMix(), 250)),
				spoilt(unfolding(213, wavixsim.ReceivedMix(), 250)), c.settings)
			account.Auth = c.auth
			var all []*carrier
			var items []string
			for _, format := range c.formats {
				in := account.in(format)
				all, items = append(all, in), append(items, in.item())
			}
			seen := []time.Time{account.Pause()}
			x := start(t, at.vault, launch{config: at.configureSources(settings{}, items...)}).ready()
			count := func() {
				t.Helper()
				for _, in := range all {
					x.counts(in, seen...)
				}
			}
			count()
			for range 2 {
				account.Advance(18 * time.Hour)
				seen = append(seen, account.Visible())
				count()
			}
			for _, in := range all {
				x.rows(in, seen...)
			}
			x.stop()
			if refused := account.Requests().Count("")[http.StatusUnauthorized]; refused != 0 {
				t.Errorf("the key came wrongly %d times", refused)
			}
		})
	}
}

// TestUpgrade (counting.md 18): when Wavix renames its paths and ids, nothing is counted again or
// revised, neither while the exporter runs nor after a crash.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	account := newCarrier(t, at, unfolding(214, wavixsim.PlacedMix(), 500),
		unfolding(215, wavixsim.ReceivedMix(), 500), wavixsim.Settings{Old: true})
	r := newReceiver(t, at.vault, otlpsink.Settings{})
	seen := []time.Time{account.Pause()}
	config := at.configureSources(settings{OTLP: r.overHTTP("")}, account.item())
	x := start(t, at.vault, launch{config: config}).ready()
	x.counts(account, seen...)
	account.Upgrade()
	x.caughtUp(account)
	x.counts(account, seen...)
	account.Advance(12 * time.Hour)
	seen = append(seen, account.Visible())
	x.counts(account, seen...)
	x.rows(account, seen...)
	x.kill()
	account.Advance(12 * time.Hour)
	seen = append(seen, account.Visible())
	x = start(t, at.vault, launch{config: config}).ready()
	x.counts(account, seen...)
	x.reconciled(account)
	r.complete(account, seen...)
	x.stop()
}
