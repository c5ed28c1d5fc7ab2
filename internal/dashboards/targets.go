package dashboards

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// Target is one query of a panel, with the variables that Grafana fills in.
type Target struct {
	// Dashboard and Panel are titles.
	Dashboard, Panel string
	// Expr is PromQL, or LogQL if Log says so.
	Expr string
	Log  bool
	// Instant says that one value is asked for, not a course.
	Instant bool
	// Unit is the panel's, and Every the least time from one point of its course to the next; 0: the data source's.
	Unit  string
	Every time.Duration
}

// Targets are the queries of all dashboards.
func Targets() ([]Target, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	var targets []Target
	for i := range all {
		for _, p := range all[i].Panels {
			if p.Panel == nil {
				continue
			}
			of, err := panelTargets(*all[i].Title, p.Panel)
			if err != nil {
				return nil, err
			}
			targets = append(targets, of...)
		}
	}
	return targets, nil
}

func panelTargets(title string, p *dashboard.Panel) ([]Target, error) {
	every := time.Duration(0)
	if p.Interval != nil {
		var err error
		if every, err = time.ParseDuration(*p.Interval); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", title, *p.Title, err)
		}
	}
	var targets []Target
	for _, asked := range p.Targets {
		t := Target{Dashboard: title, Panel: *p.Title, Every: every}
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

// Expand fills in variables, by name and without the dollar: job, __rate_interval. A
// variable that has no value is an error.
func Expand(expr string, values map[string]string) (string, error) {
	var missing []string
	text := os.Expand(expr, func(found string) string {
		name, _, _ := strings.Cut(found, ":") // how it is to be written
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

// Filled is a query of PromQL as Grafana fills in its variables when all is chosen and so much time is shown, for a
// data source that scrapes every 15 seconds: a point each 15 seconds, or as far apart as the panel wants.
func (t *Target) Filled(shown time.Duration) (string, error) {
	const scrape = 15 * time.Second
	interval := max(t.Every, scrape)
	seconds := func(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
	return Expand(t.Expr, map[string]string{
		"job": ".+", "instance": ".+", "source": ".+", "provider": ".+", "trunk": ".+", "feed": additive,
		"__interval_ms":   fmt.Sprint(interval.Milliseconds()),
		"__rate_interval": seconds(max(interval+scrape, 4*scrape)),
		"__range":         seconds(shown),
		"__range_s":       fmt.Sprint(int(shown.Seconds())),
	})
}
