package cdrreceiver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap/exp/zapslog"

	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
)

// engines are the engines that were created and not shut down, by the configuration that the
// Collector makes for each component id.
type engines struct {
	mu  sync.Mutex
	all map[*Config]*engine // guarded by mu
}

// add gives the engine of a configuration the pipelines of another signal.
func (s *engines) add(c component.Config, set receiver.Settings, signal string, pipelines otlp.Deliver) *engine {
	config := c.(*Config) // the factory only makes this type
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[config]
	if e == nil {
		e = &engine{settings: config.settings(), forget: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.all, config)
		}}
		e.settings.Logger = slog.New(zapslog.NewHandler(set.Logger.Core()))
		s.all[config] = e
	}
	e.settings.Pipelines[signal] = pipelines
	return e
}

// engine is the exporter of one component id. The Collector creates it for all signals before it
// starts one, and starts and stops it for each.
type engine struct {
	settings app.Settings
	forget   func()

	mu   sync.Mutex
	stop context.CancelFunc // guarded by mu; nil before the start
	done chan struct{}      // closed when err is known
	err  error
}

// Start implements component.Component. An error ends the Collector.
func (e *engine) Start(ctx context.Context, host component.Host) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stop != nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the engine outlives the start
	a, err := app.New(ctx, e.settings)
	if err != nil {
		stop()
		return err
	}
	e.stop, e.done = stop, make(chan struct{})
	go func() {
		err := a.Run(ctx)
		e.err = err
		close(e.done) // before the report: during shutdown the Collector doesn't take reports
		if ctx.Err() == nil {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	}()
	return nil
}

// Shutdown implements component.Component. It drains the outbox into the pipelines, which the
// Collector stops later, for at most otlp.shutdown_timeout.
func (e *engine) Shutdown(ctx context.Context) error {
	e.forget()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stop == nil {
		return nil
	}
	e.stop()
	select {
	case <-e.done:
		return e.err
	case <-ctx.Done():
		return fmt.Errorf("stop reading: %w", context.Cause(ctx))
	}
}
