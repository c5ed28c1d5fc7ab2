package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const outcomeFailed = "failed"

// explain is the command that lists the calls of a counter that started since a time, and proves their sum. Matchers
// are pairs of a label and a value.
func (v view) explain(counter *metrics.Def, since time.Time, matchers ...string) string {
	var texts []string
	for pair := range slices.Chunk(matchers, 2) {
		texts = append(texts, fmt.Sprintf("%s%q", pair[0], pair[1]))
	}
	selector := counter.Name
	if len(texts) > 0 {
		selector += "{" + strings.Join(texts, ",") + "}"
	}
	return fmt.Sprintf("cdr-exporter explain --config.file %s '%s' --from %s", cmp.Or(v.ConfigFile, "config.yaml"),
		strings.ReplaceAll(selector, "'", `'\''`), since.UTC().Truncate(time.Second).Format(time.RFC3339))
}

// explainAll is the commands for the calls of all feeds, but for those whose calls are also in another feed of their
// source, as in the chart. If another source has a feed of that name alone, its calls get another command.
func (v view) explainAll(counter *metrics.Def, since time.Time, matchers ...string) []string {
	var names []string
	for _, s := range v.Sources {
		for _, f := range s.Feeds {
			if f.Overlaps && !slices.Contains(names, f.Feed) {
				names = append(names, f.Feed)
			}
		}
	}
	others := slices.Clip(matchers)
	if len(names) > 0 {
		others = append(others, "feed!~", strings.Join(names, "|"))
	}
	commands := []string{v.explain(counter, since, others...)}
	for _, s := range v.Sources {
		for _, f := range s.Feeds {
			if !f.Overlaps && slices.Contains(names, f.Feed) {
				one := append([]string{"source=", s.Name, "feed=", f.Feed}, matchers...)
				commands = append(commands, v.explain(counter, since, one...))
			}
		}
	}
	return commands
}

// ExplainFailed is the command for the calls that failed among the last attempts of a trunk; empty: none did.
func (v view) ExplainFailed(r row) string {
	if r.NoReasons || r.Count(resultFault) == 0 {
		return ""
	}
	return v.explain(metrics.CallFailures, r.Attempts[0].Start(), "source=", r.Source, "feed=", r.Feed,
		"trunk=", r.Trunk, "direction=", r.Direction, "outcome=", outcomeFailed)
}

// ExplainLost is the commands for Lost.
func (v view) ExplainLost() []string {
	return v.explainAll(metrics.CallFailures, v.LostSince.Truncate(ActivityStep), "outcome=", outcomeFailed)
}

// ExplainChart is the commands for the chart's calls and for those of them that failed.
func (v view) ExplainChart() []string {
	since := v.Chart.Bars[0].Start
	failed := v.explainAll(metrics.CallFailures, since, "outcome=", outcomeFailed)
	return append(v.explainAll(metrics.Calls, since), failed...)
}
