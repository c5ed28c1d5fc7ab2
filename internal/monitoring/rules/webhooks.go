package rules

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// webhookAlerts are about a provider's notifications. Polling finds every call without it, only later.
func (p *Parameters) webhookAlerts() Group {
	newestCall, expiry := sel(metrics.NewestCall, inFeeds(streamFeeds)), metrics.SubscriptionExpiry.Name
	newest, earlier := bySource.highest(newestCall, "[5m]"), bySource.highest(newestCall, "[5m] offset 2h")
	// Polling may find a call before its notification comes, for instance the first one after a quiet night.
	known := bySource.highest(newestCall, fmt.Sprintf("[5m] offset %dm", notifiedWithin))
	// A process doesn't know when the one before it was last notified.
	last := bySource.highest(metrics.SubscriptionLastNotification.Name, "[2h]")
	subscribed := bySource.highest(expiry, "[5m]")
	lost := lines(
		fmt.Sprintf("sum by (source) (last_over_time(%s[5m]))", sel(metrics.Notifications, is("result", "accepted"))),
		// The gauge disappears without a subscription; a missed scrape would look the same.
		fmt.Sprintf("unless on (source) (%s > time())", subscribed),
	)
	// A green subscription proves nothing; calls that only polling found do. Without any notification the calls of
	// two hours tell.
	silent := lines(
		fmt.Sprintf("(%s - on (source) %s > %d and on (source) (%s - on (source) %s > %d)", newest, last, silentSeconds,
			known, last, silentSeconds),
		fmt.Sprintf("  and on (source) %s)", subscribed),
		fmt.Sprintf("or (%s - on (source) (%s > 0) > 0 and on (source) (%s - on (source) %s > 0)", newest, earlier,
			known, earlier),
		"  and on (source) "+bySource.highest(expiry, "[5m] offset 2h"),
		fmt.Sprintf("  unless on (source) %s)", last),
	)
	left := fmt.Sprintf("min by (source) (max_over_time(%s[15m])) - time()", metrics.CredentialExpiry.Name)
	return Group{Name: "cdr-webhooks", Doc: "Notifications and credentials.", Dashboard: "exporter", Rules: []Rule{
		{
			Alert: "CDRSubscriptionLost", Severity: warning, Signal: Exporter, For: 2 * time.Minute,
			Doc: "A source with a webhook has no subscription, or one that has ended, or polling finds calls " +
				"that no notification named.",
			Expr:    anyOf("0 * "+lost, silent),
			Summary: "{{ $labels.source }} gets no notifications of its calls any more.",
			Description: "{{ if $value }}Polling has found calls of {{ $value | humanizeDuration }} that no " +
				"notification named." +
				"{{ else }}It has no valid subscription.{{ end }} Polling still finds every call, later.",
			When: fmt.Sprintf("a source with a webhook has had no valid subscription for 5 minutes; or calls that "+
				"began %d hours after the last notification were found by polling at least %d minutes ago",
				silentSeconds/3600, notifiedWithin),
		},
		{
			Alert: "CDRCredentialExpiringSoon", Severity: critical, Signal: Exporter, Milder: warning,
			MilderIf: fmt.Sprintf("ge $value %d.0", criticalDays*86400),
			Doc:      "The certificate or token that a source signs in with ends soon.",
			Expr:     fmt.Sprintf("%s < %d * 86400", left, p.ExpiringDays),
			Summary:  "The credential of {{ $labels.source }} expires soon.",
			Description: "The certificate or token of {{ $labels.source }} {{ if lt $value 0.0 }}has expired{{ else " +
				"}}expires in {{ $value | humanizeDuration }}{{ end }}. Then none of its feeds can be read.",
			When: fmt.Sprintf("a certificate or token ends within %d days; critical within %d",
				p.ExpiringDays, criticalDays),
			Change: "`expiring_days`",
		},
	}}
}

const (
	// silentSeconds is how much newer the newest call may be than the last notification.
	silentSeconds = 7200
	// notifiedWithin is how many minutes after polling has found a call its notification may come.
	notifiedWithin = 30
	// criticalDays before a credential ends somebody must look now.
	criticalDays = 7
)
