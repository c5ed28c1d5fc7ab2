package app

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/audit"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// readMissing has the days read again on which the newest audit of a feed that is read here found something
// missing or another amount: what the provider listed after the read plan's last read of it is
// counted late rather than never. read says when the audit began for which a day was read already;
// after a restart it is read once more, which counts nothing twice.
func (a *App) readMissing(ctx context.Context, r *running, read map[auditedFeed]time.Time) {
	totals := a.dailyTotals.Load()
	for _, s := range r.sources {
		for _, f := range s.feeds() {
			for i := range totals.audits {
				one := &totals.audits[i]
				of := auditedFeed{feedName{s.config.Name, f.info.Name}, one.Day.Time}
				if one != totals.newestOf(of) || !one.Differs() || one.Began.Equal(read[of]) {
					continue
				}
				if f.loop.ReadAgain(ctx, one.Day.Time, one.Day.Add(1).Time) == nil { // else it is tried again
					read[of] = one.Began
				}
			}
		}
	}
}

// differences are the numbers of records that a feed's audits found missing, or with other amounts: the newest audit
// of each day, as far as it began within a day of the feed's newest one.
func (t *dailyTotals) differences(name feedName, newest *daily.Audit) (missing, changed int64) {
	for i := range t.audits {
		a := &t.audits[i]
		if isShown(a, newest) && a == t.newestOf(auditedFeed{name, a.Day.Time}) {
			missing, changed = missing+a.Missing, changed+a.Changed
		}
	}
	return missing, changed
}

// isShown says whether an audit is one of those that the gauge has, with the newest one of its feed.
func isShown(a, newest *daily.Audit) bool { return a.Began.After(newest.Began.Add(-24 * time.Hour)) }

// newestAudit is the newest audit of a feed with the sums of its days, or nil.
func newestAudit(all []daily.Audit, source, feed string) (newest *daily.Audit) {
	for _, a := range all {
		switch {
		case a.Source != source || a.Feed != feed || newest != nil && a.Began.Before(newest.Began):
		case newest == nil || a.Began.After(newest.Began):
			newest = &a
		default:
			newest.Listed += a.Listed
			newest.Missing += a.Missing
			newest.Changed += a.Changed
			newest.Whole = newest.Whole && a.Whole
		}
	}
	return newest
}

const (
	// auditClock is how often the time of the daily audit is checked.
	auditClock = 20 * time.Second
	// auditShare is the part of a provider's limit that a daily audit uses.
	auditShare = 0.1
	// auditAge is how long ago the audited day began: late records of yesterday may still come.
	auditAge = 2 * 24 * time.Hour
)

const (
	// auditRetry is the wait after a failed daily audit of a feed, and after one that found a difference: by then
	// the day was read again.
	auditRetry = time.Hour
	// mostAgain is how often a day is audited again that differs: CDRReconciliationDifference waits longer.
	mostAgain = 3
)

// auditDaily audits the day before yesterday once a day, from the time audit.daily, until the
// context ends. The ledger knows which days were audited, so neither a restart at that time nor an
// audit that ends past midnight skips a day. It also audits any day again that differed, whoever
// audited it, once it was read again.
func (a *App) auditDaily(ctx context.Context) {
	audits := dailyAudits{retry: make(map[auditedFeed]time.Time), again: make(map[auditedFeed]int)}
	every(ctx, auditClock, func() {
		r, now := a.running.Load(), a.settings.Now().UTC()
		if day, wanted := auditedDay(now, r.config.Audit.Daily); wanted {
			a.auditDay(ctx, r, day, func(name feedName, f *feed) bool {
				kept := !day.Before(history.EarliestRead(f.info, now))
				return audits.isDue(auditedFeed{name, day}, a.dailyTotals.Load(), kept, new(f.state.State()), now)
			})
		}
		for _, day := range a.dailyTotals.Load().daysThatDiffer(now.Add(-auditRetry)) {
			a.auditDay(ctx, a.running.Load(), day, func(name feedName, _ *feed) bool {
				return audits.isDueAgain(auditedFeed{name, day}, a.dailyTotals.Load(), now)
			})
		}
	})
}

// auditedFeed is a feed on the day that is audited.
type auditedFeed struct {
	feedName

	day time.Time
}

// dailyAudits are the daily audits that this process has begun.
type dailyAudits struct {
	// retry is when to audit again, after a failure or a result that isn't in the daily totals yet.
	retry map[auditedFeed]time.Time
	// again is how often that was done because the day differed.
	again map[auditedFeed]int
}

// isDue says whether an audit is due, and notes that it begins.
func (d *dailyAudits) isDue(
	one auditedFeed, totals *dailyTotals, kept bool, state *counting.State, now time.Time,
) bool {
	if !now.After(d.retry[one]) || !totals.needAudit(one.feedName, one.day, kept, state) {
		return false
	}
	d.retry[one] = now.Add(auditRetry)
	return true
}

// isDueAgain says whether a day is due for another audit since its newest one, which may be the
// command's, found a difference, and notes that it begins.
func (d *dailyAudits) isDueAgain(one auditedFeed, totals *dailyTotals, now time.Time) bool {
	newest := totals.newestOf(one)
	if !now.After(d.retry[one]) || d.again[one] == mostAgain || totals.unknown || newest == nil || !newest.Differs() {
		return false
	}
	d.again[one]++
	d.retry[one] = now.Add(auditRetry)
	return true
}

// auditedDay is the latest day that is due for an audit at a time of day; false without one.
func auditedDay(now time.Time, daily string) (day time.Time, wanted bool) {
	at, err := time.Parse(config.TimeOfDay, daily)
	if err != nil {
		return day, false
	}
	sinceMidnight := at.Sub(at.Truncate(24 * time.Hour))
	return now.Add(-sinceMidnight).Truncate(24 * time.Hour).Add(-auditAge), true
}

// needAudit says whether a day's audit of a feed is due: the day has calls to count, and no audit has
// begun late enough to include the late ones. An audit of a part is enough if the provider no longer
// keeps the rest.
func (t *dailyTotals) needAudit(name feedName, day time.Time, kept bool, state *counting.State) bool {
	return !t.unknown && state.HistoryDone && state.Origin.Before(day.AddDate(0, 0, 1)) &&
		!slices.ContainsFunc(t.audits, func(a daily.Audit) bool {
			ofFeed := a.Source == name.source && a.Feed == name.feed
			return ofFeed && (a.Whole || !kept) && a.Day.Equal(day) && !a.Began.Before(day.Add(auditAge))
		})
}

// daysThatDiffer are the days on which an audit found a difference that is still shown, and began before a time.
func (t *dailyTotals) daysThatDiffer(before time.Time) (days []time.Time) {
	for _, a := range t.audits {
		if a.Differs() && a.Began.Before(before) && isShown(&a, newestAudit(t.audits, a.Source, a.Feed)) &&
			!slices.ContainsFunc(days, a.Day.Equal) {
			days = append(days, a.Day.Time)
		}
	}
	return days
}

// newestOf is the newest audit of a day, or of a part of it that differs; nil: there is none. A part that doesn't
// differ says nothing of the rest.
func (t *dailyTotals) newestOf(one auditedFeed) (newest *daily.Audit) {
	for i := range t.audits {
		a := &t.audits[i]
		ofDay := a.Source == one.source && a.Feed == one.feed && a.Day.Equal(one.day)
		if ofDay && (a.Whole || a.Differs()) && (newest == nil || a.Began.After(newest.Began)) {
			newest = a
		}
	}
	return newest
}

// auditDay audits a day of the feeds that are read here and are due. It uses separate clients,
// which leave most of each limit to the feeds.
func (a *App) auditDay(
	ctx context.Context, r *running, day time.Time, isDue func(name feedName, f *feed) bool,
) {
	for _, s := range r.sources {
		due := make(map[string]bool) // by feed; without sources that another replica reads and audits
		for _, f := range s.feeds() {
			if f.info.Reader != nil && f.state != nil && isDue(feedName{s.config.Name, f.info.Name}, f) {
				due[f.info.Name] = true
			}
		}
		if len(due) == 0 {
			continue
		}
		settings := SourceSettings(s.config, &a.quotas)
		settings.Share = auditShare
		settings.LoadSecret = func(ctx context.Context) ([]byte, error) {
			return a.ledger.LoadSecret(ctx, s.config.Name, s.config.RenamedFrom)
		}
		opened, err := OpenSource(s.config, r.providers, settings)
		if err != nil {
			a.logger.Warn("The daily audit can't open a source", collector.SourceKey, s.config.Name, "err", err)
			continue
		}
		for i := range opened.Feeds {
			if info := &opened.Feeds[i]; due[info.Name] && ctx.Err() == nil {
				a.auditFeed(ctx, SpecOf(s.config, info), info, day)
			}
		}
		opened.Close()
	}
}

func (a *App) auditFeed(ctx context.Context, spec ledger.FeedSpec, info *collector.FeedInfo, day time.Time) {
	logger := a.logger.With(collector.SourceKey, spec.Source, "feed", spec.Feed, "day", day.Format(time.DateOnly))
	days, err := audit.Run(ctx, audit.Settings{
		From: day, To: day.AddDate(0, 0, 1), Now: a.settings.Now,
		Ledger: a.ledger,
		Note:   func(text string) { logger.Info("Remark of the daily audit", "remark", text) },
	}, audit.Feed{Spec: spec, Info: info})
	if err == nil {
		err = audit.Store(ctx, a.ledger, spec, days)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		logger.Warn("The daily audit failed", "err", err)
	default:
		for i := range days {
			d := &days[i]
			logger.Info("Audited a day", "listed", d.Listed, "counted", d.Counted, "missing", d.Missing, "vanished",
				d.Vanished, "changed", d.Changed)
		}
	}
}
