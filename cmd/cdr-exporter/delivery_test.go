package main_test

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

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
			n := newTenant(t, sim.Settings{
				PSTN:          simulator.NewWorld(past(83, sim.PSTNMix(), 400)),
				DirectRouting: simulator.NewWorld(past(84, sim.DirectRoutingMix(), 400)), PageSize: 100,
			})
			authority, err := simulator.NewAuthority()
			require.NoError(t, err)
			require.NoError(t, authority.WriteCA(n.path("otlp-ca.pem")))
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
			r.complete(n, now)
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
