package app

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// totalsEvery is how often the daily totals are read from the ledger, and the audits, which another
// process may have run.
const totalsEvery = 10 * time.Second

// dailyTotals has the totals of all feeds, the newest audit of each feed, and the audits of the days.
type dailyTotals struct {
	now    time.Time // when they were read
	days   []daily.Totals
	audits []daily.Audit
	// unknown says that the ledger couldn't be read, or not yet: the other values are older, or empty.
	unknown bool
}

// keepDailyTotals reads the daily totals from the ledger until the context ends, so that neither page nor
// metrics wait for it. It has days read again on which an audit found missing records.
func (a *App) keepDailyTotals(ctx context.Context) {
	read := make(map[auditedFeed]time.Time)
	look := func() {
		a.readDailyTotals(ctx)
		a.readMissing(ctx, a.running.Load(), read)
	}
	look()
	every(ctx, totalsEvery, look)
}

func (a *App) readDailyTotals(ctx context.Context) {
	newest := *a.dailyTotals.Load()
	newest.now = a.settings.Now()
	days, err := a.ledger.DailyTotals(ctx, firstDay(newest.now).Time)
	audits, failed := a.ledger.Audits(ctx, firstDay(newest.now).Time)
	if newest.unknown = err != nil || failed != nil; !newest.unknown {
		newest.days, newest.audits = days, audits
	}
	a.dailyTotals.Store(&newest)
}

// observeDailyTotals sets the gauges of the newest audits and of the provider's own totals, for the feeds
// that are read here. They come from the ledger, so a restart doesn't hide a difference.
func (a *App) observeDailyTotals() {
	rows, totals := make(map[*metrics.Def][]metrics.Sample), a.dailyTotals.Load()
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			totals.gauges(s.config.Name, f.info.Name, a.settings.Now(), rows)
			if newest := newestAudit(totals.audits, s.config.Name, f.info.Name); newest != nil {
				labels := []string{s.config.Name, f.info.Name}
				missing, changed := totals.differences(feedName{s.config.Name, f.info.Name}, newest)
				rows[metrics.AuditDifference] = append(rows[metrics.AuditDifference],
					metrics.Sample{Labels: append(labels, "missing"), Value: float64(missing)},
					metrics.Sample{Labels: append(labels, "amount"), Value: float64(changed)})
				rows[metrics.AuditTime] = append(rows[metrics.AuditTime],
					metrics.Sample{Labels: labels, Value: float64(newest.Began.UnixMicro()) / 1e6})
			}
		}
	}
	for _, def := range []*metrics.Def{
		metrics.ProviderRecords, metrics.ReconciliationDifference, metrics.ProviderCharges,
		metrics.ReconciliationCharges, metrics.AuditDifference, metrics.AuditTime,
	} {
		a.selfMetrics.Replace(def, rows[def])
	}
}

// gauges adds the rows of a feed's gauges for today and yesterday, which are UTC days.
func (t *dailyTotals) gauges(source, feed string, now time.Time, rows map[*metrics.Def][]metrics.Sample) {
	today := daily.DateOf(now)
	named := map[daily.Date]string{today: "today", today.Add(-1): "yesterday"}
	for i := range t.days {
		d := &t.days[i]
		day, shown := named[d.Day]
		if !shown || d.Total == nil || d.Source != source || d.Feed != feed {
			continue
		}
		show := func(def *metrics.Def, value float64, more ...string) {
			rows[def] = append(rows[def], metrics.Sample{
				Labels: append([]string{source, feed, day}, more...),
				Value:  value,
			})
		}
		show(metrics.ProviderRecords, float64(d.Total.Theirs))
		show(metrics.ReconciliationDifference, float64(d.Total.Ours-d.Total.Theirs))
		if d.Total.Charges != nil {
			difference := d.ChargesDifference()
			show(metrics.ProviderCharges, d.Total.Charges.Float(), d.Total.Currency)
			show(metrics.ReconciliationCharges, difference.Float(), d.Total.Currency)
		}
	}
}

// firstDay is the first day of the daily totals.
func firstDay(now time.Time) daily.Date { return daily.DateOf(now).Add(-web.DaysShown) }

// status is the daily totals of a feed, for days that are over and begin at its origin or later, or
// contain it. There are none before its first history is shown.
func (t *dailyTotals) status(source, feed string, state *counting.State) (all []daily.Totals) {
	if !state.HistoryDone || t.unknown {
		return nil
	}
	for day := firstDay(t.now); day.Before(daily.DateOf(t.now).Time); day = day.Add(1) {
		if end := day.Add(1); state.Origin.Before(end.Time) {
			totals := t.of(source, feed, day)
			totals.Incomplete = state.Watermark.Before(end.Time)
			all = append(all, totals)
		}
	}
	slices.Reverse(all)
	return all
}

// of is the totals of a day, without any if nothing was counted, with its newest audit.
func (t *dailyTotals) of(source, feed string, day daily.Date) daily.Totals {
	totals := daily.Totals{Source: source, Feed: feed, Day: day}
	for _, d := range t.days {
		if d.Source == source && d.Feed == feed && d.Day == day {
			totals = d
		}
	}
	for i := range t.audits {
		if a := &t.audits[i]; a.Source == source && a.Feed == feed && a.Day == day && a.Whole {
			totals.Audit = a
		}
	}
	return totals
}
