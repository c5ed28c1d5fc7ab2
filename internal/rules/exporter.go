package rules

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

const byInstance = "job, instance"

func (p *Parameters) exporterAlerts() Group {
	return Group{Name: "cdr-exporter", Doc: "The exporter as a whole.", Dashboard: "exporter", Rules: []Rule{
		{
			Alert: "CDRExporterDown", Severity: critical, Signal: Exporter, For: 5 * time.Minute,
			Doc:         "An exporter that has answered within the last week, or that the documented scrape job names, doesn't answer, and no other replica reads its feeds.",
			Expr:        down("unless"),
			Summary:     "cdr-exporter {{ $labels.instance }} is down.",
			Description: "up of {{ $labels.instance }} is {{ $value }}. No calls are read; nothing is lost while the provider keeps them.",
			When:        "an exporter hasn't answered for 5 minutes, and no other one reads its feeds",
			Change:      "`selector`",
		},
		{
			Alert: "CDRReplicaDown", Severity: warning, Signal: Exporter, For: 5 * time.Minute,
			Doc:         "One of several replicas doesn't answer. Others read its feeds.",
			Expr:        down("and"),
			Summary:     "The replica {{ $labels.instance }} of cdr-exporter is down.",
			Description: "up of {{ $labels.instance }} is {{ $value }}. Other replicas read its feeds; the next one that fails may be the last.",
			When:        "an exporter hasn't answered for 5 minutes, and others read its feeds",
			Change:      "`selector`",
		},
		{
			Alert: "CDRExporterAbsent", Severity: critical, Signal: Exporter, For: 2 * time.Minute,
			Doc:         "The target has vanished: a pod that was deleted, a volume that is stuck, metrics that are no longer pushed.",
			Expr:        absent(metrics.ReloadSuccessful.Name, "job", "job"),
			Summary:     "cdr-exporter is gone (job {{ $labels.job }}).",
			Description: "Nothing has been heard of any exporter of the job {{ $labels.job }} for 10 minutes; within the last day there was one (presence {{ $value }}). No calls are read and no other alert can fire. Nothing is lost while the provider keeps its records. Call the operator of the exporter.",
			When:        "no exporter of a job has been seen for 10 minutes, and one was within a day; also without `up`, as by OTLP",
			Change:      "`keep_labels`",
		},
		{
			Alert: "CDRSourceAbsent", Severity: critical, Signal: Exporter, For: 2 * time.Minute,
			Doc:         "A source has vanished: from the configuration, or with its exporter.",
			Expr:        absent(metrics.Watermark.Name, "job, source", "source"),
			Summary:     "Nothing is known of {{ $labels.source }} any more.",
			Description: "Within the last day an exporter read {{ $labels.source }} (presence {{ $value }}), for 10 minutes none has. Its calls are in no figure and no alert on them can fire. Was it taken out of the configuration? Ask the person who changed it.",
			When:        "no exporter has shown a source for 10 minutes, and one did within a day",
			Change:      "nothing; silence it for a day when you remove a source",
		},
		{
			Alert: "CDRWatchdog", Severity: none, Signal: Exporter,
			Doc:         "Always fires. Send it to a service that pages when it stops: Prometheus or Alertmanager is down then.",
			Expr:        "vector(1)",
			Summary:     "Alerts are evaluated and delivered.",
			Description: "This always fires ({{ $value }}). A dead man's switch that gets it must page when it stops.",
			When:        "always",
			Change:      "`off`",
		},
		{
			Alert: "CDRDiskNearlyFull", Severity: warning, Signal: Exporter, For: 5 * time.Minute,
			Doc:         "The ledger's disk is nearly full. On a full disk reading stops; nothing is lost while the provider keeps its records.",
			Expr:        fmt.Sprintf("min by (%s) (min_over_time(%s[5m])) < %d", byInstance, metrics.LedgerFree.Name, p.DiskFreeBytes),
			Summary:     "The disk of cdr-exporter {{ $labels.instance }} is nearly full.",
			Description: "{{ $value | humanize1024 }}B are free where the ledger is. On a full disk reading stops. Make room, or give the volume more.",
			When:        fmt.Sprintf("less than %d MB are free where the ledger is", p.DiskFreeBytes/1e6),
			Change:      "`disk_free_bytes`",
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
			Doc: "Log records or spans aren't taken by the OTLP endpoint, whichever replica sends them. Fires within ten minutes.",
			Expr: lines(
				fmt.Sprintf("time() - min by (job) (max_over_time(%s[5m])) > %d", metrics.OutboxOldest.Name, p.OutboxSeconds),
				fmt.Sprintf("and on (job) (max by (job) (max_over_time(%s[2m])) > 0 or max by (job) (max_over_time(%s[2m])) > 0)", metrics.OutboxRecords.Name, metrics.OutboxSpans.Name)),
			Summary:     "Log records or spans of {{ $labels.job }} wait to be sent.",
			Description: "The oldest has waited for {{ $value | humanizeDuration }}. Nothing is lost yet; the status page says what the endpoint answers.",
			When:        fmt.Sprintf("the oldest log record or span has waited for more than %d minutes", p.OutboxSeconds/60),
			Change:      "`outbox_seconds`",
		},
		{
			Alert: "CDROutboxNearLimit", Severity: critical, Signal: Exporter,
			Doc:         "The outbox is nearly full. With outbox_full: pause reading will stop, with skip_logs log records or spans will be left out.",
			Expr:        lines(p.nearLimit(metrics.OutboxRecords), "or", p.nearLimit(metrics.OutboxSpans)),
			Summary:     "The outbox of {{ $labels.job }} is nearly full.",
			Description: fmt.Sprintf("{{ printf \"%%.0f\" $value }} log records or spans wait, more than %s %% of otlp.outbox_limit. At the limit reading pauses, or they are skipped.", number(p.OutboxShare*100)),
			When:        fmt.Sprintf("more than %s %% of `otlp.outbox_limit` log records or spans wait", number(p.OutboxShare*100)),
			Change:      "`outbox_share`; `otlp.outbox_limit`",
		},
		{
			Alert: "CDRLogRecordsRejected", Severity: warning, Signal: Exporter,
			Doc:         "The OTLP endpoint refused log records or spans while it accepted others: they are set aside and not sent again.",
			Expr:        lines(rejected(metrics.OTLPRecords), "or", rejected(metrics.OTLPSpans)),
			Summary:     "The OTLP endpoint refuses log records or spans of {{ $labels.job }}.",
			Description: "About {{ printf \"%.0f\" $value }} log records or spans were refused within the last hour and are missing from the store. Metrics count their calls all the same. The log of the exporter names each by its uid, or its trace and span id.",
			When:        "the OTLP endpoint has refused a log record or span within the last hour, while accepting others",
			Change:      "the window of `increase`",
		},
	}}
}

// nearLimit is where a queue of the outbox is nearly full.
func (p *Parameters) nearLimit(waiting *metrics.Def) string {
	return fmt.Sprintf("max by (job) (max_over_time(%s[5m])) > %s * (min by (job) (last_over_time(%s[5m])) > 0)", waiting.Name, number(p.OutboxShare), metrics.OutboxLimit.Name)
}

// rejected is how many records were refused within the last hour, where some were.
func rejected(records *metrics.Def) string {
	return grown("job", sel(records, is("result", "rejected")), w1h)
}

// down are exporters that don't answer: those ("and") or all but those ("unless") of whose feeds another one reads some now.
func down(taken string) string {
	return lines(
		fmt.Sprintf("(up{%s} == 0 or (up == 0 and on (%s) last_over_time(%s[1w])))", is("job", job), byInstance, buildInfo),
		fmt.Sprintf("%s on (%s) (", taken, byInstance),
		fmt.Sprintf("  last_over_time(%s[1w]) and on (%s) %s == 1", metrics.FeedOwned.Name, byFeed.labels(), metrics.FeedOwned.Name),
		")")
}

// job is the name of the scrape job in docs/prometheus.md. An exporter that has ever answered is known without it.
const job = "cdr-exporter"

// absent is about what was there within a day and isn't now, by some labels: also what pushes by OTLP and has no up.
func absent(series, by, present string) string {
	return fmt.Sprintf("group by (%s) (present_over_time(%s[1d]))\nunless on (%s) group by (%s) (present_over_time(%s[10m]))", by, series, present, present, series)
}

// buildInfo isn't in the catalogue: the library for versions makes it (contract 3).
const buildInfo = "cdr_exporter_build_info"
