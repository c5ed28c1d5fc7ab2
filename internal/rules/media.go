package rules

import (
	"fmt"
	"time"
)

// mediaAlerts are about where media went and how good it was.
func mediaAlerts() Group {
	audio := "{" + is("media", "audio") + "}"
	return Group{Name: "cdr-media", Doc: "Where media went, and how good it was.", Rules: []Rule{
		{
			Alert: "CDRMediaBypassDropped", Severity: warning, Signal: Calls, For: 15 * time.Minute,
			Doc: "Fewer calls bypass the media processors than the day before. What streams did (call_records) goes before the trunk's setting (direct_routing).",
			Expr: lines(
				fmt.Sprintf("%s < (%s offset 1h) - %s", bypass1h, bypass1d, number(bypassDrop)),
				fmt.Sprintf("and round(%s * 3600) >= %d", bypassCalls1h, bypassFloor),
				fmt.Sprintf("unless (%s{%s} and on (source) %s{%s})",
					bypass1h, notInFeeds(streamFeeds), bypass1h, inFeeds(streamFeeds)),
				isLive(live65m),
			),
			Summary:     "Media bypass of " + where + " has dropped.",
			Description: fmt.Sprintf("Media bypassed the provider's processors in {{ $value | humanizePercentage }} of the calls of the last hour, more than %s points less than in the day before.", number(bypassDrop*100)),
			When:        fmt.Sprintf("share of calls with media bypass over an hour more than %s points below the day before, of at least %d calls", number(bypassDrop*100), bypassFloor),
			Change:      "`bypassDrop`, `bypassFloor`",
		},
		{
			Alert: "CDRQualityPoor", Severity: warning, Signal: Calls, For: 15 * time.Minute,
			Doc: "Many audio streams are poor by the published classification, which tells of the network, not of what people heard.",
			Expr: lines(
				fmt.Sprintf("%s%s > %s", poor1h, audio, number(poorShare)),
				fmt.Sprintf("and round(%s%s * 3600) >= %d", classified1h, audio, poorFloor),
				isLive(live65m),
			),
			Summary:     "Audio of {{ $labels.source }} is poor ({{ $labels.feed }}).",
			Description: "{{ $value | humanizePercentage }} of the audio streams of the last hour's records that could be classified were poor.",
			When:        fmt.Sprintf("more than %s %% of at least %d classified audio streams within an hour are poor", number(poorShare*100), poorFloor),
			Change:      "`poorShare`, `poorFloor`",
		},
	}}
}
