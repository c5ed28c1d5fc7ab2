package main_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// families are the metrics of one scrape, by name.
type families map[string]*dto.MetricFamily

// labelsOf are a series' labels.
func labelsOf(m *dto.Metric) map[string]string {
	labels := make(map[string]string, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

// value is the value of a counter or gauge.
func value(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return m.GetUntyped().GetValue()
}

// matches says whether labels hold all of these pairs, written name=value.
func matches(labels map[string]string, pairs []string) bool {
	return !slices.ContainsFunc(pairs, func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		return labels[name] != value
	})
}

// series are the series of a metric with all of the labels, written name=value.
func (f families) series(metric string, labels ...string) []*dto.Metric {
	var found []*dto.Metric
	for _, m := range f[metric].GetMetric() {
		if matches(labelsOf(m), labels) {
			found = append(found, m)
		}
	}
	return found
}

// sum adds the series of a counter or gauge that hold all of the labels.
func (f families) sum(metric string, labels ...string) float64 {
	sum := 0.0
	for _, m := range f.series(metric, labels...) {
		sum += value(m)
	}
	return sum
}

// one is the value of the only series that holds the labels.
func (f families) one(metric string, labels ...string) (float64, error) {
	found := f.series(metric, labels...)
	if len(found) != 1 {
		return 0, fmt.Errorf("%s%v has %d series, want 1", metric, labels, len(found))
	}
	return value(found[0]), nil
}

// is says why the only series that holds the labels hasn't a value.
func (f families) is(want float64, metric string, labels ...string) error {
	got, err := f.one(metric, labels...)
	if err == nil && got != want {
		err = fmt.Errorf("%s%v is %g, want %g", metric, labels, got, want)
	}
	return err
}

// tables are the compared metrics of a feed.
func (f families) tables(source, feed string) tables { return harness.Scraped(f, source, feed) }

// tables are metrics by name, their values in millionths by label values joined with a bar. Of
// histograms there are NAME_count and NAME_sum.
type tables = simulator.Tables

// diff is an error with the first of many differences of two tables; nil if they are equal.
func diff(got, want tables) error {
	const most = 12
	lines := harness.Differences(got, want)
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	text := strings.Join(lines[:min(most, len(lines))], "\n\t")
	if len(lines) > most {
		text += fmt.Sprintf("\n\tand %d more", len(lines)-most)
	}
	return fmt.Errorf("%d differences:\n\t%s", len(lines), text)
}

// view is what a reader sees who looks at everything at each of these instants.
func view(w *simulator.World, at ...time.Time) *simulator.Totals {
	t := w.Totals(simulator.View{At: at})
	return &t
}

// eachCall calls f with every valid call that is published at an instant, and the
// version that is visible then.
func eachCall(w *simulator.World, at time.Time, f func(*simulator.Call, *simulator.Version)) {
	w.Each(time.Time{}, at.Add(time.Millisecond), func(c *simulator.Call) bool {
		if v := c.At(at); v >= 0 && c.Flaw == simulator.NoFlaw {
			f(c, &c.Versions()[v])
		}
		return true
	})
}

// changes is how many revisions a reader meets who looks at these instants: versions
// that change an outcome or an amount, or bring an amount that isn't zero. Names and
// recordings that come late are none (counting.md 14, 16), nor is what wasn't final.
func changes(w *simulator.World, at ...time.Time) int {
	n := 0
	w.Each(time.Time{}, at[len(at)-1].Add(time.Millisecond), func(c *simulator.Call) bool {
		before := -1
		for _, t := range at {
			v := c.At(t)
			if v < 0 || c.Flaw != simulator.NoFlaw || c.Versions()[v].InProgress {
				continue
			}
			if before >= 0 && v != before && changed(&c.Versions()[before], &c.Versions()[v]) {
				n++
			}
			before = v
		}
		return true
	})
	return n
}

func changed(before, after *simulator.Version) bool {
	if before.Kind.Outcome != after.Kind.Outcome {
		return true
	}
	for _, p := range [][2]simulator.Price{{before.Usage, after.Usage}, {before.Connection, after.Connection}} {
		switch was, is := p[0], p[1]; {
		case !was.Known && is.Known && is.Amount != 0:
			return true
		case was.Known && (was.Amount != is.Amount || before.Currency != after.Currency):
			return true
		}
	}
	return false
}
