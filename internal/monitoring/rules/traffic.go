package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// shortSeconds is how long calls last on average when Microsoft calls it alarming; shortFloor is of how many calls.
	shortSeconds, shortFloor = 15, 30
	// fallFactor is the part of last week's duration below which calls have become short; fallFloor is of how many
	// calls.
	fallFactor, fallFloor = 0.5, 50
)

func (p *Parameters) trafficAlerts() Group {
	return Group{
		Name: "cdr-traffic", Doc: "How many calls there are, and how long they last.",
		Dashboard: "overview", Rules: []Rule{
			{
				Alert: "CDRNoCalls", Severity: warning, Signal: Calls, For: 10 * time.Minute,
				Doc: "Hardly any calls in an hour that always has some, although the feed is read. Calls may take " +
					"another trunk: its line may be down all the same.",
				Expr:    times("3600", anyOf(p.silent(trunkCalls), p.silent(callsHourly)), isLive(live65m)),
				Summary: where + " has hardly any calls.",
				Description: fmt.Sprintf("{{ printf \"%%.0f\" $value }} calls appeared within the last hour. In the "+
					"earlier weeks this hour had %d or more. "+
					"Is the SBC up, and do voice routes still lead to it? Call its operator.", p.QuietFloor),
				When: fmt.Sprintf("a feed or trunk has at most a fiftieth of last week's calls, in an hour that had "+
					"%d "+
					"or more in each of the last three weeks",
					p.QuietFloor),
				Change: "`quiet_floor`",
			},
			{
				Alert: "CDRShortCalls", Severity: warning, Signal: Calls, For: 10 * time.Minute,
				Doc: "The average call is alarmingly short by Microsoft's measure, or much shorter than a week ago: " +
					"one-way audio, dropped calls, or robots.",
				Expr: lines(anyOf(
					lines(fmt.Sprintf("%s < %d", trunkACD, shortSeconds),
						"and "+atLeast(shortFloor, trunkConnected, w1h)),
					lines(fmt.Sprintf("%s < %s * (%s offset 1w)", trunkACD, number(fallFactor), trunkACD),
						"and "+atLeast(fallFloor, trunkConnected, w1h),
						"and "+atLeast(fallFloor, trunkConnected+" offset 1w", w1h)),
				), isLive(live65m)),
				Summary: "Calls of " + where + " are short.",
				Description: "Connected calls of the last hour lasted {{ $value | humanizeDuration }} on average. 4 " +
					"to 5 minutes are normal, 15 seconds are alarming.",
				When: fmt.Sprintf("connected calls of an hour last less than %d s on average (of %d or more), or less "+
					"than %s %% of a week ago (of %d or more)",
					shortSeconds, shortFloor, number(fallFactor*100), fallFloor),
			},
		},
	}
}

// silent holds for a feed or trunk with hardly any calls in an hour that always had some, by the same hour of the
// last three weeks; weeks without data don't count. The hours before and after it last week must have had calls too:
// when clocks change, the working day moves by an hour of UTC.
func (p *Parameters) silent(record string) string {
	return lines(fmt.Sprintf("%s <= 0.02 * (%s offset 1w)", record, record),
		// Hours of calls that were caught up on within minutes then aren't usual.
		byFeed.and("%s offset 1w == 1", liveName(live65m)),
		"and "+atLeast(p.QuietFloor, "min_over_time("+record+"[2h] offset 167h)", w1h),
		fmt.Sprintf("unless round(%s offset 2w * 3600) < %d", record, p.QuietFloor),
		fmt.Sprintf("unless round(%s offset 3w * 3600) < %d", record, p.QuietFloor))
}

const (
	// chargeDayShare is the part of the most expensive day of last week that an hour must cost.
	chargeDayShare = 0.1
	// minutesFactor times the usual minutes, and minutesMore, of minutesCalls or more, are a surge.
	minutesFactor, minutesMore, minutesCalls = 5, 60, 5
)

// moneyAlerts are about what calls cost: toll fraud shows here first.
func (p *Parameters) moneyAlerts() Group {
	return Group{Name: "cdr-money", Doc: "What calls cost: toll fraud shows here.", Dashboard: "cost", Rules: []Rule{
		{
			Alert: "CDRChargesSurging", Severity: warning, Signal: Calls, For: 5 * time.Minute,
			Doc: "Charges against the same hours of the last four weeks and the most expensive day of the last, each " +
				"currency by itself.",
			Expr: times("3600",
				aboveEarlierWeeks(chargesHourly, p.ChargeFactor, ""),
				fmt.Sprintf("and %s * 3600 >= %s * 86400 * max_over_time(%s[1w] offset 1h)", chargesHourly,
					number(chargeDayShare), chargesDaily),
				p.chargeFloors(), knownBefore("1w"), isLive(live65m),
			),
			Summary: "Charges of {{ $labels.source }} surge ({{ $labels.feed }}).",
			Description: fmt.Sprintf("{{ printf \"%%.2f\" $value }} {{ $labels.currency }} were charged for calls "+
				"that were read within the last hour, more than %d times as much as around this time in the last "+
				"four weeks.",
				p.ChargeFactor),
			When: fmt.Sprintf("more than %d times the charges of the same hours of the last four weeks, %s %% of "+
				"the most expensive day of the last week or more, and the currency's floor",
				p.ChargeFactor, number(chargeDayShare*100)),
			Change: "`charge_factor`, `charge_floors`",
		},
		{
			Alert: "CDRMinutesSurging", Severity: warning, Signal: Calls, For: 5 * time.Minute,
			Doc: "Connected time of several outbound calls to one country against the same hours of the last four " +
				"weeks.",
			Expr: times("60",
				aboveEarlierWeeks(minutesHourly, minutesFactor, fmt.Sprintf(" + %d / 60", minutesMore)),
				byCountry.and("%s", atLeast(minutesCalls, countryCalls, w1h)),
				knownBefore("1w"), isLive(live65m),
			),
			Summary: "Minutes from {{ $labels.source }} to {{ $labels.country }} surge ({{ $labels.feed }}).",
			Description: fmt.Sprintf("Outbound calls to {{ $labels.country }} that were read within the last hour "+
				"lasted {{ printf \"%%.0f\" $value }} minutes, more than %d times those around this time in the "+
				"last four weeks.",
				minutesFactor),
			When: fmt.Sprintf("outbound minutes to a country within an hour more than %d times as many as in the same "+
				"hours of the last four weeks, and %d minutes more, of at least %d calls",
				minutesFactor, minutesMore, minutesCalls),
		},
	}}
}

// chargeFloors asks for the least amount of each currency: 20 JPY is not 20 USD. A currency without one is compared
// with itself alone.
func (p *Parameters) chargeFloors() string {
	currencies, byFloor := slices.Sorted(maps.Keys(p.ChargeFloors)), make(map[float64][]string)
	for _, c := range currencies {
		byFloor[p.ChargeFloors[c]] = append(byFloor[p.ChargeFloors[c]], c)
	}
	alternatives := []string{chargesHourly + "{" + not("currency", strings.Join(currencies, "|")) + "}"}
	for _, floor := range slices.Sorted(maps.Keys(byFloor)) {
		alternatives = append(alternatives, fmt.Sprintf("%s{%s} * 3600 >= %s", chargesHourly, matches("currency",
			strings.Join(byFloor[floor], "|")), number(floor)))
	}
	return "and (" + strings.Join(alternatives, " or ") + ")"
}
