package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// reloadSpacing is the least time between two reloads.
const reloadSpacing = time.Second

// reloads joins requests to reload: those that come while a reload runs, or too soon after one, share the next.
type reloads struct {
	turn sync.Mutex // held by the reload that runs
	last time.Time  // when the latest began; guarded by turn

	mu   sync.Mutex
	next *pendingReload // guarded by mu; nil if nobody waits
}

// pendingReload is a reload that hasn't begun.
type pendingReload struct {
	done chan struct{} // closed when it has ended
	err  error
}

// Reload reads the configuration again and takes it over as a whole, or says every problem and changes nothing. It answers with the
// result of a reload that began after the call: at most one begins in a second, whoever asks. What a reload doesn't change goes on
// untouched: sources with their tokens and connections, and the way to the OTLP endpoint.
func (a *App) Reload(ctx context.Context) error {
	a.reloads.mu.Lock()
	r := a.reloads.next
	if r == nil {
		r = &pendingReload{done: make(chan struct{})}
		a.reloads.next = r
		go a.runReload(r)
	}
	a.reloads.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *App) runReload(r *pendingReload) {
	defer close(r.done)
	a.reloads.turn.Lock()
	defer a.reloads.turn.Unlock()
	wait := time.NewTimer(time.Until(a.reloads.last.Add(reloadSpacing)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-a.stopping:
	}
	a.reloads.mu.Lock()
	a.reloads.next = nil // who asks from now on wants what the file holds from now on
	a.reloads.mu.Unlock()
	a.reloads.last = time.Now()
	r.err = a.reload()
}

func (a *App) reload() error {
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
	old := a.running
	gone := old.without(next)
	// The old loops are joined before the new ones start, so that no feed has two.
	gone.stopReading(a)
	a.ledger.Tune(next.plan.tuning(), next.plan.metricOptions())
	a.running = next
	next.startReading(a)
	a.publish(next)
	a.forget(old, next)
	// Reading doesn't wait for an endpoint that doesn't answer.
	gone.stopSending()
	if next.otlp != old.otlp {
		next.startSending()
	}
	a.logger.Info("The configuration was reloaded.", "sources", len(next.sources), "kept", len(old.sources)-len(gone.sources))
	return nil
}

// nextRunning builds what the file asks for now.
func (a *App) nextRunning() (*running, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	if old, now := a.running.plan.config.Storage.Path, p.config.Storage.Path; old != now {
		return nil, errRestart(string(old), string(now))
	}
	return a.prepare(p, a.running)
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
