package rules

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// webhookAlerts are about a provider's notifications. Polling finds every call without it, only later.
func (p *Parameters) webhookAlerts() Group {
	newest := fmt.Sprintf("max by (source) (max_over_time(%s[5m]))", sel(metrics.NewestCall, inFeeds(streamFeeds)))
	earlier := fmt.Sprintf("max by (source) (max_over_time(%s[5m] offset 2h))", sel(metrics.NewestCall, inFeeds(streamFeeds)))
	last := fmt.Sprintf("max by (source) (max_over_time(%s[5m]))", metrics.SubscriptionLastNotification.Name)
	return Group{Name: "cdr-webhooks", Doc: "Notifications and credentials.", Dashboard: "exporter", Rules: []Rule{
		{
			// The gauge goes when there is no subscription, which a missed scrape would look like.
			Alert: "CDRSubscriptionLost", Severity: warning, Signal: Exporter, For: 2 * time.Minute,
			Doc: "A source that has a webhook has no subscription, or one that has ended. Fires within ten minutes.",
			Expr: lines(
				fmt.Sprintf("sum by (source) (last_over_time(%s[5m]))", sel(metrics.Notifications, is("result", "accepted"))),
				fmt.Sprintf("unless on (source) (max by (source) (max_over_time(%s[5m])) > time())", metrics.SubscriptionExpiry.Name),
			),
			Summary:     "{{ $labels.source }} has no subscription to notifications.",
			Description: "After {{ $value }} accepted notifications since its start the exporter has no valid subscription. Polling still finds every call, later.",
			When:        "a source with a webhook has had no valid subscription for 5 minutes",
			Change:      "`for` of the alert",
		},
		{
			// A green subscription proves nothing; calls that only polling found do. Without any notification the calls of two hours tell.
			Alert: "CDRSubscriptionSilent", Severity: warning, Signal: Exporter, For: 15 * time.Minute,
			Doc: "There is a subscription, but polling finds calls that no notification named.",
			Expr: lines(
				fmt.Sprintf("(%s - on (source) %s > %d)", newest, last, p.SilentSeconds),
				fmt.Sprintf("or (%s - on (source) (%s > 0) > 0", newest, earlier),
				fmt.Sprintf("  and on (source) max by (source) (max_over_time(%s[5m] offset 2h))", metrics.SubscriptionExpiry.Name),
				fmt.Sprintf("  unless on (source) %s)", last),
			),
			Summary:     "{{ $labels.source }} gets no notifications of its calls any more.",
			Description: "Polling has found calls of {{ $value | humanizeDuration }} that no notification named. Nothing is lost, but calls are counted later.",
			When:        fmt.Sprintf("the newest call that polling found began more than %d hours after the last notification; or none ever came for 2 hours with calls", p.SilentSeconds/3600),
			Change:      "`silent_seconds`",
		},
		expiring("CDRCredentialExpiring", warning, p.ExpiringDays, p.ExpiringSoonDays),
		expiring("CDRCredentialExpiringSoon", critical, p.ExpiringSoonDays, 0),
	}}
}

// expiring: a certificate or token ends within so many days, and not within fewer, which another alert covers.
func expiring(name, severity string, days, fewer int) Rule {
	left := fmt.Sprintf("min by (source) (max_over_time(%s[15m])) - time()", metrics.CredentialExpiry.Name)
	expr := fmt.Sprintf("%s < %d * 86400", left, days)
	if fewer > 0 {
		expr = lines(expr, fmt.Sprintf("and %s >= %d * 86400", left, fewer))
	}
	return Rule{
		Alert: name, Severity: severity, Signal: Exporter,
		Doc:         fmt.Sprintf("The certificate or token that a source signs in with ends within %d days.", days),
		Expr:        expr,
		Summary:     "The credential of {{ $labels.source }} expires soon.",
		Description: "The certificate or token of {{ $labels.source }} {{ if lt $value 0.0 }}has expired{{ else }}expires in {{ $value | humanizeDuration }}{{ end }}. Then none of its feeds can be read.",
		When:        fmt.Sprintf("a certificate or token ends within %d days", days),
		Change:      "`expiring_days`, `expiring_soon_days`",
	}
}
