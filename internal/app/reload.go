package app

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Reload reads the configuration again and takes it over as a whole, or says
// every problem and changes nothing.
func (a *App) Reload(ctx context.Context) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if !a.started || a.stopped {
		return errors.New("reload: the daemon doesn't run")
	}
	next, err := a.nextRunning(ctx)
	a.reloaded(err == nil)
	if err != nil {
		a.logger.Error("The configuration wasn't taken over; the former one stays.", "err", err)
		return err
	}
	old := a.running
	// The old loops are joined before the new ones start, so that no feed has two.
	old.stopReading(a)
	a.ledger.Tune(next.plan.tuning(), next.plan.metricOptions())
	a.running = next
	next.startReading(a)
	a.publish(next)
	a.forget(old, next)
	// Reading doesn't wait for an endpoint that doesn't answer.
	old.stopSending()
	next.startSending()
	a.logger.Info("The configuration was taken over.", "sources", len(next.sources))
	return nil
}

// nextRunning builds what the file asks for now.
func (a *App) nextRunning(ctx context.Context) (*running, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	if old, now := a.running.plan.config.Storage.Path, p.config.Storage.Path; old != now {
		return nil, errRestart(string(old), string(now))
	}
	return a.prepare(ctx, p)
}

// forget stops showing the feeds that are no longer configured. Those that are
// were shown all the while, so no scrape misses them.
func (a *App) forget(old, next *running) {
	stay := next.names()
	for _, s := range old.sources {
		for i := range s.opened.Feeds {
			name := s.opened.Feeds[i].Name
			if stay[[2]string{s.config.Name, name}] {
				continue
			}
			a.ledger.Hide(s.config.Name, name)
			a.own.Forget(s.config.Name, name)
		}
		if next.plan.config.Source(s.config.Name) == nil {
			a.own.Forget(s.config.Name)
		}
		if s.hasWebhook() && !next.hasWebhook(s.config.Name) {
			s.notified.Forget()
			delete(a.notices, s.config.Name)
		}
	}
}

// reloaded records how the last load of the configuration went.
func (a *App) reloaded(ok bool) {
	v := 0.0
	if ok {
		v = 1
		a.own.SetTime(metrics.ReloadSuccess, time.Now())
	}
	a.own.Set(metrics.ReloadSuccessful, v)
}
