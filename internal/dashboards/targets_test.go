package dashboards

import (
	"strings"
	"testing"
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

// TestEveryVariable: Everything has a value for each variable of PromQL.
func TestEveryVariable(t *testing.T) {
	values := Everything("1m", 300)
	for _, target := range targets(t) {
		if target.Log {
			continue
		}
		if _, err := Expand(target.Expr, values); err != nil {
			t.Errorf("%s, %s: %v", target.Dashboard, target.Panel, err)
		}
	}
}
