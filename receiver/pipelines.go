package cdrreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
)

// format is what the Collector's telemetry calls the data's form.
const format = "otlp"

// errUnreadable: the exporter has encoded the request itself, so this is a fault of ours.
var errUnreadable = otlp.Refused("the Collector can't read a request of its receiver")

// logsInto hands requests with log records to the pipelines that name the receiver.
func logsInto(next consumer.Logs, obs *receiverhelper.ObsReport) otlp.Deliver {
	return func(ctx context.Context, request []byte) error {
		decoded := plogotlp.NewExportRequest()
		if decoded.UnmarshalProto(request) != nil {
			return errUnreadable
		}
		records := decoded.Logs().LogRecordCount() // a pipeline may change them
		op := obs.StartLogsOp(ctx)
		err := next.ConsumeLogs(op, decoded.Logs())
		obs.EndLogsOp(op, format, records, err)
		return judge(err)
	}
}

// metricsInto hands requests with metrics to the pipelines that name the receiver.
func metricsInto(next consumer.Metrics, obs *receiverhelper.ObsReport) otlp.Deliver {
	return func(ctx context.Context, request []byte) error {
		decoded := pmetricotlp.NewExportRequest()
		if decoded.UnmarshalProto(request) != nil {
			return errUnreadable
		}
		points := decoded.Metrics().DataPointCount()
		op := obs.StartMetricsOp(ctx)
		err := next.ConsumeMetrics(op, decoded.Metrics())
		obs.EndMetricsOp(op, format, points, err)
		return judge(err)
	}
}

// tracesInto hands requests with spans to the pipelines that name the receiver.
func tracesInto(next consumer.Traces, obs *receiverhelper.ObsReport) otlp.Deliver {
	return func(ctx context.Context, request []byte) error {
		decoded := ptraceotlp.NewExportRequest()
		if decoded.UnmarshalProto(request) != nil {
			return errUnreadable
		}
		spans := decoded.Traces().SpanCount()
		op := obs.StartTracesOp(ctx)
		err := next.ConsumeTraces(op, decoded.Traces())
		obs.EndTracesOp(op, format, spans, err)
		return judge(err)
	}
}

// judge says what the answer of the pipelines means for a request. Theirs isn't repeated: it may quote a record.
func judge(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("a pipeline gave no answer in time; see what the Collector logs of its exporters")
	case isPermanent(err):
		return otlp.Refused("a pipeline refused a request for good; see what the Collector logs of its exporters")
	}
	return errors.New("a pipeline doesn't take anything now; see what the Collector logs of its exporters")
}

// isPermanent says whether all pipelines refused a request for good. Of the errors of several, which the Collector joins, consumererror.IsPermanent says
// that of one: the others may only want to wait.
func isPermanent(err error) bool {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			if !isPermanent(one) {
				return false
			}
		}
		return true
	}
	inner := errors.Unwrap(err)
	if !consumererror.IsPermanent(inner) {
		return consumererror.IsPermanent(err) // marked here, or nowhere
	}
	return isPermanent(inner)
}
