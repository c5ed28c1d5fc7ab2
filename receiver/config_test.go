package cdrreceiver

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// expanded is what the Collector makes of ${env:NAME}: a value of some type, and the text that the variable had.
func expanded(value any, text string) xconfmap.ExpandedValue {
	return xconfmap.ExpandedValue{Value: value, Original: text}
}

// TestConfig: what the Collector has read is taken by the rules of the exporter's own file, and all
// that is wrong is said at once.
func TestConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("secret", []byte("x"), 0o600); err != nil { // relative names start at the working directory
		t.Fatal(err)
	}
	type block = map[string]any
	notified := block{"call_records": block{"webhook": block{"public_url": "https://cdr.example/hook"}}}
	for name, c := range map[string]struct {
		source, graph, more block
		want                []string // parts of the error; none: it is good
	}{
		"good": {graph: block{"pstn": block{}}},
		"typed values": {
			source: block{"requests_per_minute": 60},
			graph:  block{"pstn": block{"interval": "5m"}}, more: block{"metrics": block{"native_histograms": false}},
		},
		"a date": {graph: block{"client_secret_expires": time.Date(2027, 3, 1, 0, 0, 0, 0,
			time.UTC)}},
		"numbers of a variable": {source: block{
			"requests_per_minute": expanded(60, "60"),
			"emergency_numbers":   []any{expanded(0, "000")},
		}},
		"a secret of digits":   {graph: block{"client_secret_file": nil, "client_secret": expanded(83, "0123")}},
		"not expanded again":   {graph: block{"client_secret_file": nil, "client_secret": "${env:HOME}"}},
		"a list of a variable": {source: block{"emergency_numbers": expanded([]any{"911"}, "[911]")}},
		"no file": {
			source: block{"tls_config": block{"ca_file": "none.pem"}},
			want:   []string{"sources[0].tls_config.ca_file: can't read the file "},
		},
		"a number for a text": {
			source: block{"emergency_numbers": []any{0, "112"}},
			want:   []string{"sources[0].emergency_numbers[0]: must be a text; put it in quotes"},
		},
		"a number for a secret": {
			graph: block{"client_secret_file": nil, "client_secret": 1234},
			want:  []string{"client_secret: must be a secret as text; put it in quotes"},
		},
		"an empty variable": {
			graph: block{"client_secret_file": nil, "client_secret": expanded(nil, "")},
			want:  []string{"client_secret: is empty"},
		},
		"every problem": {
			graph: block{"pstnn": nil},
			more:  block{"privacy": block{"users": "show"}, "otlp": block{"endpoint": "http://a", "logs": false}},
			want: []string{
				"sources[0].msgraph.pstnn: unknown key", "privacy.users: must be",
				"otlp.endpoint: has no effect in a receiver", "otlp.logs: has no effect",
			},
		},
		"a webhook without a port": {graph: notified, want: []string{"webhook.listen_address"}},
		"a webhook":                {graph: notified, more: block{"webhook": block{"listen_address": "127.0.0.1:0"}}},
		"a wrong webhook": {
			more: block{"webhook": block{"addr": "127.0.0.1:0"}},
			want: []string{"webhook.addr: unknown key", "webhook.listen_address: is missing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			graph := block{
				"tenant_id": "11111111-1111-1111-1111-111111111111",
				"client_id": "11111111-1111-1111-1111-111111111111", "client_secret_file": "secret",
				"direct_routing": nil,
			}
			source := block{"name": "contoso", "msgraph": merged(graph, c.graph)}
			conf := confmap.NewFromStringMap(merged(block{"sources": []any{merged(source, c.source)}}, c.more))
			config := NewFactory().CreateDefaultConfig()
			require.NoError(t, conf.Unmarshal(config))
			err := confmap.Validate(config)
			if (err != nil) != (len(c.want) > 0) {
				t.Errorf("the error is %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(fmt.Sprint(err), part) {
					t.Errorf("the error lacks %q:\n%v", part, err)
				}
			}
			if strings.Contains(fmt.Sprint(err), "cdr: ") {
				t.Errorf("the error names the configuration, as the Collector does: %v", err)
			}
		})
	}
	if err := confmap.Validate(NewFactory().CreateDefaultConfig()); err == nil {
		t.Error("an empty configuration is good")
	}
}

// merged is a mapping with the keys of another; a nil there removes a key that is in the first.
func merged(base, more map[string]any) map[string]any {
	for key, value := range more {
		if _, there := base[key]; there && value == nil {
			delete(base, key)
		} else {
			base[key] = value
		}
	}
	return base
}
