package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// webhooks is the listener for providers' notifications. It serves the configured paths and nothing
// else. A reload replaces the paths.
type webhooks struct {
	port     web.ServeSettings                       // off without listeners
	unstored rate.Sometimes                          // limits the warnings, of which strangers could make many
	hooks    atomic.Pointer[map[string]http.Handler] // by path
}

// setHooks makes the listener serve the paths of a configuration's sources.
func (a *App) setHooks(r *running) {
	for _, s := range r.sources {
		if hasWebhook(s.opened) {
			a.selfMetrics.Source(s.config.Name).Listens()
		}
	}
	a.webhooks.hooks.Store(&r.hooks)
}

// inboxOf is where the webhook of a feed puts the tasks of notifications.
func (a *App) inboxOf(s *source, info *collector.FeedInfo) collector.Inbox {
	return collector.Inbox{
		// Enqueue makes the tasks of a notification durable, whichever replica reads the feed, and
		// wakes the feed if it is read here. Without tasks it only wakes the feed, whose
		// subscription may need attention.
		Enqueue: func(ctx context.Context, tasks []work.Item) (queued int, err error) {
			if len(tasks) > 0 {
				queued, err = a.ledger.Enqueue(ctx, SpecOf(s.config, info), tasks)
			}
			if err != nil {
				a.warnUnstored(ctx, s, err)
				return 0, err
			}
			for _, f := range s.feeds() {
				if f.info == info {
					f.loop.Wake()
				}
			}
			return queued, nil
		},
		Commit: func(ctx context.Context, page *collector.Page) error {
			for _, f := range s.feeds() {
				if f.info != info || !f.state.isOpen.Load() {
					continue
				}
				err := f.loop.CommitPosted(ctx, page)
				if !errors.Is(err, ledger.ErrNotOwner) && !errors.Is(err, collector.ErrReadElsewhere) {
					a.warnUnstored(ctx, s, err)
					return err
				}
			}
			return collector.ErrReadElsewhere
		},
	}
}

// warnUnstored logs, rarely, that a webhook's tasks can't be stored, unless the sender has left.
func (a *App) warnUnstored(ctx context.Context, s *source, err error) {
	if err != nil && ctx.Err() == nil {
		a.webhooks.unstored.Do(func() {
			a.logger.WarnContext(ctx, "Can't store what the webhook received, so the sender gets an error and "+
				"should send it again", collector.SourceKey, s.config.Name, "err", err)
		})
	}
}

// ServeHTTP implements http.Handler. net/http logs a panic and closes the connection, and the
// provider sends the notification again.
func (h *webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	hook, known := (*h.hooks.Load())[r.URL.Path]
	if !known {
		http.Error(w, "Not found.", http.StatusNotFound)
		return
	}
	hook.ServeHTTP(w, r)
}

// makeHooks makes the handlers of notifications. It reports webhooks that share a path or have no
// listener.
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
				errs = append(errs, fmt.Errorf("webhooks of %s and %s: both use the path %s of the webhook "+
					"listener; give each another path", owner, name, path))
			}
			owners[path], r.hooks[path] = name, feed.Webhook.Handler(a.inboxOf(s, feed))
			switch {
			case len(a.settings.WebhookAddresses) == 0 && feed.Posted != nil:
				errs = append(errs, fmt.Errorf("%s: nothing listens for the records that are posted to %s; "+
					"start with --webhook.listen-address (in a Collector: webhook.listen_address), or remove "+
					"the token from the source", name, path))
			case len(a.settings.WebhookAddresses) == 0:
				errs = append(errs, fmt.Errorf("webhook of %s: nothing listens for its notifications; "+
					"start with --webhook.listen-address (in a Collector: webhook.listen_address), or remove "+
					"the webhook from the configuration", name))
			case feed.Webhook.NeedsTLS && a.settings.takesPlainHTTP():
				errs = append(errs, fmt.Errorf("%s: --webhook.listen-address accepts plain HTTP from other "+
					"machines, so numbers and the token would cross the network unencrypted; "+
					"set a certificate with --webhook.config.file (in a Collector: webhook.config_file), "+
					"listen on 127.0.0.1 behind a proxy with TLS, or set insecure_http: true in the source", name))
			}
		}
	}
	return errors.Join(errs...)
}

// takesPlainHTTP says whether other machines can reach the webhook listener without TLS.
func (s *Settings) takesPlainHTTP() bool {
	return !web.HasTLS(s.WebhookConfigFile) && slices.ContainsFunc(s.WebhookAddresses, func(address string) bool {
		host, _, err := net.SplitHostPort(address)
		return err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback()
	})
}
