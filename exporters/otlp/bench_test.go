package otlp

import (
	"testing"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// BenchmarkEncode makes one full log record: by our encoder, and by building the
// generated types and marshalling them.
func BenchmarkEncode(b *testing.B) {
	record, event := fullRecord(b), fullEvent()
	e := Encoder{}
	want, err := proto.Marshal(&logspb.ScopeLogs{LogRecords: []*logspb.LogRecord{generated(record, event)}})
	if err != nil {
		b.Fatal(err)
	}
	if got := e.AppendRecord(nil, record, event); len(got) != len(want) {
		b.Fatalf("%d bytes, the generated types make %d", len(got), len(want))
	}
	b.Run("encoder", func(b *testing.B) {
		batch := make([]byte, 0, 4<<10)
		b.ReportAllocs()
		b.SetBytes(int64(len(want)))
		for b.Loop() {
			batch = e.AppendRecord(batch[:0], record, event)
		}
	})
	b.Run("generated", func(b *testing.B) {
		batch := make([]byte, 0, 4<<10)
		b.ReportAllocs()
		b.SetBytes(int64(len(want)))
		for b.Loop() {
			out, err := proto.MarshalOptions{}.MarshalAppend(batch[:0], &logspb.ScopeLogs{
				LogRecords: []*logspb.LogRecord{generated(record, event)},
			})
			if err != nil || len(out) != len(want) {
				b.Fatal(len(out), err)
			}
		}
	})
}
