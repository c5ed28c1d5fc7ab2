// Package app is the daemon. It builds the parts from a configuration, starts and stops them in
// order, and swaps them on reload.
//
//	New ─▶ Start ─▶ (Reload …) ─▶ Stop
//
// New opens the ledger and the listeners, so that it reports problems before anything runs. Stop
// ends the reading first, drains the outbox, and closes the ledger last; it may be called twice,
// and after a failed New. A reload builds everything that can fail before it changes anything.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/exporters/prometheus"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
)

// Settings are what New needs.
type Settings struct {
	// ConfigFile is read at the start and with each reload.
	ConfigFile string
	// ConfigNode replaces the file if another program has read the configuration (see
	// [config.UnmarshalNode]); ConfigFile is then only its name in errors.
	ConfigNode *yaml.Node
	// Pipelines replace the endpoints of `otlp`, by signal: "logs", "metrics" and "traces"; a
	// signal without one is off. If nil, data goes to the endpoints.
	Pipelines map[string]otlp.Deliver
	// Providers are the providers that a source may have; nil means all.
	Providers []collector.Provider
	// ListenAddresses are the addresses of the metrics port; empty means off.
	ListenAddresses []string
	// WebConfigFile is exporter-toolkit's file with TLS and basic auth; empty for neither.
	WebConfigFile string
	// WebhookAddresses are the addresses of the listener for notifications; empty means off.
	WebhookAddresses []string
	// WebhookConfigFile is the same file for that listener.
	WebhookConfigFile string
	// TelemetryPath is the path of the metrics; empty means /metrics.
	TelemetryPath string
	// Now is the machine's clock; nil means time.Now.
	Now func() time.Time
	// Random is a number from 0 up to 1 for the jitter of a feed's waits, so that a simulation can be
	// repeated exactly; nil: math/rand/v2.
	Random func(source, feed string) float64
	// Demo shows on the page that the calls are simulated.
	Demo bool
	// Logger is the program's logger; may be nil.
	Logger *slog.Logger
}

// App is the daemon. Its methods are safe for concurrent use.
type App struct {
	settings    Settings
	logger      *slog.Logger
	selfMetrics *metrics.SelfMetrics
	ledger      *ledger.Ledger
	owners      *ownership
	shown       metrics.Source // the series of the ledger that may be shown
	port        web.ServeSettings
	webhooks    webhooks
	quotas      httpclient.Quotas // survive a reload

	reloads    singleflight.Group
	reloadPace *rate.Limiter
	reloading  sync.Mutex              // orders Start, reloads and Stop
	running    atomic.Pointer[running] // stored under reloading
	// labels are the operator's labels that calls get now.
	labels  atomic.Pointer[labels.Set]
	refused error // why the last reload changed nothing; guarded by reloading
	// reloadProblem is why the newest configuration isn't in effect.
	reloadProblem atomic.Pointer[error]
	observing     sync.Mutex  // held while a snapshot sets the gauges of feeds
	stopped       atomic.Bool // Stop was called: no reload starts after that
	stop          sync.Once
	dailyTotals   atomic.Pointer[dailyTotals]

	background sync.WaitGroup
	cancel     context.CancelFunc // guarded by reloading; nil before Start
	failed     chan error         // errors of listeners, and of a replaced shared ledger
}

// New reads the configuration, opens the ledger and the listeners, and builds every part. It sends
// no request.
func New(ctx context.Context, settings Settings) (*App, error) {
	a := &App{
		settings: settings, reloadPace: rate.NewLimiter(rate.Every(reloadSpacing), 1),
		failed: make(chan error, 3),
	}
	if settings.Now == nil {
		a.settings.Now = time.Now
	}
	a.logger = cmp.Or(settings.Logger, slog.New(slog.DiscardHandler))
	a.owners = newOwnership(nil, a, "", a.logger, a.settings.Now)
	a.running.Store(&running{otlp: new(delivery)}) // nothing yet
	a.dailyTotals.Store(&dailyTotals{unknown: true})
	a.webhooks.unstored.Interval = 10 * time.Second
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return a, nil
}

func (a *App) build(ctx context.Context) error {
	r, err := a.load()
	if err != nil {
		return err
	}
	a.selfMetrics = metrics.NewSelfMetrics(a.settings.Now, r.config.Metrics.NativeHistograms)
	where, err := a.settings.storage(r.config)
	if err != nil {
		return err
	}
	if a.ledger, err = ledger.Open(ctx, a.ledgerSettings(r, where)); err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	if a.ledger.Shared() {
		a.owners = newOwnership(a.ledger, a, where.Postgres.Replica, a.logger, a.settings.Now)
	}
	a.shown = owned{a.ledger.Store(), a.owners}
	if warning := a.ledger.Warning(); warning != "" {
		a.logger.Warn("The ledger's disk may be unsafe", "err", warning)
	}
	if err := a.prepare(r); err != nil {
		return err
	}
	a.running.Store(r)
	a.labels.Store(r.labels)
	handler, err := web.Handler(web.Settings{
		MetricsPath: a.settings.TelemetryPath, Metrics: prometheus.Handler(prometheus.Gatherer{a.shown, a.selfMetrics},
			a.logger),
		Backend: a, Demo: a.settings.Demo, Logger: a.logger,
	})
	if err != nil {
		return err
	}
	a.port = web.ServeSettings{Handler: handler, WebConfigFile: a.settings.WebConfigFile, Logger: a.logger}
	if err := openPort(ctx, &a.port, a.settings.ListenAddresses); err != nil {
		return err
	}
	a.webhooks.port = web.ServeSettings{
		Handler: &a.webhooks, WebConfigFile: a.settings.WebhookConfigFile, Logger: a.logger.With("listener", "webhook"),
		Public: true,
	}
	return openPort(ctx, &a.webhooks.port, a.settings.WebhookAddresses)
}

// openPort opens the listeners of a port; without an address it stays off.
func openPort(ctx context.Context, port *web.ServeSettings, addresses []string) (err error) {
	if err := web.ValidateConfigFile(port.WebConfigFile); err != nil || len(addresses) == 0 {
		return err
	}
	port.Listeners, err = web.Listen(ctx, addresses)
	return err
}

// Start starts serving and reading. It returns at once; later failures show in the metrics and the
// status.
func (a *App) Start() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if a.cancel != nil || a.stopped.Load() {
		return errors.New("start: the daemon was already started")
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.observeLedger()
	a.reloaded(nil)
	a.background.Go(func() {
		a.ledger.Maintain(ctx, func(err error) {
			a.logger.Warn("Maintaining the ledger failed, retrying", "err", err)
		})
	})
	a.background.Go(func() { every(ctx, filesInterval, func() { a.rereadFiles(ctx) }) })
	a.background.Go(func() { a.auditDaily(ctx) })
	a.background.Go(func() { a.keepDailyTotals(ctx) })
	// The webhooks start before the loops, because Graph validates a new subscription at once.
	r := a.running.Load()
	a.setHooks(r)
	a.serve(ctx, a.webhooks.port)
	// The loops start before the metrics port, which would report readiness without them.
	if a.ledger.Shared() {
		a.background.Go(func() { a.owners.run(ctx) })
	} else {
		a.startFeeds(r.sources)
	}
	r.otlp.start()
	a.serve(ctx, a.port)
	return nil
}

// every calls a function until the context ends, with a pause before each call.
func every(ctx context.Context, pause time.Duration, do func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			do()
		}
	}
}

func (a *App) serve(ctx context.Context, port web.ServeSettings) {
	a.background.Go(func() {
		if err := web.Serve(ctx, port); err != nil {
			a.failed <- fmt.Errorf("serve: %w", err)
		}
	})
}

// afterReplaced says what a process without its ledger does.
const afterReplaced = "the exporter reads and counts nothing until it is restarted: restore the ledger first, " +
	"or it starts a new one"

// ledgerReplaced ends the process if the ledger is shared: its supervisor restarts it, on the new
// ledger. With files the process stays, not ready, because a restart would start a new ledger
// (counting.md 34).
func (a *App) ledgerReplaced(err error) {
	if a.ledger.Shared() {
		a.failed <- err
		return
	}
	a.logger.Error("The ledger was removed or replaced; "+afterReplaced+".", "err", err)
}

// Run starts the daemon. It stops the daemon when the context ends, when serving fails, or when a
// shared ledger was replaced.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(); err != nil {
		return err
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-a.failed:
	}
	return errors.Join(err, a.Stop())
}

// Stop ends the reading and closes everything. If other replicas live, it hands the feeds with
// their outbox over to them; otherwise it drains the outbox within its timeout. It may be called
// twice, and after a failed New.
func (a *App) Stop() (err error) {
	a.stopped.Store(true)
	a.stop.Do(func() { err = a.close() })
	return err
}

func (a *App) close() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	a.owners.stopPlacing()
	r := a.running.Load()
	stopLoops(r.sources)
	a.owners.handOver()
	r.otlp.stop()
	r.close()
	if a.cancel != nil {
		a.cancel()
		a.background.Wait()
		a.owners.leave()
	} else {
		for _, l := range append(a.port.Listeners, a.webhooks.port.Listeners...) {
			_ = l.Close()
		}
	}
	if a.ledger == nil {
		return nil
	}
	if err := a.ledger.Close(); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// Handler is the handler of the metrics port, for a program that serves it itself.
func (a *App) Handler() http.Handler { return a.port.Handler }

// Addr is the address of the metrics port's first listener, which must be open.
func (a *App) Addr() string { return a.port.Listeners[0].Addr().String() }
