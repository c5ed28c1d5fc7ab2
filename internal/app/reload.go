package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
)

const (
	// reloadSpacing is the minimum time between two reloads, which anybody who can reach the port
	// may request.
	reloadSpacing = time.Second
	// filesInterval is how often the file of privacy.hash_key, and changed files of labels, are
	// read again. Other secrets are read when they are used, but these are used with each record.
	filesInterval = 5 * time.Second
)

var errNotRunning = errors.New("reload: the daemon isn't running")

// Reload reads the configuration again and applies it as a whole, or returns every problem and
// changes nothing. Sources that don't change keep their tokens and connections, and so does an
// unchanged OTLP delivery. Calls while a reload runs, or within a second of it, share the next one.
func (a *App) Reload() error {
	_, err, _ := a.reloads.Do("", func() (any, error) {
		_ = a.reloadPace.Wait(context.Background()) // fails only with its context
		if a.stopped.Load() {
			return nil, errNotRunning
		}
		a.reloading.Lock()
		defer a.reloading.Unlock()
		a.reloads.Forget("") // later calls need another reload: the file may change after this one has read it
		return nil, a.reload()
	})
	return err
}

func (a *App) reload() error {
	if a.cancel == nil || a.stopped.Load() {
		return errNotRunning
	}
	next, err := a.nextRunning()
	a.refused = err
	a.reloaded(err)
	if err != nil {
		a.logger.Error("Reload of the configuration failed; the previous one stays in effect", "err", err)
		return err
	}
	old := a.running.Load()
	removed := old.without(next)
	a.swapParts(removed, next)
	removed.close()
	a.forget(old, next) // last, because ending a session is a request too
	removed.otlp.stop() // after reading has started, so that it doesn't wait for an endpoint
	if next.otlp != old.otlp {
		next.otlp.start()
	}
	a.logger.Info("Reloaded the configuration", "sources", len(next.sources), "kept",
		len(old.sources)-len(removed.sources))
	return nil
}

// swapParts stops the parts that the new configuration doesn't have and starts new ones. The
// ownership of feeds doesn't change meanwhile.
func (a *App) swapParts(removed, next *running) {
	a.owners.mu.Lock()
	defer a.owners.mu.Unlock()
	stopLoops(removed.sources) // before the new loops start, so that no feed has two
	a.ledger.Tune(next.tuning(), next.metricOptions())
	a.labels.Store(next.labels)
	a.selfMetrics.SetNative(next.config.Metrics.NativeHistograms)
	a.setHooks(next) // before the loops: Graph validates a new subscription at once
	if !a.ledger.Shared() {
		a.startFeeds(next.sources)
	}
	a.running.Store(next)
}

// nextRunning builds what the file configures now.
func (a *App) nextRunning() (*running, error) {
	next, err := a.load()
	if err != nil {
		return nil, err
	}
	old, now := a.running.Load().config.Storage, next.config.Storage
	if old.Path != now.Path {
		return nil, fmt.Errorf("storage.path: changed from %q to %q, which needs a restart; nothing was changed",
			old.Path, now.Path)
	}
	if !reflect.DeepEqual(old.Postgres, now.Postgres) {
		return nil, errors.New("storage.postgres: changed, which needs a restart; nothing was changed")
	}
	return next, a.prepare(next)
}

// forget stops showing the feeds that are no longer configured.
func (a *App) forget(old, next *running) {
	for _, s := range old.sources {
		name, now := s.config.Name, &collector.Source{}
		for _, other := range next.sources {
			if other.config.Name == name {
				now = other.opened
			}
		}
		for i := range s.opened.Feeds {
			feed := s.opened.Feeds[i].Name
			if !slices.ContainsFunc(now.Feeds, func(f collector.FeedInfo) bool { return f.Name == feed }) {
				a.ledger.Hide(name, feed)
				a.forgetSelfMetrics(name, feed)
			}
		}
		if len(now.Feeds) == 0 {
			a.forgetSelfMetrics(name)
		}
		if hasWebhook(s.opened) && !hasWebhook(now) {
			a.selfMetrics.Source(name).Forget()
		}
	}
}

// forgetSelfMetrics removes the self metrics with these labels. It waits for a snapshot in
// progress, which would set them again.
func (a *App) forgetSelfMetrics(labels ...string) {
	a.observing.Lock()
	defer a.observing.Unlock()
	a.selfMetrics.Forget(labels...)
}

// reloaded records the result of the last reload, of the configuration or of a file of labels.
func (a *App) reloaded(err error) {
	if err == nil {
		a.selfMetrics.SetTime(metrics.ReloadSuccess, a.settings.Now())
	}
	a.reloadProblem.Store(&err)
	a.selfMetrics.SetBool(metrics.ReloadSuccessful, err == nil)
}

// configProblem says why the newest configuration isn't in effect; empty if it is.
func (a *App) configProblem() string {
	if err := a.reloadProblem.Load(); err != nil && *err != nil {
		return (*err).Error()
	}
	return ""
}

// rereadFiles applies a changed key and changed labels. It keeps the former ones while their file
// can't be read.
func (a *App) rereadFiles(ctx context.Context) {
	if !a.reloading.TryLock() {
		return // a reload reads them too, and Stop waits for this
	}
	defer a.reloading.Unlock()
	r := a.running.Load()
	a.rereadHashKey(ctx, r)
	a.rereadLabels(r)
}

// rereadLabels reads the files of labels again if one has changed and two checks found the same
// content. Later counts have the new values.
func (a *App) rereadLabels(r *running) {
	stamp := labels.Stamp(r.config.Labels)
	if stamp == r.labelFiles {
		return
	}
	if stamp != r.labelLook { // half a table may be a table too
		r.labelLook = stamp
		return
	}
	set, err := labels.Load(r.config.Labels)
	if labels.Stamp(r.config.Labels) != stamp {
		return // written meanwhile
	}
	r.labelFiles = stamp
	if err != nil {
		r.labelsBroken = true
		a.reloaded(errors.Join(a.refused, err))
		a.logger.Error("Can't use a file of labels; its previous content stays in effect", "err", err)
		return
	}
	if r.labelsBroken {
		r.labelsBroken = false
		a.reloaded(a.refused)
	}
	a.labels.Store(set)
	a.logger.Info("Reloaded the files of labels")
	if _, is := errors.AsType[*labelsError](a.refused); is {
		_ = a.reload() // it logs its result
	}
}

// labelsError is why files of labels can't be used.
type labelsError struct{ error }

func (e *labelsError) Unwrap() error { return e.error }

func (a *App) rereadHashKey(ctx context.Context, r *running) {
	key, err := HashKey(ctx, r.config)
	if err != nil {
		if err.Error() != r.hashKeyProblem { // otherwise it was already logged
			a.logger.Warn("Can't read privacy.hash_key again; the previous key stays in effect", "err", err)
		}
		r.hashKeyProblem = err.Error()
		return
	}
	r.hashKeyProblem = ""
	if !bytes.Equal(key, r.hashKey) {
		r.hashKey = key
		a.ledger.Tune(r.tuning(), r.metricOptions())
		a.logger.Info("Reloaded privacy.hash_key from its file")
	}
}
