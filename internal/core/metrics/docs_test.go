package metrics

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// docsTables are what the docs show of the catalogue, by file and by the name
// between the markers `<!-- table: NAME -->` and `<!-- end of table -->`.
var docsTables = map[string]map[string]func() string{
	"metrics.md": {
		"records": func() string { return metricTable(ofCalls(true)) },
		"own":     func() string { return metricTable(ofCalls(false)) },
		"buckets": func() string { return bucketTable(allDefs()) },
	},
	"otlp.md": {
		"names":  func() string { return nameTable(allDefs()) },
		"labels": func() string { return labelTable(Catalogue()) },
	},
}

// TestDocsShowTheCatalogue fails if a table of the docs differs from the catalogue; with -update it
// rewrites them.
func TestDocsShowTheCatalogue(t *testing.T) {
	for name, tables := range docsTables {
		t.Run(name, func(t *testing.T) {
			now := make(map[string]string)
			for table, render := range tables {
				now[table] = render()
				if strings.Contains(now[table], "none:  |") {
					t.Errorf("a label of the table %s has no attribute, and nothing says why", table)
				}
			}
			golden.Tables(t, filepath.Join("..", "..", "..", "docs", name), now)
		})
	}
}

// allDefs is the whole catalogue, by name.
func allDefs() []*Def {
	all := slices.Concat(Catalogue(), SelfCatalogue())
	slices.SortFunc(all, func(a, b *Def) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ofCalls are the metrics with the labels of records, including the gauges that a feed reads and
// the ledger doesn't keep; or all others.
func ofCalls(yes bool) []*Def {
	return slices.DeleteFunc(allDefs(), func(d *Def) bool { return (d.Base == RecordBase) != yes })
}

// metricTable lists metrics. Open labels carry a star. The base labels of
// what comes from records are left out: all of it has them.
func metricTable(defs []*Def) string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, d := range defs {
		var labels []string
		if d.Base != RecordBase {
			labels = append(labels, baseNames[d.Base]...)
		}
		for _, l := range d.Labels {
			name := l.Name
			if l.Open {
				name += "\\*"
			}
			labels = append(labels, name)
		}
		if d.OperatorLabels {
			labels = append(labels, "[yours](configuration.md#labels)")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, promType(d), strings.Join(labels, ", "), cell(d.Help))
	}
	return b.String()
}

// bucketTable lists the bounds of the histograms' classic buckets.
func bucketTable(defs []*Def) string {
	var b strings.Builder
	b.WriteString("| histogram | upper bounds of its classic buckets |\n| --- | --- |\n")
	for _, d := range defs {
		if d.Kind != Histogram {
			continue
		}
		var bounds []string
		for _, bound := range d.Bounds {
			bounds = append(bounds, strconv.FormatFloat(bound, 'f', -1, 64))
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", d.Name, strings.Join(bounds, " "))
	}
	return b.String()
}

// nameTable lists the names and units that OTLP carries.
func nameTable(defs []*Def) string {
	var b strings.Builder
	b.WriteString("| OTLP name | unit | instrument | Prometheus name |\n| --- | --- | --- | --- |\n")
	for _, d := range defs {
		unit := ""
		if d.Unit != "" {
			unit = "`" + d.Unit + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", d.OTel, unit, promType(d), d.Name)
	}
	return b.String()
}

// noAttribute says of labels that no attribute says where else it is.
var noAttribute = map[string]string{
	"late":      "compare the record's times",
	"component": "`cdr.charge_amount` is `usage`, others are `cdr.PROVIDER.COMPONENT_charge`",
	"sign":      "of revisions whose `cdr.changed` has `cdr.charge`", "from": "the record's first version",
	"to":   "`cdr.outcome` of `cdr.call.revised`",
	"test": "`cdr.emergency` is `test` or `real`", "type": "`cdr.recording.id` names the recordings",
	"leg_type": "`cdr.legs` is how many",
	"stage":    "`cdr.msgraph.stage`, of sessions", "media": "`cdr.msgraph.media`, of sessions",
	"rating":          "counted only",
	"number_class":    "counted only",
	"media_direction": "`direction` in `cdr.streams`, of sessions", "network": "in `cdr.streams`, of sessions",
	"platform":  "in `cdr.streams`, of sessions",
	"connected": "`cdr.outcome` is `answered`, `voicemail` or `machine`",
	"verdict":   "in `cdr.streams`, and the worst as `cdr.session.verdict`, of sessions",
}

// labelTable says which attribute of log records says what a label says.
func labelTable(defs []*Def) string {
	var b strings.Builder
	b.WriteString("| label | attribute of log records |\n| --- | --- |\n")
	attributes := make(map[string][]string)
	for _, d := range defs {
		for _, label := range d.LabelNames() {
			text := "none: " + noAttribute[label]
			if key := LogAttribute(d, label); key != "" {
				text = "`" + key + "`"
			}
			if !slices.Contains(attributes[label], text) {
				attributes[label] = append(attributes[label], text)
			}
		}
	}
	for _, label := range slices.Sorted(maps.Keys(attributes)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", label, strings.Join(attributes[label], ", "))
	}
	return b.String()
}

// promType is the metric's type in Prometheus; money and time are counters.
func promType(d *Def) string {
	switch d.Kind {
	case Counter, Seconds, Money:
		return "counter"
	case Histogram:
		return "histogram"
	case Gauge:
		return "gauge"
	}
	return d.Kind.String()
}

// cell is a text that fits a table's cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
