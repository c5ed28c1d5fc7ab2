package parts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
)

// Prometheus is the configuration of a Prometheus.
type Prometheus struct {
	// Folder is the folder for prometheus.yml and the data.
	Folder string
	// Address is where it listens.
	Address string
	// Job is the name of the job that scrapes the address Target.
	Job, Target string
	// Rules are the files of rules, Alertmanager the address for alerts.
	Rules        []string
	Alertmanager string
}

const configuration = `global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: %s
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - job_name: %q
    static_configs: [{targets: [%q]}]
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
`

// Write writes the configuration, and returns the arguments to start with.
func (p *Prometheus) Write() ([]string, error) {
	rules, _ := json.Marshal(p.Rules) // JSON is YAML, and texts always have it
	text := fmt.Sprintf(configuration, rules, p.Alertmanager, p.Job, p.Target)
	file := filepath.Join(p.Folder, "prometheus.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("configure Prometheus: %w", err)
	}
	args := []string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(p.Folder, "data"), "--web.listen-address=" +
			p.Address,
		"--rules.alert.resend-delay=1s", // Alertmanager may have been down
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
