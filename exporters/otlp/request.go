package otlp

import (
	"cmp"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// resourceAttributes describe this exporter, sorted by key; those that the user configured come before ours.
func resourceAttributes(s Settings) []attribute.KeyValue {
	all := map[string]string{
		"service.name":        "cdr-exporter",
		"service.version":     s.Version,
		"service.instance.id": s.InstanceID,
	}
	maps.Copy(all, s.Resource)
	var out []attribute.KeyValue
	for name, value := range all {
		if value != "" {
			out = append(out, attribute.String(name, validText(value)))
		}
	}
	slices.SortFunc(out, func(a, b attribute.KeyValue) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// newRequest makes the function that puts records into a request.
func newRequest(s Settings) func([]*logspb.LogRecord) *collogspb.ExportLogsServiceRequest {
	resource := &resourcepb.Resource{}
	for _, kv := range resourceAttributes(s) {
		resource.Attributes = append(resource.Attributes, &commonpb.KeyValue{
			Key:   string(kv.Key),
			Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: kv.Value.AsString()}},
		})
	}
	scope := &commonpb.InstrumentationScope{Name: scopeName, Version: validText(s.Version)}
	return func(records []*logspb.LogRecord) *collogspb.ExportLogsServiceRequest {
		return &collogspb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
			Resource:  resource,
			ScopeLogs: []*logspb.ScopeLogs{{Scope: scope, LogRecords: records}},
		}}}
	}
}

// decodeBatch reads what an Encoder appended, as far as it can be read.
func decodeBatch(data []byte) (records []*logspb.LogRecord, whole bool) {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 || field != scopeLogsRecords || kind != protowire.BytesType {
			return records, false
		}
		value, size := protowire.ConsumeBytes(data[n:])
		record := &logspb.LogRecord{}
		if size < 0 || proto.Unmarshal(value, record) != nil {
			return records, false
		}
		records, data = append(records, record), data[n+size:]
	}
	return records, true
}

// uidOf is the record's log.record.uid.
func uidOf(record *logspb.LogRecord) string {
	for _, kv := range record.GetAttributes() {
		if kv.GetKey() == "log.record.uid" {
			return kv.GetValue().GetStringValue()
		}
	}
	return ""
}
