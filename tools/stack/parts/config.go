package parts

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
)

// Prometheus is the configuration of a Prometheus.
type Prometheus struct {
	// Folder is the folder for prometheus.yml and the data.
	Folder string
	// Address is where it listens.
	Address string
	// Targets are the addresses to scrape, by job.
	Targets map[string]string
	// Rules are the files of rules, Alertmanager the address for alerts, or empty.
	Rules        []string
	Alertmanager string
}

// resendDelay is how soon an alert is sent again, in case Alertmanager was down: a minute if zero.
const resendDelay = time.Second

// Write writes the configuration, and returns the arguments to start with.
func (p *Prometheus) Write() ([]string, error) {
	var b strings.Builder
	b.WriteString("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n")
	if len(p.Rules) > 0 {
		files, _ := json.Marshal(p.Rules) // JSON is YAML, and texts always have it
		fmt.Fprintf(&b, "rule_files: %s\n", files)
	}
	if p.Alertmanager != "" {
		fmt.Fprintf(&b, "alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", p.Alertmanager)
	}
	b.WriteString("scrape_configs:\n")
	for _, job := range slices.Sorted(maps.Keys(p.Targets)) {
		fmt.Fprintf(&b, "  - job_name: %q\n    static_configs: [{targets: [%q]}]\n", job, p.Targets[job])
		b.WriteString("    scrape_native_histograms: true\n    always_scrape_classic_histograms: true\n")
	}
	file := filepath.Join(p.Folder, "prometheus.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return nil, fmt.Errorf("configure Prometheus: %w", err)
	}
	args := []string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(p.Folder, "data"), "--web.listen-address=" +
			p.Address,
		"--rules.alert.resend-delay=" + resendDelay.String(),
		"--enable-feature=created-timestamp-zero-ingestion,exemplar-storage",
	}
	return args, nil
}

// WriteRules writes the shipped rules, speed times as fast, into a folder and returns their files.
func WriteRules(folder string, speed int) (files []string, err error) {
	for _, name := range []string{"recording.yaml", "alerts.yaml"} {
		file := filepath.Join(folder, name)
		text, err := dashboards.Files.ReadFile("prometheus/" + name)
		if err == nil {
			err = os.WriteFile(file, []byte(hasten(string(text), speed)), 0o600)
		}
		if err != nil {
			return nil, fmt.Errorf("write rules: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}

// WriteAlertmanager writes the shipped example of Alertmanager's configuration into a folder, speed
// times as fast and with its receivers at an address such as http://127.0.0.1:1234. It returns the
// arguments to start an Alertmanager that listens at an address.
func WriteAlertmanager(folder, address, receiver string, speed int) ([]string, error) {
	file := filepath.Join(folder, "alertmanager.yml")
	example, err := dashboards.Files.ReadFile("alertmanager/alertmanager.yaml")
	if err == nil {
		text := strings.ReplaceAll(hasten(string(example), speed), "http://127.0.0.1:9099", receiver)
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("configure Alertmanager: %w", err)
	}
	return []string{
		"--config.file=" + file, "--storage.path=" + filepath.Join(folder, "alertmanager"), "--web.listen-address=" +
			address,
		// Alone, and not on the network.
		"--cluster.listen-address=",
	}, nil
}
