package app

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Reload reads the configuration again and applies it as a whole, or returns every problem and changes nothing. Sources that don't
// change keep their tokens and connections, and so does an unchanged OTLP delivery.
func (a *App) Reload() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if !a.started || a.stopped {
		return errors.New("reload: the daemon isn't running")
	}
	next, err := a.nextRunning()
	a.reloaded(err == nil)
	if err != nil {
		a.logger.Error("The configuration wasn't reloaded; the previous one stays in effect.", "err", err)
		return err
	}
	old := a.running.Load()
	gone := old.without(next)
	a.swap(gone, next)
	a.forget(old, next)
	gone.stopSending() // after reading has started, which needn't wait for an endpoint
	if next.otlp != old.otlp {
		next.otlp.start()
	}
	a.logger.Info("The configuration was reloaded.", "sources", len(next.sources), "kept", len(old.sources)-len(gone.sources))
	return nil
}

// swap ends what is gone and starts what is new. What replicas own stays as it is meanwhile.
func (a *App) swap(gone, next *running) {
	defer a.owners.pause()()
	stopLoops(gone.sources) // before the new loops start, so that no feed has two
	a.ledger.Tune(next.plan.tuning(), next.plan.metricOptions())
	a.startReading(next)
	a.running.Store(next)
}

// nextRunning builds what the file configures now.
func (a *App) nextRunning() (*running, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	running := a.running.Load()
	old, now := running.plan.config.Storage, p.config.Storage
	if old.Path != now.Path {
		return nil, fmt.Errorf("storage.path: changed from %q to %q, which needs a restart; nothing was changed", old.Path, now.Path)
	}
	if !reflect.DeepEqual(old.Postgres, now.Postgres) {
		return nil, errors.New("storage.postgres: changed, which needs a restart; nothing was changed")
	}
	return a.prepare(p, running)
}

// forget stops showing the feeds that are no longer configured.
func (a *App) forget(old, next *running) {
	stay := next.names()
	for name := range old.names() {
		if !stay[name] {
			a.ledger.Hide(name[0], name[1])
			a.own.Forget(name[0], name[1])
		}
	}
	for _, s := range old.sources {
		if next.plan.config.Source(s.config.Name) == nil {
			a.own.Forget(s.config.Name)
		}
		if s.hasWebhook() && !next.hasWebhook(s.config.Name) {
			a.own.Source(s.config.Name).Forget()
		}
	}
}

// reloaded sets the metrics of the last reload.
func (a *App) reloaded(ok bool) {
	if ok {
		a.own.SetTime(metrics.ReloadSuccess, time.Now())
	}
	a.own.SetBool(metrics.ReloadSuccessful, ok)
}
