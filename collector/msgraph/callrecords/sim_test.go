package callrecords

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
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
	t.Calls, t.Failures = map[simulator.CallKey]int{}, map[simulator.FailureKey]int{}
	t.Connected, t.Emergency = map[simulator.ConnectedKey]time.Duration{}, map[simulator.EmergencyKey]int{}
	t.OutcomeChanges = map[simulator.OutcomeChange]int{}
	t.MediaBypass, t.Sessions = map[simulator.MediaBypassKey]int{}, map[sim.SessionKey]int{}
	t.SessionFailures, t.Streams = map[sim.SessionFailureKey]int{}, map[sim.StreamKey]int{}
	t.Jitter, t.RoundTrip = map[sim.QualityKey]simulator.Span{}, map[sim.QualityKey]simulator.Span{}
	t.Loss, t.Concealed, t.Ratings = map[sim.QualityKey]sim.Ratios{}, map[sim.QualityKey]sim.Ratios{}, map[string]int{}
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
		c.OutcomeChanges[simulator.OutcomeChange{From: was, To: r.Outcome}]++
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
	c.Calls[simulator.CallKey{Direction: r.Direction, CallType: r.CallType, Outcome: r.Outcome}]++
	if r.Outcome.Connected() {
		c.Connected[simulator.ConnectedKey{Direction: r.Direction, CallType: r.CallType, Country: r.Country}] += r.Duration
	} else {
		c.Failures[simulator.FailureKey{Direction: r.Direction, Outcome: r.Outcome}]++
	}
	if r.Emergency != cdr.NoEmergency {
		c.Emergency[simulator.EmergencyKey{Outcome: r.Outcome, Test: r.Emergency == cdr.EmergencyTest}]++
	}
}

func (c *tally) session(call string, s *cdr.Session) {
	if c.sessions[call+s.ID] {
		return
	}
	c.sessions[call+s.ID] = true
	c.Sessions[sim.SessionKey{Result: s.Result, Media: s.Media}]++
	if s.Result != cdr.SessionOK {
		c.SessionFailures[sim.SessionFailureKey{Stage: s.Stage, Reason: s.Reason}]++
	}
}

func (c *tally) settle(r *cdr.Record) {
	c.Settled++
	if r.MediaBypass.Known() {
		c.MediaBypass[simulator.MediaBypassKey{Bypass: r.MediaBypass}]++
	}
	for i := range r.Streams {
		s := &r.Streams[i]
		c.Streams[sim.StreamKey{Media: s.Media, Direction: s.Direction(), Network: s.Network, Platform: s.Platform, Verdict: s.Verdict().String()}]++
		key := sim.QualityKey{Media: s.Media, Direction: s.Direction(), Network: s.Network}
		addSpan(c.Jitter, key, s.Jitter)
		addSpan(c.RoundTrip, key, s.RoundTrip)
		addShare(c.Loss, key, s.Loss)
		addShare(c.Concealed, key, s.Concealed)
	}
	for _, rating := range r.Ratings {
		c.Ratings[rating]++
	}
}

func addSpan(all map[sim.QualityKey]simulator.Span, key sim.QualityKey, v cdr.Span) {
	if v.Known {
		all[key] = simulator.Span{Count: all[key].Count + 1, Sum: all[key].Sum + v.Value}
	}
}

func addShare(all map[sim.QualityKey]sim.Ratios, key sim.QualityKey, v cdr.Float) {
	if v.Known {
		all[key] = sim.Ratios{Count: all[key].Count + 1, Millionth: all[key].Millionth + int64(math.Round(v.Value*1e6))}
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
	wantSame(t, "calls", c.Calls, want.Calls)
	wantSame(t, "failures", c.Failures, want.Failures)
	wantSame(t, "outcome changes", c.OutcomeChanges, want.OutcomeChanges)
	wantSame(t, "connected", c.Connected, want.Connected)
	wantSame(t, "emergency", c.Emergency, want.Emergency)
	wantSame(t, "bypass", c.MediaBypass, want.MediaBypass)
	wantSame(t, "sessions", c.Sessions, want.Sessions)
	wantSame(t, "session failures", c.SessionFailures, want.SessionFailures)
	wantSame(t, "streams", c.Streams, want.Streams)
	wantSame(t, "jitter", c.Jitter, want.Jitter)
	wantSame(t, "round trip", c.RoundTrip, want.RoundTrip)
	wantSame(t, "loss", c.Loss, want.Loss)
	wantSame(t, "concealed", c.Concealed, want.Concealed)
	wantSame(t, "ratings", c.Ratings, want.Ratings)
}

// TestCallRecordsAgainstTheSimulator reads a tenant's call records through faults, at
// instants when some have settled and some have no session yet.
func TestCallRecordsAgainstTheSimulator(t *testing.T) {
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	end := begin.Add(24 * time.Hour)
	settings := sim.HistoricalCalls(11, begin, end, 200)
	settings.Malformed, settings.Duplicated = 0.03, 0.05
	world, err := simulator.NewWorld(settings)
	if err != nil {
		t.Fatal(err)
	}
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
			records, err := sim.NewCallRecords(sim.CallRecordSettings{Calls: world})
			if err != nil {
				t.Fatal(err)
			}
			faults := simulator.NewFaults(simulator.FaultSettings{Seed: 3, RetryAfter: time.Second})
			faults.Rate(sim.EndpointCallRecords, 0.3, sim.Harmless()...)
			faults.Once(sim.EndpointCallRecords, simulator.NoFault, simulator.CutChunked, simulator.ThrottleSeconds, simulator.HTMLOK)
			server, err := sim.Start(sim.Settings{
				CallRecords: records, Faults: faults, Gzip: true, Clock: simulator.NewManualClock(c.at),
				SessionPage: 7, SegmentPage: 3, ParticipantPage: 11, FirstPages: -1, NextPages: -1,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			feed := openRecords(t, server, c.settle, nil).Info()
			got := newTally()
			err = readPages(t.Context(), feed.Reader, begin.Add(-2*time.Hour), c.at, func(listed *collector.Page) error {
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
			got.want(t, records.Totals(c.at, c.settle))
		})
	}
}
