package app

import (
	"context"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// auditsEvery is how often the ledger is asked for audits, which another process may have run.
const auditsEvery = 30 * time.Second

// audits are the newest audits of the ledger's feeds.
type audits struct {
	mu    sync.Mutex // guards the following
	asked time.Time
	known []ledger.AuditResult
}

// newest asks the ledger, unless it was asked a moment ago. While it doesn't answer, the audits are those of before.
func (a *audits) newest(l *ledger.Ledger, now time.Time) []ledger.AuditResult {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.asked).Abs() < auditsEvery {
		return a.known
	}
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	if all, err := l.Audits(ctx); err == nil {
		a.known = all
	}
	a.asked = now
	return a.known
}

// observeAudits sets the gauges of the feeds that are read here.
func (a *App) observeAudits() {
	var missing, at []metrics.Row
	for _, r := range a.audits.newest(a.ledger, time.Now()) {
		for _, s := range a.running.Load().sources {
			for _, f := range s.feeds() {
				if s.config.Name == r.Source && f.info.Name == r.Feed {
					labels := []string{r.Source, r.Feed}
					missing = append(missing, metrics.Row{Labels: labels, Value: float64(r.Missing)})
					at = append(at, metrics.Row{Labels: labels, Value: float64(r.At.UnixMicro()) / 1e6})
				}
			}
		}
	}
	a.selfMetrics.Replace(metrics.AuditMissing, missing)
	a.selfMetrics.Replace(metrics.AuditTime, at)
}

// auditStatus is the newest audit of a feed, nil if there is none.
func auditStatus(all []ledger.AuditResult, source, feed string) *web.Audit {
	for _, r := range all {
		if r.Source == source && r.Feed == feed {
			return &web.Audit{Began: web.Time{Time: r.At}, From: web.Time{Time: r.Day}, Listed: r.Listed, Missing: r.Missing, Differs: r.Differs}
		}
	}
	return nil
}
