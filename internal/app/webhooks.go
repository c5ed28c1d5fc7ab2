package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// webhooks is the listener for providers' notifications: it serves the configured paths and nothing else. A reload replaces the paths.
type webhooks struct {
	port     web.ServeSettings                       // without listeners it is off
	unstored rate.Sometimes                          // limits the warnings, of which strangers could make many
	hooks    atomic.Pointer[map[string]http.Handler] // by path
}

// setHooks makes the listener answer the notifications of a configuration's sources, and no others.
func (a *App) setHooks(r *running) {
	for _, s := range r.sources {
		if hasWebhook(s.opened) {
			a.selfMetrics.Source(s.config.Name).Listens()
		}
	}
	a.webhooks.hooks.Store(&r.hooks)
}

// enqueueTo returns a function that makes the tasks of a notification durable, whichever replica reads the feed, and wakes the feed if it is read
// here. Without tasks it only wakes the feed, whose subscription may need attention.
func (a *App) enqueueTo(s *source, info *collector.FeedInfo) func(context.Context, []collector.Task) (int, error) {
	return func(ctx context.Context, tasks []collector.Task) (queued int, err error) {
		if len(tasks) > 0 {
			queued, err = a.ledger.Enqueue(ctx, specOf(s.config, info), tasks)
		}
		if err != nil {
			if ctx.Err() == nil { // the sender is still there
				a.webhooks.unstored.Do(func() {
					a.logger.WarnContext(ctx, "A notification can't be stored, so the provider is asked to send it again.", collector.SourceKey, s.config.Name, "err", err)
				})
			}
			return 0, err
		}
		for _, f := range s.feeds() {
			if f.info == info {
				f.loop.Wake()
			}
		}
		return queued, nil
	}
}

// ServeHTTP implements http.Handler. net/http logs a panic and closes the connection, and the provider sends the notification again.
func (h *webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	hook, known := (*h.hooks.Load())[r.URL.Path]
	if !known {
		http.Error(w, "Not found.", http.StatusNotFound)
		return
	}
	hook.ServeHTTP(w, r)
}

// makeHooks makes the handlers of notifications, and reports webhooks that share a path or have no listener.
func (a *App) makeHooks(r *running) error {
	var errs []error
	owners := make(map[string]string)
	r.hooks = make(map[string]http.Handler)
	for _, s := range r.sources {
		for i := range s.opened.Feeds {
			feed := &s.opened.Feeds[i]
			if feed.Webhook == nil {
				continue
			}
			name, path := s.config.Name+"/"+feed.Name, feed.Webhook.Path
			if owner := owners[path]; owner != "" {
				errs = append(errs, fmt.Errorf("webhooks of %s and %s: both use the path %s of the webhook listener; give each another path", owner, name, path))
			}
			owners[path], r.hooks[path] = name, feed.Webhook.Handler(a.enqueueTo(s, feed))
			if len(a.settings.WebhookAddresses) == 0 {
				errs = append(errs, fmt.Errorf("webhook of %s: there is no listener for its notifications; "+
					"start with --webhook.listen-address, or remove the webhook from the configuration", name))
			}
		}
	}
	return errors.Join(errs...)
}
