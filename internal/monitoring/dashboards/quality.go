package dashboards

import (
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// quality answers: do sessions hold, and what do networks do to media?
func quality(with *rules.Parameters) *board {
	b := newBoard(with, "quality", "Quality", "Do sessions hold, and what do networks do to media? Sessions are "+
		"of Teams call records, streams of each system that measures them. Microsoft's published rules judge streams "+
		"by the network, not by what people heard. Streams of Teams count when their record has settled.", "now-24h")
	b.chooseExporter()
	b.chooseCalls()
	for _, label := range b.StreamLabels {
		b.choose(label, heading(label), ".*", "Label of the configuration, by the sender's subnet. It narrows what "+
			"counts and measures media streams.", metrics.MediaStreams)
	}
	setup := share(b.total(metrics.Sessions, nil, is("result", "setup_failed")), b.total(metrics.Sessions, nil))
	b.add(6, 4, b.number(text{"Failed in set-up", "Share of sessions that never got through."},
		setup).Decimals(1).Thresholds(above(0.02, 0.05)))
	dropped := share(b.total(metrics.Sessions, nil, is("result", "dropped")), b.total(metrics.Sessions, nil))
	b.add(6, 4, b.number(text{"Dropped", "Share of sessions that failed in mid-call."},
		dropped).Decimals(1).Thresholds(above(0.01, 0.03)))
	b.add(6, 4, b.number(text{"Poor audio", "Share of poor streams among judged audio streams."}, b.poor(b.total, nil,
		audio())).
		Decimals(1).Thresholds(above(0.03, 0.1)))
	unknown := share(b.total(metrics.MediaStreams, nil, is("verdict", "unclassified")),
		b.total(metrics.MediaStreams, nil))
	b.add(6, 4, b.number(text{"Not judged", "Share of streams without the measurements that the rules need: short " +
		"or muted calls, clients without a report, systems that give only a mean opinion score. They aren't good."},
		unknown).Decimals(1))

	b.row("Sessions")
	worst := nonzero(top(25, b.total(metrics.SessionFailures, by("source", "stage", "reason")))).as("Sessions")
	p := b.table(text{"Most frequent failures", "Where and why sessions failed most in the time shown. A click on a " +
		"count leads to their log lines."}.explained(metrics.SessionFailures), worst)
	b.add(24, 8, p.OverrideByName("Sessions", properties{decimals(0), b.rowTo(callsBehind, worst,
		onlySessions)}))

	b.row("Streams")
	poorBy := func(label, what string) {
		b.add(12, 8, b.series(text{"Poor audio by " + words(label), "Share of poor streams among those judged, by " +
			what + "."}, b.poor(b.flow, by(label), audio())).
			Thresholds(above(0.03, 0.1)).ThresholdsStyle(dashed()))
	}
	poorBy("network", "the sender's network")
	poorBy("platform", "the sender's platform")
	for _, label := range b.StreamLabels {
		poorBy(label, "your label "+label+" of the sender's subnet")
	}

	b.row("Measured")
	// Each measurement with the limit of Microsoft's rules.
	keep := by("media")
	b.add(12, 8, b.series(text{"Jitter", "Average jitter of streams, median and 95th percentile by media. Audio " +
		"above 30 ms is poor."},
		b.spread(metrics.MediaJitter, keep)...).Thresholds(above(0.02, 0.03)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Round trip time", "Average round trip of streams, median and 95th percentile by " +
		"media. Audio above 500 ms is poor."},
		b.spread(metrics.MediaRoundTrip, keep)...).Thresholds(above(0.3, 0.5)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Packet loss", "Average share of packets lost of streams, median and 95th percentile " +
		"by media. Audio above 10 % is poor."},
		b.spread(metrics.MediaPacketLoss, keep)...).Thresholds(above(0.05, 0.1)).ThresholdsStyle(dashed()))
	b.add(12, 8, b.series(text{"Mean opinion score", "Score of streams as their system estimates it, median and 5th " +
		"percentile by media. Teams gives none. By ITU-T G.107 many users are dissatisfied below 3.6, nearly all " +
		"below 3.1."},
		b.quantile(0.5, metrics.MediaMOS, keep).as("median {{media}}"),
		b.quantile(0.05, metrics.MediaMOS, keep).as("p5 {{media}}")).
		Max(5).Thresholds(below(3.6, 3.1)).ThresholdsStyle(dashed()))

	b.add(12, 8, b.series(text{"Media bypass in practice", "Share of calls whose streams bypassed Microsoft's " +
		"processors among calls that record it, by trunk, first seen within an hour."},
		b.value(metrics.MediaBypassRatio, by("source", "trunk"), match{"feed", "=~", rules.StreamFeeds})).Max(1))
	return b
}

func audio() match { return is("media", "audio") }

// poor is the share of poor streams among those judged.
func (b *board) poor(how ask, keep []string, where ...match) query {
	return share(how(metrics.MediaStreams, keep, append(where, is("verdict", "poor"))...),
		how(metrics.MediaStreams, keep, append(where, isNot("verdict", "unclassified"))...))
}
