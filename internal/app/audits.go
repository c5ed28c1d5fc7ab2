package app

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/audit"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// readMissing has the days read again on which the newest audit of a feed that is read here found something missing or another amount: what the provider
// listed after the read plan's last read of it is counted late rather than never. read says of which audit a feed's days were read already; after a restart
// they are read once more, which counts nothing twice.
func (a *App) readMissing(r *running, read map[feedName]time.Time) {
	all := a.books.Load().audits
	for _, s := range r.sources {
		for _, f := range s.feeds() {
			name := feedName{s.config.Name, f.info.Name}
			newest := newestAudit(all, name.source, name.feed)
			if newest == nil || !newest.Differs || newest.Began.Equal(read[name]) {
				continue
			}
			read[name] = newest.Began.Time
			for _, one := range all {
				if one.Source == name.source && one.Feed == name.feed && one.At.Equal(read[name]) && one.Differs {
					f.loop.ReadAgain(one.Day, one.Day.AddDate(0, 0, 1))
				}
			}
		}
	}
}

// newestAudit is the newest audit of a feed with the sums of its days, nil if there is none.
func newestAudit(all []ledger.AuditResult, source, feed string) (newest *web.Audit) {
	for _, r := range all {
		switch {
		case r.Source != source || r.Feed != feed || newest != nil && r.At.Before(newest.Began.Time):
			continue
		case newest == nil || r.At.After(newest.Began.Time):
			newest = &web.Audit{Began: web.Time{Time: r.At}, From: web.Time{Time: r.Day}}
		}
		newest.Listed += r.Listed
		newest.Missing += r.Missing
		newest.Differs = newest.Differs || r.Differs
	}
	return newest
}

const (
	// auditClock is how often the daily audit's time is looked for.
	auditClock = 20 * time.Second
	// auditShare is the part of a provider's limit that a daily audit uses.
	auditShare = 0.1
	// auditAge is how long ago the day begins that is audited: late records of yesterday are still to come.
	auditAge = 2 * 24 * time.Hour
)

// auditDaily audits the day before yesterday once a day, at audit.daily, until the context ends. An audit that ends past midnight doesn't skip the next
// day's.
func (a *App) auditDaily(ctx context.Context) {
	var last string
	every(ctx, auditClock, func() {
		now, r := time.Now().UTC(), a.running.Load()
		if today := now.Format(time.DateOnly); today != last && now.Format(config.TimeOfDay) == r.config.Audit.Daily {
			last = today
			a.auditDay(ctx, r, now.Truncate(24*time.Hour).Add(-auditAge))
		}
	})
}

// auditDay audits a day of the feeds that are read here, through separate clients, which leave most of each limit to the feeds.
func (a *App) auditDay(ctx context.Context, r *running, day time.Time) {
	where, err := Storage(r.config)
	if err != nil {
		a.logger.Warn("The daily audit can't be done.", "err", err)
		return
	}
	for _, s := range r.sources {
		if s.feeds() == nil {
			continue // another replica audits what it reads
		}
		settings := SourceSettings(s.config, &a.quotas)
		settings.Share = auditShare
		settings.LoadSecret = func(ctx context.Context) ([]byte, error) {
			return a.ledger.LoadSecret(ctx, s.config.Name, s.config.RenamedFrom)
		}
		opened, err := OpenSource(s.config, r.providers, settings)
		if err != nil {
			a.logger.Warn("The daily audit can't open a source.", collector.SourceKey, s.config.Name, "err", err)
			continue
		}
		for i := range opened.Feeds {
			if info := &opened.Feeds[i]; info.Reader != nil && ctx.Err() == nil {
				a.auditFeed(ctx, where, SpecOf(s.config, info), info, day)
			}
		}
		if opened.Close != nil {
			opened.Close()
		}
	}
}

func (a *App) auditFeed(ctx context.Context, where ledger.Storage, spec ledger.FeedSpec, info *collector.FeedInfo, day time.Time) {
	logger := a.logger.With(collector.SourceKey, spec.Source, "feed", spec.Feed, "day", day.Format(time.DateOnly))
	began := time.Now()
	days, err := audit.Run(ctx, audit.Settings{
		From: day, To: day.AddDate(0, 0, 1), Now: time.Now, Note: func(text string) { logger.Info("A remark of the daily audit.", "remark", text) },
		Open: func(ctx context.Context) (*ledger.Inspector, error) { return ledger.Inspect(ctx, where) },
	}, audit.Feed{Spec: spec, Info: info})
	if err == nil {
		err = audit.Store(ctx, where, spec, began, days)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		logger.Warn("The daily audit failed.", "err", err)
	default:
		for i := range days {
			d := &days[i]
			logger.Info("A day was audited.", "listed", d.Listed, "counted", d.Counted, "missing", d.Missing, "vanished", d.Vanished, "differs", d.Differs())
		}
	}
}
