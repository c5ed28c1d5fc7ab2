package dashboards

import (
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// Built is a dashboard as Grafana imports it.
type Built struct {
	// File is the name of its file in dashboards/grafana.
	File string
	dashboard.Dashboard
	annotations []annotation
}

// All builds every dashboard for the feeds and thresholds of these parameters, in the order in which one looks at
// them. An error says which query asks for a label that its metric hasn't, or what else is wrong.
func All(p *rules.Parameters) ([]Built, error) {
	var all []Built
	for _, b := range []*board{overview(p), trunks(p), cost(p), quality(p), queues(p), calls(p), exporter(p)} {
		d, err := b.build()
		if err != nil {
			return nil, err
		}
		all = append(all, Built{File: b.name + ".json", Dashboard: d, annotations: b.annotations})
	}
	return all, nil
}

// JSON is the content of its file.
func (b *Built) JSON() ([]byte, error) {
	type events struct {
		List []annotation `json:"list,omitempty"`
	}
	text, err := json.MarshalIndent(struct {
		dashboard.Dashboard
		Annotations events `json:"annotations"`
	}{b.Dashboard, events{b.annotations}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", b.File, err)
	}
	return append(text, '\n'), nil
}
