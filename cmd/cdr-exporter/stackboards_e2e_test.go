//go:build e2e

package main_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/dashboards"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// silent are the queries that the demo can't answer, by dashboard and panel, and why. Any
// other must have data there.
var silent = map[string]string{}

// The rate interval as Grafana has it for the usual scrapes, and the seconds shown.
const (
	boardRate  = "1m"
	boardRange = 300
)

// question is a query of a panel, with its variables filled in.
type question struct{ panel, expr string }

// questions are the PromQL queries of all dashboards.
func questions(t *testing.T) []question {
	t.Helper()
	targets, err := dashboards.Targets()
	if err != nil {
		t.Fatal(err)
	}
	values := dashboards.Everything(boardRate, boardRange)
	var all []question
	for _, target := range targets {
		if target.Log {
			continue
		}
		expr, err := dashboards.Expand(target.Expr, values)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, question{target.Dashboard + ", " + target.Panel, expr})
	}
	return all
}

// TestE2EBoards (issue 5, points 1 and 7): every PromQL query of every dashboard finds data
// on the demo, in a real Prometheus that takes native histograms and start times, and in one
// that has neither; and the latter takes the rules as they are shipped.
func TestE2EBoards(t *testing.T) {
	t.Parallel()
	x := start(t, demoVault(t), launch{shipped: true, args: []string{"demo", "--web.listen-address=127.0.0.1:0"}}).ready()
	rules := []string{}
	for _, name := range []string{"recording.yaml", "alerts.yaml"} {
		rules = append(rules, shippedFile(t, "prometheus", name))
	}
	target := map[string]string{"cdr-exporter": x.addresses()[0]}
	native := newWatching(t, parts.Prometheus{Targets: target})
	classic := newWatching(t, parts.Prometheus{Targets: target, Classic: true, Rules: rules})
	asked := map[string]*watching{"native": native, "classic": classic}
	left := make(map[string][]question)
	for name := range asked {
		left[name] = questions(t)
	}
	if len(left["native"]) < 50 {
		t.Fatalf("the dashboards have %d queries", len(left["native"]))
	}
	begin := time.Now()
	// A query that has answered isn't asked again: some panels are about what comes and goes.
	within(t, 2*patience, "have data in every panel", func() error {
		x.running()
		var missing []string
		for name, p := range asked {
			left[name] = slices.DeleteFunc(left[name], func(q question) bool {
				if !p.answers(q.expr) {
					return false
				}
				if waited := time.Since(begin); waited > time.Minute {
					t.Logf("%s (%s) has data after %s", q.panel, name, waited.Round(time.Second))
				}
				return true
			})
			for _, q := range left[name] {
				if silent[q.panel] == "" {
					missing = append(missing, fmt.Sprintf("%s (%s): %s", q.panel, name, q.expr))
				}
			}
		}
		return asError(summary(missing))
	})
	spoken := maps.Clone(silent)
	for _, q := range slices.Concat(left["native"], left["classic"]) {
		delete(spoken, q.panel)
	}
	for panel := range spoken {
		t.Errorf("%s is said to have no data, and has some", panel)
	}
	if native.answers("cdr_that_is_not_there") || native.answers("cdr_calls_total > cdr_calls_total") {
		t.Error("nothing is taken for data")
	}
	if n := native.query("count(histogram_count(cdr_call_duration_seconds))"); len(n) != 1 {
		t.Error("no native histogram arrived")
	}
	if n := classic.query("count(histogram_count(cdr_call_duration_seconds))"); len(n) != 0 {
		t.Errorf("the Prometheus without native histograms has %v", n)
	}
	classic.healthy()
	x.stop()
}

// answers says whether an expression has a value that is a number.
func (w *watching) answers(expr string) bool {
	w.t.Helper()
	w.running()
	samples, err := w.Query(w.t.Context(), fmt.Sprintf("count((%s) == (%s)) > 0", expr, expr))
	if err != nil {
		w.t.Fatal(errors.New(strings.TrimSpace(err.Error())))
	}
	return len(samples) > 0
}
