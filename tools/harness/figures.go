package harness

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// compared are the metrics that are compared with the totals, with the labels of the totals.
var compared = map[string][]string{
	"cdr_calls_total":                   {"direction", "call_type", "outcome", "trunk"},
	"cdr_call_failures_total":           {"direction", "trunk", "outcome", "sip_code", "sub_code"},
	"cdr_call_connected_seconds_total":  {"direction", "call_type", "trunk", "country"},
	"cdr_call_charges_total":            {"direction", "call_type", "currency", "component", "country"},
	"cdr_call_duration_seconds":         {"direction", "call_type", "trunk"},
	"cdr_call_legs_total":               {"leg_type", "outcome"},
	"cdr_trunk_connected_seconds_total": {"trunk", "direction"},
}

// Figures are values in millionths, by name.
type Figures map[string]int64

// Unfinished says whether a row is listed that isn't final yet. If publication stops now, its call
// counts without a result once the lookback is over, and the totals of Pause don't have it.
func (a *Accounts) Unfinished() bool {
	for _, totals := range a.totals {
		if totals(simulator.Once(time.Now())).Unfinished > 0 {
			return true
		}
	}
	return false
}

// Pause stops the publication of all accounts. It returns the number of calls that were published,
// and the figures that the exporter must reach.
func (a *Accounts) Pause() (calls int, want Figures) {
	at := map[string]time.Time{
		"contoso": a.Tenant.Pause(), "acme": a.Office.Pause(), "desk": a.Office.Pause(), "wave": a.Carrier.Pause(),
	}
	want = make(Figures)
	for feed, totals := range a.totals {
		source, _, _ := strings.Cut(feed, "/")
		t := totals(simulator.Once(at[source]))
		calls += t.Sessions
		want[feed+" log records"], want[feed+" ids of log records"] = int64(t.Sessions)*1e6, int64(t.Sessions)*1e6
		for metric := range compared {
			for _, name := range []string{metric, metric + "_count", metric + "_sum"} {
				for labels, value := range t.Metrics[name] {
					want[feed+" "+name+"{"+labels+"}"] = value
				}
			}
		}
	}
	return calls, want
}

// AddMetrics adds the metrics of an exporter in Prometheus's text format.
func (f Figures) AddMetrics(text io.Reader) error {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return fmt.Errorf("parse metrics: %w", err)
	}
	for metric, names := range compared {
		for _, m := range families[metric].GetMetric() {
			labels := make(map[string]string)
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			values := make([]string, len(names))
			for i, name := range names {
				values[i] = labels[name]
			}
			add := func(suffix string, value float64) {
				key := fmt.Sprintf("%s/%s %s{%s}", labels["source"], labels["feed"], metric+suffix,
					strings.Join(values, "|"))
				f[key] += int64(math.Round(value * 1e6))
			}
			if h := m.GetHistogram(); h != nil {
				add("_count", float64(h.GetSampleCount()))
				add("_sum", h.GetSampleSum())
			} else {
				add("", m.GetCounter().GetValue())
			}
		}
	}
	return nil
}

// AddLogs adds log records of calls, each of which was delivered at least once.
func (f Figures) AddLogs(logs []otlpsink.Log) {
	ids := make(map[string]bool)
	for _, l := range logs {
		if l.Event != "cdr.call" {
			continue // a leg
		}
		feed := fmt.Sprintf("%s/%s", l.Attributes["cdr.source"], l.Attributes["cdr.feed"])
		f[feed+" log records"] += 1e6
		if id := feed + l.RecordID; !ids[id] {
			ids[id] = true
			f[feed+" ids of log records"] += 1e6
		}
	}
}

// Differences returns a line for each figure that isn't the wanted one.
func (f Figures) Differences(want Figures) (lines []string) {
	for _, side := range []Figures{f, want} {
		for name := range side {
			if f[name] != want[name] {
				lines = append(lines, fmt.Sprintf("%s: %g, want %g", name, float64(f[name])/1e6,
					float64(want[name])/1e6))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
