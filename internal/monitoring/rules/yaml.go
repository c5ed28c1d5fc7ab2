package rules

import (
	"bytes"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

const header = "# %s\n# Made from internal/monitoring/rules: go test ./internal/monitoring/rules -run " +
	"Generated -update\n\n"

// RecordingFile is dashboards/prometheus/recording.yaml.
func (p *Parameters) RecordingFile() ([]byte, error) {
	return file("Recording rules of cdr-exporter: KPIs with their standards, and what alerts need. Definitions: "+
		"docs/kpis.md.", p.Recording())
}

// AlertsFile is dashboards/prometheus/alerts.yaml.
func (p *Parameters) AlertsFile() ([]byte, error) {
	return file("Alerting rules of cdr-exporter. They need recording.yaml in the same folder. "+
		"Thresholds: docs/alerts.md.",
		p.Alerting())
}

// Fill replaces the bundled files that depend on parameters.
func (p *Parameters) Fill(files map[string][]byte) (err error) {
	if files["prometheus/recording.yaml"], err = p.RecordingFile(); err != nil {
		return err
	}
	if files["prometheus/alerts.yaml"], err = p.AlertsFile(); err != nil {
		return err
	}
	files["alertmanager/alertmanager.yaml"] = p.Alertmanager(files["alertmanager/alertmanager.yaml"])
	return nil
}

// file writes groups as Prometheus reads them, with comments.
func file(title string, groups []Group) ([]byte, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range groups {
		list.Content = append(list.Content, groups[i].node())
	}
	return encode(title, map[string]any{"groups": list})
}

// encode writes a file of this package.
func encode(title string, content any) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, header, title)
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(content); err != nil {
		return nil, fmt.Errorf("write rules: %w", err)
	}
	return b.Bytes(), nil
}

func (g *Group) node() *yaml.Node {
	n := commented(g.Doc, struct {
		Name     string
		Interval string `yaml:",omitempty"`
	}{g.Name, held(g.Interval)})
	// Encode loses comments below its value.
	rules := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range g.Rules {
		rules.Content = append(rules.Content, g.Rules[i].node())
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "rules"}, rules)
	return n
}

func (r *Rule) node() *yaml.Node {
	if r.Record != "" {
		return commented(r.Doc, struct{ Record, Expr string }{r.Record, r.Expr})
	}
	return commented(r.Doc, struct {
		Alert, Expr         string
		For                 string `yaml:",omitempty"`
		Keep                string `yaml:"keep_firing_for,omitempty"`
		Labels, Annotations map[string]string
	}{
		r.Alert, r.Expr, held(r.For), held(r.Keep),
		map[string]string{"severity": r.severity(), "signal": string(r.Signal)},
		map[string]string{
			"summary": r.Summary, "description": r.Description, "runbook_url": r.RunbookURL,
			"dashboard_url": r.DashboardURL,
		},
	})
}

// commented is a value below its comment.
func commented(comment string, value any) *yaml.Node {
	n := new(yaml.Node)
	_ = n.Encode(value) // texts always have it
	n.HeadComment = comment
	return n
}

// held is a time that may be none.
func held(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return model.Duration(d).String()
}
