package dashboards

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestCourses: panels don't contradict each other by how they draw what is counted when its record is read.
func TestCourses(t *testing.T) {
	bars, ratios := 0, 0
	for _, d := range built(t) {
		for _, p := range panelsOf(&d) {
			if p.FieldConfig == nil {
				continue // log lines
			}
			all, err := panelTargets(*d.Title, p)
			require.NoError(t, err)
			drawn := false
			if style, ok := p.FieldConfig.Defaults.Custom.(*timeseries.FieldConfig); ok && style.DrawStyle != nil {
				drawn = *style.DrawStyle == "bars"
			}
			for _, target := range all {
				if target.Log || target.Instant {
					continue
				}
				if err := checkCourse(target.Expr, target.Every, drawn); err != nil {
					t.Errorf("%s, %s: %v in %s", d.File, *p.Title, err, target.Expr)
				}
				if drawn {
					bars++
				} else if target.Every >= ratioMinutes*time.Minute {
					ratios++
				}
			}
		}
	}
	if bars < 9 || ratios < 10 {
		t.Errorf("only %d courses are bars, and %d ratios", bars, ratios)
	}
}

// checkCourse returns an error if a course is drawn wrongly: with bars or without, each for the time every.
func checkCourse(expr string, every time.Duration, bars bool) error {
	burst := false
	for _, f := range selectors.FindAllStringSubmatch(expr, -1) {
		d := catalogued(f[1])
		burst = burst || d.Kind != metrics.Gauge && (d.Base == metrics.RecordBase || slices.Contains(rare, d))
	}
	divided := strings.Contains(expr, " / (")
	switch {
	case !burst:
		return nil
	case strings.Contains(expr, "histogram_") || divided:
		if every < ratioMinutes*time.Minute {
			return fmt.Errorf("a ratio or quantile of %s", every)
		}
		if divided && !strings.Contains(expr, "histogram_") && !strings.Contains(expr, fmt.Sprintf(" >= %d)",
			ratioLeast)) {
			return errors.New("a ratio of any few calls")
		}
	case !bars && every < hourMinutes*time.Minute || !strings.Contains(expr, "* $__interval_ms / 1000"):
		return errors.New("a rate, where a bar should be what was counted")
	case every < barMinutes*time.Minute:
		return fmt.Errorf("a bar of %s", every)
	}
	return nil
}

// TestCantTell: faults and NER are asked only of feeds that give reasons, and where there are none a panel says so.
func TestCantTell(t *testing.T) {
	words := 0
	for _, d := range built(t) {
		for _, p := range panelsOf(&d) {
			for _, asked := range p.Targets {
				q, ok := asked.(prometheus.Dataquery)
				if !ok {
					continue
				}
				tells := strings.Contains(q.Expr, written(withReasons()))
				for _, f := range selectors.FindAllStringSubmatch(q.Expr, -1) {
					judged := slices.ContainsFunc([]match{failed(), effective(), attempts()},
						func(m match) bool { return strings.Contains(f[2], written(m)) })
					if f[1] == metrics.Calls.Name && judged && !strings.Contains(f[2], written(withReasons())) {
						t.Errorf("%s, %s: asks feeds that can't tell: %s", d.File, *p.Title, f[0])
					}
				}
				empty := p.FieldConfig.Defaults.NoValue
				if tells && p.Type == "stat" && (empty == nil || *empty != cantTell) {
					t.Errorf("%s, %s: doesn't say that it can't tell", d.File, *p.Title)
				}
				if column := *q.LegendFormat; p.Type == "table" && (tells || column == "Faults") {
					words++
					says := func(o dashboard.DashboardFieldConfigSourceOverrides) bool {
						name, _ := o.Matcher.Options.(*string)
						return *name == column && o.Properties[0].Id == "mappings"
					}
					if !slices.ContainsFunc(p.FieldConfig.Overrides, says) {
						t.Errorf("%s, %s: %s doesn't say that it can't tell", d.File, *p.Title, column)
					}
				}
			}
		}
	}
	if words < 3 {
		t.Errorf("only %d columns can't tell", words)
	}
}

// written is a condition as selectors have it.
func written(m match) string {
	_, selected, _ := strings.Cut(rules.Default().Resolve(fmt.Sprintf("x{%s%s%q}", m.label, m.operator, m.value)), "{")
	return strings.TrimSuffix(selected, "}")
}

// TestAnnotations: the courses of every dashboard of metrics have alerts and restarts marked.
func TestAnnotations(t *testing.T) {
	for _, d := range built(t) {
		var names []string
		for _, a := range d.annotations {
			names = append(names, a.Name)
			if *a.Datasource.Uid != *prometheusSource().Uid || !a.Enable || a.TitleFormat == "" {
				t.Errorf("%s: %s asks another source, is off, or has no title", d.File, a.Name)
			}
			if a.UseValueForTime {
				if err := checkTarget(*a.Expr); err != nil {
					t.Errorf("%s: %s: %v", d.File, a.Name, err)
				}
			}
		}
		if want := []string{"Alerts", "Restarts"}; d.File != "calls.json" && !slices.Equal(names, want) {
			t.Errorf("%s marks %v, want %v", d.File, names, want)
		}
	}
}

// TestTablesKeepTexts: no column of texts has a unit of numbers, by which Grafana would write a trunk that is
// called 36465 as 36,465.
func TestTablesKeepTexts(t *testing.T) {
	tables := 0
	for _, d := range built(t) {
		for _, p := range panelsOf(&d) {
			if p.Type != "table" || slices.ContainsFunc(p.Transformations, isMatrix) {
				continue
			}
			if unit := p.FieldConfig.Defaults.Unit; unit == nil || *unit != unitText {
				t.Errorf("%s: %s has another unit than %s", d.File, *p.Title, unitText)
			}
			tables++
		}
	}
	if tables < 15 {
		t.Errorf("only %d tables were found", tables)
	}
}

// isMatrix says whether a table's columns are made from values, which are numbers.
func isMatrix(c dashboard.DataTransformerConfig) bool { return c.Id == "groupingToMatrix" }
