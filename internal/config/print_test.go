package config_test

import (
	"encoding/json"
	"testing"
)

const full = `
privacy: {hash_key_file: key.txt}
otlp:
  endpoint: https://otlp.example
  headers: {a: hunter2}
  headers_file: {b: b.txt}
  resource_attributes: {x.y: "1"}
sources:
- name: a
  proxy_url: http://u:hunter2@proxy.example
  tls_config: {ca_file: ca.pem, insecure_skip_verify: true}
  acme: {tenant_id: t, client_secret: hunter2, limits: {z: {rows: 2}}, calls: {late_after: 90m}}
`

const fullPrinted = `storage:
    path: /etc/cdr/data
metrics:
    zero_for: 2m
    series_limit: 10000
    media_bypass_window: 1h
    native_histograms: true
privacy:
    numbers: mask
    users: hash
    addresses: drop
    hash_key_file: /etc/cdr/key.txt
otlp:
    endpoint: https://otlp.example
    headers:
        a: <secret>
    headers_file:
        b: /etc/cdr/b.txt
    insecure_headers: false
    logs: true
    metrics: true
    interval: 15s
    log_timestamp: start
    resource_attributes:
        x.y: "1"
    outbox_limit: 1000000
    outbox_full: pause
    shutdown_timeout: 10s
sources:
    - name: a
      history: 1d
      tls_config:
        ca_file: /etc/cdr/ca.pem
        insecure_skip_verify: true
      proxy_url: http://<secret>@proxy.example
      requests_per_minute: 0
      emergency_numbers: ["911", "933", "112", "999"]
      acme:
        tenant_id: t
        client_secret: <secret>
        types: [placed, received]
        ratio: 0
        small: 0
        calls:
            interval: 5m
            lookback: 3d
            late_after: 1h30m
            view: detailed
        limits:
            z:
                rows: 2
`

func TestPrint(t *testing.T) {
	c := load(t, full)
	if got := c.String(); got != fullPrinted {
		t.Errorf("the configuration prints as\n%s\nwant\n%s", got, fullPrinted)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var tree struct {
		Privacy map[string]string
		Sources []struct{ Acme map[string]any }
	}
	if err := json.Unmarshal(asJSON, &tree); err != nil {
		t.Fatal(err)
	}
	equal(t, "hash_key_file in JSON", tree.Privacy["hash_key_file"], "/etc/cdr/key.txt")
	equal(t, "client_secret in JSON", tree.Sources[0].Acme["client_secret"], any("<secret>"))
}
