package callrecords

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

// counting.md 10 and 17: whether a call has settled is a matter of Graph's clock, though
// ours is hours behind it.
func TestRule10_CallsSettleByGraphsClock(t *testing.T) {
	now := time.Now()
	records := sim.HistoricalCallRecords(9, now.Add(time.Hour), now.Add(2*time.Hour), 20)
	server, err := sim.Start(sim.Settings{CallRecords: records, At: now.Add(30 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	feed := openRecords(t, server, 90*time.Minute, func(_ *Config, s *collector.SourceSettings) { s.Now = time.Now }).Info
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
