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
		texts = append(texts, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	if feeds := v.overlapping(); len(feeds) > 0 && !slices.Contains(matchers, "feed") {
		texts = append(texts, fmt.Sprintf("feed!~%q", strings.Join(feeds, "|")))
	}
	selector := counter.Name
	if len(texts) > 0 {
		selector += "{" + strings.Join(texts, ",") + "}"
	}
	return fmt.Sprintf("cdr-exporter explain --config.file %s '%s' --from %s", cmp.Or(v.ConfigFile, "config.yaml"),
		strings.ReplaceAll(selector, "'", `'\''`), since.UTC().Truncate(time.Second).Format(time.RFC3339))
}

// overlapping are the feeds whose calls are also in another one, so that the chart leaves them out.
func (v view) overlapping() (names []string) {
	for _, s := range v.Sources {
		for _, f := range s.Feeds {
			if f.Overlaps && !slices.Contains(names, f.Feed) {
				names = append(names, f.Feed)
			}
		}
	}
	return names
}

// ExplainFailed is the command for the calls that failed among the last attempts of a trunk; empty: none did.
func (v view) ExplainFailed(r row) string {
	if r.NoReasons || r.Count(resultFault) == 0 {
		return ""
	}
	return v.explain(metrics.CallFailures, r.Attempts[0].Start(), "source", r.Source, "feed", r.Feed, "trunk", r.Trunk,
		"direction", r.Direction, "outcome", outcomeFailed)
}

// ExplainLost is the command for Lost.
func (v view) ExplainLost() string {
	return v.explain(metrics.CallFailures, v.LostSince.Truncate(ActivityStep), "outcome", outcomeFailed)
}

// ExplainChart is the commands for the chart's calls and for those of them that failed.
func (v view) ExplainChart() []string {
	since := v.Chart.Bars[0].Start
	return []string{
		v.explain(metrics.Calls, since),
		v.explain(metrics.CallFailures, since, "outcome", outcomeFailed),
	}
}
