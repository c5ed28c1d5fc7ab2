package main_test

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// carrier is a Wavix account as one source reads it.
type carrier struct {
	*wavixsim.Server
	name   string
	Format string
	// CallLog and ActiveCalls are the feeds' settings.
	CallLog, ActiveCalls string
}

// newCarrier starts a Wavix account of two worlds.
func newCarrier(t testing.TB, at *site, placed, received simulator.Settings, s wavixsim.Settings) *carrier {
	t.Helper()
	s.Placed, s.Received = simulator.NewWorld(placed), simulator.NewWorld(received)
	s.APIKey = cmp.Or(s.APIKey, secretFor(t, "hush-wavix"))
	server, err := wavixsim.Start(s)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	for _, w := range []*simulator.World{s.Placed, s.Received} {
		at.vault.hidePeople(w.Mix())
	}
	at.keep("wavix-key", server.APIKey)
	require.NoError(t, server.WriteCA(at.path("wavix-ca.pem")))
	return &carrier{
		Server: server, name: "wave", Format: "json",
		CallLog: "{interval: 1s, lookback: 48h, settle: 6s, whole_after: 1m}", ActiveCalls: "{interval: 1s}",
	}
}

// in is the same account, read in a format by a separate source.
func (c *carrier) in(format string) *carrier {
	other := *c
	other.name, other.Format = "wave-"+format, format
	return &other
}

func (c *carrier) source() string   { return c.name }
func (c *carrier) feeds() []string  { return []string{callLog} }
func (c *carrier) server() provider { return c.Server }

func (c *carrier) totals(at ...time.Time) simulator.Totals {
	return c.Totals(simulator.View{At: at})
}

func (c *carrier) tables(_ string, at ...time.Time) tables {
	return c.totals(at...).Metrics
}

func (c *carrier) tally(_ string, at ...time.Time) tally {
	t := c.totals(at...)
	return tally{records: t.Records, calls: t.Sessions, revised: t.Revisions, invalid: t.Invalid}
}

func (c *carrier) active(at time.Time) map[cdr.Direction]int {
	if c.ActiveCalls == "" {
		return nil
	}
	return c.Active(at)
}

func (c *carrier) item() string {
	return fmt.Sprintf(`  - name: %s
    history: 72h
    requests_per_minute: 1000000
    tls_config: {ca_file: wavix-ca.pem}
    wavix:
      base_url: %s
      api_key_file: wavix-key
      format: %s
%s`, c.name, c.BaseURL(), c.Format,
		feedLines("call_log", c.CallLog, "active_calls", c.ActiveCalls))
}

func (c *carrier) answered() int {
	return answers(c.Requests(), wavixsim.EndpointList, wavixsim.EndpointExport)
}

// zone is a time zone this many hours east of UTC.
func zone(hours int) *time.Location { return time.FixedZone("", hours*3600) }

// spoilt has rows without an id, with copies, and that can't be read.
func spoilt(s simulator.Settings) simulator.Settings {
	s.Malformed, s.NoID, s.Duplicated = 0.02, 0.03, 0.05
	return s
}

// TestFormats: pages and a stream of one account have the same calls, whatever the time zone of the
// account's days, under faults.
func TestFormats(t *testing.T) {
	t.Parallel()
	for _, hours := range []int{-11, 14} {
		t.Run(fmt.Sprint(hours), func(t *testing.T) {
			t.Parallel()
			faults := simulator.NewFaults(211)
			faults.Rate("", 0.03, simulator.Transient()...)
			at := newSite(t)
			account := newCarrier(t, at, spoilt(unfolding(212, wavixsim.PlacedMix(), 250)),
				spoilt(unfolding(213, wavixsim.ReceivedMix(), 250)),
				wavixsim.Settings{Timezone: zone(hours), MaxPerPage: 100, Faults: faults})
			all := []*carrier{account.in("json"), account.in("stream")}
			seen := []time.Time{account.Pause()}
			config := at.configureSources(settings{}, all[0].item(), all[1].item())
			x := start(t, at.vault, launch{config: config}).ready()
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
