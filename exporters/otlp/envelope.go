package otlp

import (
	"fmt"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The field numbers that lead from a request to its records.
const (
	requestResourceLogs = 1
	resourceLogsSource  = 1
	resourceLogsScopes  = 2
	scopeLogsScope      = 1
)

// envelope is what stands around the records of every request: the resource as a
// field of ResourceLogs and the scope as a field of ScopeLogs.
type envelope struct{ resource, scope []byte }

func newEnvelope(s Settings) (envelope, error) {
	// A fixed order makes the same request of the same records.
	options := proto.MarshalOptions{Deterministic: true}
	resource, err := options.Marshal(protoResource(s))
	if err != nil {
		return envelope{}, fmt.Errorf("encode resource: %w", err)
	}
	scope, err := options.Marshal(&commonpb.InstrumentationScope{Name: scopeName, Version: validText(s.Version)})
	if err != nil {
		return envelope{}, fmt.Errorf("encode scope: %w", err)
	}
	return envelope{
		resource: append(appendLength(nil, resourceLogsSource, len(resource)), resource...),
		scope:    append(appendLength(nil, scopeLogsScope, len(scope)), scope...),
	}, nil
}

// head is what a request holds before n bytes of records; nothing follows them.
func (e envelope) head(n int) []byte {
	scopes := len(e.scope) + n
	b := appendLength(nil, requestResourceLogs, len(e.resource)+sized(scopes))
	b = append(b, e.resource...)
	b = appendLength(b, resourceLogsScopes, scopes)
	return append(b, e.scope...)
}

// part is a run of whole log records of a batch.
type part struct {
	data    []byte
	records int
}

// split returns the first half and the rest of more than one record.
func (p part) split() (first, rest part) {
	first.records = p.records / 2
	at := 0
	for range first.records {
		at += fieldLength(p.data[at:])
	}
	first.data = p.data[:at]
	return first, part{data: p.data[at:], records: p.records - first.records}
}

// whole is the part of a batch's data that can be read, and whether that is all.
func whole(data []byte) (readable part, ok bool) {
	at := 0
	for at < len(data) {
		n := fieldLength(data[at:])
		if n < 0 {
			break
		}
		at += n
		readable.records++
	}
	readable.data = data[:at]
	return readable, at == len(data)
}

// fieldLength is the length of the log record at the beginning of data, negative
// if there is none.
func fieldLength(data []byte) int {
	field, kind, n := protowire.ConsumeField(data)
	if n >= 0 && (field != scopeLogsRecords || kind != protowire.BytesType) {
		return -1
	}
	return n
}
