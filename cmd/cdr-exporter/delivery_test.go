package main_test

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// published is a tenant of both feeds whose calls were all published.
func published(t *testing.T, seed uint64, calls int) *tenant {
	return newTenant(t, sim.Settings{
		PSTN:          world(t, past(seed, sim.PSTNMix(), calls)),
		DirectRouting: world(t, past(seed+1, sim.DirectRoutingMix(), calls)),
		PageSize:      100,
	})
}

// allDelivered waits for every record of every feed, in order, once it is known what
// is published.
func (r *receiver) allDelivered(n *tenant, at time.Time) {
	r.t.Helper()
	r.complete(n, at)
	r.inOrder(n)
	for _, feed := range n.feeds() {
		r.tells(n, feed, at)
	}
}

// TestEndpointDown (guarantee 5; counting.md 26; contract 2, 4): while the endpoint is away, answers with
// errors, or forgets to say that it has got something, calls are counted; in the end
// every log record is there, in order. All goes over TLS, with headers from files. What the SDK finds
// wrong with variables that otlp.interval and otlp.timeout stand in for isn't written to stderr.
func TestEndpointDown(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]func(*receiver, string) string{
		"http": (*receiver).overHTTP,
		"grpc": (*receiver).overGRPC,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := published(t, 83, 400)
			authority, err := simulator.NewAuthority()
			if err != nil {
				t.Fatal(err)
			}
			if err := authority.WriteCA(n.path("otlp-ca.pem")); err != nil {
				t.Fatal(err)
			}
			n.keep("otlp-token", "Basic b3RscDpodXNoaHVzaA")
			place := otlpsink.Settings{
				Listen: free(t),
				TLS: &tls.Config{
					Certificates: []tls.Certificate{authority.Certificate},
					MinVersion:   tls.VersionTLS12,
				},
				Headers: map[string]string{"Authorization": "Basic b3RscDpodXNoaHVzaA", "X-Scope-Orgid": "telephony"},
			}
			away := newReceiver(t, n.vault, place)
			otlp := over(away, ", shutdown_timeout: 1s, tls_config: {ca_file: otlp-ca.pem}, "+
				"headers: {X-Scope-OrgID: telephony}, headers_file: {Authorization: otlp-token}, "+
				"resource_attributes: {deployment.environment.name: test}")
			away.Close()
			launched := launch{config: n.configure(settings{OTLP: otlp}), raced: true, env: map[string]string{
				"OTEL_METRIC_EXPORT_INTERVAL": "-5", "OTEL_METRIC_EXPORT_TIMEOUT": "soon",
			}}
			x := start(t, n.vault, launched).ready()
			now := n.Now()
			x.counts(n, now)
			waiting := func() error {
				return x.scrape().is(float64(records(n, now)), "cdr_exporter_otlp_outbox_records")
			}
			eventually(t, "keep every record while the endpoint is away", waiting)
			if s := x.status(); s.OTLP.State != "error" || s.OTLP.OutboxRecords != int64(records(n, now)) {
				t.Errorf("the status of OTLP is %+v", s.OTLP)
			}
			x.stop()
			x = start(t, n.vault, launched).ready()
			eventually(t, "keep every record across a restart", waiting)

			r := newReceiver(t, n.vault, place)
			r.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503, Times: 1})
			r.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503, Accept: true, Times: 1})
			r.Fail(otlpsink.Reply{OnlyLogs: true, Drop: true, Times: 1})
			r.Fail(otlpsink.Reply{OnlyLogs: true, Status: 429, RetryAfter: time.Second, Times: 1})
			r.allDelivered(n, now)
			r.agrees(x)
			if r.Repeats() == 0 {
				t.Error("nothing came again though an answer got lost")
			}
			if resource := r.Logs()[0].Resource; resource["service.name"] != "cdr-exporter" ||
				resource["deployment.environment.name"] != "test" || resource["service.instance.id"] == nil {
				t.Errorf("the resource is %v", resource)
			}
			eventually(t, "empty the outbox", func() error {
				m := x.scrape()
				return errors.Join(m.is(0, "cdr_exporter_otlp_outbox_records"),
					m.is(float64(records(n, now)), "cdr_exporter_otlp_records_total", "result=sent"))
			})
			if got := x.scrape().series("cdr_exporter_otlp_outbox_oldest_timestamp_seconds"); len(got) != 0 {
				t.Errorf("the oldest waiting record is shown though none waits: %v", got)
			}
			x.stop()
		})
	}
}

// records is how many calls there are at an instant.
func records(n *tenant, at time.Time) int {
	sum := 0
	for _, w := range n.worlds {
		sum += view(w, at).Records
	}
	return sum
}

// TestOutboxFullSkips: with skip_logs counting goes on, and what isn't
// logged is counted. The outbox has shutdown_timeout to drain when the exporter is stopped.
func TestOutboxFullSkips(t *testing.T) {
	t.Parallel()
	n := published(t, 89, 500)
	now := n.Pause()
	r := newReceiver(t, n.vault, otlpsink.Settings{})
	r.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503})
	otlp := r.overHTTP(", outbox_limit: 200, outbox_full: skip_logs, shutdown_timeout: 1m")
	x := n.start(settings{OTLP: otlp}).ready()
	x.counts(n, now)
	m := x.scrape()
	waiting, skipped := m.sum("cdr_exporter_otlp_outbox_records"),
		m.sum("cdr_exporter_otlp_records_total", "result=skipped")
	if total := float64(records(n, now)); waiting+skipped != total || skipped == 0 {
		t.Errorf("%g records wait and %g were skipped, want %g in all", waiting, skipped, total)
	}
	r.ClearFailures()
	r.Fail(otlpsink.Reply{OnlyLogs: true, Delay: 150 * time.Millisecond})
	x.stop()
	if got := r.calls(n, pstn, eventCall) + r.calls(n, directRouting, eventCall); got != int(waiting) {
		t.Errorf("%d records had come when the exporter ended, want %g", got, waiting)
	}
}
