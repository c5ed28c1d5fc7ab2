package rules

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

const byInstance = "job, instance"

// exporterAlerts are about the exporter as a whole.
func exporterAlerts() Group {
	waiting := fmt.Sprintf("max by (%s) (max_over_time(%s[5m]))", byInstance, metrics.OutboxRecords.Name)
	return Group{Name: "cdr-exporter", Doc: "The exporter as a whole.", Rules: []Rule{
		{
			Alert: "CDRExporterDown", Severity: critical, Signal: Exporter, For: 5 * time.Minute,
			Doc:         "An exporter that has answered within the last week, or that the documented scrape job names, doesn't answer.",
			Expr:        lines(fmt.Sprintf("up{%s} == 0", is("job", job)), fmt.Sprintf("or (up == 0 and on (%s) last_over_time(%s[1w]))", byInstance, buildInfo)),
			Summary:     "cdr-exporter {{ $labels.instance }} is down.",
			Description: "up of {{ $labels.instance }} is {{ $value }}. No calls are read; nothing is lost while the provider keeps them.",
			When:        "an exporter hasn't answered for 5 minutes",
			Change:      "`job`, `for` of the alert",
		},
		{
			Alert: "CDRConfigReloadFailed", Severity: warning, Signal: Exporter, For: 5 * time.Minute,
			Doc:         "The configuration file couldn't be taken over; the former one goes on.",
			Expr:        fmt.Sprintf("max by (%s) (max_over_time(%s[5m])) == 0", byInstance, metrics.ReloadSuccessful.Name),
			Summary:     "The configuration of cdr-exporter {{ $labels.instance }} is wrong.",
			Description: "The last reload failed (success is {{ $value }}); the former configuration goes on. The next start would fail.",
			When:        "the last reload failed, for 5 minutes",
			Change:      "`for` of the alert",
		},
		{
			Alert: "CDROutboxGrowing", Severity: warning, Signal: Exporter, For: 2 * time.Minute,
			Doc: "Log records aren't taken by the OTLP endpoint. Fires within ten minutes.",
			Expr: lines(
				fmt.Sprintf("time() - max by (%s) (max_over_time(%s[5m])) > %d", byInstance, metrics.OutboxOldest.Name, outboxSeconds),
				fmt.Sprintf("and on (%s) min by (%s) (min_over_time(%s[5m])) > 0", byInstance, byInstance, metrics.OutboxRecords.Name)),
			Summary:     "Log records of cdr-exporter {{ $labels.instance }} wait to be sent.",
			Description: "The oldest has waited for {{ $value | humanizeDuration }}. Nothing is lost yet; the status page says what the endpoint answers.",
			When:        fmt.Sprintf("the oldest log record has waited for more than %d minutes", outboxSeconds/60),
			Change:      "`outboxSeconds`",
		},
		{
			Alert: "CDROutboxNearLimit", Severity: critical, Signal: Exporter,
			Doc:         "The outbox is nearly full. With outbox_full: pause reading will stop, with skip_logs log records will be left out.",
			Expr:        fmt.Sprintf("%s > %s * (min by (%s) (last_over_time(%s[5m])) > 0)", waiting, number(outboxShare), byInstance, metrics.OutboxLimit.Name),
			Summary:     "The outbox of cdr-exporter {{ $labels.instance }} is nearly full.",
			Description: fmt.Sprintf("{{ printf \"%%.0f\" $value }} log records wait, more than %s %% of otlp.outbox_limit. At the limit reading pauses, or log records are skipped.", number(outboxShare*100)),
			When:        fmt.Sprintf("more than %s %% of `otlp.outbox_limit` log records wait", number(outboxShare*100)),
			Change:      "`outboxShare`; `otlp.outbox_limit`",
		},
		{
			Alert: "CDRLogRecordsRejected", Severity: warning, Signal: Exporter,
			Doc:         "The OTLP endpoint refused log records while it accepted others: they are set aside and not sent again.",
			Expr:        fmt.Sprintf("sum by (%s) (increase(%s[1h])) > 0", byInstance, sel(metrics.OTLPRecords, is("result", "rejected"))),
			Summary:     "The OTLP endpoint refuses log records of cdr-exporter {{ $labels.instance }}.",
			Description: "About {{ printf \"%.0f\" $value }} log records were refused within the last hour and are missing from the log store. Metrics count their calls all the same. The log of the exporter names each by its uid.",
			When:        "the OTLP endpoint has refused a log record within the last hour, while accepting others",
			Change:      "the window of `increase`",
		},
	}}
}

// buildInfo isn't in the catalogue: the library for versions makes it (contract 3).
const buildInfo = "cdr_exporter_build_info"
