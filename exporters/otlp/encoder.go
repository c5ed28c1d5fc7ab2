package otlp

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// Encoder makes the log record of a call record, a session or a visit (docs/otlp.md). It is safe for
// concurrent use.
type Encoder struct {
	// Observed uses the time when a record was first read in place of the call's start, for stores
	// that refuse old records.
	Observed bool
}

var _ ledger.LogEncoder = Encoder{}

// AppendRecord implements ledger.LogEncoder. It appends the record, which must be redacted, as a
// `log_records` field of opentelemetry.proto.logs.v1.ScopeLogs. Joined records make a batch.
func (e Encoder) AppendRecord(batch []byte, r *cdr.Record, event *counting.Event) []byte {
	return appendMessage(batch, scopeLogsRecords, func(b []byte) []byte {
		b = appendUnixNano(b, recordTime, e.timeOf(r, event))
		level := severityFor(r, event)
		b = protowire.AppendVarint(protowire.AppendTag(b, recordSeverity, protowire.VarintType), level.number)
		b = appendString(b, recordLevel, level.text)
		b = appendMessage(b, recordBody, func(b []byte) []byte {
			return appendMessage(b, anyString, func(b []byte) []byte { return appendLine(b, r, event) })
		})
		b = appendAttributes(b, r, event)
		trace := event.TraceID(r.CallID)
		b = appendString(b, recordTraceID, trace[:])
		b = appendUnixNano(b, recordObserved, event.Observed)
		return appendString(b, recordEventName, event.Name)
	})
}

// timeOf is the record's timestamp: the start of the session, the visit or the call, or with
// Observed the time of reading.
func (e Encoder) timeOf(r *cdr.Record, event *counting.Event) time.Time {
	switch {
	case e.Observed:
		return event.Observed
	case event.Session != nil && !event.Session.Start.IsZero():
		return event.Session.Start
	case event.Visit != nil:
		return visitStart(r, event.Visit)
	}
	return r.Start
}

// severity is a SeverityNumber of OTLP with its text.
type severity struct {
	number uint64
	text   string
}

// The severities in use.
var (
	info    = severity{9, "INFO"}
	warning = severity{13, "WARN"}
	fault   = severity{17, "ERROR"}
)

// outcomeSeverities are the outcomes with another severity than INFO: WARN if somebody or a rule
// refused the call, ERROR for faults.
var outcomeSeverities = map[cdr.Outcome]severity{
	cdr.Rejected: warning, cdr.InvalidNumber: warning, cdr.NotAllowed: warning, cdr.Failed: fault,
}

func severityFor(r *cdr.Record, event *counting.Event) severity {
	switch s := event.Session; {
	case event.Visit != nil:
		return info
	case s == nil:
		return cmp.Or(outcomeSeverities[r.Outcome], info)
	case s.Result == cdr.SessionOK:
		return info
	}
	return fault
}
