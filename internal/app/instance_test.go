package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestInstancesOfReplicas: calls in progress are one series whichever replica reads them, or both would be shown for
// five minutes after a move. The metrics of a process have its own instance, also if all replicas' configuration has a
// service.instance.id, as docs/ledger.md wants it after a restore.
func TestInstancesOfReplicas(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{
		"":                  "",
		"after the restore": ", resource_attributes: {service.instance.id: restored}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ids := make(chan [2]string, 1000) // metric, instance
			endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				var request metricspb.ExportMetricsServiceRequest
				if data, err := io.ReadAll(r.Body); err != nil || proto.Unmarshal(data, &request) != nil {
					return
				}
				for _, of := range request.GetResourceMetrics() {
					id := ""
					for _, a := range of.GetResource().GetAttributes() {
						if a.GetKey() == "service.instance.id" {
							id = a.GetValue().GetStringValue()
						}
					}
					for _, m := range of.GetScopeMetrics()[0].GetMetrics() {
						select {
						case ids <- [2]string{m.GetName(), id}:
						default:
						}
					}
				}
			}))
			t.Cleanup(endpoint.Close)
			provider := newNotifying(t)
			provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
			file := provider.write(t.TempDir(), "active_calls: ",
				"otlp: {endpoint: \""+endpoint.URL+"\", interval: 1s, logs: false"+more+"}\n")
			a := start(t, share(t, file), provider.provider())
			ledgers := "restored"
			if more == "" {
				ledgers = a.ledger.InstanceID()
			}
			want := map[string]string{
				"cdr.active_calls": ledgers, "cdr.exporter.feed_owned": a.owners.replica,
			}
			for deadline := time.After(20 * time.Second); len(want) > 0; {
				select {
				case got := <-ids:
					if id, is := want[got[0]]; is && id != got[1] {
						t.Errorf("%s is sent as the instance %s, want %s", got[0], got[1], id)
					}
					delete(want, got[0])
				case <-deadline:
					t.Fatalf("not sent: %v", want)
				}
			}
		})
	}
}
