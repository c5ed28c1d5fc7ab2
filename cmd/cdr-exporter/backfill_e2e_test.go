//go:build e2e

package main_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestE2EBackfill: promtool makes blocks of a history without
// changes. In a Prometheus with these blocks, the last value and the increase over the range of
// every compared metric are exactly the simulators' totals. The history covers one day, because
// promtool reads the text once for every two hours of it; calls are made in its first half.
func TestE2EBackfill(t *testing.T) {
	t.Parallel()
	from := time.Now().UTC().Truncate(time.Second).Add(-71 * time.Hour)
	to := from.Add(24 * time.Hour)
	e := newEstate(t, estateSettings{seed: 23, calls: 100, era: pastEra, worlds: func(s *simulator.Settings) {
		s.From, s.To = from.Add(time.Hour), from.Add(12*time.Hour)
	}})
	e.hold()
	e.backfill(t, e.configure(settings{}), from, to, "--label=job=cdr-history")
	blocks := e.path("blocks")
	made, err := exec.CommandContext(t.Context(), tool(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics",
		e.path("past.om"), blocks).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool: %v\n%s", err, made)
	}
	if all, err := filepath.Glob(filepath.Join(blocks, "*", "meta.json")); err != nil || len(all) < 12 {
		t.Fatalf("%d blocks, %v:\n%s", len(all), err, made)
	}
	p := awaitPrometheus(t, free(t), "--config.file="+e.write("prometheus.yml", "global: {}\n"),
		"--storage.tsdb.path="+blocks)
	window := to.Sub(from) + time.Minute
	for what, form := range map[string]string{
		"last":     fmt.Sprintf("%%s @ %d", to.Unix()),
		"increase": fmt.Sprintf("increase(%%s[%ds] @ %d)", int(window.Seconds()), to.Unix()),
	} {
		for _, place := range e.places() {
			for _, feed := range place.feeds() {
				got := p.past(form, place.source(), feed)
				if wrong := diff(got, place.tables(feed, e.at(place)...)); wrong != "" {
					t.Errorf("%s of %s/%s: %s", what, place.source(), feed, wrong)
				}
			}
		}
	}
	// Hours without calls would be lost sight of without samples in between.
	for _, hour := range []int{2, 6} {
		at := to.Unix() - int64(hour)*3600
		if got := p.query(fmt.Sprintf("count(cdr_calls_total @ %d)", at)); len(got) != 1 {
			t.Errorf("%d h ago no series is there", hour)
		}
	}
	// The median of durations comes from the classic buckets.
	got := p.query(fmt.Sprintf(`histogram_quantile(0.5, sum by (le) (
		increase(cdr_call_duration_seconds_bucket{source="acme"}[%ds] @ %d)))`, int(window.Seconds()), to.Unix()))
	if len(got) != 1 || got[0].Value <= 0 {
		t.Errorf("the median of durations is %v", got)
	}
}

// past are the compared metrics of a feed's history, each asked for in a form.
func (p *prometheus) past(form, source, feed string) tables {
	p.t.Helper()
	selector := fmt.Sprintf(`{job="cdr-history",source=%q,feed=%q}`, source, feed)
	return p.compared(func(metric, part string) string {
		return fmt.Sprintf(form, strings.TrimSuffix(metric+"_"+part, "_")+selector)
	})
}
