package dashboards

import (
	"fmt"
	"os"
	"strings"

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

// panelTargets are the queries of one panel.
func panelTargets(title string, p *dashboard.Panel) ([]Target, error) {
	var targets []Target
	for _, asked := range p.Targets {
		t := Target{Dashboard: title, Panel: *p.Title}
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

// Everything are values for the variables of PromQL as Grafana fills them in when all
// is chosen, for a rate interval such as 1m and a time shown of so many seconds.
func Everything(rateInterval string, rangeSeconds int) map[string]string {
	return map[string]string{
		"job": ".+", "instance": ".+", "source": ".+", "provider": ".+", "trunk": ".+", "feed": additive,
		"__rate_interval": rateInterval,
		"__range":         fmt.Sprintf("%ds", rangeSeconds),
		"__range_s":       fmt.Sprint(rangeSeconds),
	}
}
