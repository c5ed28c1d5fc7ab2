package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// ChannelLimit is the series that says how many channels a trunk has. It is recorded from trunk_channels; a rule of one's own may record it too.
var ChannelLimit = byTrunk.name("cdr_trunk_channels", "limit")

// channels records the limits of trunk_channels for the trunks that are there, so that they have all labels that are kept.
func (p *Parameters) channels() Group {
	g := Group{Name: "cdr-channels", Doc: "How many channels each trunk has, as trunk_channels says."}
	limits := make([]string, 0, len(p.TrunkChannels))
	for _, trunk := range slices.Sorted(maps.Keys(p.TrunkChannels)) {
		// Names of trunks are compared without case: a feed may lower them.
		peak := sel(metrics.PeakConcurrency, "trunk=~"+strconv.Quote("(?i:"+regexp.QuoteMeta(trunk)+")"))
		limits = append(limits, fmt.Sprintf("0 * max by (%s) (max_over_time(%s[5m])) + %d", byTrunk.labels(), peak, p.TrunkChannels[trunk]))
	}
	if len(limits) > 0 {
		g.Rules = []Rule{{Record: ChannelLimit, Doc: "Channels of a trunk.", Expr: strings.Join(limits, "\nor ")}}
	}
	return g
}

// channelAlert warns before a trunk is full: from then on callers hear busy.
func (p *Parameters) channelAlert() Rule {
	return Rule{
		Alert: "CDRTrunkNearlyFull", Severity: warning, Signal: Calls, For: 10 * time.Minute,
		Doc: "The busiest moment of an hour took most channels of a trunk. Without a limit for the trunk it never fires.",
		Expr: lines(
			fmt.Sprintf("max by (%s) (max_over_time(%s[5m]))", byTrunk.labels(), metrics.PeakConcurrency.Name),
			fmt.Sprintf("/ %s >= %s", ChannelLimit, number(p.ChannelShare)),
			isLive(live65m),
		),
		Summary:     "Trunk {{ $labels.trunk }} of {{ $labels.source }} is nearly full.",
		Description: "At the busiest moment of the last hour that is known completely, {{ $value | humanizePercentage }} of its channels were in use. When all are, callers hear busy. Ask the carrier for more channels, or route calls over another trunk.",
		When:        fmt.Sprintf("%s %% or more of a trunk's channels were in use at once; `trunk_channels` says how many it has", number(p.ChannelShare*100)),
		Change:      "`trunk_channels`, `channel_share`",
	}
}
