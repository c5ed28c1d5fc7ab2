package rules

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// header stands at the head of a generated file.
const header = "# %s\n# Made from internal/rules: go test ./internal/rules -run Generated -update\n\n"

// RecordingFile is dashboards/prometheus/recording.yaml.
func (p *Parameters) RecordingFile() ([]byte, error) {
	return file("Recording rules of cdr-exporter: KPIs with their standards, and what alerts need. Definitions: docs/kpis.md.", p.Recording())
}

// AlertsFile is dashboards/prometheus/alerts.yaml.
func (p *Parameters) AlertsFile() ([]byte, error) {
	return file("Alerting rules of cdr-exporter. They need recording.yaml beside them. Thresholds: docs/alerts.md.", p.Alerting())
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
	var b bytes.Buffer
	fmt.Fprintf(&b, header, title)
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(mapping("groups", list)); err != nil {
		return nil, fmt.Errorf("write rules: %w", err)
	}
	return b.Bytes(), nil
}

func (g *Group) node() *yaml.Node {
	rules := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range g.Rules {
		rules.Content = append(rules.Content, g.Rules[i].node())
	}
	n := mapping("name", text(g.Name))
	if g.Interval > 0 {
		put(n, "interval", text(duration(g.Interval)))
	}
	put(n, "rules", rules)
	n.HeadComment = g.Doc
	return n
}

func (r *Rule) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, HeadComment: r.Doc}
	if r.Record != "" {
		put(n, "record", text(r.Record))
		put(n, "expr", text(r.Expr))
		return n
	}
	put(n, "alert", text(r.Alert))
	put(n, "expr", text(r.Expr))
	for _, hold := range []struct {
		key string
		d   time.Duration
	}{{"for", r.For}, {"keep_firing_for", r.Keep}} {
		if hold.d > 0 {
			put(n, hold.key, text(duration(hold.d)))
		}
	}
	put(n, "labels", pairs(map[string]string{"severity": r.Severity, "signal": string(r.Signal)}))
	put(n, "annotations", pairs(map[string]string{
		"summary": r.Summary, "description": r.Description, "runbook_url": r.RunbookURL, "dashboard_url": r.DashboardURL,
	}))
	return n
}

func mapping(key string, value *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	put(n, key, value)
	return n
}

func put(n *yaml.Node, key string, value *yaml.Node) {
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

func text(s string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(s)
	return n
}

// pairs is a mapping in the order of its keys.
func pairs(m map[string]string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		put(n, k, text(m[k]))
	}
	return n
}
