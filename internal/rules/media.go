package rules

import (
	"fmt"
	"time"
)

func (p *Parameters) mediaAlerts() Group {
	audio := "{" + is("media", "audio") + "}"
	return Group{Name: "cdr-media", Doc: "Where media went, and how good it was.", Dashboard: "quality", Rules: []Rule{
		{
			Alert: "CDRSessionsFail", Severity: warning, Signal: Calls, For: 5 * time.Minute, Keep: keep,
			Doc: "More Teams sessions fail at set-up, or drop in mid-call, than in the same hour of earlier weeks; without history none is usual.",
			Expr: lines(
				aboveEarlierWeeks(failedSessions, p.SessionFactor, ""),
				fmt.Sprintf("and %s > %s", failedSessions, number(p.SessionShare)),
				fmt.Sprintf("and round(%s * on (%s) group_left () %s * 3600) >= %d", failedSessions, byFeed.labels(), sessions1h, p.SessionFloor),
				isLive(live65m),
			),
			Summary:     "Sessions of {{ $labels.source }} {{ if eq $labels.result \"dropped\" }}drop{{ else }}fail at set-up{{ end }} ({{ $labels.feed }}).",
			Description: "{{ $value | humanizePercentage }} of the sessions of the last hour {{ if eq $labels.result \"dropped\" }}ended in mid-call: look at networks and clients{{ else }}failed at set-up: look at the provider's health page first{{ end }}.",
			When:        fmt.Sprintf("more than %s %% of the sessions of an hour fail at set-up, or drop, more than %d times the share around this time in the last four weeks, and %d or more", number(p.SessionShare*100), p.SessionFactor, p.SessionFloor),
			Change:      "`session_share`, `session_factor`, `session_floor`",
		},
		{
			Alert: "CDRMediaBypassDropped", Severity: warning, Signal: Calls, For: 15 * time.Minute,
			Doc: "Fewer calls bypass the media processors than the day before. What streams did (call_records) goes before the trunk's setting (direct_routing).",
			Expr: lines(
				fmt.Sprintf("%s < (%s offset 1h) - %s", bypass1h, bypass1d, number(p.BypassDrop)),
				fmt.Sprintf("and round(%s * 3600) >= %d", bypassCalls1h, p.BypassFloor),
				fmt.Sprintf("unless (%s{%s} and on (source) %s{%s})",
					bypass1h, notInFeeds(streamFeeds), bypass1h, inFeeds(streamFeeds)),
				isLive(live65m),
			),
			Summary:     "Media bypass of " + where + " has dropped.",
			Description: fmt.Sprintf("Media bypassed the provider's processors in {{ $value | humanizePercentage }} of the calls of the last hour, more than %s points less than in the day before.", number(p.BypassDrop*100)),
			When:        fmt.Sprintf("share of calls with media bypass over an hour more than %s points below the day before, of at least %d calls", number(p.BypassDrop*100), p.BypassFloor),
			Change:      "`bypass_drop`, `bypass_floor`",
		},
		{
			Alert: "CDRQualityPoor", Severity: warning, Signal: Calls, For: 15 * time.Minute,
			Doc: "Many audio streams are poor by the published classification, which judges the network, not what people heard.",
			Expr: lines(
				fmt.Sprintf("%s%s > %s", poor1h, audio, number(p.PoorShare)),
				fmt.Sprintf("and round(%s%s * 3600) >= %d", classified1h, audio, p.PoorFloor),
				isLive(live65m),
			),
			Summary:     "Audio of {{ $labels.source }} is poor ({{ $labels.feed }}).",
			Description: "{{ $value | humanizePercentage }} of the audio streams of the last hour's records that could be classified were poor.",
			When:        fmt.Sprintf("more than %s %% of at least %d classified audio streams within an hour are poor", number(p.PoorShare*100), p.PoorFloor),
			Change:      "`poor_share`, `poor_floor`",
		},
	}}
}
