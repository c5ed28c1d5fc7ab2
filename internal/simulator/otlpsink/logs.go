package otlpsink

import (
	"encoding/hex"
	"time"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
)

// readLogs makes records of a request.
func readLogs(request *collogs.ExportLogsServiceRequest) []Log {
	var list []Log
	for _, r := range request.GetResourceLogs() {
		resource := readAttributes(r.GetResource().GetAttributes())
		for _, scope := range r.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				l := readLog(record)
				l.Resource, l.Scope = resource, scope.GetScope().GetName()
				list = append(list, l)
			}
		}
	}
	return list
}

func readLog(r *logs.LogRecord) Log {
	attributes := readAttributes(r.GetAttributes())
	text := func(key string) string {
		s, _ := attributes[key].(string)
		return s
	}
	return Log{
		UID: text("log.record.uid"), Event: r.GetEventName(),
		Source: text("cdr.source"), Feed: text("cdr.feed"), RecordID: text("cdr.record.id"),
		Time: readTime(r.GetTimeUnixNano()), Observed: readTime(r.GetObservedTimeUnixNano()),
		Severity: int(r.GetSeverityNumber()), SeverityText: r.GetSeverityText(),
		Body: r.GetBody().GetStringValue(), TraceID: hex.EncodeToString(r.GetTraceId()),
		Attributes: attributes,
	}
}

// readTime is zero for a time that isn't given.
func readTime(nanos uint64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(nanos)).UTC()
}

func readAttributes(list []*common.KeyValue) map[string]any {
	m := make(map[string]any, len(list))
	for _, kv := range list {
		m[kv.GetKey()] = readValue(kv.GetValue())
	}
	return m
}

func readValue(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_ArrayValue:
		list := []any{}
		for _, item := range v.ArrayValue.GetValues() {
			list = append(list, readValue(item))
		}
		return list
	case *common.AnyValue_KvlistValue:
		return readAttributes(v.KvlistValue.GetValues())
	case *common.AnyValue_BytesValue:
		return hex.EncodeToString(v.BytesValue)
	}
	return nil
}
