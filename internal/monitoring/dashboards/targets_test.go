package dashboards

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// panelQuery is one query of a panel, with the variables that Grafana fills in.
type panelQuery struct {
	// Dashboard and Panel are titles.
	Dashboard, Panel string
	// Expr is PromQL, or LogQL if Log says so.
	Expr string
	Log  bool
	// Instant is true for one value, false for values over time.
	Instant bool
	// Unit is the panel's, and Every the least time from one point of its course to the next; 0: the data source's.
	Unit  string
	Every time.Duration
}

// targets are the queries of all dashboards.
func targets(t *testing.T) (targets []panelQuery) {
	t.Helper()
	for _, d := range built(t) {
		for _, p := range panelsOf(&d) {
			of, err := panelTargets(*d.Title, p)
			require.NoError(t, err)
			targets = append(targets, of...)
		}
	}
	return targets
}

func panelTargets(title string, p *dashboard.Panel) ([]panelQuery, error) {
	every := time.Duration(0)
	if p.Interval != nil {
		var err error
		if every, err = time.ParseDuration(*p.Interval); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", title, *p.Title, err)
		}
	}
	var targets []panelQuery
	for _, asked := range p.Targets {
		t := panelQuery{Dashboard: title, Panel: *p.Title, Every: every}
		if p.FieldConfig != nil && p.FieldConfig.Defaults.Unit != nil {
			t.Unit = *p.FieldConfig.Defaults.Unit
		}
		switch q := asked.(type) {
		case prometheus.Dataquery:
			t.Expr, t.Instant = q.Expr, q.Instant != nil && *q.Instant
		case loki.Dataquery:
			t.Expr, t.Log = q.Expr, true
		default:
			return nil, fmt.Errorf("%s, %s: a query of another kind: %T", title, t.Panel, asked)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// expand fills in variables, by name and without the dollar: job, __rate_interval. A
// variable that has no value is an error.
func expand(expr string, values map[string]string) (string, error) {
	var missing []string
	text := os.Expand(expr, func(found string) string {
		name, _, _ := strings.Cut(found, ":") // its format
		value, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("the query has variables without a value: %s", strings.Join(missing, ", "))
	}
	return text, nil
}

// filled is a query of PromQL as Grafana fills in its variables when everything is chosen and this much time is
// shown. The data source scrapes every 15 seconds, and points are 15 seconds apart, or more if the panel says so.
func (t *panelQuery) filled(shown time.Duration) (string, error) {
	const scrape = 15 * time.Second
	interval := max(t.Every, scrape)
	seconds := func(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
	return expand(t.Expr, map[string]string{
		"job": ".+", "instance": ".+", "source": ".+", "provider": ".+", "trunk": ".+", "queue": ".*",
		"feed":            strings.Join(rules.Default().Additive(), "|"),
		"__interval_ms":   fmt.Sprint(interval.Milliseconds()),
		"__rate_interval": seconds(max(interval+scrape, 4*scrape)),
		"__range":         seconds(shown),
		"__range_s":       fmt.Sprint(int(shown.Seconds())),
	})
}
