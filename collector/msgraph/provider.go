package msgraph

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/callrecords"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	providerName = "msgraph"
	// The values of the label `feed`, in addition to callrecords.Feed.
	feedPSTN          = "pstn"
	feedDirectRouting = "direct_routing"
	// defaultRequestsPerMinute is far below Graph's 1,500 in 20 s per app and tenant.
	defaultRequestsPerMinute = 600
	// noCurrency is the ISO 4217 code for "no currency", for a charge without one.
	noCurrency = "XXX"
)

// Provider is Microsoft Graph, for the list of providers.
func Provider() collector.Provider {
	p := collector.NewProvider(providerName, Open,
		collector.FeedProperties{Name: feedPSTN, Coverage: "Calling Plans, Operator Connect and audio conferencing"},
		collector.FeedProperties{
			Name: feedDirectRouting, Coverage: "your own session border controllers", Reasons: true,
			SIPCodes: true,
		},
		collector.FeedProperties{
			Name: callrecords.Feed, Coverage: "all users of Teams, and their meetings", Streams: true,
			Overlaps: true, Visits: true,
		},
	)
	p.SubCodes = slices.Concat(subCodes, subCodeRanges)
	return p
}

// source is what the feeds of a source share.
type source struct {
	config    *Config
	settings  collector.SourceSettings
	client    *httpclient.Client
	countries *cdr.Countries
	emergency cdr.EmergencyNumbers
}

// Open makes a source of a valid configuration. It sends no request.
func Open(config *Config, settings collector.SourceSettings) (*collector.Source, error) {
	hosts := clouds[config.Cloud]
	creds, err := newCredentials(config, hosts, &settings)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to the identity platform: %w", err)
	}
	graphURL := cmp.Or(config.GraphURL, hosts.graph)
	// Graph's limits apply to an app in a tenant.
	account := strings.ToLower(strings.Join([]string{providerName, config.TenantID, config.ClientID, graphURL}, " "))
	api := settings.Settings
	tokens := httpclient.NewTokens(creds.token, settings.Now)
	api.Token = tokens
	api.RequestsPerMinute = cmp.Or(api.RequestsPerMinute, defaultRequestsPerMinute)
	api.BaseURL, api.QuotaKey, api.Quote = graphURL, account, graph.Quote
	api.ClientRequestIDHeader, api.RequestIDHeaders = "client-request-id", []string{"request-id"}
	client, err := httpclient.New(api)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to Graph: %w", err)
	}
	s := &source{
		config: config, settings: settings, client: client,
		countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(settings.EmergencyNumbers),
	}
	opened := &collector.Source{
		Account: account, Advise: Advise, CredentialExpiry: creds.expiry, Offset: client.Offset,
		ThrottledUntil: client.ThrottledUntil,
		Roles: func(ctx context.Context) ([]string, error) {
			token, err := tokens.Token(ctx)
			return rolesOf(token), err
		},
		Close: func() {
			client.Close()
			(&http.Client{Transport: creds.transport}).CloseIdleConnections()
		},
	}
	return opened, s.addFeeds(opened)
}

func (s *source) addFeeds(opened *collector.Source) error {
	if c := s.config.PSTN; c != nil {
		log := &callLog{source: s, feed: feedPSTN, function: "getPstnCalls", mapRow: (*mapper).mapPSTN}
		opened.Feeds = append(opened.Feeds, s.logFeed(log, &c.Feed, pstnRetention))
	}
	if c := s.config.DirectRouting; c != nil {
		log := &callLog{
			source: s, feed: feedDirectRouting, function: "getDirectRoutingCalls",
			mapRow: (*mapper).mapDirectRouting,
		}
		opened.Feeds = append(opened.Feeds, s.logFeed(log, &c.Feed, directRoutingRetention))
	}
	if c := s.config.CallRecords; c != nil {
		feed, err := callrecords.New(c, s.config.TenantID, &s.settings, s.client)
		if err != nil {
			return err
		}
		info := feed.Info
		info.Fingerprint, info.Currency = s.fingerprint(callrecords.Feed), noCurrency
		opened.Feeds, opened.LookUp = append(opened.Feeds, info), feed.LookUp
	}
	return nil
}

func (s *source) logFeed(log *callLog, c *config.Feed, retention time.Duration) collector.FeedInfo {
	rules := collector.Rules{ChargesLater: log.feed == feedPSTN}
	if s.config.CallRecords != nil {
		rules.CallFeed = callrecords.Feed
	}
	return collector.FeedInfo{
		Name: log.feed, Rules: rules, Reader: log, SkipUnchanged: log.skipUnchanged,
		Limits:   collector.Limits{MaxRange: maxRange, Retention: retention},
		Interval: c.Interval, Lookback: c.Lookback, LateAfter: c.LateAfter,
		Fingerprint: s.fingerprint(log.feed), Currency: noCurrency,
		Probe: collector.Probe(log, s.settings.Now),
	}
}

// fingerprint identifies the account: provider, tenant, host and feed. It leaves out the port,
// which may change although the account is the same.
func (s *source) fingerprint(feed string) string {
	return strings.ToLower(strings.Join([]string{providerName, s.config.TenantID, s.client.Hostname(), feed}, " "))
}
