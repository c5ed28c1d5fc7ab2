package msgraph

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const (
	testIDs  = "tenant_id: " + testTenant + "\nclient_id: " + testClient + "\n"
	testAuth = testIDs + "client_secret: s\n"
)

const (
	record1 = "e523d2ed-2966-4b6b-925b-754a88034cc5"
	record2 = "e523d2ed-2966-4b6b-925b-754a88034cc6"
)

// webhook is a configuration with a webhook.
func webhook(url string) string {
	return testAuth + "call_records: {webhook: {public_url: \"" + url + "\"}}\n"
}

func decodeConfig(block string) (*Config, error) {
	c := new(Config)
	return c, config.Unmarshal("config.yaml", []byte(block), c, config.Options{})
}

func TestOpen(t *testing.T) {
	provider := Provider()
	c, ok := provider.NewConfig().(*Config)
	if !ok || provider.Name != "msgraph" {
		t.Fatalf("the provider %q has a %T", provider.Name, provider.NewConfig())
	}
	block := testAuth + "cloud: usgov_l4\npstn: {interval: 2m, lookback: 3h, late_after: 4h}\ndirect_routing: {}\n"
	require.NoError(t, config.Unmarshal("config.yaml", []byte(block), c, config.Options{}))
	source, err := provider.Open(c, collector.SourceSettings{Name: "contoso"})
	require.NoError(t, err)
	defer source.Close()
	if len(source.Feeds) != 2 {
		t.Fatalf("%d feeds, want 2", len(source.Feeds))
	}
	pstn, dr := source.Feeds[0], source.Feeds[1]
	if pstn.Name != "pstn" || pstn.Interval != 2*time.Minute || pstn.Lookback != 3*time.Hour ||
		pstn.LateAfter != 4*time.Hour ||
		pstn.Currency != "XXX" || pstn.Reader == nil {
		t.Errorf("pstn: %+v", pstn)
	}
	const day = 24 * time.Hour
	if want := (collector.Limits{MaxRange: 89 * day, Retention: 365 * day}); pstn.Limits != want {
		t.Errorf("pstn: limits %v, want %v", pstn.Limits, want)
	}
	if want := (collector.Limits{MaxRange: 89 * day, Retention: 150 * day}); dr.Limits != want {
		t.Errorf("direct_routing: limits %v, want %v", dr.Limits, want)
	}
	if want := "msgraph " + testTenant + " graph.microsoft.us pstn"; pstn.Fingerprint != want {
		t.Errorf("fingerprint %q, want %q", pstn.Fingerprint, want)
	}
	if want := "msgraph " + testTenant + " graph.microsoft.us direct_routing"; dr.Name != "direct_routing" ||
		dr.Fingerprint != want {
		t.Errorf("%s: fingerprint %q, want %q", dr.Name, dr.Fingerprint, want)
	}
	if !source.ThrottledUntil().IsZero() || !source.CredentialExpiry().IsZero() {
		t.Error("a new source is throttled, or its secret ends")
	}
	if _, known := source.Offset(); known {
		t.Error("the provider's clock is known before it was asked")
	}

	if _, err := provider.Open(struct{}{}, collector.SourceSettings{}); err == nil {
		t.Error("a block of another provider is opened")
	}
}

// openBlock opens a source by its block.
func openBlock(t *testing.T, block string, settings collector.SourceSettings) *collector.Source {
	t.Helper()
	c, err := decodeConfig(block)
	require.NoError(t, err)
	settings.Name, settings.Derive = "contoso", func(string) []byte { return []byte("0123456789abcdef") }
	return open(t, c, settings)
}

func TestOpenCallRecords(t *testing.T) {
	var settings collector.SourceSettings
	source := openBlock(t, testAuth+"pstn: {}\ncall_records: {interval: 2m, lookback: 3h, late_after: 4h}\n", settings)
	feed := source.Feeds[1]
	if len(source.Feeds) != 2 || feed.Name != "call_records" || feed.Interval != 2*time.Minute ||
		feed.Lookback != 3*time.Hour || feed.LateAfter != 4*time.Hour ||
		feed.Currency != "XXX" || feed.Reader == nil || feed.Fetcher.Parallel() < 2 || !feed.Rules.Grows ||
		feed.Probe == nil || feed.ActiveCalls != nil {
		t.Errorf("%+v", feed)
	}
	if feed.Webhook != nil || feed.Subscription != nil || source.LookUp == nil {
		t.Errorf("without a webhook there is %+v, %v", feed.Webhook, feed.Subscription)
	}
	if want := "msgraph " + testTenant + " graph.microsoft.com call_records"; feed.Fingerprint != want {
		t.Errorf("fingerprint %q, want %q", feed.Fingerprint, want)
	}
	if limits := feed.Limits; limits.Retention >= 30*24*time.Hour || limits.Retention < 29*24*time.Hour ||
		limits.MaxRange != limits.Retention {
		t.Errorf("limits %+v", limits)
	}
	if other := openBlock(t, testAuth+"pstn: {}\n", settings); other.LookUp != nil {
		t.Error("a source without call records looks them up")
	}

	notified := openBlock(t, webhook("https://cdr.example.com/webhooks/contoso"), settings).Feeds[0]
	if notified.Subscription == nil || notified.Webhook == nil || notified.Webhook.Path != "/webhooks/contoso" {
		t.Errorf("%+v", notified)
	}
}

// An error that prevents a subscription has advice, which says that the list is read meanwhile.
func TestSubscriptionAdvice(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answer
		advice string
	}{
		{"validation", providertest.Refuse(http.StatusBadRequest, "ValidationError"), "webhook.listen-address"},
		{"quota", providertest.Refuse(http.StatusForbidden, "Forbidden"), "maximum of 100"},
		{"conflict", providertest.Refuse(http.StatusConflict, "Conflict"), "meanwhile"},
		{"no id", answer{Status: http.StatusCreated, Body: `{"id":"../x"}`}, "the exporter retries; meanwhile"},
	} {
		t.Run(test.name, func(t *testing.T) {
			token := answer{Body: `{"access_token":"t","expires_in":3599,"token_type":"Bearer"}`}
			answers := []answer{token, {Body: `{"value":[]}`}, test.answer}
			if test.name == "quota" { // asked again with a fresh token
				answers = append(answers, token, test.answer)
			}
			source := openBlock(t, webhook("https://cdr.example.com/hook"), collector.SourceSettings{
				Settings: httpclient.Settings{Transport: &providertest.Script{Answers: answers}},
			})
			_, _, err := source.Feeds[0].Subscription.Maintain(t.Context(), time.Now())
			if what, todo := source.Advise(err); err == nil || !strings.Contains(what+todo, test.advice) {
				t.Errorf("of %v it says %q and %q", err, what, todo)
			}
		})
	}
}

// Requests for call records have the feed's label, those for subscriptions none.
func TestFeedOfRequests(t *testing.T) {
	seen := new(recordingObserver)
	g := &providertest.Script{Answers: []answer{
		{Body: `{"access_token":"t","expires_in":3599,"token_type":"Bearer"}`},
		{Body: `{"value":[{"id":"` + record1 + `"},5]}`},
		{Body: `{"id":"` + record1 + `","startDateTime":"2026-11-19T10:00:00Z"}`},
		{Body: `{"value":[]}`},
		{Body: `{"value":[]}`},
		{Body: `{"id":"` + record2 + `"}`, Status: http.StatusCreated},
	}}
	source := openBlock(t, webhook("https://cdr.example.com/hook"), collector.SourceSettings{
		Settings: httpclient.Settings{Transport: g, Observer: seen},
		Notified: metrics.NewSelfMetrics(time.Now, false).Source("contoso"),
	})
	feed := source.Feeds[0]
	if rows, err := feed.Probe(t.Context()); err != nil || rows != 2 {
		t.Errorf("the probe has %d rows, %v", rows, err)
	}
	if tree, err := source.LookUp(t.Context(), record1); err != nil || tree == nil {
		t.Error(err)
	}
	if _, _, err := feed.Subscription.Maintain(t.Context(), time.Now()); err != nil {
		t.Error(err)
	}
	const read = "call_records 200"
	if want := []string{" 200", read, read, read, " 200", " 201"}; !slices.Equal(seen.requests, want) {
		t.Errorf("the requests are %q, want %q; asked %q", seen.requests, want, g.Asked)
	}
}
