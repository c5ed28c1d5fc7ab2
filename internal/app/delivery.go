package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// delivery sends to the OTLP endpoints with an exporter per signal, which may have its own
// settings, and per identity. It has none if OTLP is off.
type delivery struct {
	exporters []*otlp.Exporter
	cancel    context.CancelFunc
	wait      sync.WaitGroup
	app       *App
}

// newDelivery makes the exporters. After an error the delivery has those that could be made, which
// the caller has to close.
func (a *App) newDelivery(o *config.OTLPSettings) (*delivery, error) {
	d := &delivery{app: a}
	if o == nil {
		return d, nil
	}
	var err error
	add := func(s *config.OTLPSignal, instanceID string, sources ...metrics.Source) {
		if err == nil && s.Enabled {
			err = d.add(o, s, instanceID, sources...)
		}
	}
	id := a.ledger.InstanceID()
	add(&o.Logs, id)
	add(&o.Traces, id)
	if a.ledger.Shared() { // the ledger's series continue when another replica exports them
		add(&o.Metrics, id, a.shown, ofCalls{a.selfMetrics, true})
		// A configured id is of the ledger: replicas have the same configuration.
		own := *o
		own.ResourceAttributes = maps.Clone(o.ResourceAttributes)
		delete(own.ResourceAttributes, "service.instance.id")
		o = &own
		add(&o.Metrics, a.owners.replica, ofCalls{a.selfMetrics, false})
	} else {
		add(&o.Metrics, id, a.shown, a.selfMetrics)
	}
	return d, err
}

// ofCalls has the exporter's metrics that are about calls, or the others. Those about calls continue when another
// replica reads their feed.
type ofCalls struct {
	metrics.Source

	calls bool
}

// Snapshot implements metrics.Source.
func (o ofCalls) Snapshot() metrics.Snapshot {
	s := o.Source.Snapshot()
	s.Families = slices.DeleteFunc(s.Families, func(f metrics.Family) bool {
		return (f.Def.Base == metrics.RecordBase) != o.calls
	})
	return s
}

func (d *delivery) add(
	o *config.OTLPSettings, s *config.OTLPSignal, instanceID string, sources ...metrics.Source,
) error {
	client, err := s.TLSConfig.Client("otlp.tls_config")
	if err != nil {
		return err
	}
	settings := otlp.Settings{
		Endpoint: s.Endpoint.String(), GRPC: s.Protocol == config.ProtocolGRPC, Headers: make(otlp.Headers),
		TLS: client, Interval: o.Interval,
		Timeout: s.Timeout, Uncompressed: s.Compression == "none", ShutdownTimeout: o.ShutdownTimeout,
		Resource:   o.ResourceAttributes,
		InstanceID: instanceID, Version: Version(),
	}
	for name, secret := range s.Headers {
		settings.Headers[name] = func() (string, error) { return secret.Value(context.Background()) }
	}
	var exporter *otlp.Exporter
	switch s {
	case &o.Logs:
		settings.Deliver = d.app.settings.Pipelines["logs"]
		exporter, err = otlp.NewLogs(settings, d.app.ledger.Logs(), d.app.countRecords, d.app.logger)
	case &o.Traces:
		settings.Deliver = d.app.settings.Pipelines["traces"]
		exporter, err = otlp.NewTraces(settings, d.app.ledger.Spans(), d.app.countSpans, d.app.logger)
	default:
		settings.Deliver = d.app.settings.Pipelines["metrics"]
		exporter, err = otlp.NewMetrics(settings, d.app.logger, sources...)
	}
	if err != nil {
		return fmt.Errorf("make OTLP exporter: %w", err)
	}
	d.exporters = append(d.exporters, exporter)
	return nil
}

// start sends until stop.
func (d *delivery) start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	for _, e := range d.exporters {
		d.wait.Go(func() {
			if err := e.Run(ctx); err != nil {
				d.app.logger.Error("Sending to the OTLP endpoint failed", "err", err)
			}
		})
	}
}

// stop drains the outbox within shutdown_timeout.
func (d *delivery) stop() {
	if d.cancel != nil {
		d.cancel()
	}
	d.wait.Wait()
	if err := d.close(); err != nil {
		d.app.logger.Warn("Can't close the connection to the OTLP endpoint", "err", err)
	}
}

func (d *delivery) close() error {
	var errs []error
	for _, e := range d.exporters {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}

func (d *delivery) status() web.OTLP {
	if len(d.exporters) == 0 {
		return web.OTLP{State: web.OTLPOff}
	}
	s := web.OTLP{State: web.OTLPOK}
	for _, e := range d.exporters {
		if status := e.Status(); status.Retrying {
			s.State, s.LastError = web.OTLPError, status.LastError
		}
	}
	if d.app.ledger.OutboxFull() {
		s.State = web.OTLPFull
	}
	return s
}
