package app

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// booksEvery is how often the daily totals are read from the ledger, and the audits, which another
// process may have run.
const booksEvery = 10 * time.Second

// books has the source of all feeds' daily totals: what was counted on each day, the newest audit
// of each feed, and the audits of the days.
type books struct {
	now    time.Time // when they were read
	days   []ledger.DayBook
	audits []ledger.AuditResult
	// unknown says that the ledger couldn't be read: the other values are older.
	unknown bool
}

// keepBooks reads the daily totals from the ledger until the context ends, so that neither page nor
// metrics wait for it. It has days read again on which an audit found missing records.
func (a *App) keepBooks(ctx context.Context) {
	read := make(map[feedName]time.Time)
	look := func() {
		a.readBooks(ctx)
		a.readMissing(ctx, a.running.Load(), read)
	}
	look()
	every(ctx, booksEvery, look)
}

func (a *App) readBooks(ctx context.Context) {
	newest := *a.books.Load()
	newest.now = a.settings.Now()
	days, err := a.ledger.Books(ctx, firstBookDay(newest.now))
	audits, failed := a.ledger.Audits(ctx, firstBookDay(newest.now))
	if newest.unknown = err != nil || failed != nil; !newest.unknown {
		newest.days, newest.audits = days, audits
	}
	a.books.Store(&newest)
}

// observeBooks sets the gauges of the newest audits and of the provider's own totals, for the feeds
// that are read here. They come from the ledger, so a restart doesn't hide a difference.
func (a *App) observeBooks() {
	rows, books := make(map[*metrics.Def][]metrics.Row), a.books.Load()
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			books.totals(s.config.Name, f.info.Name, a.settings.Now(), rows)
			if newest := newestAudit(books.audits, s.config.Name, f.info.Name); newest != nil {
				labels := []string{s.config.Name, f.info.Name}
				rows[metrics.AuditMissing] = append(rows[metrics.AuditMissing],
					metrics.Row{Labels: labels, Value: float64(newest.Missing)})
				rows[metrics.AuditTime] = append(rows[metrics.AuditTime],
					metrics.Row{Labels: labels, Value: float64(newest.Began.UnixMicro()) / 1e6})
			}
		}
	}
	for _, def := range []*metrics.Def{
		metrics.ProviderRecords, metrics.ReconciliationDifference, metrics.ProviderCharges,
		metrics.ReconciliationCharges, metrics.AuditMissing, metrics.AuditTime,
	} {
		a.selfMetrics.Replace(def, rows[def])
	}
}

// totals adds the rows of a feed's gauges for today and yesterday, which are UTC days.
func (b *books) totals(source, feed string, now time.Time, rows map[*metrics.Def][]metrics.Row) {
	today := now.UTC().Truncate(24 * time.Hour)
	named := map[time.Time]string{today: "today", today.AddDate(0, 0, -1): "yesterday"}
	for i := range b.days {
		d := &b.days[i]
		day, shown := named[d.Day.UTC()]
		if !shown || d.Total == nil || d.Source != source || d.Feed != feed {
			continue
		}
		show := func(def *metrics.Def, value float64, more ...string) {
			rows[def] = append(rows[def], metrics.Row{
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

// firstBookDay is the first day of the daily totals.
func firstBookDay(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -web.BookDays)
}

// status is the daily totals of a feed, for days that are over and begin at its origin or later, or
// contain it. There are none before its first history is shown.
func (b *books) status(source, feed string, state *counting.State) (all []web.Book) {
	if !state.HistoryDone || b.unknown {
		return nil
	}
	for day := firstBookDay(b.now); day.Before(b.now.UTC().Truncate(24 * time.Hour)); day = day.AddDate(0, 0, 1) {
		if end := day.AddDate(0, 0, 1); state.Origin.Before(end) {
			book := b.day(source, feed, day)
			book.Incomplete = state.Watermark.Before(end)
			all = append(all, book)
		}
	}
	slices.Reverse(all)
	return all
}

func (b *books) day(source, feed string, day time.Time) web.Book {
	book := web.Book{Day: day.Format(time.DateOnly)}
	for i := range b.days {
		if d := &b.days[i]; d.Source == source && d.Feed == feed && d.Day.Equal(day) {
			book.Records, book.Late, book.Revised = d.Records, d.Late, d.Revised
			book.Charges = make(map[string]string)
			for currency, sum := range d.Charges {
				book.Charges[currency] = sum.String()
			}
			book.Total = dayTotal(&d.Book)
		}
	}
	for _, r := range b.audits {
		if r.Source == source && r.Feed == feed && r.Day.Equal(day) && r.Whole {
			book.Audit = &web.DayAudit{
				Began: web.Time{Time: r.At}, Listed: r.Listed, Missing: r.Missing,
				Differs: r.Differs,
			}
		}
	}
	return book
}

func dayTotal(b *counting.Book) *web.DayTotal {
	t := b.Total
	if t == nil {
		return nil
	}
	total := &web.DayTotal{Records: int64(t.Theirs), Read: int64(t.Ours)}
	if t.Charges != nil {
		difference := b.ChargesDifference()
		total.Charges, total.Currency, total.ChargesDiffer = t.Charges.String(), t.Currency, difference.Sign() != 0
	}
	return total
}
