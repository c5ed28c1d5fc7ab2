package callrecords

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A webhook brings its subscription and its path, and records are fetched several at a time.
func TestFeedWithAWebhook(t *testing.T) {
	config := new(Config)
	config.SetDefaults()
	config.Webhook = &subscriptions.Webhook{PublicURL: "https://cdr.example/webhooks/contoso"}
	client := new(providertest.Script).Client(t, nil)
	r, err := New(config, sim.TenantID, &collector.SourceSettings{Now: time.Now}, client)
	if err != nil || r.Info.Subscription == nil || r.Info.Webhook.Path != "/webhooks/contoso" || r.Parallel() < 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// counting.md 10 and 17: whether a call has settled is a matter of Graph's clock, though
// ours is hours behind it.
func TestRule10_CallsSettleByGraphsClock(t *testing.T) {
	now := time.Now()
	records := sim.HistoricalCallRecords(9, now.Add(time.Hour), now.Add(2*time.Hour), 20)
	server, err := sim.Start(sim.Settings{CallRecords: records, At: now.Add(30 * time.Hour)})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: server.BaseURL(), Transport: server.Trusted(), RequestsPerMinute: 60_000,
	})
	require.NoError(t, err)
	config := new(Config)
	config.SetDefaults()
	config.Settle = 90 * time.Minute
	source, err := New(config, sim.TenantID, &collector.SourceSettings{Name: "contoso", Now: time.Now}, client)
	require.NoError(t, err)
	feed := source.Info
	fetched := 0
	err = providertest.Read(t.Context(), feed.Reader, now, now.Add(3*time.Hour), func(listed *collector.Page) error {
		for i := range listed.Enqueue {
			b, err := feed.Fetcher.Fetch(t.Context(), listed.Enqueue[i:i+1])
			if err != nil {
				return err
			}
			fetched++
			if !b.Records[0].Settled || len(b.Enqueue) > 0 {
				t.Errorf("%s hasn't settled; it is looked at again %v", b.Records[0].ID, b.Enqueue)
			}
		}
		return nil
	})
	if err != nil || fetched != 20 {
		t.Errorf("%d records were fetched, %v", fetched, err)
	}
}
