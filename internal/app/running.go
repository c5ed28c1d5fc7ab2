package app

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// running is what was built from one configuration.
type running struct {
	plan    *plan
	sources []*source
	otlp    *delivery // nil: off
}

// source is one configured source with its feeds.
type source struct {
	config *config.Source
	opened *collector.Source
	feeds  []*feed // nil before startReading
	hooks  map[string]http.Handler
}

// feed is one feed of a source.
type feed struct {
	info  *collector.FeedInfo
	loop  *collector.Loop
	queue *lazyFeed // nil unless records are fetched one by one
}

// hasWebhook reports whether the provider sends notifications.
func (s *source) hasWebhook() bool {
	return slices.ContainsFunc(s.opened.Feeds, func(f collector.FeedInfo) bool { return f.Webhook != nil })
}

// prepare builds everything of a configuration that can fail, and starts nothing. It reuses what old, if not nil, has built of the
// same configuration.
func (a *App) prepare(p *plan, old *running) (*running, error) {
	r := &running{plan: p}
	var errs []error
	for i := range p.config.Sources {
		if same := old.sourceOf(&p.config.Sources[i]); same != nil {
			r.sources = append(r.sources, same)
			continue
		}
		if s, err := a.openSource(&p.config.Sources[i]); err != nil {
			errs = append(errs, err)
		} else {
			r.sources = append(r.sources, s)
		}
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

// sourceOf is the source with an equal configuration, nil if there is none. Secrets in files are compared by the file's name: they are
// read at every use.
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

// without is what r has and other doesn't.
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
	settings.Notified, settings.Derive = a.own.Source(c.Name), a.ledger.Derive
	opened, err := OpenSource(c, a.settings.Providers, settings)
	if err != nil {
		return nil, err
	}
	return &source{config: c, opened: opened}, nil
}

// startReading starts the loops of the sources that aren't read yet. A feed whose state can't be opened shows an error and stops no other.
func (r *running) startReading(a *App) {
	hooks := make(map[string]http.Handler)
	var loops []*collector.Loop
	for _, s := range r.sources {
		if s.feeds == nil {
			a.makeFeeds(s)
			for _, f := range s.feeds {
				loops = append(loops, f.loop)
			}
		}
		maps.Copy(hooks, s.hooks)
	}
	a.webhooks.hooks.Store(&hooks) // before the loops: a new subscription is validated at once
	for _, loop := range loops {
		loop.Start()
	}
}

func (a *App) makeFeeds(s *source) {
	s.hooks = make(map[string]http.Handler)
	if s.hasWebhook() {
		a.own.Source(s.config.Name).Listens()
	}
	clock := collector.NewClock(nil, s.opened.Offset)
	for i := range s.opened.Feeds {
		s.feeds = append(s.feeds, a.makeFeed(s, &s.opened.Feeds[i], clock))
	}
}

// startSending starts the delivery.
func (r *running) startSending() {
	if r.otlp != nil {
		r.otlp.start()
	}
}

// stopReading ends the loops and waits for them.
func (r *running) stopReading() {
	var stopping sync.WaitGroup
	for _, s := range r.sources {
		for _, f := range s.feeds {
			stopping.Go(f.loop.Stop)
		}
	}
	stopping.Wait()
}

// stopSending ends the delivery after it has drained the outbox or its timeout, and closes the sources.
func (r *running) stopSending() {
	if r.otlp != nil {
		r.otlp.stop()
	}
	r.close()
}

// close closes the sources; their loops have ended or never began.
func (r *running) close() {
	for _, s := range r.sources {
		if s.opened.Close != nil {
			s.opened.Close()
		}
	}
}

// requests counts the requests to a provider.
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

// hasWebhook reports whether there is a source of this name with a webhook.
func (r *running) hasWebhook(name string) bool {
	return slices.ContainsFunc(r.sources, func(s *source) bool { return s.config.Name == name && s.hasWebhook() })
}

// names are the configured feeds, as source and feed.
func (r *running) names() map[[2]string]bool {
	all := make(map[[2]string]bool)
	for _, s := range r.sources {
		for i := range s.opened.Feeds {
			all[[2]string{s.config.Name, s.opened.Feeds[i].Name}] = true
		}
	}
	return all
}
