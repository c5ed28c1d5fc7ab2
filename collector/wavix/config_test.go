package wavix

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

func decodeConfig(block string) (*Config, error) {
	c := new(Config)
	return c, config.Unmarshal("config.yaml", []byte(block), c, config.Options{})
}

func TestGoodConfigs(t *testing.T) {
	const feed = "call_log: {}\n"
	for name, block := range map[string]string{
		"key file":     "api_key_file: key\n" + feed,
		"loopback":     "api_key: k\nbase_url: http://127.0.0.1:8080/wavix\n" + feed,
		"older":        "api_key: k\nauth: query\nformat: csv\ncurrency: EUR\n" + feed,
		"stream":       "api_key: k\nformat: stream\n" + feed,
		"one type":     "api_key: k\ncall_log: {types: [received], interval: 1s, lookback: 30d, late_after: 0s}\n",
		"active alone": "api_key: k\nactive_calls: {interval: 1s}\n",
	} {
		if _, err := decodeConfig(block); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	const key, feed = "api_key: k\n", "call_log: {}\n"
	for _, test := range []struct{ name, block, problem string }{
		{"no key", feed, "api_key: is missing; give the key of the account"},
		{"two keys", key + "api_key_file: k\n" + feed, "api_key_file"},
		{"plain http", key + "base_url: http://api.wavix.example\n" + feed, "base_url: must be https"},
		{
			"version in the URL", key + "base_url: https://api.wavix.com/v1/\n" + feed,
			"base_url: must not contain the API version: remove /v1/",
		},
		{
			"key in the URL", key + "base_url: https://api.wavix.com?appid=k\n" + feed,
			"base_url: must end before ? and #",
		},
		{"no URL", key + "base_url: ''\n" + feed, "base_url: is missing"},
		{"auth", key + "auth: basic\n" + feed, "auth: must be bearer or query"},
		{"format", key + "format: xml\n" + feed, "format: must be json, stream or csv"},
		{"currency", key + "currency: dollars\n" + feed, "currency: must be a currency of three capital letters"},
		{"no feed", key, "a feed is missing; give at least one of call_log, active_calls"},
		{"no types", key + "call_log: {types: []}\n", "call_log.types: is empty; set placed, received or both"},
		{"other types", key + "call_log: {types: [placed, missed]}\n", "call_log.types[1]: must be placed or received"},
		{"a type twice", key + "call_log: {types: [placed, placed]}\n", "call_log.types[1]: is given twice"},
		{"negative settle", key + "call_log: {settle: -1s}\n", "call_log.settle: must be at least 0s"},
		{"short interval", key + "call_log: {interval: 100ms}\n", "call_log.interval: must be at least 1s"},
		{
			"short interval of calls in progress", key + "active_calls: {interval: 100ms}\n",
			"active_calls.interval: must be at least 1s",
		},
		{"lookback of calls in progress", key + "active_calls: {lookback: 1h}\n", "active_calls.lookback: unknown key"},
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
	if !ok || provider.Name != "wavix" {
		t.Fatalf("the provider %q has a %T", provider.Name, provider.NewConfig())
	}
	block := "api_key: k\nbase_url: https://API.wavix.example:8443\ncurrency: EUR\ncall_log: {interval: 2m, " +
		"lookback: 3h, late_after: 4h, settle: 3s}\nactive_calls: {}\n"
	if err := config.Unmarshal("config.yaml", []byte(block), c, config.Options{}); err != nil {
		t.Fatal(err)
	}
	source, err := provider.Open(c, collector.SourceSettings{Name: "wave"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if len(source.Feeds) != 2 {
		t.Fatalf("%d feeds, want 2", len(source.Feeds))
	}
	calls, active := source.Feeds[0], source.Feeds[1]
	if calls.Name != "call_log" || calls.Interval != 2*time.Minute || calls.Lookback != 3*time.Hour ||
		calls.LateAfter != 4*time.Hour ||
		calls.Currency != "EUR" || calls.ActiveCalls != nil || calls.Reader == nil || calls.Settle != 3*time.Second ||
		calls.WholeAfter != 4*time.Hour ||
		!calls.Rules.Legs || !calls.Rules.Parents || !calls.Rules.Whole {
		t.Errorf("call_log: %+v", calls)
	}
	if active.Name != "active_calls" || active.Interval != 30*time.Second || active.ActiveCalls == nil ||
		active.Reader != nil {
		t.Errorf("active_calls: %+v", active)
	}
	if want := (collector.Limits{MaxRange: 7 * 24 * time.Hour, Grain: 24 * time.Hour}); calls.Limits != want {
		t.Errorf("limits %v, want %v", calls.Limits, want)
	}
	if want := "wavix api.wavix.example"; calls.Fingerprint != want || active.Fingerprint != want {
		t.Errorf("fingerprints %q and %q, want %q", calls.Fingerprint, active.Fingerprint, want)
	}
	if !source.ThrottledUntil().IsZero() || source.CredentialExpiry != nil {
		t.Error("a new source is throttled, or its key ends")
	}
	if _, known := source.Offset(); known {
		t.Error("the provider's clock is known before it was asked")
	}

	if _, err := provider.Open(struct{}{}, collector.SourceSettings{}); err == nil {
		t.Error("a block of another provider is opened")
	}
	if _, err := Provider().Open(&Config{BaseURL: "ftp://x", CallLog: new(CallLog)},
		collector.SourceSettings{}); err == nil {
		t.Error("a source without a usable address is opened")
	}
	if _, err := provider.Open(&Config{BaseURL: defaultBaseURL}, collector.SourceSettings{}); err == nil {
		t.Error("a source without a feed is opened")
	}
}
