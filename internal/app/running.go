package app

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// running is everything built from one configuration.
type running struct {
	config *config.Config
	// providers are those that its sources may use.
	providers []collector.Provider
	sending   *config.OTLPSettings // nil: OTLP is off
	// trusted are the certificates in the files that otlp's signals name. Sources reread their
	// files themselves; a delivery doesn't.
	trusted []string
	// hashKey is privacy.hash_key, or nil; hashKeyProblem is why it couldn't be read again.
	hashKey        []byte
	hashKeyProblem string
	// labels are the operator's, as the configuration was loaded; labelFiles is the stamp of their files when they were
	// read last.
	labels     *labels.Set
	labelFiles string
	// labelLook is the stamp at the last check, if the files have changed: they are read when two
	// checks find the same stamp.
	labelLook string
	// labelsBroken says that the files couldn't be used at that stamp.
	labelsBroken bool
	// thresholds are used by the status page.
	thresholds thresholds.Thresholds

	sources []*source
	hooks   map[string]http.Handler // handlers of webhooks, by path
	otlp    *delivery
}

// source is one configured source with its feeds.
type source struct {
	config *config.Source
	opened *collector.Source
	// polled are its feeds while they are read here, else nil. They keep opened even after another
	// replica has read the source for a while: for a provider's feed that is a long pause.
	polled atomic.Pointer[[]*feed]
}

// feeds are those that are read here, none if another replica reads them.
func (s *source) feeds() []*feed {
	if feeds := s.polled.Load(); feeds != nil {
		return *feeds
	}
	return nil
}

// specs are the source's feeds. Each has a row in a shared ledger, by which a replica owns it. Calls in progress have
// one too, although they commit nothing: while a reload goes from replica to replica, some have no other feed.
func (s *source) specs() (specs []ledger.FeedSpec) {
	for i := range s.opened.Feeds {
		specs = append(specs, SpecOf(s.config, &s.opened.Feeds[i]))
	}
	return specs
}

type feed struct {
	info    *collector.FeedInfo
	loop    *collector.Loop
	state   *lazyFeed // nil for calls in progress
	metrics *metrics.FeedMetrics
}

// hasWebhook reports whether the provider sends notifications or records.
func hasWebhook(s *collector.Source) bool {
	return slices.ContainsFunc(s.Feeds, func(f collector.FeedInfo) bool { return f.Webhook != nil })
}

// notifiedFeed is the feed for whose calls the provider sends notifications, or empty.
func notifiedFeed(s *collector.Source) string {
	for i := range s.Feeds {
		if s.Feeds[i].Webhook != nil && s.Feeds[i].Posted == nil {
			return s.Feeds[i].Name
		}
	}
	return ""
}

// prepare builds every part of a configuration that can fail, and starts nothing. It reuses the
// running parts with the same configuration.
func (a *App) prepare(r *running) error {
	old, errs := a.running.Load(), []error(nil)
	for i := range r.config.Sources {
		c := &r.config.Sources[i]
		// Secrets in files are compared by file name: they are read at every use.
		if same := slices.IndexFunc(old.sources, func(s *source) bool { return sameSource(s.config, c) }); same >= 0 {
			r.sources = append(r.sources, old.sources[same])
		} else if s, err := a.openSource(c, r.providers); err != nil {
			errs = append(errs, err)
		} else {
			r.sources = append(r.sources, s)
		}
	}
	var err error
	if reflect.DeepEqual(old.sending, r.sending) && slices.Equal(old.trusted, r.trusted) {
		r.otlp = old.otlp
	} else if r.otlp, err = a.newDelivery(r.sending); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, a.makeHooks(r))
	if err := errors.Join(errs...); err != nil {
		made := r.without(old)
		made.close()
		return errors.Join(err, made.otlp.close())
	}
	return nil
}

// without is the parts of r that other doesn't have.
func (r *running) without(other *running) *running {
	rest := &running{otlp: new(delivery), sources: slices.Clone(r.sources)}
	rest.sources = slices.DeleteFunc(rest.sources, func(s *source) bool { return slices.Contains(other.sources, s) })
	if r.otlp != other.otlp {
		rest.otlp = r.otlp
	}
	return rest
}

// sameSource says whether two configurations of a source are equal.
func sameSource(a, b *config.Source) bool {
	x, y := *a, *b
	x.Provider, y.Provider = nil, nil
	return a.SameBlock(b) && reflect.DeepEqual(x, y)
}

func (a *App) openSource(c *config.Source, providers []collector.Provider) (*source, error) {
	settings := SourceSettings(c, &a.quotas)
	settings.Observer = requests{self: a.selfMetrics, source: c.Name}
	settings.Logger = a.logger.With(collector.SourceKey, c.Name)
	settings.Notified, settings.Derive = a.selfMetrics.Source(c.Name), a.ledger.Derive
	settings.LoadSecret = func(ctx context.Context) ([]byte, error) {
		return a.ledger.LoadSecret(ctx, c.Name, c.RenamedFrom)
	}
	settings.ReplaceSecret = func(ctx context.Context, spend func() ([]byte, error)) error {
		return a.ledger.ReplaceSecret(ctx, c.Name, spend)
	}
	opened, err := OpenSource(c, providers, settings)
	if err != nil {
		return nil, err
	}
	return &source{config: c, opened: opened}, nil
}

// startFeeds starts the loops of sources that aren't read yet. A feed whose state can't be opened
// shows an error and stops no other feed.
func (a *App) startFeeds(sources []*source) {
	for _, s := range sources {
		if s.polled.Load() != nil {
			continue
		}
		var feeds []*feed
		clock := collector.NewClock(a.settings.Now, s.opened.Offset)
		for i := range s.opened.Feeds {
			feeds = append(feeds, a.makeFeed(s, &s.opened.Feeds[i], clock))
		}
		s.polled.Store(&feeds)
		for _, f := range feeds {
			f.loop.Start()
		}
	}
}

// stopLoops ends the loops and waits for them.
func stopLoops(sources []*source) {
	var stopping sync.WaitGroup
	for _, s := range sources {
		for _, f := range s.feeds() {
			stopping.Go(f.loop.Stop)
		}
	}
	stopping.Wait()
}

// close closes the sources. Their loops have ended or never started.
func (r *running) close() {
	var closing sync.WaitGroup
	for _, s := range r.sources {
		closing.Go(s.opened.Close) // it may take seconds to end a session
	}
	closing.Wait()
}

// requests counts the requests to a provider.
type requests struct {
	self   *metrics.SelfMetrics
	source string
}

// Request implements httpclient.Observer.
func (r requests) Request(feed, code string, took time.Duration) {
	r.self.Add(metrics.APIRequests, 1, r.source, feed, code)
	r.self.Observe(metrics.APIRequestDuration, took, r.source, feed)
}

// Throttled implements httpclient.Observer.
func (r requests) Throttled(feed string, d time.Duration) {
	r.self.Add(metrics.APIThrottled, d.Microseconds(), r.source, feed)
}
