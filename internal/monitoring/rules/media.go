package rules

import (
	"fmt"
	"time"
)

const (
	// sessionShare of an hour's sessions, sessionFactor times the usual share, and sessionFloor or more are too
	// many that fail.
	sessionShare, sessionFactor, sessionFloor = 0.1, 3, 20
	// poorFloor is of how many classified streams a share that is poor means something.
	poorFloor = 50
)

func (p *Parameters) mediaAlerts() Group {
	audio := "{" + is("media", "audio") + "}"
	return Group{Name: "cdr-media", Doc: "Where media went, and how good it was.", Dashboard: "quality", Rules: []Rule{
		{
			Alert: "CDRSessionsFail", Severity: warning, Signal: Calls, For: 5 * time.Minute, Keep: keep,
			Doc: "More Teams sessions fail at set-up, or drop in mid-call, than in the same hour of earlier weeks; " +
				"without history none is usual.",
			Expr: lines(
				aboveEarlierWeeks(failedSessions, sessionFactor, ""),
				fmt.Sprintf("and %s > %s", failedSessions, number(sessionShare)),
				"and "+atLeast(sessionFloor, fmt.Sprintf("%s * on (%s) group_left () %s", failedSessions,
					byFeed.labels(), sessions1h), w1h),
				isLive(live65m),
			),
			Summary: "Sessions of {{ $labels.source }} {{ if eq $labels.result \"dropped\" }}drop{{ else }}fail " +
				"at set-up{{ end }} ({{ $labels.feed }}).",
			Description: "{{ $value | humanizePercentage }} of the sessions of the last hour {{ if eq " +
				"$labels.result \"dropped\" }}ended in mid-call: look at networks and clients{{ else }}failed at " +
				"set-up: look at the provider's health page first{{ end }}.",
			When: fmt.Sprintf("more than %s %% of the sessions of an hour fail at set-up, or drop, more than "+
				"%d times the share around this time in the last four weeks, and %d or "+
				"more", number(sessionShare*100), sessionFactor, sessionFloor),
		},
		{
			Alert: "CDRQualityPoor", Severity: warning, Signal: Calls, For: 15 * time.Minute,
			Doc: "Many audio streams are poor by the published classification, which judges the network, not what " +
				"people heard.",
			Expr: lines(
				fmt.Sprintf("%s%s > %s", poor1h, audio, number(p.PoorShare)),
				"and "+atLeast(poorFloor, classified1h+audio, w1h),
				isLive(live65m),
				byFeed.unless("(%s)", mostlyLate()),
			),
			Summary: "Audio of {{ $labels.source }} is poor ({{ $labels.feed }}).",
			Description: "{{ $value | humanizePercentage }} of the audio streams of the last hour's records that " +
				"could be classified were poor.",
			When: fmt.Sprintf("more than %s %% of at least %d classified audio streams within an hour are "+
				"poor, unless most of %d or more records of the hour are late", number(p.PoorShare*100), poorFloor,
				lateFloor),
			Change: "`poor_share`",
		},
	}}
}
