package rules

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

func (p *Parameters) exporterAlerts() Group {
	return Group{Name: "cdr-exporter", Doc: "The exporter as a whole.", Dashboard: "exporter", Rules: []Rule{
		{
			Alert: "CDRExporterDown", Severity: critical, Signal: Exporter, For: 5 * time.Minute,
			Doc: "An exporter that has answered within the last week, or that the documented scrape job " +
				"names, doesn't answer, and no other replica reads its feeds.",
			Expr:    down(),
			Summary: "cdr-exporter {{ $labels.instance }} is down.",
			Description: "up of {{ $labels.instance }} is {{ $value }}. No calls are read; nothing is lost while " +
				"the provider keeps them.",
			When:   "an exporter hasn't answered for 5 minutes, and no other one reads its feeds",
			Change: "`selector`",
		},
		{
			Alert: "CDRSourceAbsent", Severity: critical, Signal: Exporter, For: 2 * time.Minute,
			Doc: "A source has vanished, also from what pushes by OTLP and has no up: its pod was deleted, its " +
				"volume is stuck, or it left the configuration.",
			Expr: lines(fmt.Sprintf("group by (job, source) (present_over_time(%s[1d]))", metrics.Watermark.Name),
				bySource.unless("group by (source) (present_over_time(%s[10m]))", metrics.Watermark.Name)),
			Summary: "No exporter shows {{ $labels.source }} any more.",
			Description: "Within the last day an exporter of the job {{ $labels.job }} read {{ $labels.source }} " +
				"(presence {{ $value }}), but none has for 10 minutes. Its calls aren't counted, and no alert on " +
				"them can fire. Nothing is lost while the provider keeps its records. Is the exporter gone, or was " +
				"the source removed from the configuration?",
			When: "no exporter has shown a source for 10 minutes, and one did within a day; also without " +
				"`up`, as by OTLP",
			Change: "nothing; silence it for a day when you remove a source",
		},
		{
			Alert: "CDRWatchdog", Severity: none, Signal: Exporter,
			Doc: "Always fires. Send it to a service that pages when it stops: Prometheus or Alertmanager " +
				"is down then.",
			Expr:        "vector(1)",
			Summary:     "Alerts are evaluated and delivered.",
			Description: "This always fires ({{ $value }}). A dead man's switch that gets it must page when it stops.",
			When:        "always",
			Change:      "`off`",
		},
		{
			Alert: "CDRDiskNearlyFull", Severity: warning, Signal: Exporter, For: 5 * time.Minute,
			Doc: "The ledger's disk is nearly full. On a full disk reading stops; nothing is lost while the " +
				"provider keeps its records.",
			Expr: fmt.Sprintf("%s < %d", byInstance.combine("min", "min_over_time("+metrics.LedgerFree.Name+"[5m])"),
				p.DiskFreeBytes),
			Summary: "The disk of cdr-exporter {{ $labels.instance }} is nearly full.",
			Description: "{{ $value | humanize1024 }}B are free where the ledger is. On a full disk reading stops. " +
				"Make room, or give the volume more.",
			When:   fmt.Sprintf("less than %d MB are free where the ledger is", p.DiskFreeBytes/1e6),
			Change: "`disk_free_bytes`",
		},
		{
			Alert: "CDRConfigReloadFailed", Severity: warning, Signal: Exporter, For: 5 * time.Minute,
			Doc:     "The configuration file couldn't be loaded; the former one stays in use.",
			Expr:    byInstance.highest(metrics.ReloadSuccessful.Name, "[5m]") + " == 0",
			Summary: "The configuration of cdr-exporter {{ $labels.instance }} is wrong.",
			Description: "The last reload failed (success is {{ $value }}); the former configuration stays in use. " +
				"The next start would fail, or use another ledger if `storage` was changed.",
			When:   "the last reload failed, for 5 minutes",
			Change: "`for` of the alert",
		},
		{
			Alert: "CDROutboxNearLimit", Severity: critical, Signal: Exporter, For: 2 * time.Minute,
			Milder: warning, MilderIf: fmt.Sprintf("le $value %s", number(outboxShare)),
			Doc: "Log records or spans aren't taken by the OTLP endpoint. At the outbox's limit, outbox_full: pause " +
				"stops reading, and skip_logs leaves them out.",
			Expr: anyOf(
				fmt.Sprintf("%s > %s", outboxUsed(metrics.OutboxRecords), number(outboxShare)),
				fmt.Sprintf("%s > %s", outboxUsed(metrics.OutboxSpans), number(outboxShare)),
				lines(fmt.Sprintf("(%s > 0 or %s > 0)", outboxUsed(metrics.OutboxRecords),
					outboxUsed(metrics.OutboxSpans)),
					byJob.and("time() - min by (job) (max_over_time(%s[5m])) > %d", metrics.OutboxOldest.Name,
						outboxSeconds)),
			),
			Summary: "Log records or spans of {{ $labels.job }} wait to be sent.",
			Description: "{{ $value | humanizePercentage }} of otlp.outbox_limit is used. At the limit reading " +
				"pauses, or log records are skipped. " +
				"Nothing is lost yet; the status page says what the endpoint answers.",
			When: fmt.Sprintf("the oldest log record or span has waited for more than %d minutes; critical above "+
				"%s %% of `otlp.outbox_limit`", outboxSeconds/60, number(outboxShare*100)),
			Change: "`otlp.outbox_limit`",
		},
		{
			Alert: "CDRLogRecordsRejected", Severity: warning, Signal: Exporter,
			Doc: "The OTLP endpoint refused log records or spans while it accepted others: they are set " +
				"aside and not sent again.",
			Expr:    lines(rejected(metrics.OTLPRecords), "or", rejected(metrics.OTLPSpans)),
			Summary: "The OTLP endpoint refuses log records or spans of {{ $labels.job }}.",
			Description: "About {{ printf \"%.0f\" $value }} log records or spans were refused within the last hour " +
				"and are missing from the store. Metrics count their calls all the same. The log of the exporter " +
				"names each by its uid, or its trace and span id; of a request that was accepted in part, the first " +
				"and the last.",
			When:   "the OTLP endpoint has refused a log record or span within the last hour, while accepting others",
			Change: "the window of `increase`",
		},
	}}
}

const (
	// outboxShare is the part of the outbox from which on it is nearly full; outboxSeconds is how long the oldest
	// may wait.
	outboxShare, outboxSeconds = 0.8, 300
)

// outboxUsed is the part of the limit that waits in a queue of the outbox.
func outboxUsed(waiting *metrics.Def) string {
	return fmt.Sprintf("%s / (min by (job) (last_over_time(%s[5m])) > 0)", byJob.highest(waiting.Name, "[2m]"),
		metrics.OutboxLimit.Name)
}

// rejected is how many records were refused within the last hour, where some were.
func rejected(records *metrics.Def) string {
	return grown("job", sel(records, is("result", "rejected")), w1h)
}

// down are exporters that don't answer, but those of whose feeds another one reads some now.
func down() string {
	return lines(
		fmt.Sprintf("(up{%s} == 0 or (up == 0 %s))", is("job", job),
			byInstance.and("last_over_time(%s[1w])", buildInfo)),
		byInstance.unless("(last_over_time(%s[1w]) %s)", metrics.FeedOwned.Name,
			byFeed.and("%s == 1", metrics.FeedOwned.Name)))
}

// job is the name of the scrape job in docs/prometheus.md. An exporter that has ever answered is known without it.
const job = "cdr-exporter"

// buildInfo isn't in the catalogue: the library for versions makes it (docs/metrics.md).
const buildInfo = "cdr_exporter_build_info"
