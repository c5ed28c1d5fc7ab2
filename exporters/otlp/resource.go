package otlp

import (
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// resourceAttributes are what describes this exporter, sorted by key, with what
// the user configured before what we would say.
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
	slices.SortFunc(out, func(a, b attribute.KeyValue) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return out
}

// sdkResource is the resource of metrics.
func sdkResource(s Settings) *resource.Resource {
	return resource.NewSchemaless(resourceAttributes(s)...)
}

// protoResource is the same resource of log records.
func protoResource(s Settings) *resourcepb.Resource {
	out := &resourcepb.Resource{}
	for _, kv := range resourceAttributes(s) {
		out.Attributes = append(out.Attributes, &commonpb.KeyValue{
			Key:   string(kv.Key),
			Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: kv.Value.AsString()}},
		})
	}
	return out
}
