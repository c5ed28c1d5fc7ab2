// Package cdrreceiver makes cdr-exporter a receiver of the OpenTelemetry Collector. `receivers:
// {cdr: …}` accepts the exporter's configuration. The data for OTLP endpoints goes into the
// pipelines that name the receiver.
//
//	logs pipelines    ◀─┐
//	                    ├─ engine: internal/app, one per component id, however many pipelines name it
//	metrics pipelines ◀─┤
//	traces pipelines  ◀─┘
//
// The ledger counts and remembers as in the exporter: a log record or span leaves its outbox once
// every pipeline has accepted it. A record that a pipeline refuses temporarily is offered again. A
// record that it refuses for good, while it accepts others, is set aside.
package cdrreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
)

// NewFactory makes the factory that a Collector is built with.
func NewFactory() receiver.Factory {
	shared := &engines{all: make(map[*Config]*engine)}
	return receiver.NewFactory(
		component.MustNewType("cdr"), func() component.Config { return new(Config) },
		receiver.WithLogs(func(_ context.Context, set receiver.Settings, c component.Config,
			next consumer.Logs,
		) (receiver.Logs, error) {
			obs, err := observer(set)
			return shared.add(c, set, "logs", logsInto(next, obs)), err
		}, component.StabilityLevelAlpha),
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, c component.Config,
			next consumer.Metrics,
		) (receiver.Metrics, error) {
			obs, err := observer(set)
			return shared.add(c, set, "metrics", metricsInto(next, obs)), err
		}, component.StabilityLevelAlpha),
		receiver.WithTraces(func(_ context.Context, set receiver.Settings, c component.Config,
			next consumer.Traces,
		) (receiver.Traces, error) {
			obs, err := observer(set)
			return shared.add(c, set, "traces", tracesInto(next, obs)), err
		}, component.StabilityLevelAlpha),
	)
}

// observer counts what the pipelines accept and refuse, for the Collector's own telemetry.
func observer(set receiver.Settings) (*receiverhelper.ObsReport, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "cdr",
		ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, fmt.Errorf("make the counters of the receiver: %w", err)
	}
	return obs, nil
}
