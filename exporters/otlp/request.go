package otlp

import (
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// resourceAttributes describe this exporter, sorted by key; the user's attributes take precedence
// over ours.
func resourceAttributes(s Settings) []attribute.KeyValue {
	all := map[string]string{
		"service.name":        "cdr-exporter",
		"service.version":     s.Version,
		"service.instance.id": s.InstanceID,
	}
	maps.Copy(all, s.Resource)
	var out []attribute.KeyValue
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value := all[name]; value != "" {
			out = append(out, attribute.String(validText(name), validText(value)))
		}
	}
	return out
}

// envelope is the start of every request, before the records: the fields of a ResourceLogs and of
// its ScopeLogs.
type envelope struct{ resource, scope []byte }

func newEnvelope(s Settings) envelope {
	resource := &resourcepb.Resource{}
	for _, kv := range resourceAttributes(s) {
		resource.Attributes = append(resource.Attributes, &commonpb.KeyValue{
			Key:   string(kv.Key),
			Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: kv.Value.AsString()}},
		})
	}
	// Valid text always encodes.
	before, _ := proto.Marshal(&logspb.ResourceLogs{Resource: resource})
	within, _ := proto.Marshal(&logspb.ScopeLogs{Scope: &commonpb.InstrumentationScope{
		Name:    scopeName,
		Version: validText(s.Version),
	}})
	return envelope{resource: before, scope: within}
}

// request is an ExportLogsServiceRequest with records as the commit encoded them. For spans it is
// an ExportTraceServiceRequest, whose outer fields have the same numbers. It may have a megabyte, so
// it is copied only once.
func (e envelope) request(records [][]byte) []byte {
	scope := len(e.scope)
	for _, r := range records {
		scope += len(r)
	}
	resource := len(e.resource) + protowire.SizeTag(resourceScopeLogs) + protowire.SizeBytes(scope)
	b := make([]byte, 0, protowire.SizeTag(requestResourceLogs)+protowire.SizeBytes(resource))
	b = protowire.AppendVarint(protowire.AppendTag(b, requestResourceLogs, protowire.BytesType), uint64(resource))
	b = protowire.AppendTag(append(b, e.resource...), resourceScopeLogs, protowire.BytesType)
	b = append(protowire.AppendVarint(b, uint64(scope)), e.scope...)
	for _, r := range records {
		b = append(b, r...)
	}
	return b
}

// splitBatch finds the records in an Encoder's output, as far as it can be read. Each is a whole
// `log_records` field.
func splitBatch(data []byte) (records [][]byte, whole bool) {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeField(data)
		if n < 0 || field != scopeLogsRecords || kind != protowire.BytesType {
			return records, false
		}
		records, data = append(records, data[:n]), data[n:]
	}
	return records, true
}

// uidOf is a record's log.record.uid, or for a span its trace and span id. It is empty if the
// record can't be read.
func uidOf(record []byte) string {
	var logs logspb.ScopeLogs
	if proto.Unmarshal(record, &logs) == nil && len(logs.GetLogRecords()) == 1 {
		for _, kv := range logs.GetLogRecords()[0].GetAttributes() {
			if kv.GetKey() == "log.record.uid" {
				return kv.GetValue().GetStringValue()
			}
		}
	}
	var spans tracepb.ScopeSpans
	if proto.Unmarshal(record, &spans) != nil || len(spans.GetSpans()) != 1 {
		return ""
	}
	return fmt.Sprintf("%x %x", spans.GetSpans()[0].GetTraceId(), spans.GetSpans()[0].GetSpanId())
}
