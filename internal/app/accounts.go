package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

func (a *App) accounts() []account {
	var all []account
	for _, s := range a.running.Load().sources {
		key := cmp.Or(s.opened.Account, s.config.Name)
		i := slices.IndexFunc(all, func(other account) bool { return other.key == key })
		if i < 0 {
			i, all = len(all), append(all, account{key: key})
		}
		all[i].sources = append(all[i].sources, s)
		all[i].feeds = append(all[i].feeds, s.specs())
	}
	return all
}

func (a *App) isRead(name string) bool {
	return slices.ContainsFunc(a.running.Load().sources,
		func(s *source) bool { return s.config.Name == name && s.feeds() != nil })
}

// startSource implements accountReader.
func (a *App) startSource(name string) {
	for _, s := range a.running.Load().sources {
		if s.config.Name == name {
			a.startFeeds([]*source{s})
		}
	}
}

// stopAccount implements accountReader. It removes the feeds' metrics, because the replica that
// reads the feeds shows them.
func (a *App) stopAccount(of *account) {
	stopLoops(of.sources)
	for _, s := range of.sources {
		if s.polled.Swap(nil) == nil {
			continue
		}
		name := s.config.Name
		for i := range s.opened.Feeds {
			a.forgetSelfMetrics(name, s.opened.Feeds[i].Name)
		}
		a.forgetSelfMetrics(name, "") // requests for tokens and subscriptions
		a.selfMetrics.Source(name).SubscriptionExpiry(time.Time{})
	}
}

func (a *App) lookForTasks() {
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			if f.info.Webhook != nil {
				f.loop.Wake()
			}
		}
	}
}

// owned is the series of a ledger, shown only while this process surely owns their feeds.
type owned struct {
	metrics.Source

	owners *ownership
}

// Snapshot implements metrics.Source. It checks the lease last, since the process may have been
// suspended meanwhile.
func (o owned) Snapshot() metrics.Snapshot {
	if s := o.Source.Snapshot(); o.owners.holds() {
		return s
	}
	return metrics.Snapshot{}
}

// replicaStatus are the replicas that share the ledger; empty if the ledger isn't shared.
func (a *App) replicaStatus(c *cluster) (all []web.Replica) {
	for _, r := range c.replicas {
		one := web.Replica{
			Name: r.Name, Address: r.Address, Started: web.Time{Time: r.Started},
			Self: r.Name == a.owners.replica,
		}
		for _, f := range c.feeds {
			if f.Owner == r.Name {
				one.Feeds++
			}
		}
		all = append(all, one)
	}
	return all
}

// elsewhere is the status of the feeds of a source that this replica doesn't read.
func (s *source) elsewhere(c *cluster, replica string, totals *dailyTotals) (feeds []web.Feed) {
	owner := c.ownerOf(&account{feeds: [][]ledger.FeedSpec{s.specs()}})
	for i := range s.opened.Feeds {
		info := &s.opened.Feeds[i]
		feed := web.Feed{
			Feed: info.Name, State: web.StateElsewhere, ReadBy: owner, Snapshot: info.ActiveCalls != nil,
			Overlaps: s.overlaps(info),
		}
		switch owner {
		case replica: // new since a reload; the next pass reads it
			feed.State = web.StateCatchingUp
		case "":
			feed.State, feed.LastError = web.StateUnowned, "no replica reads the feed"
			feed.Advice = "A replica takes it over within half a minute; if none does, see the replicas' logs."
		}
		if row := c.feeds[feedName{s.config.Name, info.Name}]; row != nil && info.ActiveCalls == nil {
			feed.Watermark, feed.NewestCall = web.Time{Time: row.State.Watermark}, web.Time{Time: row.State.NewestCall}
			feed.DailyTotals = totals.status(s.config.Name, info.Name, &row.State)
			feed.Records = int64(row.State.Calls) //nolint:gosec // always fits
		}
		feeds = append(feeds, feed)
	}
	return feeds
}
