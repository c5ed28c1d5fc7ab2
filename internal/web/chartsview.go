package web

import (
	"slices"
	"strings"
	"time"
)

// maxCharts is how many feeds are drawn at most: enough to be looked at, and a bound to
// what a view of the page costs.
const maxCharts = 24

// chartsView are the charts of the feeds that are shown.
type chartsView struct {
	Length, Step string
	Charts       []chartView
	// Idle names the feeds that have nothing to draw; empty: all have.
	Idle string
	// Hidden says how many feeds aren't drawn; empty if all are.
	Hidden  string
	Unknown bool
}

// chartView is one feed's chart and the same in words and figures.
type chartView struct {
	ID, Source, Feed, Text string
	Drawing                *drawing // nil: words and figures alone are shown
	Rows                   []barView
}

type barView struct{ Key, From, Calls, Failures string }

func (p *page) charts(shown content) chartsView {
	c := shown.choice
	v := chartsView{Length: spanText(c.span.Length), Step: spanText(c.span.Step), Unknown: shown.inactive}
	if shown.inactive {
		return v
	}
	byFeed, hidden := make(map[[2]string][]Activity), 0
	var idle []string
	for _, a := range shown.activity {
		key := [2]string{a.Source, a.Feed}
		byFeed[key] = append(byFeed[key], a)
	}
	for _, source := range shown.status.Sources {
		for _, feed := range source.Feeds {
			if feed.Snapshot || !c.takes(source, feed) {
				continue
			}
			bars := barsOf(byFeed[[2]string{source.Name, feed.Feed}], c.span, time.Time(shown.status.Now))
			switch {
			case !slices.ContainsFunc(bars, func(b bar) bool { return b.calls > 0 }):
				idle = append(idle, source.Name+" "+feed.Feed)
			case len(v.Charts) == maxCharts:
				hidden++
			default:
				v.Charts = append(v.Charts, p.chart(source.Name, feed.Feed, bars, c.span))
			}
		}
	}
	if len(idle) > 0 {
		v.Idle = "No call began in the last " + v.Length + ": " + strings.Join(idle, ", ") + "."
	}
	if hidden > 0 {
		v.Hidden = countedText(int64(hidden), "more feed isn't", "more feeds aren't") + " drawn: filter to see others."
	}
	return v
}

// chart draws one. What the library can't draw is logged, and shown in words and
// figures all the same.
func (p *page) chart(source, feed string, bars []bar, s span) chartView {
	v := chartView{ID: source + "." + feed, Source: source, Feed: feed, Text: barsText(bars, s)}
	for _, b := range bars {
		if b.calls > 0 {
			v.Rows = append(v.Rows, barView{
				Key: clockText(b.start), From: minuteText(b.start), Calls: countText(b.calls), Failures: countText(b.failures),
			})
		}
	}
	var err error
	if v.Drawing, err = draw(bars, s); err != nil {
		p.logger.Error("a chart couldn't be drawn", "source", source, "feed", feed, "err", err)
	}
	return v
}
