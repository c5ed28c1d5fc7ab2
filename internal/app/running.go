package app

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// running is what one configuration made: its sources with their loops, and the
// way to the OTLP endpoint.
type running struct {
	plan    *plan
	sources []*source
	otlp    *delivery // nil: off
}

// source is one configured source with its loops.
type source struct {
	config *config.Source
	opened *collector.Source
	loops  []*collector.Loop // nil before startReading
	hooks  hooks
	// queues has, for each loop, the state with the work that waits; nil where lists
	// hold the records.
	queues   []*lazyFeed
	notified *notified
}

// hasWebhook says whether the provider sends notifications.
func (s *source) hasWebhook() bool {
	return slices.ContainsFunc(s.opened.Feeds, func(f collector.FeedInfo) bool { return f.Webhook != nil })
}

// prepare builds everything of a configuration that can fail, and starts nothing. What old, if there is one, has built of the same
// configuration is taken over as it is.
func (a *App) prepare(p *plan, old *running) (*running, error) {
	r := &running{plan: p}
	var errs []error
	for i := range p.config.Sources {
		if same := old.sourceOf(&p.config.Sources[i]); same != nil {
			r.sources = append(r.sources, same)
			continue
		}
		s, err := a.openSource(&p.config.Sources[i])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.sources = append(r.sources, s)
	}
	var err error
	if old != nil && old.otlp != nil && reflect.DeepEqual(old.plan.otlp, p.otlp) {
		r.otlp = old.otlp
	} else if r.otlp, err = a.newDelivery(p); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, a.checkWebhooks(r))
	if err := errors.Join(errs...); err != nil {
		made := r
		if old != nil {
			made = r.without(old)
		}
		made.close()
		if made.otlp != nil {
			err = errors.Join(err, made.otlp.close())
		}
		return nil, err
	}
	return r, nil
}

// sourceOf is the source that was made of an equal configuration, nil if there is none. Secrets in files are compared by the name of the
// file: they are read again when they are used.
func (r *running) sourceOf(c *config.Source) *source {
	if r == nil {
		return nil
	}
	for _, s := range r.sources {
		if reflect.DeepEqual(s.config, c) {
			return s
		}
	}
	return nil
}

// without is what other doesn't have.
func (r *running) without(other *running) *running {
	rest := &running{plan: r.plan}
	for _, s := range r.sources {
		if !slices.Contains(other.sources, s) {
			rest.sources = append(rest.sources, s)
		}
	}
	if r.otlp != other.otlp {
		rest.otlp = r.otlp
	}
	return rest
}

func (a *App) openSource(c *config.Source) (*source, error) {
	settings := SourceSettings(c)
	settings.Observer = requests{own: a.own, source: c.Name}
	settings.Quotas = &a.quotas
	settings.Logger = a.logger.With(collector.SourceKey, c.Name)
	notified := a.notifiedOf(c.Name)
	settings.Notified, settings.Derive = notified, a.ledger.Derive
	opened, err := OpenSource(c, a.settings.Providers, settings)
	if err != nil {
		return nil, err
	}
	return &source{config: c, opened: opened, notified: notified}, nil
}

// startReading opens the feeds' state and starts the loops of the sources that aren't read yet. What can't be opened
// is shown as that feed's error and stops no other.
func (r *running) startReading(a *App) {
	all := make(hooks)
	var fresh []*source
	for _, s := range r.sources {
		if s.loops == nil {
			a.makeLoops(s)
			fresh = append(fresh, s)
		}
		maps.Copy(all, s.hooks)
	}
	// Before the loops: a provider that is asked for a subscription tries the address.
	a.webhooks.take(all)
	for _, s := range fresh {
		a.scheduler.Add(s.loops...)
	}
}

func (a *App) makeLoops(s *source) {
	s.hooks = make(hooks)
	if s.hasWebhook() {
		s.notified.Listens()
	}
	clock := collector.NewClock(nil, s.opened.Offset)
	for i := range s.opened.Feeds {
		a.addLoop(s, &s.opened.Feeds[i], clock, s.hooks)
	}
}

// startSending starts the delivery.
func (r *running) startSending() {
	if r.otlp != nil {
		r.otlp.start()
	}
}

// stopReading ends the loops and returns when they have ended.
func (r *running) stopReading(a *App) {
	var loops []*collector.Loop
	for _, s := range r.sources {
		loops = append(loops, s.loops...)
	}
	a.scheduler.Remove(loops...)
}

// stopSending ends the delivery, as soon as it has sent what waits or its time is
// up, and lets the sources go.
func (r *running) stopSending() {
	if r.otlp != nil {
		r.otlp.stop()
	}
	r.close()
}

// close lets the sources go; their loops have ended or never began.
func (r *running) close() {
	for _, s := range r.sources {
		if s.opened.Close != nil {
			s.opened.Close()
		}
	}
}

// requests counts what is asked of a provider.
type requests struct {
	own    *metrics.Own
	source string
}

// Request implements httpclient.Observer.
func (r requests) Request(feed, code string, took time.Duration) {
	r.own.Add(metrics.APIRequests, 1, r.source, feed, code)
	r.own.Observe(metrics.APIRequestDuration, took, r.source, feed)
}

// Throttled implements httpclient.Observer.
func (r requests) Throttled(feed string, d time.Duration) {
	r.own.AddTime(metrics.APIThrottled, d, r.source, feed)
}

// hasWebhook says whether the source of this name, if there is one, gets notifications.
func (r *running) hasWebhook(name string) bool {
	return slices.ContainsFunc(r.sources, func(s *source) bool { return s.config.Name == name && s.hasWebhook() })
}

// names lists a configuration's feeds as `source` and `feed`.
func (r *running) names() map[[2]string]bool {
	all := make(map[[2]string]bool)
	for _, s := range r.sources {
		for i := range s.opened.Feeds {
			all[[2]string{s.config.Name, s.opened.Feeds[i].Name}] = true
		}
	}
	return all
}

// errRestart says what a reload can't change.
func errRestart(old, now string) error {
	return fmt.Errorf("storage.path: changed from %s to %s, which needs a restart; nothing was changed", old, now)
}
