package otlp

import (
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// lengthRoom is the room kept for a record's length: two bytes hold up to 16383,
// which hardly any record passes.
const lengthRoom = 2

// Encoder makes the log record of a call record or of a session (contract 4). It holds no state
// that changes and is safe for concurrent use.
type Encoder struct{ timestamp LogTimestamp }

var _ ledger.LogEncoder = Encoder{}

// NewEncoder makes an encoder; an empty timestamp is the call's start.
func NewEncoder(timestamp LogTimestamp) Encoder { return Encoder{timestamp: timestamp} }

// AppendRecord implements ledger.LogEncoder: it appends the record as a
// `log_records` field of opentelemetry.proto.logs.v1.ScopeLogs, so batches are
// what it appended, one record after another. The record must be redacted.
func (e Encoder) AppendRecord(batch []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	batch = protowire.AppendTag(batch, scopeLogsRecords, protowire.BytesType)
	begin := len(batch) + lengthRoom
	batch = append(batch, make([]byte, lengthRoom)...)
	batch = e.appendFields(batch, r, event)
	return closeLength(batch, begin)
}

// closeLength writes the length of what stands from begin on into the room
// before it, and moves it if it needs more or less room.
func closeLength(b []byte, begin int) []byte {
	n := len(b) - begin
	if need := protowire.SizeVarint(uint64(n)); need != lengthRoom {
		grow := need - lengthRoom
		b = slices.Grow(b, max(grow, 0))[:len(b)+grow]
		copy(b[begin+grow:], b[begin:begin+n])
	}
	protowire.AppendVarint(b[:begin-lengthRoom], uint64(n))
	return b
}

// appendFields appends the fields of a LogRecord.
func (e Encoder) appendFields(b []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	b = appendUnixNano(b, recordTime, e.timeOf(r, event))
	if s := event.Session; s != nil {
		b = appendSeverity(b, sessionSeverity(s.Result))
		b = appendBody(b, r, event)
		b = appendSessionAttributes(b, r, event)
	} else {
		b = appendSeverity(b, outcomeSeverity(r.Outcome))
		b = appendBody(b, r, event)
		b = appendAttributes(b, r, event)
	}
	trace := event.TraceID(r.CallID)
	b = protowire.AppendBytes(protowire.AppendTag(b, recordTraceID, protowire.BytesType), trace[:])
	b = appendUnixNano(b, recordObserved, event.Observed)
	return protowire.AppendString(protowire.AppendTag(b, recordEventName, protowire.BytesType), event.Name)
}

// timeOf is the record's timestamp: the start of the session or of the call, unless the
// time of reading is wanted.
func (e Encoder) timeOf(r *cdr.Record, event *ledger.RecordEvent) time.Time {
	switch {
	case e.timestamp == ObservedTimestamp:
		return event.Observed
	case event.Session != nil && !event.Session.Start.IsZero():
		return event.Session.Start
	}
	return r.Start
}

// severity is a SeverityNumber of OTLP.
type severity uint64

// The severities that we give.
const (
	info    severity = 9
	warning severity = 13
	fault   severity = 17
)

// text is the severity's SeverityText.
func (s severity) text() string {
	switch s {
	case warning:
		return "WARN"
	case fault:
		return "ERROR"
	case info:
	}
	return "INFO"
}

// outcomeSeverity: WARN for what somebody or some rule refused, ERROR for faults.
func outcomeSeverity(outcome cdr.Outcome) severity {
	switch outcome {
	case cdr.Rejected, cdr.InvalidNumber, cdr.NotAllowed:
		return warning
	case cdr.Failed:
		return fault
	case cdr.Unknown, cdr.Answered, cdr.Voicemail, cdr.Busy, cdr.NoAnswer, cdr.Cancelled, cdr.NotConnected:
	}
	return info
}

func appendSeverity(b []byte, s severity) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, recordSeverity, protowire.VarintType), uint64(s))
	return protowire.AppendString(protowire.AppendTag(b, recordLevel, protowire.BytesType), s.text())
}
