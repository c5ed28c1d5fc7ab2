package callrecords

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// tally counts records by the labels of the contract, as the ledger does: a call by its
// first version, each session by the first that has it, media once.
type tally struct {
	sim.CallTotals
	calls    map[string]cdr.Outcome
	versions map[string]int64
	sessions map[string]bool
	settled  map[string]bool
	invalid  map[string]bool
}

func newTally() *tally {
	t := &tally{
		calls: map[string]cdr.Outcome{}, versions: map[string]int64{}, sessions: map[string]bool{}, settled: map[string]bool{},
		invalid: map[string]bool{},
	}
	t.Metrics = simulator.Tables{}
	return t
}

func (c *tally) take(b *collector.Page) {
	for _, r := range b.Records {
		c.record(r)
	}
	for _, bad := range b.Invalid {
		c.invalid[string(bad.Content)] = true
	}
}

func (c *tally) record(r *cdr.Record) {
	if r.Provisional {
		return
	}
	was, known := c.calls[r.ID]
	switch {
	case !known:
		c.count(r)
	case r.Version > c.versions[r.ID] && was != r.Outcome:
		c.Metrics.Count("cdr_call_outcome_changes_total", was, r.Outcome)
	}
	if r.Version > c.versions[r.ID] {
		c.calls[r.ID], c.versions[r.ID] = r.Outcome, r.Version
	}
	for i := range r.Sessions {
		c.session(r.ID, &r.Sessions[i])
	}
	if r.Settled && !c.settled[r.ID] {
		c.settled[r.ID] = true
		c.settle(r)
	}
}

func (c *tally) count(r *cdr.Record) {
	c.Records++
	m := c.Metrics
	m.Count("cdr_calls_total", r.Direction, r.CallType, r.Outcome, "")
	if r.Outcome.Connected() {
		m.Add("cdr_call_connected_seconds_total", r.Duration.Microseconds(), r.Direction, r.CallType, "", r.Country)
	} else {
		m.Count("cdr_call_failures_total", r.Direction, "", r.Outcome, "", "")
	}
	if r.Emergency != cdr.NoEmergency {
		m.Count("cdr_emergency_calls_total", r.Outcome, r.Emergency == cdr.EmergencyTest)
	}
}

func (c *tally) session(call string, s *cdr.Session) {
	if c.sessions[call+s.ID] {
		return
	}
	c.sessions[call+s.ID] = true
	c.Metrics.Count("cdr_sessions_total", s.Result, s.Media)
	if s.Result != cdr.SessionOK {
		c.Metrics.Count("cdr_session_failures_total", s.Stage, s.Reason)
	}
}

func (c *tally) settle(r *cdr.Record) {
	c.Settled++
	m := c.Metrics
	if r.MediaBypass.Known() {
		m.Count("cdr_media_bypass_calls_total", "", r.MediaBypass)
	}
	for i := range r.Visits {
		v := &r.Visits[i]
		m.Count("cdr_queue_calls_total", v.Queue, v.Result)
		if v.Wait.Known {
			m.Observe("cdr_queue_wait_seconds", v.Wait.Value.Microseconds(), v.Queue, v.Result)
		}
	}
	for i := range r.Streams {
		s := &r.Streams[i]
		m.Count("cdr_media_streams_total", s.Media, s.Direction(), s.Network, s.Platform, s.Verdict())
		for metric, v := range map[string]cdr.Span{"cdr_media_jitter_seconds": s.Jitter, "cdr_media_round_trip_seconds": s.RoundTrip} {
			if v.Known {
				m.Observe(metric, v.Value.Microseconds(), s.Media, s.Direction(), s.Network)
			}
		}
		for metric, v := range map[string]cdr.Float{"cdr_media_packet_loss_ratio": s.Loss, "cdr_media_concealed_ratio": s.Concealed} {
			if v.Known {
				m.Observe(metric, int64(math.Round(v.Value*1e6)), s.Media, s.Direction(), s.Network)
			}
		}
	}
	for _, rating := range r.Ratings {
		m.Count("cdr_ratings_total", rating)
	}
}

func (c *tally) want(t *testing.T, want sim.CallTotals) {
	t.Helper()
	if c.Records != want.Records || want.Records == 0 || c.Settled != want.Settled {
		t.Errorf("%d records, %d settled, want %d and %d", c.Records, c.Settled, want.Records, want.Settled)
	}
	if len(c.invalid) != want.Invalid {
		t.Errorf("%d invalid, want %d", len(c.invalid), want.Invalid)
	}
	for metric := range want.Metrics {
		if !strings.HasPrefix(metric, "cdr_call_duration_seconds") { // as long as they were connected
			providertest.WantSame(t, metric, c.Metrics[metric], want.Metrics[metric])
		}
	}
}

// TestCallRecordsAgainstTheSimulator reads a tenant's call records through faults, at
// instants when some have settled and some have no session yet.
func TestCallRecordsAgainstTheSimulator(t *testing.T) {
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	end := begin.Add(24 * time.Hour)
	settings := sim.HistoricalCalls(11, begin, end, 200)
	settings.Malformed, settings.Duplicated = 0.03, 0.05
	world := simulator.NewWorld(settings)
	for _, c := range []struct {
		name   string
		at     time.Time
		settle time.Duration
	}{
		{"long after", end.Add(72 * time.Hour), 90 * time.Minute},
		{"meanwhile", begin.Add(15 * time.Hour), 90 * time.Minute},
		{"without settling", begin.Add(15 * time.Hour), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			records := sim.NewCallRecords(sim.CallRecordSettings{Calls: world})
			faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3})
			faults.Rate(sim.EndpointCallRecords, 0.3, sim.Harmless()...)
			faults.Once(sim.EndpointCallRecords, simulator.NoFault, simulator.CutChunked, simulator.ThrottleSeconds, simulator.HTMLOK)
			server, err := sim.Start(sim.Settings{
				CallRecords: records, Faults: faults, Gzip: true, At: c.at,
				SessionPage: 7, SegmentPage: 3, ParticipantPage: 11, FirstPages: 1_000_000, NextPages: 1_000_000,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			feed := openRecords(t, server, c.settle, nil).Info
			got := newTally()
			err = providertest.Read(t.Context(), feed.Reader, begin.Add(-2*time.Hour), c.at, func(listed *collector.Page) error {
				for i := range listed.Enqueue {
					b, err := feed.Fetcher.Fetch(t.Context(), listed.Enqueue[i:i+1])
					switch {
					case errors.Is(err, collector.ErrNotYet):
						continue
					case err != nil:
						return err
					}
					got.take(b)
				}
				got.take(listed)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			got.want(t, records.Totals(simulator.View{At: []time.Time{c.at}, Settle: c.settle}))
		})
	}
}
