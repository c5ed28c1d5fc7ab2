package counting

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// The names of events.
const (
	EventCall    = "cdr.call"
	EventRevised = "cdr.call.revised"
	EventSession = "cdr.session"
	EventVisit   = "cdr.queue_visit"
	EventLeg     = "cdr.call.leg"
)

// Event names a log record of a call record. Exemplars share its identity (docs/otlp.md).
type Event struct {
	// Name is one of the names above.
	Name                   string
	Source, Provider, Feed string
	// RecordID is the provider's id, or a keyed hash if there is none.
	RecordID string
	// Hour is the hour of the call's start since 1970 if another call has its id (counting.md 38);
	// else 0.
	Hour int64
	// Version is 1 first, one more with each revision; of a session or a visit always 1.
	Version int64
	// Session is the record's session that a cdr.session is about; else nil.
	Session *cdr.Session
	// Visit is the record's visit that a cdr.queue_visit is about; else nil.
	Visit *cdr.Visit
	// Leg is the id of the record's leg that a cdr.call.leg is about; empty: the record is the leg.
	Leg string
	// Changed are the names of what changed; nil for a first version.
	Changed []string
	// Observed is when the record, or the part that the event is about, was first read.
	Observed time.Time
}

// UID is the event's log.record.uid, 32 hexadecimal digits: the first half of SHA-256 over source,
// feed, event name, record id and the id of the part that it is about (a leg, session or visit;
// otherwise empty), each with its length as a varint before it, the version as a varint, and Hour
// unless it is 0. It is the same on every try (counting.md 27).
func (e *Event) UID(part string) (uid [32]byte) {
	sum := e.sum(e.Name, part, e.Version)
	hex.Encode(uid[:], sum[:len(uid)/2])
	return uid
}

func (e *Event) sum(name, part string, version int64) [32]byte {
	var room [256]byte
	b := room[:0]
	for _, text := range [...]string{e.Source, e.Feed, name, e.RecordID, part} {
		b = pack.AppendText(b, text)
	}
	if b = binary.AppendVarint(b, version); e.Hour != 0 {
		b = binary.AppendVarint(b, e.Hour)
	}
	return sha256.Sum256(b)
}

// SpanID is the id of a span of the event's record: the first 8 bytes of the hash of UID, with the
// span's kind as the name and 0 as the version. The kind of a call's root span is EventCall; part
// is the id of the leg, session or visit that the span is of; else empty.
func (e *Event) SpanID(kind, part string) [8]byte {
	sum := e.sum(kind, part, 0)
	return [8]byte(sum[:8])
}

// noCall is the id that some providers give for no id.
const noCall = "00000000-0000-0000-0000-000000000000"

// TraceID is the event's TraceId: the call id, which must be redacted, if it is a UUID, otherwise the
// first half of SHA-256 over provider and call id, one after the other. Without a call id the record's
// id is used.
func (e *Event) TraceID(call string) [16]byte {
	if call == "" || call == noCall {
		call = e.RecordID
	}
	if len(call) == 36 && e.Hour == 0 { // a UUID in its usual form; zeros aren't a valid trace id
		if id, err := uuid.Parse(call); err == nil && id != uuid.Nil {
			return id
		}
	}
	var room [256]byte
	b := append(room[:0], e.Provider...)
	if b = append(b, call...); e.Hour != 0 {
		b = binary.AppendVarint(b, e.Hour)
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}
