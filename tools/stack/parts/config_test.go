package parts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPrometheusWrite(t *testing.T) {
	p := Prometheus{
		Folder: t.TempDir(), Address: "127.0.0.1:1", Targets: map[string]string{"b": "127.0.0.1:2", "a": "127.0.0.1:3"},
		Rules: []string{"/r.yaml"}, Alertmanager: "127.0.0.1:4",
	}
	write := func() (string, []string) {
		args, err := p.Write()
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(p.Folder, "prometheus.yml"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text), args
	}
	text, args := write()
	want := `global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ["/r.yaml"]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:4"]}]}]}
scrape_configs:
  - job_name: "a"
    static_configs: [{targets: ["127.0.0.1:3"]}]
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
  - job_name: "b"
    static_configs: [{targets: ["127.0.0.1:2"]}]
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
`
	const feature = "--enable-feature=created-timestamp-zero-ingestion,exemplar-storage"
	if text != want || !slices.Contains(args, feature) {
		t.Errorf("configured with %v\n%s", args, text)
	}
	p.Classic = true
	if text, args := write(); strings.Contains(text, "native") || slices.Contains(args, feature) {
		t.Errorf("classic is configured with %v\n%s", args, text)
	}
}

// TestWriteAlertmanager: the shipped example is as it is, but for its times and receivers.
func TestWriteAlertmanager(t *testing.T) {
	folder := t.TempDir()
	args, err := WriteAlertmanager(folder, "127.0.0.1:1", "http://127.0.0.1:2", 30)
	if err != nil || !slices.Contains(args, "--web.listen-address=127.0.0.1:1") ||
		!slices.Contains(args, "--cluster.listen-address=") {
		t.Fatalf("started with %v, %v", args, err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"group_wait: 1s", "group_interval: 10s", "repeat_interval: 24m",
		`"http://127.0.0.1:2/pager"`, `alertname = "CDRTrunkDown"`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("it lacks %s:\n%s", part, text)
		}
	}
	if strings.Contains(string(text), "9099") {
		t.Error("it tells the example's receivers")
	}
}
