package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// cost answers: what do calls cost, where to, and where is the month heading?
func cost() *board {
	b := newBoard("cost", "Cost", "Money by currency, component, country and type of call. Amounts are never added across currencies; XXX is a currency that the provider doesn't name.", "now-7d")
	b.chooseExporter()
	b.chooseCalls()
	b.chooseFeed()
	b.costNumbers()
	b.row("Charges")
	b.costCharges()
	b.row("Countries")
	b.costCountries()
	b.row("Corrections")
	b.costCorrections()
	return b
}

// net is charges plus debits minus credits, also of a currency that has only one of
// them in the time shown.
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

// thisMonth is a panel's own time: the month so far, whatever the dashboard shows.
const thisMonth = "now/M"

func (b *board) costNumbers() {
	currencies := by("currency")
	monthly := b.net(b.total, currencies)
	b.add(6, 5, money(b.number(text{"Month to date", "Charges and corrections since the month began, by currency, whatever time the dashboard shows."}, monthly)).
		TimeFrom(thisMonth))
	projected := monthly
	projected.expr = fmt.Sprintf("(%s)\n* scalar(days_in_month()) * 86400 / $__range_s", monthly.expr)
	b.add(6, 5, money(b.number(text{"Projection of the month", "What the month comes to if it goes on as it began: the month to date by days elapsed. Days of one week aren't alike, so trust it from the second week on."}, projected)).
		TimeFrom(thisMonth))
	b.add(6, 5, money(b.number(text{"Net in the time shown", "Charges plus debits minus credits, by currency."}, b.net(b.total, currencies))))
	minutes := b.total(metrics.ConnectedSeconds, nil)
	minutes.expr += " / 60"
	minutes.unit = units.Minutes
	b.add(6, 5, b.number(text{"Connected time", "Connected time of all calls in the time shown."}, minutes).ColorScheme(fixed("blue")))
}

// money sets a panel that shows several currencies.
func money(p *stat.PanelBuilder) *stat.PanelBuilder { return p.Decimals(2).ColorScheme(fixed("blue")) }

func (b *board) costCharges() {
	b.add(12, 8, b.series(text{"Charges by component", "Money per hour by currency and component: usage, connection, forwarding; of RingCentral what is included and what is purchased."},
		b.flow(metrics.CallCharges, by("currency", "component"))).Decimals(2))
	b.add(12, 8, b.series(text{"Charges by source", "Money per hour by currency and source."},
		b.flow(metrics.CallCharges, by("currency", "source", "provider"))).Decimals(2))
	types := top(10, b.flow(metrics.CallCharges, by("currency", "call_type")))
	b.add(12, 8, b.series(text{"Charges by type of call", "The ten dearest types in the provider's own words, money per hour."}, types).Decimals(2))
	b.add(12, 8, b.series(text{"Charges by direction", "Money per hour by currency and direction. Inbound charges are toll-free numbers and forwarding."},
		b.flow(metrics.CallCharges, by("currency", "direction"))).Decimals(2))
	keep := by("currency", "source", "component", "call_type")
	p := b.table(text{"Charges in the time shown", "By currency, source, component and type of call, without corrections."}, nonzero(b.total(metrics.CallCharges, keep)).as("Charges"))
	b.add(24, 8, p.OverrideByName("Charges", properties{property("decimals", 2)}))
}

func (b *board) costCountries() {
	charges := top(10, b.flow(metrics.CallCharges, by("currency", "country")))
	b.add(12, 8, b.series(text{"Charges by country", "The ten dearest countries of the other party, money per hour. A country that is new here and dear can be fraud. 001: codes that no country has."}, charges).Decimals(2))
	minutes := top(10, b.flow(metrics.ConnectedSeconds, by("country")))
	b.add(12, 8, b.stacked(text{"Calls at once by country", "Erlang: connected seconds per second, the ten busiest countries of the other party."}, minutes).Decimals(1))
	b.add(24, 8, b.series(text{"Connected calls by country", "The ten countries with most calls, outbound and inbound. Many short calls to a country that is new here can be fraud."},
		top(10, b.flow(metrics.CallsByCountry, by("direction", "country")))))
	amount := b.total(metrics.CallCharges, by("currency", "country"))
	perMinute := query{
		expr: fmt.Sprintf("60 * %s\n/ on (country) group_left () (%s > 0)", amount.expr, b.total(metrics.ConnectedSeconds, by("country")).expr),
		unit: unitMoney, by: amount.by,
	}
	p := b.table(text{"Countries", "Money in the time shown, and what a connected minute cost on average, by country of the other party. A click on an amount leads to the calls."},
		amount.as("Charges"), perMinute.as("Per minute"))
	p.OverrideByName("Charges", properties{property("decimals", 2), b.rowToCalls(amount)})
	b.add(24, 9, p.OverrideByName("Per minute", properties{property("decimals", 4)}))
}

func (b *board) costCorrections() {
	keep := by("currency", "sign")
	b.add(12, 8, b.series(text{"Corrections", "Later changes of charges, money per hour: debit costs more, credit costs less."},
		b.orNone(b.flow(metrics.ChargeCorrections, keep)).as("{{currency}} {{sign}}")).Decimals(2))
	all := by("currency", "source", "sign", "component")
	p := b.table(text{"Corrections in the time shown", "Later changes of charges by currency, source, sign and component."},
		b.orNone(b.total(metrics.ChargeCorrections, all)).as("Corrections"))
	b.add(12, 8, p.OverrideByName("Corrections", properties{property("decimals", 2)}))
}
