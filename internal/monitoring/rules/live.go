package rules

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Records arrive late, so counters move when they are read. After an outage of ours hours of calls appear within
// minutes, and alerts on rates must sit that out: they ask whether the feed is live, which is recorded once for each
// length of time that rates look back. Each length is a rate's window and a margin: 2 minutes of zero_for, in which a
// new series still shows 0, and the rest for scrapes and evaluations.
const (
	live7m  window = "7m"
	live35m window = "35m"
	live65m window = "65m"
)

const (
	// freshSeconds is how old a watermark may be for rates to mean something. The exporter itself says more
	// exactly, by the feed's interval, when it is behind (catching_up); this is for what was never read, and for
	// intervals of 20 minutes and more.
	freshSeconds = 3600
	// throttledShare is the part of the time that a feed spends waiting for its provider's limit.
	throttledShare = 0.5
	// recentSeconds is how old the newest attempt of a trunk may be to page: after a night without calls a trunk
	// that was down is news.
	recentSeconds = 21600
)

// live are the rules that say whether a feed is read up to now and was all along.
func (p *Parameters) live() Group {
	g := Group{Name: "cdr-live", Doc: "1 if a feed existed during the whole window, is read up to now and " +
		"didn't catch up; else 0, or nothing without an exporter. Alerts on calls wait for it."}
	for _, w := range []window{live7m, live35m, live65m} {
		catchingUp := metrics.CatchingUp.Name
		g.Rules = append(g.Rules, Rule{
			Record: liveName(w),
			Doc:    fmt.Sprintf("Was the feed live for %s.", w),
			Expr: lines(
				fmt.Sprintf("(%s == bool 0)", byFeed.highest(catchingUp, "["+string(w)+"]")),
				// A scrape that was missed just then isn't taken for an exporter that wasn't there.
				fmt.Sprintf("* (%s == bool 0)", byFeed.combine("max",
					fmt.Sprintf("last_over_time(%s[5m] offset %s)", catchingUp, w))),
				fmt.Sprintf("* (%s < bool %d)", watermarkAge(), freshSeconds),
			),
		})
	}
	g.Rules = append(g.Rules, Rule{
		Record: byJob.name("cdr_feeds_behind", "count"),
		Doc: "Feeds that are catching up and don't wait for their provider's limit: further replicas help those. " +
			"For autoscaling.",
		Expr: lines(
			"sum by (job) (",
			"  "+byJobFeed.highest(metrics.CatchingUp.Name, "[5m]"),
			fmt.Sprintf("  * (%s <= bool %s)", sumRate(byJobFeed, "15m", metrics.APIThrottled.Name),
				number(throttledShare)),
			")",
		),
	})
	return g
}

func liveName(w window) string { return byFeed.name("cdr_live", "min"+string(w)) }

// isLive is the end of an alert on calls: it holds only for a live feed.
func isLive(w window) string { return byFeed.and("%s == 1", liveName(w)) }

// watermarkAge is how long ago the time is up to which a feed was read. A missed scrape doesn't end it.
func watermarkAge() string {
	return "time() - " + byFeed.highest(metrics.Watermark.Name, "[5m]")
}
