package harness

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// Compared are the metrics that totals have, with the labels that are compared: values are summed
// over the others.
var Compared = map[string][]string{
	"cdr_calls_total":                   {"direction", "call_type", "outcome", "trunk"},
	"cdr_call_failures_total":           {"direction", "trunk", "outcome", "sip_code", "sub_code"},
	"cdr_call_duration_seconds":         {"direction", "call_type", "trunk"},
	"cdr_call_connected_seconds_total":  {"direction", "call_type", "trunk", "country"},
	"cdr_call_setup_seconds":            {"direction", "trunk"},
	"cdr_call_charges_total":            {"direction", "call_type", "currency", "component", "country"},
	"cdr_call_charge_corrections_total": {"direction", "call_type", "currency", "component", "country", "sign"},
	"cdr_call_outcome_changes_total":    {"from", "to"},
	"cdr_media_bypass_calls_total":      {"trunk", "media_bypass"},
	"cdr_calls_by_location_total":       {"media_location", "signaling_location"},
	"cdr_emergency_calls_total":         {"outcome", "test"},
	"cdr_call_legs_total":               {"leg_type", "outcome"},
	"cdr_trunk_connected_seconds_total": {"trunk", "direction"},
	"cdr_recordings_total":              {"type"},
	"cdr_sessions_total":                {"result", "media"},
	"cdr_session_failures_total":        {"stage", "reason"},
	"cdr_media_streams_total":           {"media", "media_direction", "network", "platform", "verdict"},
	"cdr_media_jitter_seconds":          {"media", "media_direction", "network"},
	"cdr_media_round_trip_seconds":      {"media", "media_direction", "network"},
	"cdr_media_packet_loss_ratio":       {"media", "media_direction", "network"},
	"cdr_media_concealed_ratio":         {"media", "media_direction", "network"},
	"cdr_ratings_total":                 {"rating"},
	"cdr_queue_calls_total":             {"queue", "result"},
	"cdr_queue_wait_seconds":            {"queue", "result"},
}

// Millionths is a value as tables hold it. All that is compared are whole millionths, so rounding
// removes only the error of floats.
func Millionths(v float64) int64 { return int64(math.Round(v * 1e6)) }

// Scraped are the compared metrics of a feed in a scrape.
func Scraped(families map[string]*dto.MetricFamily, source, feed string) simulator.Tables {
	all := make(simulator.Tables)
	for metric, names := range Compared {
		for _, m := range families[metric].GetMetric() {
			labels := make(map[string]string, len(m.GetLabel()))
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["source"] != source || labels["feed"] != feed {
				continue
			}
			values := make([]any, len(names))
			for i, name := range names {
				values[i] = labels[name]
			}
			if h := m.GetHistogram(); h != nil {
				all.Add(metric+"_count", int64(h.GetSampleCount())*1e6, values...)
				all.Add(metric+"_sum", Millionths(h.GetSampleSum()), values...)
			} else {
				all.Add(metric, Millionths(m.GetCounter().GetValue()), values...)
			}
		}
	}
	return all
}

// Differences returns a line for each value that isn't the wanted one, sorted.
func Differences(got, want simulator.Tables) (lines []string) {
	for _, side := range []simulator.Tables{got, want} {
		for metric, table := range side {
			for labels := range table {
				is, has := got[metric][labels]
				wanted, wants := want[metric][labels]
				if is != wanted || has != wants {
					lines = append(lines, fmt.Sprintf("%s{%s} is %s, want %s", metric, labels, Text(is, has),
						Text(wanted, wants)))
				}
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// Text is the text of a value in millionths that may be absent.
func Text(value int64, there bool) string {
	if !there {
		return "absent"
	}
	return fmt.Sprintf("%g", float64(value)/1e6)
}

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
func (a *Accounts) Pause() (calls int, want simulator.Tables) {
	at := map[string]time.Time{
		"contoso": a.Tenant.Pause(), "acme": a.Office.Pause(), "desk": a.Office.Pause(), "wave": a.Carrier.Pause(),
	}
	want = make(simulator.Tables)
	for place, totals := range a.totals {
		source, _, _ := strings.Cut(place, "/")
		t := totals(simulator.Once(at[source]))
		calls += t.Sessions
		addFeed(want, place, t.Metrics)
		want.Add("log records", int64(t.Sessions)*1e6, place)
		want.Add("ids of log records", int64(t.Sessions)*1e6, place)
	}
	return calls, want
}

// addFeed adds the metrics of one feed to the figures. It leaves zeros out: whether a series is
// there before its first event doesn't matter here.
func addFeed(all simulator.Tables, place string, feed simulator.Tables) {
	for metric, table := range feed {
		for labels, value := range table {
			if value != 0 {
				all.Add(place+" "+metric, value, labels)
			}
		}
	}
}

// AddMetrics adds the metrics of an exporter in Prometheus's text format.
func (a *Accounts) AddMetrics(figures simulator.Tables, text io.Reader) error {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return fmt.Errorf("parse metrics: %w", err)
	}
	for place := range a.totals {
		source, feed, _ := strings.Cut(place, "/")
		addFeed(figures, place, Scraped(families, source, feed))
	}
	return nil
}

// AddLogs adds log records of calls, each of which was delivered at least once.
func AddLogs(figures simulator.Tables, logs []otlpsink.Log) {
	ids := make(map[string]bool)
	for _, l := range logs {
		if l.Event != "cdr.call" {
			continue // a leg
		}
		place := fmt.Sprintf("%s/%s", l.Attributes["cdr.source"], l.Attributes["cdr.feed"])
		figures.Count("log records", place)
		if id := place + l.RecordID; !ids[id] {
			ids[id] = true
			figures.Count("ids of log records", place)
		}
	}
}
