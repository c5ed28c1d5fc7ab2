package rules

import (
	"fmt"
	"strings"
	"time"
)

// trafficAlerts are about how many calls there are and how long they last.
func trafficAlerts() Group {
	return Group{Name: "cdr-traffic", Doc: "How many calls there are, and how long they last.", Rules: []Rule{
		noCalls(),
		{
			Alert: "CDRShortCalls", Severity: warning, Signal: Calls, For: 10 * time.Minute,
			Doc: "The average call is alarmingly short by Microsoft's measure: one-way audio, dropped calls, or robots.",
			Expr: lines(
				fmt.Sprintf("%s < %d", trunkACD, shortSeconds),
				fmt.Sprintf("and round(%s * 3600) >= %d", trunkConnected, shortFloor),
				isLive(live65m),
			),
			Summary:     "Calls of " + where + " are very short.",
			Description: "Connected calls of the last hour lasted {{ $value | humanizeDuration }} on average. 4 to 5 minutes are normal, 15 seconds are alarming.",
			When:        fmt.Sprintf("average duration below %d s over an hour, of at least %d connected calls", shortSeconds, shortFloor),
			Change:      "`shortSeconds`, `shortFloor`",
		},
		{
			Alert: "CDRDurationFalling", Severity: warning, Signal: Calls, For: 10 * time.Minute,
			Doc: "The average call is much shorter than in the same hour a week ago.",
			Expr: lines(
				fmt.Sprintf("%s < %s * (%s offset 1w)", trunkACD, number(fallFactor), trunkACD),
				fmt.Sprintf("and round(%s * 3600) >= %d", trunkConnected, fallFloor),
				fmt.Sprintf("and round(%s offset 1w * 3600) >= %d", trunkConnected, fallFloor),
				isLive(live65m),
			),
			Summary:     "Calls of " + where + " have become short.",
			Description: fmt.Sprintf("Connected calls of the last hour lasted {{ $value | humanizeDuration }} on average, less than %s %% of the same hour a week ago.", number(fallFactor*100)),
			When:        fmt.Sprintf("average duration over an hour below %s %% of the same hour a week ago, of at least %d connected calls in both", number(fallFactor*100), fallFloor),
			Change:      "`fallFactor`, `fallFloor`",
		},
	}}
}

// noCalls knows an hour that always has calls by the same hour of the last three weeks.
func noCalls() Rule {
	conditions := []string{callsHourly + " == 0"}
	for _, week := range []string{"1w", "2w", "3w"} {
		conditions = append(conditions, fmt.Sprintf("and round(%s offset %s * 3600) >= %d", callsHourly, week, quietFloor))
	}
	return Rule{
		Alert: "CDRNoCalls", Severity: warning, Signal: Calls, For: 10 * time.Minute,
		Doc:         "No calls in an hour that always has some, although the feed is read.",
		Expr:        lines(conditions[0], append(conditions[1:], isLive(live65m))...),
		Summary:     "{{ $labels.source }} has no calls ({{ $labels.feed }}).",
		Description: fmt.Sprintf("{{ $value }} calls appeared within the last hour. In each of the last three weeks this hour had %d or more.", quietFloor),
		When:        fmt.Sprintf("no calls within an hour that had %d or more in each of the last three weeks", quietFloor),
		Change:      "`quietFloor`",
	}
}

// moneyAlerts are about what calls cost: toll fraud shows here first.
func moneyAlerts() Group {
	return Group{Name: "cdr-money", Doc: "What calls cost: toll fraud shows here.", Rules: []Rule{
		{
			Alert: "CDRChargesSurging", Severity: warning, Signal: Calls, For: 5 * time.Minute,
			Doc: "Charges against the same hour a week ago.",
			Expr: perHour(
				aboveLastWeek(chargesHourly, chargeFactor, ""),
				fmt.Sprintf("and %s * 3600 >= %d", chargesHourly, chargeFloor),
				sinceLastWeek(), isLive(live65m),
			),
			Summary: "Charges of {{ $labels.source }} surge ({{ $labels.feed }}).",
			Description: fmt.Sprintf("{{ printf \"%%.2f\" $value }} {{ $labels.currency }} were charged for calls that were read within the last hour, more than %d times as much as in the same hour a week ago.",
				chargeFactor),
			When:   fmt.Sprintf("%d units of a currency or more within an hour, and more than %d times the same hour a week ago", chargeFloor, chargeFactor),
			Change: "`chargeFactor`, `chargeFloor`",
		},
		{
			Alert: "CDRMinutesSurging", Severity: warning, Signal: Calls, For: 5 * time.Minute,
			Doc: "Connected time of outbound calls to one country against the same hour a week ago, an hour of talk more.",
			Expr: strings.Replace(perHour(
				aboveLastWeek(minutesHourly, minutesFactor, fmt.Sprintf(" + %d / 3600", minutesFloor)),
				sinceLastWeek(), isLive(live65m),
			), "* 3600", "* 60", 1),
			Summary: "Minutes from {{ $labels.source }} to {{ $labels.country }} surge ({{ $labels.feed }}).",
			Description: fmt.Sprintf("Outbound calls to {{ $labels.country }} that were read within the last hour lasted {{ printf \"%%.0f\" $value }} minutes, more than %d times those of the same hour a week ago.",
				minutesFactor),
			When:   fmt.Sprintf("outbound minutes to a country within an hour more than %d times those of the same hour a week ago, and %d minutes more", minutesFactor, minutesFloor/60),
			Change: "`minutesFactor`, `minutesFloor`",
		},
	}}
}
