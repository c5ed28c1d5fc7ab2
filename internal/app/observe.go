package app

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// observeLedger sets the exporter's gauges before each snapshot.
func (a *App) observeLedger() {
	a.selfMetrics.OnSnapshot(func() {
		records, spans, oldest := a.waiting()
		if !a.owners.holds() { // another replica may send it, and says what waits
			records, spans, oldest = 0, 0, time.Time{}
		}
		a.selfMetrics.Set(metrics.OutboxRecords, float64(records))
		a.selfMetrics.Set(metrics.OutboxSpans, float64(spans))
		a.selfMetrics.Set(metrics.OutboxLimit, float64(max(0, a.ledger.Logs().Limit(), a.ledger.Spans().Limit())))
		a.selfMetrics.SetTime(metrics.OutboxOldest, oldest)
		if size, err := a.ledger.Size(); err == nil {
			a.selfMetrics.Set(metrics.LedgerSize, float64(size))
		}
		a.selfMetrics.SetTime(metrics.LedgerCreated, a.ledger.Created())
		a.selfMetrics.SetBool(metrics.LedgerReplaced, a.ledger.Replaced() != nil)
		if free, ok := a.ledger.Free(); ok {
			a.selfMetrics.Set(metrics.LedgerFree, float64(free))
		}
		a.selfMetrics.Replace(metrics.SeriesCount, a.ledger.Store().Counts())
		a.observeSources()
		a.observeDailyTotals()
	})
}

// waiting is how many log records and spans wait to be sent, and since when the oldest of them
// waits. What is left of a signal that was turned off isn't sent.
func (a *App) waiting() (records, spans int64, oldest time.Time) {
	var span time.Time
	sending := a.running.Load().sending
	if sending == nil || sending.Logs.Enabled {
		records, oldest = a.ledger.Logs().Waiting()
	}
	if sending == nil || sending.Traces.Enabled {
		spans, span = a.ledger.Spans().Waiting()
	}
	if oldest.IsZero() || !span.IsZero() && span.Before(oldest) {
		oldest = span
	}
	return records, spans, oldest
}

// observeSources updates the metrics of the feeds that are read here, and the list of these feeds.
// It shows calls in progress only while the lease is valid.
func (a *App) observeSources() {
	a.observing.Lock()
	defer a.observing.Unlock()
	holds := a.owners.holds()
	var active []metrics.Sample
	for _, s := range a.running.Load().sources {
		for i := range s.opened.Feeds {
			a.selfMetrics.SetBool(metrics.FeedOwned, s.feeds() != nil && holds, s.config.Name, s.opened.Feeds[i].Name)
		}
		for _, f := range s.feeds() {
			f.loop.Refresh()
			if !holds { // another replica may read it, and says whether it is behind
				a.selfMetrics.Clear(metrics.CatchingUp, s.config.Name, f.info.Name)
			}
			for direction, n := range f.loop.ActiveCalls() {
				if holds {
					labels := []string{s.config.Name, s.config.ProviderName, f.info.Name, direction.String()}
					active = append(active, metrics.Sample{Labels: labels, Value: float64(n)})
				}
			}
		}
		var expiry time.Time
		if s.opened.CredentialExpiry != nil {
			expiry = s.opened.CredentialExpiry()
		}
		a.selfMetrics.SetTime(metrics.CredentialExpiry, expiry, s.config.Name)
	}
	a.selfMetrics.Replace(metrics.ActiveCalls, active)
}

// ledgerProblem says why nothing can be committed; empty if it can.
func (a *App) ledgerProblem() string {
	if err := a.ledger.Replaced(); err != nil {
		return err.Error() + "; " + afterReplaced
	}
	return ""
}

// Ready implements web.Backend. A replica is ready when the feeds that it reads are ready, and the
// other replicas know of it.
func (a *App) Ready() (bool, string) {
	if problem := a.ledgerProblem(); problem != "" {
		return false, problem
	}
	if a.ledger.Shared() && len(a.owners.seen.Load().replicas) == 0 {
		return false, "the other replicas don't know this one yet"
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
	visible, series := a.running.Load(), make(map[feedName]int64)
	for _, row := range a.ledger.Store().Counts() {
		series[feedName{row.Labels[0], row.Labels[1]}] += int64(row.Value)
	}
	status := web.Status{
		Version: Version(), Sources: []web.Source{}, OTLP: visible.otlp.status(),
		Thresholds: visible.thresholds, ConfigFile: a.settings.ConfigFile,
	}
	status.Ready, status.NotReady = a.Ready()
	status.ConfigProblem = a.configProblem()
	status.Ledger.Problem = a.ledgerProblem()
	status.Ledger.SizeBytes, _ = a.ledger.Size() // 0 if the files can't be read; Problem says why
	var recent []metrics.LastAttempts
	holds := a.owners.holds()
	if holds {
		recent = a.ledger.Store().LastAttempts()
	}
	c := a.owners.seen.Load()
	status.Replicas = a.replicaStatus(c)
	totals := a.dailyTotals.Load()
	for _, s := range visible.sources {
		name := s.config.Name
		source := web.Source{Name: name, Provider: s.config.ProviderName}
		if s.opened.Budget != nil {
			source.Budget = budgetStatus(s.opened.Budget())
		}
		if notified := notifiedFeed(s.opened); notified != "" {
			expires, last := a.selfMetrics.Source(name).Subscription()
			source.Subscription = &web.Subscription{
				Feed: notified, Expires: web.Time{Time: expires}, LastNotification: web.Time{Time: last},
			}
		}
		feeds := s.feeds() // read once: the account may move meanwhile
		if feeds == nil {
			source.Feeds = s.elsewhere(c, a.owners.replica, totals)
		}
		for _, f := range feeds {
			feed := f.status(ctx)
			if !holds {
				feed.State, feed.LastError = web.StateError,
					"this replica couldn't renew its lease, so it shows none of its counts"
				feed.Advice = "Check whether it can reach PostgreSQL; reading resumes automatically and loses nothing."
			}
			if a.ledger.SecretIsUnkept(name) {
				feed.State, feed.LastError = web.StateError, ledger.ErrUnkept.Error()+": "+collector.UnkeptAdvice
			}
			feed.ReadBy, feed.Overlaps = a.owners.replica, s.overlaps(f.info)
			feed.Series, feed.SeriesOverflow = series[feedName{name, feed.Feed}], f.metrics.Overflowed()
			feed.Audit = newestAudit(totals.audits, name, feed.Feed)
			if f.state != nil {
				feed.DailyTotals = totals.status(name, feed.Feed, new(f.state.State()))
			}
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
	records, spans, oldest := a.waiting()
	status.OTLP.OutboxRecords, status.OTLP.OutboxSpans, status.OTLP.Oldest = records, spans, web.Time{Time: oldest}
	status.Now = web.Time{Time: a.settings.Now()} // set last, so that no time in the status is later
	return status
}

// statusTimeout is how long the status waits for the ledger, for all feeds together.
const statusTimeout = 2 * time.Second

func (f *feed) status(ctx context.Context) web.Feed {
	s := f.loop.Status()
	feed := web.Feed{
		Feed: f.info.Name, State: web.State(s.State), Watermark: web.Time{Time: s.Watermark},
		LastSuccess: web.Time{Time: s.LastSuccess},
		Records:     int64(s.Records), NextRead: web.Time{Time: s.NextRead}, LastError: s.LastError, Unread: s.Unread,
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
	feed.NewestCall, feed.PremiumCalls = web.Time{Time: f.state.State().NewestCall}, f.metrics.LastPremiumCalls()
	if f.info.Fetcher != nil && f.state.isOpen.Load() {
		if waiting, setAside, err := f.state.Waiting(ctx); err == nil {
			feed.Waiting, feed.SetAside = &waiting, &setAside
		}
	}
	return feed
}

// budgetStatus is nil without a limit.
func budgetStatus(b httpclient.Budget) *web.Budget {
	if b.Limit <= 0 {
		return nil
	}
	budget := &web.Budget{
		Group: b.Group, Limit: b.Limit, WindowSeconds: int64(b.Per / time.Second),
		FrozenUntil: web.Time{Time: b.FrozenUntil},
	}
	if b.Remaining >= 0 {
		budget.Remaining = &b.Remaining
	}
	return budget
}

// overlaps says whether the calls of a feed are also in another feed of the source.
func (s *source) overlaps(info *collector.FeedInfo) bool {
	return info.Properties.Overlaps && len(s.opened.Feeds) > 1
}

// Activity implements web.Backend. Calls of an overlapping feed don't count.
func (a *App) Activity(ctx context.Context, from time.Time) ([]web.Activity, error) {
	counted, err := a.ledger.Activity(ctx, from)
	if err != nil {
		return nil, err
	}
	counts := make(map[[2]string]bool)
	for _, s := range a.running.Load().sources {
		for i := range s.opened.Feeds {
			info := &s.opened.Feeds[i]
			counts[[2]string{s.config.Name, info.Name}] = !s.overlaps(info)
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
