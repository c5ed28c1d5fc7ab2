package app

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// proofsEvery is how often the ledger is asked for audits, which another process may have run, and for books.
const proofsEvery = 10 * time.Second

// proofs are what says whether all was counted: the newest audit of each feed and those of the days of the books, and the books.
type proofs struct {
	mu     sync.Mutex // guards the following
	asked  time.Time
	audits []ledger.AuditResult
	days   []ledger.DayBook
}

// read asks the ledger, unless it was asked a moment ago. While it doesn't answer, the proofs are those of before.
func (p *proofs) read(l *ledger.Ledger, now time.Time) ([]ledger.AuditResult, []ledger.DayBook) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.asked).Abs() < proofsEvery {
		return p.audits, p.days
	}
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	if all, err := l.Audits(ctx, firstBookDay(now)); err == nil {
		p.audits = all
	}
	if all, err := l.Books(ctx, firstBookDay(now)); err == nil {
		p.days = all
	}
	p.asked = now
	return p.audits, p.days
}

// observeAudits sets the gauges of the feeds that are read here.
func (a *App) observeAudits() {
	var missing, at []metrics.Row
	all, _ := a.proofs.read(a.ledger, time.Now())
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			newest := newestAudit(all, s.config.Name, f.info.Name)
			if newest == nil {
				continue
			}
			labels := []string{s.config.Name, f.info.Name}
			missing = append(missing, metrics.Row{Labels: labels, Value: float64(newest.Missing)})
			at = append(at, metrics.Row{Labels: labels, Value: float64(newest.Began.UnixMicro()) / 1e6})
		}
	}
	a.selfMetrics.Replace(metrics.AuditMissing, missing)
	a.selfMetrics.Replace(metrics.AuditTime, at)
}

// observeTotals sets the gauges of the provider's own totals of today and yesterday, of the feeds that are read here. They come from the books, so that a
// restart doesn't hide a difference.
func (a *App) observeTotals() {
	now := time.Now().UTC()
	named := map[string]string{now.Format(time.DateOnly): "today", now.AddDate(0, 0, -1).Format(time.DateOnly): "yesterday"}
	rows := map[*metrics.Def][]metrics.Row{metrics.ProviderRecords: nil, metrics.ReconciliationDifference: nil, metrics.ProviderCharges: nil, metrics.ReconciliationCharges: nil}
	_, days := a.proofs.read(a.ledger, now)
	for _, s := range a.running.Load().sources {
		for _, f := range s.feeds() {
			for i := range days {
				d := &days[i]
				day, shown := named[d.Day.UTC().Format(time.DateOnly)]
				if !shown || d.Total == nil || d.Source != s.config.Name || d.Feed != f.info.Name {
					continue
				}
				show := func(def *metrics.Def, value float64, more ...string) {
					rows[def] = append(rows[def], metrics.Row{Labels: append([]string{d.Source, d.Feed, day}, more...), Value: value})
				}
				show(metrics.ProviderRecords, float64(d.Total.Theirs))
				show(metrics.ReconciliationDifference, float64(d.Total.Ours-d.Total.Theirs))
				if d.Total.Charges != nil {
					show(metrics.ProviderCharges, d.Total.Charges.Float(), d.Total.Currency)
					difference := d.ChargesDifference()
					show(metrics.ReconciliationCharges, difference.Float(), d.Total.Currency)
				}
			}
		}
	}
	for def, all := range rows {
		a.selfMetrics.Replace(def, all)
	}
}

// readMissing has the days read again on which the newest audit of a feed that is read here found something missing or another amount: what the provider
// listed after the read plan's last read of it is counted late rather than never. read says of which audit a feed's days were read already; after a restart
// they are read once more, which counts nothing twice.
func (a *App) readMissing(r *running, read map[feedName]time.Time) {
	all, _ := a.proofs.read(a.ledger, time.Now())
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

// books are what the books of all feeds are made from.
type books struct {
	now    time.Time
	days   []ledger.DayBook
	audits []ledger.AuditResult
	// unknown says that the ledger didn't answer.
	unknown bool
}

// firstBookDay is the first day of the books.
func firstBookDay(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -web.BookDays)
}

// status is the books of a feed: of the days that are over, begin at its origin or later, or are partly after it. There are none before its first history
// is shown.
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
			for currency, sum := range maps.All(d.Charges) {
				book.Charges[currency] = sum.String()
			}
			book.Total = dayTotal(&d.Book)
		}
	}
	for _, r := range b.audits {
		if r.Source == source && r.Feed == feed && r.Day.Equal(day) && r.Whole {
			book.Audit = &web.DayAudit{Began: web.Time{Time: r.At}, Listed: r.Listed, Missing: r.Missing, Differs: r.Differs}
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
