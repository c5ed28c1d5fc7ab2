package app

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// observeAudits sets the gauges of the feeds that are read here.
func (a *App) observeAudits() {
	var missing, at []metrics.Row
	all := a.books.Load().audits
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
