package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

func (p *Parameters) trafficAlerts() Group {
	return Group{Name: "cdr-traffic", Doc: "How many calls there are, and how long they last.", Dashboard: "overview", Rules: []Rule{
		p.silence(Rule{
			Alert: "CDRNoCalls", Doc: "No calls in an hour that always has some, although the feed is read.",
			Summary:     "{{ $labels.source }} has no calls ({{ $labels.feed }}).",
			Description: fmt.Sprintf("{{ $value }} calls appeared within the last hour. In the earlier weeks this hour had %d or more.", p.QuietFloor),
			When:        "no calls",
		}, callsHourly, "0"),
		p.silence(Rule{
			Alert: "CDRTrunkSilent", Doc: "A trunk has hardly any calls in an hour that always has some. Calls may take another: its line may be down all the same.",
			Summary: "Trunk {{ $labels.trunk }} of {{ $labels.source }} is silent.",
			Description: fmt.Sprintf("{{ printf \"%%.0f\" $value }} calls went through {{ $labels.trunk }} within the last hour. In the earlier weeks this hour had %d or more. ", p.QuietFloor) +
				"Is the SBC up, and do voice routes still lead to it? Call its operator.",
			When: "hardly any calls (a fiftieth of the week before) through a trunk",
		}, trunkCalls, "0.02"),
		{
			Alert: "CDRShortCalls", Severity: warning, Signal: Calls, For: 10 * time.Minute,
			Doc: "The average call is alarmingly short by Microsoft's measure: one-way audio, dropped calls, or robots.",
			Expr: lines(
				fmt.Sprintf("%s < %d", trunkACD, p.ShortSeconds),
				fmt.Sprintf("and round(%s * 3600) >= %d", trunkConnected, p.ShortFloor),
				isLive(live65m),
			),
			Summary:     "Calls of " + where + " are very short.",
			Description: "Connected calls of the last hour lasted {{ $value | humanizeDuration }} on average. 4 to 5 minutes are normal, 15 seconds are alarming.",
			When:        fmt.Sprintf("average duration below %d s over an hour, of at least %d connected calls", p.ShortSeconds, p.ShortFloor),
			Change:      "`short_seconds`, `short_floor`",
		},
		{
			Alert: "CDRDurationFalling", Severity: warning, Signal: Calls, For: 10 * time.Minute,
			Doc: "The average call is much shorter than in the same hour a week ago.",
			Expr: lines(
				fmt.Sprintf("%s < %s * (%s offset 1w)", trunkACD, number(p.FallFactor), trunkACD),
				fmt.Sprintf("and round(%s * 3600) >= %d", trunkConnected, p.FallFloor),
				fmt.Sprintf("and round(%s offset 1w * 3600) >= %d", trunkConnected, p.FallFloor),
				isLive(live65m),
			),
			Summary:     "Calls of " + where + " have become short.",
			Description: fmt.Sprintf("Connected calls of the last hour lasted {{ $value | humanizeDuration }} on average, less than %s %% of the same hour a week ago.", number(p.FallFactor*100)),
			When:        fmt.Sprintf("average duration over an hour below %s %% of the same hour a week ago, of at least %d connected calls in both", number(p.FallFactor*100), p.FallFloor),
			Change:      "`fall_factor`, `fall_floor`",
		},
	}}
}

// silence knows an hour that always has calls by the same hour of the last three weeks, as far as they are known. The hours before and after it last
// week must have had calls too: when clocks change, the working day moves by an hour of UTC.
func (p *Parameters) silence(r Rule, record, most string) Rule {
	r.Severity, r.Signal, r.For, r.Change = warning, Calls, 10*time.Minute, "`quiet_floor`"
	r.Expr = times("3600", fmt.Sprintf("%s <= %s * (%s offset 1w)", record, most, record),
		fmt.Sprintf("and round(min_over_time(%s[2h] offset 167h) * 3600) >= %d", record, p.QuietFloor),
		fmt.Sprintf("unless round(%s offset 2w * 3600) < %d", record, p.QuietFloor),
		fmt.Sprintf("unless round(%s offset 3w * 3600) < %d", record, p.QuietFloor), isLive(live65m))
	r.When += fmt.Sprintf(" within an hour that had %d or more in each of the last three weeks, as far as they are known, and in the hours before and after it last week", p.QuietFloor)
	return r
}

// moneyAlerts are about what calls cost: toll fraud shows here first.
func (p *Parameters) moneyAlerts() Group {
	risky := sel(metrics.CallsByCountry, outboundConnected, matches("country", strings.Join(p.RiskyCountries, "|")))
	calls30m := fmt.Sprintf("round(sum by (%s) (increase(%s[30m])))", byCountry.labels(), risky)
	fraud := critical
	if len(p.RiskyCountries) == 0 {
		fraud = "off"
	}
	return Group{Name: "cdr-money", Doc: "What calls cost: toll fraud shows here.", Dashboard: "cost", Rules: []Rule{
		{
			Alert: "CDRChargesSurging", Severity: warning, Signal: Calls, For: 5 * time.Minute,
			Doc: "Charges against the same hours of the last four weeks and the dearest day of the last, each currency by itself.",
			Expr: perHour(
				aboveEarlierWeeks(chargesHourly, p.ChargeFactor, ""),
				fmt.Sprintf("and %s * 3600 >= %s * 86400 * max_over_time(%s[1w] offset 1h)", chargesHourly, number(p.ChargeDayShare), chargesDaily),
				p.chargeFloors(), knownBefore("1w"), isLive(live65m),
			),
			Summary: "Charges of {{ $labels.source }} surge ({{ $labels.feed }}).",
			Description: fmt.Sprintf("{{ printf \"%%.2f\" $value }} {{ $labels.currency }} were charged for calls that were read within the last hour, more than %d times as much as around this time in the last four weeks.",
				p.ChargeFactor),
			When: fmt.Sprintf("more than %d times the charges of the same hours of the last four weeks, %s %% of the dearest day of the last week or more, and the currency's floor",
				p.ChargeFactor, number(p.ChargeDayShare*100)),
			Change: "`charge_factor`, `charge_day_share`, `charge_floors`",
		},
		{
			Alert: "CDRMinutesSurging", Severity: warning, Signal: Calls, For: 5 * time.Minute,
			Doc: "Connected time of several outbound calls to one country against the same hours of the last four weeks.",
			Expr: times("60",
				aboveEarlierWeeks(minutesHourly, p.MinutesFactor, fmt.Sprintf(" + %d / 60", p.MinutesFloor)),
				fmt.Sprintf("and on (%s) round(%s * 3600) >= %d", byCountry.labels(), countryCalls, p.MinutesCalls),
				knownBefore("1w"), isLive(live65m),
			),
			Summary: "Minutes from {{ $labels.source }} to {{ $labels.country }} surge ({{ $labels.feed }}).",
			Description: fmt.Sprintf("Outbound calls to {{ $labels.country }} that were read within the last hour lasted {{ printf \"%%.0f\" $value }} minutes, more than %d times those around this time in the last four weeks.",
				p.MinutesFactor),
			When: fmt.Sprintf("outbound minutes to a country within an hour more than %d times those of the same hours of the last four weeks, and %d minutes more, of at least %d calls",
				p.MinutesFactor, p.MinutesFloor, p.MinutesCalls),
			Change: "`minutes_factor`, `minutes_floor`, `minutes_calls`",
		},
		{
			Alert: "CDRTollFraud", Severity: fraud, Signal: Calls, Keep: keep,
			Doc: "Many calls to a country whose premium ranges fraud likes, however short they are.",
			Expr: lines(
				fmt.Sprintf("%s >= %d", calls30m, p.FraudCalls),
				fmt.Sprintf("unless %s <= %d * 3600 * %s offset 1w", calls30m, p.MinutesFactor, countryCalls),
				isLive(live7m),
			),
			Summary: "Many calls from {{ $labels.source }} to {{ $labels.country }}: toll fraud?",
			Description: "{{ $value }} outbound calls to {{ $labels.country }} were read within half an hour, many times those of the same hour a week ago. " +
				"Premium ranges there are often used for fraud: block the country at the provider and on the SBC first, then find the account and its owner.",
			When:   fmt.Sprintf("%d or more connected calls to a risky country within half an hour, and more than %d times those of the same hour a week ago", p.FraudCalls, p.MinutesFactor),
			Change: "`fraud_calls`, `risky_countries`, `minutes_factor`",
		},
	}}
}

// chargeFloors asks for the least amount of each currency: 20 JPY is not 20 USD. A currency without one is compared with itself alone.
func (p *Parameters) chargeFloors() string {
	currencies := slices.Sorted(maps.Keys(p.ChargeFloors))
	alternatives := []string{chargesHourly + "{" + not("currency", strings.Join(currencies, "|")) + "}"}
	for _, c := range currencies {
		alternatives = append(alternatives, fmt.Sprintf("%s{%s} * 3600 >= %s", chargesHourly, is("currency", c), number(p.ChargeFloors[c])))
	}
	return "and (" + strings.Join(alternatives, " or ") + ")"
}
