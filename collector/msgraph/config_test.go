package msgraph

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const (
	testIDs  = "tenant_id: " + testTenant + "\nclient_id: " + testClient + "\n"
	testAuth = testIDs + "client_secret: s\n"
)

// webhook is a configuration with a webhook.
const (
	record1 = "e523d2ed-2966-4b6b-925b-754a88034cc5"
	record2 = "e523d2ed-2966-4b6b-925b-754a88034cc6"
)

func webhook(url string) string {
	return testAuth + "call_records: {webhook: {public_url: \"" + url + "\"}}\n"
}

func decodeConfig(block string) (*Config, error) {
	c := new(Config)
	return c, config.Unmarshal("config.yaml", []byte(block), c, config.Options{})
}

func TestGoodConfigs(t *testing.T) {
	const feed = "pstn: {}\n"
	for name, block := range map[string]string{
		"domain": "tenant_id: contoso.onmicrosoft.com\nclient_id: " + testClient + "\nclient_secret: s\n" +
			feed,
		"certificate": testIDs + "client_certificate_file: cert.pem\nclient_certificate_password_file: p\n" +
			feed,
		"managed, by id": "tenant_id: " + testTenant + "\nmanaged_identity: {client_id: " + testClient + "}\n" +
			feed,
		"managed, default":  "tenant_id: " + testTenant + "\nmanaged_identity:\n" + feed,
		"managed, as app":   testIDs + "managed_identity: {}\n" + feed,
		"workload identity": testIDs + "workload_identity: {token_file: token}\n" + feed,
		"clouds":            testAuth + "cloud: usgov_l5\n" + feed,
		"loopback": testAuth + "graph_url: http://127.0.0.1:8080\nlogin_url: http://localhost:8081/login\n" +
			feed,
		"call records":      testAuth + "call_records: {interval: 1s, lookback: 1h, late_after: 0s, settle: 12h}\n",
		"webhook":           webhook("https://cdr.example.com/webhooks/contoso"),
		"webhook, loopback": webhook("http://127.0.0.1:8080/hook"),
		"one feed":          testAuth + "direct_routing: {interval: 1s, lookback: 150d, late_after: 0s}\n",
	} {
		if _, err := decodeConfig(block); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	const feed = "pstn: {}\n"
	for _, test := range []struct{ name, block, problem string }{
		{"no tenant", "client_id: " + testClient + "\nclient_secret: s\n" + feed, "tenant_id: is missing"},
		{
			"common", "tenant_id: common\nclient_id: " + testClient + "\nclient_secret: s\n" + feed,
			"config.yaml:1: tenant_id: must name one tenant",
		},
		{
			"organizations", "tenant_id: Organizations\nclient_id: " + testClient + "\nclient_secret: s\n" + feed,
			"tenant_id: must name one tenant",
		},
		{
			"a name", "tenant_id: contoso\nclient_id: " + testClient + "\nclient_secret: s\n" + feed,
			"tenant_id: must be the directory (tenant) id or a domain",
		},
		{
			"a path", "tenant_id: ../x.example\nclient_id: " + testClient + "\nclient_secret: s\n" + feed,
			"tenant_id: must be the directory",
		},
		{"no client", "tenant_id: " + testTenant + "\nclient_secret: s\n" + feed, "client_id: is missing"},
		{
			"a client's name", "tenant_id: " + testTenant + "\nclient_id: cdr-exporter\nclient_secret: s\n" + feed,
			"config.yaml:2: client_id: must be a GUID",
		},
		{"no credential", testIDs + feed, "a credential is missing; give exactly one of client_secret"},
		{
			"two credentials", testAuth + "managed_identity: {}\n" + feed,
			"managed_identity: a credential is already set by client_secret",
		},
		{
			"end of a certificate", testIDs + "client_certificate_file: c.pem\nclient_secret_expires: 2027-03-01\n" + feed,
			"client_secret_expires: only applies to a client secret",
		},
		{
			"end of a secret", testAuth + "client_secret_expires: soon\n" + feed,
			"client_secret_expires: must be a date such as 2027-03-01",
		},
		{
			"password alone", testAuth + "client_certificate_password: x\n" + feed,
			"client_certificate_password: opens a certificate, but none is set",
		},
		{"china", testAuth + "cloud: china\n" + feed, "cloud: china (operated by 21Vianet) has no call records"},
		{"other cloud", testAuth + "cloud: mars\n" + feed, "cloud: must be global, usgov_l4 or usgov_l5"},
		{"plain http", testAuth + "graph_url: http://graph.example\n" + feed, "graph_url: must be https"},
		{"plain http login", testAuth + "login_url: http://login.example\n" + feed, "login_url: must be https"},
		{
			"version in the URL", testAuth + "graph_url: https://graph.microsoft.com/v1.0/\n" + feed,
			"graph_url: must not contain the API version: remove /v1.0/",
		},
		{"no feed", testAuth, "a feed is missing; give at least one of pstn, direct_routing, call_records"},
		{
			"long lookback", testAuth + "direct_routing: {lookback: 151d}\n",
			"direct_routing.lookback: must be at most 150d",
		},
		{"short interval", testAuth + "pstn: {interval: 100ms}\n", "pstn.interval: must be at least 1s"},
		{
			"long lookback of call records", testAuth + "call_records: {lookback: 31d}\n",
			"call_records.lookback: must be at most 30d",
		},
		{"negative settle", testAuth + "call_records: {settle: -1s}\n", "call_records.settle: "},
		{
			"long settle", testAuth + "call_records: {settle: 73h}\n",
			"call_records.settle: must be at most lookback (72h0m0s), or 12h0m0s",
		},
		{
			"china with call records", testAuth + "cloud: china\ncall_records: {}\n",
			"cloud: china (operated by 21Vianet) has no call records",
		},
		{
			"webhook without address", testAuth + "call_records: {webhook: {}}\n",
			"call_records.webhook.public_url: is missing",
		},
		{"bare webhook", testAuth + "call_records:\n  webhook:\n", "call_records.webhook.public_url: is missing"},
		{
			"webhook over http", webhook("http://cdr.example.com/hook"),
			"call_records.webhook.public_url: must be the https address",
		},
		{"webhook over something else", webhook("ftp://cdr.example.com/hook"), "public_url: must be the https address"},
		{"webhook without host", webhook("https:///hook"), "public_url: must be the https address"},
		{"webhook with a user", webhook("https://u:p@cdr.example.com/hook"), "without user, query and fragment"},
		{"webhook with a query", webhook("https://cdr.example.com/hook?a=b"), "without user, query and fragment"},
		{"webhook with a fragment", webhook("https://cdr.example.com/hook#a"), "without user, query and fragment"},
		{"webhook without a path", webhook("https://cdr.example.com/"), "public_url: needs a path"},
		{"webhook that isn't a URL", webhook("https://cdr.example.com/%zz"), "public_url: must be the https address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := decodeConfig(test.block)
			providertest.Refused(t, err, test.problem)
		})
	}
}

func TestOpen(t *testing.T) {
	provider := Provider()
	c, ok := provider.NewConfig().(*Config)
	if !ok || provider.Name != "msgraph" {
		t.Fatalf("the provider %q has a %T", provider.Name, provider.NewConfig())
	}
	block := testAuth + "cloud: usgov_l4\npstn: {interval: 2m, lookback: 3h, late_after: 4h}\ndirect_routing: {}\n"
	if err := config.Unmarshal("config.yaml", []byte(block), c, config.Options{}); err != nil {
		t.Fatal(err)
	}
	source, err := provider.Open(c, collector.SourceSettings{Name: "contoso"})
	if err != nil {
		t.Fatal(err)
	}
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
	if _, err := Provider().Open(&Config{Cloud: "china"}, collector.SourceSettings{}); err == nil {
		t.Error("a cloud without call records is opened")
	}
	if _, err := provider.Open(&Config{Cloud: "global"}, collector.SourceSettings{}); err == nil {
		t.Error("a source without a feed is opened")
	}
}

// observedHere counts requests by feed.
type observedHere struct{ feeds map[string]int }

func (o observedHere) Request(feed, _ string, _ time.Duration) { o.feeds[feed]++ }
func (o observedHere) Throttled(string, time.Duration)         {}

func TestOpenCallRecords(t *testing.T) {
	open := func(block string, change func(*collector.SourceSettings)) *collector.Source {
		t.Helper()
		c, err := decodeConfig(block)
		if err != nil {
			t.Fatal(err)
		}
		settings := collector.SourceSettings{Name: "contoso", Derive: func(purpose string) []byte {
			sum := sha256.Sum256([]byte(purpose))
			return sum[:]
		}}
		if change != nil {
			change(&settings)
		}
		source, err := Provider().Open(c, settings)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(source.Close)
		return source
	}
	source := open(testAuth+"pstn: {}\ncall_records: {interval: 2m, lookback: 3h, late_after: 4h}\n", nil)
	feed := source.Feeds[1]
	if len(source.Feeds) != 2 || feed.Name != "call_records" || feed.Interval != 2*time.Minute ||
		feed.Lookback != 3*time.Hour || feed.LateAfter != 4*time.Hour ||
		feed.Currency != "XXX" || feed.Reader == nil || feed.Fetcher == nil || !feed.Rules.StartMoves ||
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
	if other := open(testAuth+"pstn: {}\n", nil); other.LookUp != nil {
		t.Error("a source without call records looks them up")
	}

	notified := open(webhook("https://cdr.example.com/webhooks/contoso"), nil).Feeds[0]
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
			c, err := decodeConfig(webhook("https://cdr.example.com/hook"))
			if err != nil {
				t.Fatal(err)
			}
			source, err := Provider().Open(c, collector.SourceSettings{
				Settings: httpclient.Settings{Transport: &providertest.Script{Answers: answers}},
				Name:     "contoso", Derive: func(string) []byte { return []byte("0123456789abcdef") },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(source.Close)
			_, _, err = source.Feeds[0].Subscription.Maintain(t.Context(), time.Now())
			if what, todo := source.Advise(err); err == nil || !strings.Contains(what+todo, test.advice) {
				t.Errorf("of %v it says %q and %q", err, what, todo)
			}
		})
	}
}

// Requests for call records have the feed's label, those for subscriptions none.
func TestFeedOfRequests(t *testing.T) {
	seen := observedHere{feeds: map[string]int{}}
	g := &providertest.Script{Answers: []answer{
		{Body: `{"access_token":"t","expires_in":3599,"token_type":"Bearer"}`},
		{Body: `{"value":[{"id":"` + record1 + `"},5]}`},
		{Body: `{"id":"` + record1 + `","startDateTime":"2026-11-19T10:00:00Z"}`},
		{Body: `{"value":[]}`},
		{Body: `{"value":[]}`},
		{Body: `{"id":"` + record2 + `"}`, Status: http.StatusCreated},
	}}
	c, err := decodeConfig(webhook("https://cdr.example.com/hook"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := Provider().Open(c, collector.SourceSettings{
		Settings: httpclient.Settings{Transport: g, Observer: seen},
		Name:     "contoso", Notified: metrics.NewSelfMetrics(time.Now, false).Source("contoso"),
		Derive: func(string) []byte { return []byte("0123456789abcdef") },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
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
	if want := (map[string]int{"": 3, "call_records": 3}); !maps.Equal(seen.feeds, want) {
		t.Errorf("the requests are %v, want %v; asked %q", seen.feeds, want, g.Asked)
	}
}
