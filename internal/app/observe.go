package app

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// observeLedger sets the exporter's gauges before each snapshot.
func (a *App) observeLedger() {
	a.own.OnSnapshot(func() {
		records, oldest := a.ledger.Outbox()
		a.own.Set(metrics.OutboxRecords, float64(records))
		a.own.Set(metrics.OutboxLimit, float64(max(0, a.ledger.OutboxLimit())))
		a.own.SetTime(metrics.OutboxOldest, oldest)
		if size, err := a.ledger.Size(); err == nil {
			a.own.Set(metrics.LedgerSize, float64(size))
		}
		if free, ok := a.ledger.Free(); ok {
			a.own.Set(metrics.LedgerFree, float64(free))
		}
		a.own.Replace(metrics.SeriesCount, a.ledger.Store().Counts())
		a.observeSources()
	})
}

// observeSources updates the metrics of the feeds that are read here, and says which these are. Calls in progress are shown if surely owned.
func (a *App) observeSources() {
	a.observing.Lock()
	defer a.observing.Unlock()
	holds := a.owners.holds()
	var active []metrics.Row
	for _, s := range a.running.Load().sources {
		for i := range s.opened.Feeds {
			a.own.SetBool(metrics.FeedOwned, s.feeds() != nil && holds, s.config.Name, s.opened.Feeds[i].Name)
		}
		for _, f := range s.feeds() {
			f.loop.Refresh()
			for direction, n := range f.loop.ActiveCalls() {
				if holds {
					labels := []string{s.config.Name, s.config.ProviderName, f.info.Name, direction.String()}
					active = append(active, metrics.Row{Labels: labels, Value: float64(n)})
				}
			}
		}
		var expiry time.Time
		if s.opened.CredentialExpiry != nil {
			expiry = s.opened.CredentialExpiry()
		}
		a.own.SetTime(metrics.CredentialExpiry, expiry, s.config.Name)
	}
	a.own.Replace(metrics.ActiveCalls, active)
}

// Ready implements web.Backend. Of several replicas each is ready when what it reads is, and the others know that it is there.
func (a *App) Ready() (bool, string) {
	if a.ledger.Shared() && len(a.owners.seen.Load().replicas) == 0 {
		return false, "the other replicas don't know of this one yet"
	}
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			// A snapshot has no history to read.
			if !f.loop.Status().Ready && f.info.ActiveCalls == nil {
				return false, "the first history of " + s.config.Name + "/" + f.info.Name + " is still being read"
			}
		}
	}
	return true, ""
}

// Status implements web.Backend.
func (a *App) Status() web.Status {
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	visible, figures := a.running.Load(), a.figures()
	status := web.Status{Version: Version(), Sources: []web.Source{}, OTLP: visible.otlp.status()}
	status.Ready, status.NotReady = a.Ready()
	status.Ledger.SizeBytes = int64(figures[figure{def: metrics.LedgerSize}])
	var recent []metrics.Recent
	holds := a.owners.holds()
	if holds {
		recent = a.ledger.Store().Recent()
	}
	c := a.owners.seen.Load()
	status.Replicas = a.replicaStatus(c)
	for _, s := range visible.sources {
		name := s.config.Name
		source := web.Source{Name: name, Provider: s.config.ProviderName}
		if s.opened.Budget != nil {
			source.Budget = budgetStatus(s.opened.Budget())
		}
		if hasWebhook(s.opened) {
			source.Subscription = &web.Subscription{
				Expires:          unixTime(figures[figure{def: metrics.SubscriptionExpiry, source: name}]),
				LastNotification: unixTime(figures[figure{def: metrics.SubscriptionLastNotification, source: name}]),
			}
		}
		feeds := s.feeds() // once: the account may move meanwhile
		if feeds == nil {
			source.Feeds = s.elsewhere(c, a.owners.replica)
		}
		for _, f := range feeds {
			feed := f.status(ctx)
			if !holds {
				feed.State, feed.LastError = web.StateError, "the lease of this replica couldn't be renewed, so nothing that it has counted is shown"
				feed.Advice = "See whether it reaches PostgreSQL; reading loses nothing and goes on by itself."
			}
			feed.ReadBy = a.owners.replica
			feed.Series = int64(figures[figure{metrics.SeriesCount, name, feed.Feed}])
			feed.SeriesOverflow = int64(figures[figure{metrics.SeriesOverflow, name, feed.Feed}])
			for _, r := range recent {
				if r.Source == name && r.Feed == feed.Feed {
					feed.Trunks = append(feed.Trunks, r)
				}
			}
			source.Feeds = append(source.Feeds, feed)
			status.Ledger.Series += feed.Series
			status.Ledger.SeriesOverflow += feed.SeriesOverflow
		}
		status.Sources = append(status.Sources, source)
	}
	records, oldest := a.ledger.Outbox()
	status.OTLP.OutboxRecords, status.OTLP.Oldest = records, web.Time{Time: oldest}
	status.Now = web.Time{Time: time.Now()} // what ended meanwhile isn't in the future
	return status
}

// figure is one of the exporter's own metrics, of a source and a feed if it has these labels.
type figure struct {
	def          *metrics.Def
	source, feed string
}

// figures are the values of the exporter's own metrics, summed over further labels.
func (a *App) figures() map[figure]float64 {
	all := make(map[figure]float64)
	for _, family := range a.own.Snapshot().Families {
		for _, p := range family.Points {
			labels := append(slices.Clone(p.Labels.Values), "", "")
			all[figure{family.Def, labels[0], labels[1]}] += p.Value
		}
	}
	return all
}

// statusTimeout is how long the status waits for the ledger, of all feeds together.
const statusTimeout = 2 * time.Second

func (f *feed) status(ctx context.Context) web.Feed {
	s := f.loop.Status()
	feed := web.Feed{
		Feed: f.info.Name, State: web.State(s.State), Watermark: web.Time{Time: s.Watermark}, LastSuccess: web.Time{Time: s.LastSuccess},
		Records: int64(s.Records), NextRead: web.Time{Time: s.NextRead}, LastError: s.LastError, Reads: s.Reads, Unread: s.Unread,
	}
	if f.info.ActiveCalls != nil {
		feed.Snapshot, feed.Watermark = true, feed.LastSuccess
		if active := f.loop.ActiveCalls(); active != nil {
			feed.InProgress = new(int)
			for _, n := range active {
				*feed.InProgress += n
			}
		}
		return feed
	}
	feed.NewestCall = web.Time{Time: f.state.State().NewestCall}
	if f.info.Fetcher != nil && f.state.isOpen.Load() {
		if waiting, setAside, err := f.state.Waiting(ctx); err == nil {
			feed.Waiting, feed.SetAside = &waiting, &setAside
		}
	}
	return feed
}

// budgetStatus is nil where there is no limit.
func budgetStatus(b httpclient.Budget) *web.Budget {
	if b.Limit <= 0 {
		return nil
	}
	budget := &web.Budget{
		Group: b.Group, Limit: b.Limit, WindowSeconds: int64(b.Per / time.Second), FrozenUntil: web.Time{Time: b.FrozenUntil},
	}
	if b.Remaining >= 0 {
		budget.Remaining = &b.Remaining
	}
	return budget
}

// unixTime is the time in a metric; 0: none.
func unixTime(v float64) web.Time {
	if v == 0 {
		return web.Time{}
	}
	return web.Time{Time: time.UnixMilli(int64(v * 1e3))}
}

// overlapping are the feeds whose calls are in other feeds too.
var overlapping = Feeds(func(f collector.FeedProperties) bool { return f.Overlaps })

// Activity implements web.Backend. Calls of an overlapping feed count where the source has no other.
func (a *App) Activity(ctx context.Context, from time.Time) ([]web.Activity, error) {
	counted, err := a.ledger.Activity(ctx, from)
	if err != nil {
		return nil, err
	}
	counts := make(map[[2]string]bool)
	for _, s := range a.running.Load().sources {
		for _, f := range s.opened.Feeds {
			counts[[2]string{s.config.Name, f.Name}] = len(s.opened.Feeds) == 1 || !slices.Contains(overlapping, f.Name)
		}
	}
	var all []web.Activity
	for _, c := range counted {
		if counts[[2]string{c.Source, c.Feed}] {
			all = append(all, web.Activity{Start: c.Start, Calls: c.Calls, Failures: c.Failures})
		}
	}
	return all, nil
}
