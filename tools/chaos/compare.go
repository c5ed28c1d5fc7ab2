package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// settleTimeout is how long the exporters may take to count and to send everything.
const settleTimeout = 3 * time.Minute

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

// figures are values in millionths, by name.
type figures map[string]int64

// compare stops publication, waits until the exporters agree with the totals, stops them, and
// returns the differences.
func (r *round) compare(ctx context.Context) (differences []string, err error) {
	r.delivered = len(r.sink.Logs())
	at := map[string]time.Time{
		"contoso": r.tenant.Pause(), "acme": r.office.Pause(), "desk": r.office.Pause(),
		"wave": r.carrier.Pause(),
	}
	want := make(figures)
	for feed, totals := range r.books {
		source, _, _ := strings.Cut(feed, "/")
		t := totals(simulator.Once(at[source]))
		r.calls += t.Sessions
		want[feed+" log records"], want[feed+" ids of log records"] = int64(t.Sessions)*1e6, int64(t.Sessions)*1e6
		for metric := range compared {
			for _, name := range []string{metric, metric + "_count", metric + "_sum"} {
				for labels, value := range t.Metrics[name] {
					want[feed+" "+name+"{"+labels+"}"] = value
				}
			}
		}
	}
	deadline := time.Now().Add(settleTimeout)
	for agreed := 0; agreed < 3 && time.Now().Before(deadline); { // consecutive checks
		for _, x := range r.exporters {
			if err := x.wait(ctx, time.Second/time.Duration(len(r.exporters))); err != nil {
				return nil, err
			}
		}
		if differences = differing(r.look(ctx), want); len(differences) == 0 {
			agreed++
		} else {
			agreed = 0
		}
	}
	for _, x := range r.exporters {
		if err := x.stop(); err != nil {
			return nil, err
		}
	}
	if output, err := r.exporters[0].command("ledger", "verify").CombinedOutput(); err != nil {
		differences = append(differences, fmt.Sprintf("ledger verify: %s: %s", err, output))
	}
	return differences, nil
}

// look is the metrics of all exporters together, and the data at the OTLP endpoint.
func (r *round) look(ctx context.Context) figures {
	got, ids := make(figures), make(map[string]bool)
	for _, x := range r.exporters {
		if err := x.scrape(ctx, got); err != nil {
			got[err.Error()]++
		}
	}
	for _, l := range r.sink.Logs() { // each uid once
		if l.Event != "cdr.call" {
			continue // a leg
		}
		feed := fmt.Sprintf("%s/%s", l.Attributes["cdr.source"], l.Attributes["cdr.feed"])
		got[feed+" log records"] += 1e6
		if id := feed + l.RecordID; !ids[id] {
			ids[id] = true
			got[feed+" ids of log records"] += 1e6
		}
	}
	got["log records without uid"] = int64(r.sink.Unnamed()) * 1e6
	got["points that went down over OTLP"] = int64(len(r.sink.Decreased())) * 1e6
	return got
}

// scrape adds the metrics of an exporter.
func (x *exporter) scrape(ctx context.Context, got figures) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+x.address+"/metrics", http.NoBody)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("scrape %s: %w", x.name, err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return fmt.Errorf("scrape %s: %w", x.name, err)
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
				got[key] += int64(math.Round(value * 1e6))
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

// differing is a line for each figure that differs from the totals.
func differing(got, want figures) (lines []string) {
	for _, side := range []figures{got, want} {
		for what := range side {
			if got[what] != want[what] {
				lines = append(lines, fmt.Sprintf("%s: %g, want %g", what, float64(got[what])/1e6,
					float64(want[what])/1e6))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
