package rules

import (
	"cmp"
	"fmt"
	"strings"
)

// kpiTable is the table of docs/kpis.md.
func kpiTable() string {
	var b strings.Builder
	b.WriteString("| KPI | standard | numerator ÷ denominator | feeds | series, with `5m`, `1h` or `1d` for *w* " +
		"|\n| --- | --- | --- | --- | --- |\n")
	for _, k := range KPIs() {
		fmt.Fprintf(&b, "| **%s**, %s | %s | %s | `%s` | `%s` |\n", k.Short, k.Title, k.Standard, k.Formula,
			strings.Join(k.Feeds, "`, `"), k.Record(byDirection, "*w*"))
	}
	return b.String()
}

// caveats are what must be known of each figure, for docs/kpis.md.
func caveats(all []KPI) string {
	var b strings.Builder
	for _, k := range all {
		fmt.Fprintf(&b, "- **%s**: %s\n", k.Short, k.Caveat)
	}
	return b.String()
}

// queueTable is the table of the figures of queues, for docs/kpis.md.
func queueTable() string {
	var b strings.Builder
	b.WriteString("| figure | formula | source | series, with `1h` or `1d` for *w* |\n| --- | --- | --- | --- |\n")
	for _, k := range Default().QueueKPIs() {
		fmt.Fprintf(&b, "| **%s** | %s | %s | `%s` |\n", k.Short, k.Formula, k.Standard, k.Record(byQueue, "*w*"))
	}
	return b.String()
}

// seriesTable is the table of all other recorded series, for docs/kpis.md.
func seriesTable() string {
	var b strings.Builder
	b.WriteString("| series | is |\n| --- | --- |\n")
	for _, g := range Default().Recording() {
		if strings.HasPrefix(g.Name, "cdr-kpis-") || g.Name == "cdr-queue-kpis-1d" { // the same in other windows
			continue
		}
		for r := range rulesOf(g) {
			fmt.Fprintf(&b, "| `%s` | %s |\n", r.Record, r.Doc)
		}
	}
	return b.String()
}

// alertTable is the table of docs/alerts.md.
func alertTable() string {
	var b strings.Builder
	b.WriteString("| alert | severity | fires when | and holds for | to change it |\n| --- | --- | --- | --- | --- |\n")
	for r := range rulesOf(Default().Alerting()...) {
		severities := r.Severity
		if r.Milder != "" {
			severities += " or " + r.Milder
		}
		fmt.Fprintf(&b, "| [%s](runbooks/%s.md) | %s | %s | %s | %s |\n", r.Alert, r.Alert, severities, r.When,
			cmp.Or(held(r.For), "at once"), r.Change)
	}
	return b.String()
}
