package wavix

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	providerName = "wavix"
	// The names of the feeds, which are labels.
	feedCallLog     = "call_log"
	feedActiveCalls = "active_calls"
	// defaultRequestsPerMinute is one a second. Wavix documents no limit of the call log: "rate
	// limits follow your account plan".
	defaultRequestsPerMinute = 60
)

// Provider is Wavix, for the list of providers.
func Provider() collector.Provider {
	return collector.NewProvider(providerName, Open,
		collector.FeedProperties{Name: feedCallLog, Reasons: true},
		collector.FeedProperties{Name: feedActiveCalls, Snapshot: true},
	)
}

// source is what the feeds of a source share.
type source struct {
	config   *Config
	settings collector.SourceSettings
	client   *httpclient.Client
}

// Open makes a source of a valid configuration. It sends no request.
func Open(config *Config, settings collector.SourceSettings) (*collector.Source, error) {
	account := providerName + " " + config.BaseURL + " " + settings.Name
	api := settings.Settings
	api.BaseURL, api.Token, api.KeepTokenOn403 = config.BaseURL, keySource{config.APIKey}, true
	api.RequestsPerMinute = cmp.Or(api.RequestsPerMinute, defaultRequestsPerMinute)
	api.QuotaKey, api.Quote = account, quote
	if config.Auth == authQuery {
		api.Authorize = inQuery
	}
	client, err := httpclient.New(api)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to Wavix: %w", err)
	}
	s := &source{config: config, settings: settings, client: client}
	return &collector.Source{
		Feeds: s.feeds(), Account: account, Advise: Advise, Offset: client.Offset,
		ThrottledUntil: client.ThrottledUntil, Close: client.Close,
	}, nil
}

func (s *source) feeds() []collector.FeedInfo {
	var feeds []collector.FeedInfo
	if c := s.config.CallLog; c != nil {
		log := &callLog{
			paths: &versionedClient{client: s.client, feed: feedCallLog}, seed: maphash.MakeSeed(), now: s.now,
			countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(s.settings.EmergencyNumbers),
			format: s.config.Format, kinds: c.kinds(), interval: c.Interval, lookback: c.Lookback,
		}
		feeds = append(feeds, collector.FeedInfo{
			// Wavix keeps calls for ever, and lists whole days only.
			Name: feedCallLog, Reader: log, Limits: collector.Limits{MaxRange: maxRange, Grain: dayLength},
			Interval: c.Interval, Lookback: c.Lookback, LateAfter: c.LateAfter, Settle: c.Settle,
			WholeAfter:  c.WholeAfter,
			Fingerprint: s.fingerprint(), Currency: s.config.Currency,
			Rules: collector.Rules{Legs: true, Parents: true, Whole: true, ChargesLater: true},
			Probe: log.probe,
		})
	}
	if c := s.config.ActiveCalls; c != nil {
		active := collector.ActiveCalls((&versionedClient{client: s.client, feed: feedActiveCalls}).readActive)
		feeds = append(feeds, collector.FeedInfo{
			Name: feedActiveCalls, ActiveCalls: active, Interval: c.Interval,
			Fingerprint: s.fingerprint(), Probe: active.Probe,
		})
	}
	return feeds
}

// now is the provider's time if it is known, else the local time.
func (s *source) now() time.Time {
	offset, _ := s.client.Offset()
	return s.settings.Now().Add(offset)
}

// fingerprint has the host. The API has no account id that a key for reading calls could request,
// and the key isn't an identity: it is replaced now and then. The port may change although the
// account is the same, so it is left out.
func (s *source) fingerprint() string {
	return providerName + " " + strings.ToLower(s.client.Hostname())
}
