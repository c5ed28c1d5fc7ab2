//go:build e2e

package main_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// stackSpeed is how many times as fast the rules are in this test.
const stackSpeed = 30

// The trunks of Direct Routing: one that goes down, and one that fails in part.
const (
	downTrunk = "sbc1.example.com"
	badTrunk  = "sbc2.example.com"
)

// stack is an exporter with all that people run around it.
type stack struct {
	*switchboard

	t         *testing.T
	x         *exporter
	config    string
	address   string // of the metrics
	collector *otelcol
	watch     *watching
	received  parts.API
	pager     *pager
}

// brisk is a world whose calls go on, last for moments, are published at once and never
// change: so that it doesn't matter when each is met.
func brisk(seed uint64, mix *simulator.Mix, perSecond float64) simulator.Settings {
	for i := range mix.Kinds {
		k := &mix.Kinds[i]
		k.Ring = min(k.Ring, 2*time.Second)
		if k.Outcome.Connected() && !k.Instant {
			k.Fixed = 3 * time.Second
		}
	}
	for i := range mix.Incident {
		mix.Incident[i].Ring = min(mix.Incident[i].Ring, 2*time.Second)
	}
	return simulator.Settings{
		Seed: seed, Mix: mix, From: time.Now().Add(-2 * time.Minute), PerSecond: perSecond,
		Delays: []simulator.Delay{{Weight: 1, Max: time.Second}}, Duplicated: 0.02,
	}
}

// newStack starts everything.
func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{t: t, address: free(t), switchboard: newSwitchboard(t, switchboardSettings{
		// The call records are complete, so that none of them settles while one looks.
		seed: 141, calls: 60, from: 34 * time.Hour, to: 30 * time.Hour,
		graph: sim.Settings{
			PSTN:          simulator.NewWorld(brisk(142, sim.PSTNMix(), 3)),
			DirectRouting: simulator.NewWorld(brisk(143, sim.DirectRoutingMix(), 10)),
		},
	})}
	s.Resume()
	s.collector = newOtelcol(t)
	s.collector.start()
	s.config = s.configureSources(
		settings{ZeroFor: "8s", OTLP: fmt.Sprintf("{endpoint: %q, interval: 2s}", "http://"+s.collector.http)},
		s.itemOf(source{CallRecords: s.subscribed(time.Second)}))
	s.startExporter()
	s.pager = newPager(t)
	s.received = startAlertmanager(t, s.pager, stackSpeed)
	rules, err := parts.WriteRules(t.TempDir(), stackSpeed)
	require.NoError(t, err)
	s.watch = newWatching(t, parts.Prometheus{
		Job: "scraped", Target: s.address, Rules: rules, Alertmanager: s.received.Base[len("http://"):],
	})
	return s
}

// startExporter starts the exporter, again too: where it was.
func (s *stack) startExporter() {
	s.t.Helper()
	s.x = start(s.t, s.vault, launch{args: []string{
		"run", "--config.file=" + s.config, "--web.listen-address=" + s.address,
		"--webhook.listen-address=" + s.hook, "--webhook.config.file=" + s.path("webhook.yaml"),
	}}).ready()
}

// expectation is an alert that must come and go.
type expectation struct {
	name   string
	labels map[string]string
	// receiver is who must be told.
	receiver string
}

// troubles are the alerts of what goes wrong in trouble.
func troubles() []expectation {
	return []expectation{
		{"CDRTrunkDown", map[string]string{"feed": directRouting, "trunk": downTrunk, "severity": "critical"}, "pager"},
		{
			"CDRFailureSpike",
			map[string]string{"feed": directRouting, "trunk": badTrunk, "severity": "critical"},
			"pager",
		},
		{"CDRFeedStale", map[string]string{"source": "contoso", "feed": pstn}, "pager"},
		{"CDRSubscriptionLost", map[string]string{"source": "contoso"}, "tickets"},
		{"CDROutboxNearLimit", map[string]string{"job": "scraped"}, "tickets"},
	}
}

// trouble breaks all that alerts within ten minutes tell of.
func (s *stack) trouble() {
	now := s.Now()
	s.worlds[directRouting].FailPart(downTrunk, 1, now, now.AddDate(1, 0, 0))
	s.worlds[directRouting].FailPart(badTrunk, 0.6, now, now.AddDate(1, 0, 0))
	s.faults.Hook(func(endpoint string) simulator.Fault {
		switch endpoint {
		case sim.EndpointPSTN:
			return sim.Forbidden
		case sim.EndpointSubscriptions:
			return simulator.Unavailable
		}
		return simulator.NoFault
	})
	if !s.RemoveSubscriptions() {
		s.t.Error("the exporter refused to hear that its subscription was removed")
	}
	s.collector.stop()
}

// repair mends it.
func (s *stack) repair() {
	s.worlds[directRouting].MendTrunk(downTrunk, s.Now())
	s.worlds[directRouting].MendTrunk(badTrunk, s.Now())
	s.faults.Stop()
	s.collector.start()
}

// fire waits until each alert fires in Prometheus and its receiver is notified.
func (s *stack) fire(all []expectation) {
	s.t.Helper()
	left := slices.Clone(all)
	eventually(s.t, "fire", func() error {
		s.x.running()
		s.watch.running()
		firing, err := s.watch.Alerts(s.t.Context())
		if err != nil {
			return err
		}
		var missing []error
		left = slices.DeleteFunc(left, func(e expectation) bool {
			err := s.pager.notified(e.receiver, "firing", e.name, e.labels)
			if got := state(firing, e.name, e.labels); err == nil && got != "firing" {
				err = fmt.Errorf("%s is %q in Prometheus", e.name, got)
			}
			missing = append(missing, err)
			return err == nil
		})
		return errors.Join(missing...)
	})
}

// resolve waits until no alert fires any more and each receiver was told.
func (s *stack) resolve(all []expectation) {
	s.t.Helper()
	for _, e := range all {
		eventually(s.t, "resolve "+e.name, func() error {
			s.x.running()
			alerts, err := s.watch.Alerts(s.t.Context())
			if got := state(alerts, e.name, e.labels); err == nil && got != "" {
				err = fmt.Errorf("it is %s in Prometheus", got)
			}
			return errors.Join(err, s.pager.notified(e.receiver, "resolved", e.name, e.labels))
		})
	}
}

// TestE2EStack: a trunk fails in the simulator. Its alert, and all others that page
// within ten minutes, fire in a real Prometheus, reach their receivers through a real Alertmanager,
// and resolve. After the exporter, the Collector and Prometheus were each
// restarted, all of them agree exactly with the simulator. TestE2EOutages and TestE2EReplays of
// internal/monitoring/rules have when each alert fires, and how often.
func TestE2EStack(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.watch.healthy()
	eventually(t, "be live", func() error {
		s.x.running()
		for _, feed := range []string{directRouting, pstn} {
			live := s.watch.query(fmt.Sprintf(`source_feed:cdr_live:min7m{feed=%q} == 1`, feed))
			if len(live) != 1 || live[0].Metric["source"] != "contoso" {
				return fmt.Errorf("%s isn't live", feed)
			}
		}
		return nil
	})
	s.x.subscribed(s.switchboard)
	for _, e := range troubles() {
		alerts, err := s.watch.Alerts(t.Context())
		if got := state(alerts, e.name, e.labels); err != nil || got == "firing" {
			t.Fatalf("%s is %q before anything went wrong, %v", e.name, got, err)
		}
	}
	s.trouble()
	s.fire(troubles())
	s.repair()
	s.resolve(troubles())

	s.x.kill()
	s.watch.stop()
	s.startExporter()
	s.watch.start(t)
	s.agree()
	s.x.stop()
	s.vault.searchFolder(s.collector.folder)
}

// agree holds publication and expects the simulator's totals everywhere: in the exporter,
// in Prometheus, in the Collector's metrics, and by distinct log records.
func (s *stack) agree() {
	s.t.Helper()
	at := s.Pause()
	logs := map[string]int{}
	want := map[string]tables{callRecords: s.totals().Metrics}
	records := s.totals()
	logs[callRecords+" "+eventCall] = records.Records
	logs[callRecords+" cdr.session"] = int(records.Metrics.Sum("cdr_sessions_total") / 1_000_000)
	if visits := int(records.Metrics.Sum("cdr_queue_calls_total") / 1_000_000); visits > 0 {
		logs[callRecords+" cdr.queue_visit"] = visits
	}
	for _, feed := range s.feeds() {
		s.x.countsFeed(s, "contoso", feed, at)
		want[feed] = s.tables(feed, at)
		logs[feed+" "+eventCall] = s.tally(feed, at).calls
	}
	s.x.countsCalls(s.switchboard)
	for feed, totals := range want {
		eventually(s.t, "have the totals of "+feed+" in Prometheus", func() error {
			s.x.running()
			return diff(s.watch.tables("scraped", feed), totals)
		})
		eventually(s.t, "have the totals of "+feed+" in the Collector", func() error {
			s.x.running()
			shown, err := s.collector.shows(s.x)
			return errors.Join(err, diff(shown.tables("contoso", feed), totals))
		})
	}
	// A value lost by a restart would show as a reset, or as a false increase.
	for _, fell := range s.watch.query(`resets(cdr_calls_total[10m]) > 0`) {
		s.t.Errorf("a counter fell: %v", fell)
	}
	eventually(s.t, "have every log record in the Collector", func() error {
		s.x.running()
		if got := s.collector.distinct(); fmt.Sprint(got) != fmt.Sprint(logs) {
			return fmt.Errorf("it has %v, want %v", got, logs)
		}
		return nil
	})
}

// shows is what the Collector's own exporter for Prometheus shows.
func (c *otelcol) shows(x *exporter) (families, error) {
	body, err := program.Get(c.t.Context(), "http://"+c.prometheus+"/metrics")
	if err != nil {
		return nil, err
	}
	return x.parse(body), nil
}
