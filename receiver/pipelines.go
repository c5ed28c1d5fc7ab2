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

// format is the name of the data's form in the Collector's telemetry.
const format = "otlp"

// errUnreadable is a bug of the exporter, which has encoded the request itself.
var errUnreadable = otlp.Refused("the Collector can't read a request of its receiver")

// logsInto passes requests with log records to the pipelines that name the receiver.
func logsInto(next consumer.Logs, obs *receiverhelper.ObsReport) otlp.Deliver {
	return func(ctx context.Context, request []byte) error {
		decoded := plogotlp.NewExportRequest()
		if decoded.UnmarshalProto(request) != nil {
			return errUnreadable
		}
		records := decoded.Logs().LogRecordCount() // before a pipeline changes them
		op := obs.StartLogsOp(ctx)
		err := next.ConsumeLogs(op, decoded.Logs())
		obs.EndLogsOp(op, format, records, err)
		return judge(err)
	}
}

// metricsInto passes requests with metrics to the pipelines that name the receiver.
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

// tracesInto passes requests with spans to the pipelines that name the receiver.
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

// judge says what the answer of the pipelines means for a request. It doesn't repeat their text,
// which may quote a record.
func judge(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("a pipeline gave no answer in time; see the Collector's log about its exporters")
	case isPermanent(err):
		return otlp.Refused("a pipeline refused a request for good; see the Collector's log about its exporters")
	}
	return errors.New("a pipeline accepts nothing now; see the Collector's log about its exporters")
}

// isPermanent says whether all pipelines refused a request for good. The Collector joins the errors
// of several pipelines, and consumererror.IsPermanent is true if one of them is permanent, although
// the others may only want a retry.
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
		return consumererror.IsPermanent(err) // only this error can have the mark
	}
	return isPermanent(inner)
}
