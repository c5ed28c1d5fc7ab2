package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// hooks are what answers notifications, by path.
type hooks map[string]http.Handler

// add adds what answers a feed's notifications; nil: it gets none.
func (h hooks) add(hook *collector.Webhook, to *enqueuing) {
	if hook != nil {
		h[hook.Path] = hook.Handler(to.enqueue)
	}
}

// enqueuing takes what notifications name.
type enqueuing struct {
	feed   *lazyFeed
	wake   func()
	logger *slog.Logger
}

// enqueue makes tasks durable and then wakes the feed. Without tasks it only wakes the feed,
// whose subscription may need attention.
func (e *enqueuing) enqueue(ctx context.Context, work []collector.Task) (queued int, err error) {
	if len(work) > 0 {
		queued, err = e.feed.enqueue(ctx, work)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return 0, err // the sender has gone
	default:
		e.logger.WarnContext(ctx, "What a notification names can't be kept, so the provider is asked to send it again.", "err", err)
		return 0, err
	}
	e.wake()
	return queued, nil
}

// webhooks is the listener for providers' notifications, apart from the metrics port:
// it serves the configured paths and nothing else. A reload replaces the paths as a
// whole; who is being answered is answered as before.
type webhooks struct {
	listeners []net.Listener
	logger    *slog.Logger
	hooks     atomic.Pointer[hooks] // nil until the feeds are there
}

// newWebhooks answers nothing yet. Strangers reach it, so it logs sparingly.
func newWebhooks(logger *slog.Logger) *webhooks { return &webhooks{logger: web.LimitLog(logger)} }

// take serves these paths and no others.
func (h *webhooks) take(hooks hooks) { h.hooks.Store(&hooks) }

// listen opens the listeners, if there are to be some.
func (h *webhooks) listen(ctx context.Context, settings *Settings) error {
	if err := web.ValidateConfigFile(settings.WebhookConfigFile); err != nil {
		return err
	}
	if len(settings.WebhookAddresses) == 0 {
		return nil
	}
	var err error
	h.listeners, err = web.Listen(ctx, settings.WebhookAddresses)
	return err
}

// serveWebhooks serves the listeners for notifications until the context ends.
func (a *App) serveWebhooks(ctx context.Context) {
	if len(a.webhooks.listeners) == 0 {
		return
	}
	err := web.Serve(ctx, web.ServeSettings{
		Listeners: a.webhooks.listeners, Handler: a.webhooks, WebConfigFile: a.settings.WebhookConfigFile,
		Logger: a.webhooks.logger.With("listener", "webhook"), Public: true,
	})
	if err != nil {
		a.failed <- fmt.Errorf("serve webhooks: %w", err)
	}
}

// ServeHTTP implements http.Handler.
func (h *webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	hooks := h.hooks.Load()
	if hooks == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Starting.", http.StatusServiceUnavailable)
		return
	}
	hook, known := (*hooks)[r.URL.Path]
	if !known {
		// What strangers ask for isn't ours to log.
		h.logger.DebugContext(r.Context(), "Something that isn't here was asked for.", "code", http.StatusNotFound)
		http.Error(w, "Not found.", http.StatusNotFound)
		return
	}
	began, noted := time.Now(), &notedWriter{ResponseWriter: w, code: http.StatusOK}
	defer func() {
		if v := recover(); v != nil {
			h.panicked(r, noted, v)
		}
		h.logger.DebugContext(r.Context(), "A webhook was called.", "path", r.URL.Path, "code", noted.code, "took", time.Since(began))
	}()
	hook.ServeHTTP(noted, r)
}

// panicked ends a request whose handler panicked: the provider sends it again.
func (h *webhooks) panicked(r *http.Request, w *notedWriter, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	h.logger.ErrorContext(r.Context(), "Answering a webhook panicked: please report this.", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.wrote {
		panic(http.ErrAbortHandler) // what was written so far must not pass for an answer
	}
	http.Error(w, "It can't be taken now.", http.StatusInternalServerError)
}

// notedWriter notes the status of an answer.
type notedWriter struct {
	http.ResponseWriter

	code  int
	wrote bool
}

// WriteHeader implements http.ResponseWriter.
func (w *notedWriter) WriteHeader(code int) {
	if !w.wrote {
		w.code, w.wrote = code, true
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *notedWriter) Write(body []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(body)
}

// Unwrap is for http.ResponseController.
func (w *notedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// checkWebhooks finds webhooks that nobody could reach.
func (a *App) checkWebhooks(r *running) error {
	var errs []error
	owners := make(map[string]string)
	for _, s := range r.sources {
		for i := range s.opened.Feeds {
			feed := &s.opened.Feeds[i]
			if feed.Webhook == nil {
				continue
			}
			name, path := s.config.Name+"/"+feed.Name, feed.Webhook.Path
			if owner := owners[path]; owner != "" {
				errs = append(errs, fmt.Errorf("webhooks of %s and %s: both are at the path %s of the webhook listener; give each a path of its own", owner, name, path))
			}
			owners[path] = name
			if len(a.settings.WebhookAddresses) == 0 {
				errs = append(errs, fmt.Errorf("webhook of %s: there is no listener to take its notifications; "+
					"start with --webhook.listen-address, or remove the webhook from the configuration", name))
			}
		}
	}
	return errors.Join(errs...)
}
