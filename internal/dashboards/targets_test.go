package dashboards

import (
	"strings"
	"testing"
	"time"
)

func TestExpand(t *testing.T) {
	values := map[string]string{"job": "a|b", "__range": "5m", "__range_s": "300", "line": `"x"`}
	for _, tc := range []struct{ name, expr, want, problem string }{
		{"none", `up{job="x$"}`, `up{job="x$"}`, ""},
		{"short", `rate(up{job=~"$job"}[$__range])`, `rate(up{job=~"a|b"}[5m])`, ""},
		{"the longer name", `1 / $__range_s`, `1 / 300`, ""},
		{"in braces", `{job="${job}"}`, `{job="a|b"}`, ""},
		{"with a format", `|= ${line:doublequote}`, `|= "x"`, ""},
		{"without a value", `$job $source ${trunk:regex}`, "", "source, trunk"},
	} {
		got, err := Expand(tc.expr, values)
		if got != tc.want || (err != nil) != (tc.problem != "") || err != nil && !strings.Contains(err.Error(), tc.problem) {
			t.Errorf("%s: got %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}

// TestEveryVariable: Filled has a value for each variable of PromQL.
func TestEveryVariable(t *testing.T) {
	for _, target := range targets(t) {
		if target.Log {
			continue
		}
		if _, err := target.Filled(5 * time.Minute); err != nil {
			t.Errorf("%s, %s: %v", target.Dashboard, target.Panel, err)
		}
	}
}

// TestFilled: $__rate_interval as Grafana's data source computes it from $__interval and the scrape interval.
func TestFilled(t *testing.T) {
	for _, tc := range []struct {
		every time.Duration
		want  string
	}{
		{0, "60s 15000 300s"},
		{30 * time.Second, "60s 30000 300s"},
		{30 * time.Minute, "1815s 1800000 300s"},
	} {
		target := Target{Expr: "$__rate_interval $__interval_ms $__range", Every: tc.every}
		if got, err := target.Filled(5 * time.Minute); err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.every, got, err, tc.want)
		}
	}
}
