package ledger

import (
	"errors"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// The errors that callers distinguish.
var (
	// ErrFenced: another writer moved the feed's sequence number. Read the state again and continue from it.
	ErrFenced = errors.New("the feed's state was changed by another writer")
	// ErrFull: the disk is full; reading pauses, the outbox may still drain.
	ErrFull = engine.ErrFull
	// ErrOutboxFull: otlp.outbox_limit is reached and outbox_full is pause.
	ErrOutboxFull = errors.New("the outbox is full")
	// ErrLocked: another process has the ledger.
	ErrLocked = engine.ErrLocked
	// ErrOtherAccount: the feed's state belongs to another account. The message says how to go on.
	ErrOtherAccount = errors.New("another account")
	// ErrRenamed: the names of a renamed source are mixed up. The message says what to do.
	ErrRenamed = errors.New("renamed source")
	// ErrReplaced: the opened ledger was removed or replaced. Nothing more is committed, and the
	// process must be restarted.
	ErrReplaced = errors.New("the ledger was replaced since it was opened")
	// ErrClosed: the ledger was closed.
	ErrClosed = errors.New("the ledger is closed")
)

// FeedSpec says which feed is meant, and what the ledger must know of its configuration.
type FeedSpec struct {
	// Settings are what the feed's pages are decided by. The ledger sets their Redactor, Traces and TracesHistory.
	counting.Settings

	// RenamedFrom is the source name whose state this one takes over; empty for none.
	RenamedFrom string
	// Fingerprint names the account that is read: provider, tenant or account, host, scope (counting.md 19).
	Fingerprint string
	// SameAccount takes over another Fingerprint instead of refusing it: the operator says that the
	// account is the same.
	SameAccount bool
	// OtherAccount ends the message of ErrOtherAccount: what to do if another Fingerprint may be of
	// the same account; empty: nothing.
	OtherAccount string
}

// LogEncoder appends one log record, redacted and ready to be sent, to a batch. It is called under
// the commit lock, so it does no I/O.
type LogEncoder interface {
	AppendRecord(batch []byte, record *cdr.Record, event *counting.Event) []byte
}

// SpanEncoder appends the spans of one call, redacted and ready to be sent, to a batch, and the end of
// each within the batch to ends. It is called under the commit lock, so it does no I/O.
type SpanEncoder interface {
	AppendSpans(batch []byte, ends []int, record *cdr.Record, span *counting.Span) ([]byte, []int)
}
