package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/stat"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// cost answers: what do calls cost, where to, and where is the month heading?
func cost(with *rules.Parameters) *board {
	b := newBoard(with, "cost", "Cost", "What do calls cost, where to, and where is the month heading? Amounts are "+
		"never added across currencies; XXX is a currency that the provider doesn't name.", "now-7d")
	b.chooseExporter()
	b.chooseCalls()
	b.chooseFeed()
	b.chooseLabels()
	currencies := by("currency")
	monthly := b.net(b.total, currencies)
	b.add(12, 5, money(b.number(text{"Month to date", "Charges and corrections since the month began, by currency, " +
		"at any time range of the dashboard."}, monthly)).
		TimeFrom(thisMonth))
	projected := monthly
	projected.expr = fmt.Sprintf("(%s)\n* scalar(days_in_month()) * 86400 / $__range_s", monthly.expr)
	b.add(12, 5, money(b.number(text{"Projection of the month", "The month's cost if it goes on as it began: " +
		"the month to date by days elapsed. Days of one week aren't alike, so trust it from the second week " +
		"on."}, projected)).
		TimeFrom(thisMonth))

	b.months()

	b.row("Charges")
	b.add(24, 8, b.series(text{"Charges by component", "Charges and corrections by currency and component: usage, " +
		"connection, forwarding; for RingCentral included and purchased."},
		b.net(b.flow, by("currency", "component"))).Decimals(2))

	b.row("Countries")
	charges := top(10, b.net(b.flow, by("currency", "country")))
	b.add(12, 8, b.series(text{"Charges by country", "The ten countries that cost most, by the other party's " +
		"number. A new and expensive country can be fraud. 001: codes that no country has."},
		charges).Decimals(2))
	b.add(12, 8, b.series(text{"Connected calls by country", "The ten countries with most calls, outbound and " +
		"inbound. Many short calls to a country that is new here can be fraud."},
		top(10, b.flow(metrics.CallsByCountry, by("direction", "country"), is("connected", "true")))))
	amount := b.net(b.total, by("source", "feed", "currency", "country"))
	b.add(24, 9, b.table(text{"Countries", "Charges and corrections in the time shown, and the average price of a " +
		"connected minute of the same feed, by country of the other party. If a feed charges in several currencies, " +
		"the minutes of each aren't known. A click on an amount leads to the calls."},
		amount.as("Charges"), b.perMinute(amount).as("Per minute")).
		OverrideByName("Charges", properties{decimals(2), b.rowTo(callsBehind, amount)}).
		OverrideByName("Per minute", properties{decimals(4)}))

	b.row("Corrections")
	b.add(24, 8, b.table(text{"Corrections in the time shown", "Later changes of charges by currency, source, sign " +
		"and component."},
		b.orNone(b.total(metrics.ChargeCorrections, by("currency", "source", "sign", "component"))).as("Corrections")).
		OverrideByName("Corrections", properties{decimals(2)}))
	return b
}

// perMinute is what a connected minute cost: of the feeds that charge, and charge in one currency, since minutes
// have none.
func (b *board) perMinute(amount query) query {
	minutes := b.total(metrics.ConnectedSeconds, by("source", "feed", "country")).expr
	several := fmt.Sprintf("count by (source, feed) (%s) > 1", b.net(b.total, by("source", "feed", "currency")).expr)
	return query{
		expr: fmt.Sprintf("60 * (%s)\n/ on (source, feed, country) group_left () (%s > 0)\nunless on (source, feed) "+
			"(%s)", amount.expr, minutes, several),
		unit: unitMoney, by: amount.by,
	}
}

// net is charges plus debits minus credits, also of a currency that has only one of them in the time shown.
func (b *board) net(how ask, keep []string) query {
	q := how(metrics.CallCharges, keep)
	charges, corrections := q.expr, how(metrics.ChargeCorrections, keep).expr
	orNothing := func(expr string) string {
		return fmt.Sprintf("(%s or 0 * %s or 0 * %s)", expr, charges, corrections)
	}
	signed := func(sign string) string {
		return orNothing(how(metrics.ChargeCorrections, keep, is("sign", sign)).expr)
	}
	q.expr = fmt.Sprintf("%s\n+ %s\n- %s", orNothing(charges), signed("debit"), signed("credit"))
	return q
}

// thisMonth is a panel's own time range: the current month, at any range of the dashboard.
const thisMonth = "now/M"

// money sets a panel that shows several currencies.
func money(p *stat.PanelBuilder) *stat.PanelBuilder { return p.Decimals(2).ColorScheme(fixed("blue")) }
