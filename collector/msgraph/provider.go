package msgraph

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	providerName = "msgraph"
	// The labels `feed`; feedCallRecords is the third.
	feedPSTN          = "pstn"
	feedDirectRouting = "direct_routing"
	// defaultRequestsPerMinute is far below Graph's 1,500 in 20 s per app and tenant.
	defaultRequestsPerMinute = 600
	// noCurrency stands for a charge without a currency (ISO 4217).
	noCurrency = "XXX"
	// dialTimeout bounds the way to a managed identity's endpoint, which nobody answers
	// outside of Azure.
	dialTimeout = 5 * time.Second
)

// Provider is Microsoft Graph, for the list of providers.
func Provider() collector.Provider {
	return collector.NewProvider(providerName, Open,
		collector.FeedProperties{Name: feedPSTN},
		collector.FeedProperties{Name: feedDirectRouting, Reasons: true, SIPCodes: true},
		collector.FeedProperties{Name: feedCallRecords, Streams: true, Overlaps: true},
	)
}

// source is what the feeds of a source share.
type source struct {
	config    *Config
	settings  collector.SourceSettings
	cloud     cloud
	client    *httpclient.Client
	creds     *credentials
	transport http.RoundTripper // to the identity platform
}

// Open makes a source of a valid configuration. It asks nothing of the network.
func Open(config *Config, settings collector.SourceSettings) (*collector.Source, error) {
	hosts, ok := cloudByName(config.Cloud)
	if !ok {
		return nil, fmt.Errorf("there is no cloud %q with call records", config.Cloud)
	}
	if settings.Now == nil {
		settings.Now = time.Now
	}
	s := &source{config: config, settings: settings, cloud: hosts}
	if err := s.openCredentials(); err != nil {
		return nil, err
	}
	if err := s.openClient(); err != nil {
		return nil, err
	}
	opened := &collector.Source{
		Feeds: s.feeds(), Advise: Advise, CredentialExpiry: s.creds.expiry,
		Offset: s.client.Offset, ThrottledUntil: s.client.ThrottledUntil, Close: s.close,
	}
	if s.config.CallRecords != nil {
		info, records, err := s.callRecords()
		if err != nil {
			return nil, err
		}
		opened.Feeds, opened.LookUp = append(opened.Feeds, info), records.lookUp
	}
	if len(opened.Feeds) == 0 {
		return nil, errors.New("no feed is configured")
	}
	return opened, nil
}

func (s *source) openCredentials() error {
	login, err := url.Parse(orElse(s.config.LoginURL, s.cloud.login))
	if err != nil {
		return errors.New("login_url is not a URL")
	}
	if s.transport, err = s.identityTransport(); err != nil {
		return fmt.Errorf("prepare the way to the identity platform: %w", err)
	}
	s.creds = &credentials{
		config: s.config, scope: s.cloud.scope(), login: login,
		transport: s.transport, observer: s.settings.Observer,
	}
	if s.config.ClientCertificate.IsSet() {
		s.creds.certificate = &certificate{
			content: s.config.ClientCertificate, password: s.config.ClientCertificatePassword,
		}
	}
	return nil
}

// identityTransport is the way to the identity platform: the source's, but for a
// managed identity, whose endpoint is on the machine or its network, never behind a
// proxy.
func (s *source) identityTransport() (http.RoundTripper, error) {
	switch {
	case s.settings.Transport != nil:
		return s.settings.Transport, nil
	case s.config.ManagedIdentity != nil:
		return &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext}, nil
	}
	settings := promconfig.HTTPClientConfig{TLSConfig: s.settings.TLS, EnableHTTP2: true}
	if s.settings.ProxyURL != nil {
		settings.ProxyURL = promconfig.URL{URL: s.settings.ProxyURL}
	} else {
		settings.ProxyFromEnvironment = true
	}
	return promconfig.NewRoundTripperFromConfig(settings, providerName)
}

func (s *source) openClient() error {
	perMinute := s.settings.RequestsPerMinute
	if perMinute == 0 {
		perMinute = defaultRequestsPerMinute
	}
	client, err := httpclient.New(httpclient.Settings{
		BaseURL:               orElse(s.config.GraphURL, s.cloud.graph),
		Token:                 newTokens(s.creds.token, s.settings.Now),
		TLS:                   s.settings.TLS,
		ProxyURL:              s.settings.ProxyURL,
		Transport:             s.settings.Transport,
		RequestsPerMinute:     perMinute,
		Quotas:                s.settings.Quotas,
		QuotaKey:              strings.ToLower(strings.Join([]string{providerName, s.config.TenantID, s.config.ClientID, orElse(s.config.GraphURL, s.cloud.graph)}, " ")),
		UserAgent:             s.settings.UserAgent,
		ClientRequestIDHeader: "client-request-id",
		RequestIDHeaders:      []string{"request-id"},
		Observer:              s.settings.Observer,
		Logger:                s.settings.Logger,
	})
	if err != nil {
		return fmt.Errorf("prepare the way to Graph: %w", err)
	}
	s.client = client
	return nil
}

func (s *source) feeds() []collector.FeedInfo {
	countries, emergency := s.numbers()
	var feeds []collector.FeedInfo
	if c := s.config.PSTN; c != nil {
		feeds = append(feeds, s.feed(&logFeed{
			name: feedPSTN, function: "getPstnCalls", retention: pstnRetention,
			names: pstnNames, mapRow: mapPSTN, client: s.client, countries: countries, emergency: emergency,
		}, c.Interval, c.Lookback, c.LateAfter))
	}
	if c := s.config.DirectRouting; c != nil {
		feeds = append(feeds, s.feed(&logFeed{
			name: feedDirectRouting, function: "getDirectRoutingCalls", retention: directRoutingRetention,
			names: directRoutingNames, mapRow: mapDirectRouting, client: s.client, countries: countries, emergency: emergency,
		}, c.Interval, c.Lookback, c.LateAfter))
	}
	return feeds
}

// numbers know what numbers tell.
func (s *source) numbers() (*cdr.Countries, *cdr.EmergencyNumbers) {
	return cdr.NewCountries(), cdr.NewEmergencyNumbers(s.settings.EmergencyNumbers)
}

func (s *source) feed(log *logFeed, interval, lookback, lateAfter time.Duration) collector.FeedInfo {
	return collector.FeedInfo{
		Name: log.name, Reader: log,
		Interval: interval, Lookback: lookback, LateAfter: lateAfter,
		Fingerprint: s.fingerprint(log.name), Currency: noCurrency,
		Probe: func(ctx context.Context) (int, error) { return log.probe(ctx, s.settings.Now()) },
	}
}

// fingerprint names the account: provider, tenant, host and feed. A port is no part of
// it: it changes without another account being behind it.
func (s *source) fingerprint(feed string) string {
	host := orElse(s.config.GraphURL, s.cloud.graph)
	if u, err := url.Parse(host); err == nil {
		host = u.Hostname()
	}
	return strings.ToLower(strings.Join([]string{providerName, s.config.TenantID, host, feed}, " "))
}

func (s *source) close() {
	s.client.Close()
	if idle, ok := s.transport.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

func orElse(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
