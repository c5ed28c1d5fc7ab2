package ringcentral

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const testAuth = "client_id: app\nclient_secret: s\njwt: j\n"

func decodeConfig(block string) (*Config, error) {
	c := new(Config)
	return c, config.Unmarshal("config.yaml", []byte(block), c, config.Options{})
}

func TestGoodConfigs(t *testing.T) {
	for name, block := range map[string]string{
		"files":    "client_id: app\nclient_secret_file: s\njwt_file: j\ncall_log: {}\n",
		"partner":  testAuth + "base_url: https://platform.ringcentral.biz/\ncall_log: {}\n",
		"loopback": testAuth + "base_url: http://127.0.0.1:8080/proxy\ncall_log: {}\n",
		"extension": testAuth + "scope: extension\ncurrency: EUR\ncall_log: {view: simple, interval: 1s, " +
			"lookback: 365d, late_after: 0s}\n",
		"legs":        testAuth + "call_log: {settle: 0s, whole_after: 1h, machine_leg_types: []}\n",
		"active only": testAuth + "active_calls: {interval: 1s}\n",
	} {
		if _, err := decodeConfig(block); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	const feed = "call_log: {}\n"
	for _, test := range []struct{ name, block, problem string }{
		{"no client", "client_secret: s\njwt: j\n" + feed, "client_id: is missing; give the client id of the app"},
		{
			"no secret", "client_id: app\njwt: j\n" + feed,
			"client_secret: is missing; give the client secret of the app in client_secret or client_secret_file",
		},
		{"no JWT", "client_id: app\nclient_secret: s\n" + feed, "jwt: is missing"},
		{"secret twice", testAuth + "jwt_file: j\n" + feed, "jwt_file"},
		{"no feed", testAuth, "a feed is missing; give at least one of call_log, active_calls"},
		{"plain http", testAuth + "base_url: http://rc.example\n" + feed, "base_url: must be https"},
		{"empty base", testAuth + "base_url: \"\"\n" + feed, "base_url: is missing"},
		{
			"with the API's path", testAuth + "base_url: https://platform.ringcentral.com/restapi/v1.0\n" + feed,
			"base_url: must not contain the API path: remove /restapi/v1.0",
		},
		{"scope", testAuth + "scope: company\n" + feed, "scope: must be account or extension"},
		{"account", testAuth + "account: other\n" + feed, "account: must be same, or unset"},
		{
			"account of an extension", testAuth + "account: same\nscope: extension\n" + feed,
			"account: only works with scope: account",
		},
		{"currency", testAuth + "currency: dollars\n" + feed, "currency: must be an ISO 4217 code"},
		{"currency in small letters", testAuth + "currency: usd\n" + feed, "currency: must be an ISO 4217 code"},
		{"view", testAuth + "call_log: {view: full}\n", "call_log.view: must be detailed or simple"},
		{
			"queues of an extension", testAuth + "scope: extension\ncall_log: {queues: true}\n",
			"call_log.queues: needs scope: account and view: detailed",
		},
		{
			"queues without legs", testAuth + "call_log: {view: simple, queues: true}\n",
			"call_log.queues: needs scope: account and view: detailed",
		},
		{"long lookback", testAuth + "call_log: {lookback: 366d}\n", "call_log.lookback: must be at most 365d"},
		{"short interval", testAuth + "call_log: {interval: 100ms}\n", "call_log.interval: must be at least 1s"},
		{"negative settle", testAuth + "call_log: {settle: -1s}\n", "call_log.settle: must be at least 0s"},
		{"negative wait", testAuth + "call_log: {whole_after: -1s}\n", "call_log.whole_after: must be at least 0s"},
		{
			"short interval of active calls", testAuth + "active_calls: {interval: 100ms}\n",
			"active_calls.interval: must be at least 1s",
		},
		{"lookback of active calls", testAuth + "active_calls: {lookback: 1h}\n", "active_calls.lookback: unknown key"},
		{"unknown key", testAuth + feed + "webhook: {}\n", "webhook: unknown key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := decodeConfig(test.block)
			providertest.Refused(t, err, test.problem)
		})
	}
}

func TestProvider(t *testing.T) {
	p := Provider()
	if p.Name != "ringcentral" {
		t.Errorf("name %q", p.Name)
	}
	if _, err := p.Open(5, collector.SourceSettings{}); err == nil {
		t.Error("opened with a number")
	}
	for name, change := range map[string]func(*Config){
		"no feed": func(c *Config) { c.CallLog = nil },
		"no URL":  func(c *Config) { c.BaseURL = "https://user:s3cret@rc.example:x" },
		"no host": func(c *Config) { c.BaseURL = "https://" },
	} {
		c, err := decodeConfig(testAuth + "call_log: {}\n")
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		if _, err := p.Open(c, collector.SourceSettings{}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestSettle: rows of an extension's log may be views of one session; an account's rows are whole calls.
func TestSettle(t *testing.T) {
	for block, want := range map[string]time.Duration{
		"call_log: {}\n": 0, "call_log: {settle: 3s}\n": 0,
		"scope: extension\ncall_log: {}\n":           10 * time.Minute,
		"scope: extension\ncall_log: {settle: 3s}\n": 3 * time.Second,
	} {
		c, err := decodeConfig(testAuth + block)
		if err != nil {
			t.Fatal(err)
		}
		source, err := Provider().Open(c, collector.SourceSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if f := source.Feeds[0]; f.Settle != want || f.Rules.Legs != (want > 0) || f.Rules.Legs &&
			f.WholeAfter != 4*time.Hour {
			t.Errorf("%s: settle %s, whole after %s, legs %t", block, f.Settle, f.WholeAfter, f.Rules.Legs)
		}
	}
}
