package callrecords

import (
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Feed is the label `feed`.
const Feed = "call_records"

// innerPages is Graph's limit for further pages of one call record, in addition to first pages
// (throttling limits, "Call records").
var innerPages = httpclient.Limit{Requests: 50, Per: 5 * time.Minute}

// Records reads the call records of a tenant. It is safe for concurrent use.
type Records struct {
	// Info describes the feed, without its fingerprint and currency.
	Info collector.FeedInfo

	client    *httpclient.Client
	sizes     sizes
	largeOnes *semaphore.Weighted // limits the large records that are read
	mapper    mapper              // copied for each record
	settle    time.Duration
	now       func() time.Time
}

// New makes the feed of a valid configuration for a tenant.
func New(c *Config, tenant string, s *collector.SourceSettings, client *httpclient.Client) (*Records, error) {
	r := &Records{
		client: client, sizes: recordSizes, settle: c.Settle,
		largeOnes: semaphore.NewWeighted(1),
		now:       func() time.Time { return graphNow(s, client) },
		mapper:    mapper{countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(s.EmergencyNumbers)},
	}
	r.Info = collector.FeedInfo{
		Name: Feed, Reader: r, Limits: collector.Limits{MaxRange: reach, Retention: reach}, Fetcher: r,
		Rules:    collector.Rules{Grows: true},
		Interval: c.Interval, Lookback: c.Lookback, LateAfter: c.LateAfter,
		Probe: collector.Probe(r, s.Now),
	}
	if c.Webhook == nil {
		return r, nil
	}
	// The subscription is checked as often as the list is read, which is half as often as without a
	// webhook.
	manager, webhook, err := subscriptions.New(c.Webhook, tenant, s, client, 2*c.Interval)
	if err != nil {
		return nil, fmt.Errorf("call_records.webhook: %w", err)
	}
	r.Info.Subscription, r.Info.Webhook = manager, webhook
	return r, nil
}

// graphNow is the time by Graph's clock. By a local clock that is behind, calls that have ended
// would seem to end in the future and never settle.
func graphNow(s *collector.SourceSettings, client *httpclient.Client) time.Time {
	if offset, known := client.Offset(); known {
		return time.Now().Add(offset) //nolint:forbidigo // the client's offset is relative to it
	}
	return s.Now()
}
