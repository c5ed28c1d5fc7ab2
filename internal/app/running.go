package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
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
	loops  []*collector.Loop
}

// prepare builds everything of a configuration that can fail, and starts nothing.
func (a *App) prepare(_ context.Context, p *plan) (*running, error) {
	r := &running{plan: p}
	var errs []error
	for i := range p.config.Sources {
		s, err := a.openSource(&p.config.Sources[i])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.sources = append(r.sources, s)
	}
	var err error
	if r.otlp, err = a.newDelivery(p); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		r.close()
		if r.otlp != nil {
			err = errors.Join(err, r.otlp.close())
		}
		return nil, err
	}
	return r, nil
}

func (a *App) openSource(c *config.Source) (*source, error) {
	settings := SourceSettings(c)
	settings.Observer = requests{own: a.own, source: c.Name}
	settings.Logger = a.logger.With(collector.SourceKey, c.Name)
	opened, err := OpenSource(c, a.settings.Providers, settings)
	if err != nil {
		return nil, err
	}
	return &source{config: c, opened: opened}, nil
}

// startReading opens the feeds' state and starts the loops. What can't be opened
// is shown as that feed's error and stops no other.
func (r *running) startReading(a *App) {
	for _, s := range r.sources {
		clock := collector.NewClock(nil, s.opened.Offset)
		for i := range s.opened.Feeds {
			s.loops = append(s.loops, a.newLoop(s, &s.opened.Feeds[i], clock))
		}
		a.scheduler.Add(s.loops...)
	}
}

// startSending starts the delivery.
func (r *running) startSending() {
	if r.otlp != nil {
		r.otlp.start()
	}
}

// newLoop makes the loop of a feed.
func (a *App) newLoop(s *source, info *collector.FeedInfo, clock *collector.Clock) *collector.Loop {
	observer := a.own.Feed(s.config.Name, info.Name)
	feed := info.Feed
	if info.Reader != nil {
		feed = collector.NewRangeFeed(collector.RangeSettings{
			Reader: info.Reader, Interval: info.Interval, Lookback: info.Lookback, Clock: clock, Observer: observer,
			Logger: a.logger.With(collector.SourceKey, s.config.Name, "feed", info.Name),
		})
	}
	opening := &openingFeed{inner: feed, ledger: a.ledger, spec: specOf(s.config, info)}
	if err := opening.open(context.Background()); err != nil {
		a.logger.Warn("The state of a feed can't be opened; it is tried again.", collector.SourceKey, s.config.Name, "feed", info.Name, "err", err)
	}
	var polled collector.Feed = opening
	if paced, ok := feed.(collector.Paced); ok {
		polled = pacedFeed{opening, paced}
	}
	return collector.NewLoop(collector.LoopSettings{
		Source: s.config.Name, Provider: s.config.ProviderName, Name: info.Name, Interval: info.Interval,
		Feed: polled, Ledger: opening, Clock: clock, Observer: observer, Logger: a.logger,
		Advise: opening.advise(s.opened.Advise), ThrottledUntil: s.opened.ThrottledUntil,
	})
}

// specOf is what the ledger must know of a feed.
func specOf(c *config.Source, info *collector.FeedInfo) ledger.FeedSpec {
	return ledger.FeedSpec{
		Source: c.Name, Provider: c.ProviderName, Feed: info.Name, RenamedFrom: c.RenamedFrom, Fingerprint: info.Fingerprint,
		History: c.History, Lookback: info.Lookback, LateAfter: info.LateAfter, Currency: info.Currency,
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
