package counting

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// State is what the ledger last committed for a feed.
type State struct {
	// Origin is the first start minus history, in whole seconds as in requests: nothing
	// before it is counted. If our clock was ahead, pages before the first page with a position lower
	// it to their ObservedAt minus history.
	Origin time.Time
	// Floor is the earliest start that may still be read; never before Origin.
	Floor time.Time
	// Watermark: every call that started before it has been looked for at least once.
	Watermark time.Time
	// HistoryDone says that the feed's first history was read to its end, and that its calls were
	// whole or had waited `settle` once.
	HistoryDone bool
	// HistoryRead is when a complete read ended the first history whose calls still wait; zero: none did.
	HistoryRead time.Time
	// NewestCall is the latest start of a counted record; zero if none.
	NewestCall time.Time
	// Resume is where the reader goes on, as its last commit left it: its read plan, or its place in a stream; nil at
	// first.
	Resume []byte
	// Calls is how many calls the feed has counted.
	Calls uint64
	// ConnectedFrom is the time since which the ledger keeps when calls were connected, in microseconds since 1970.
	ConnectedFrom int64
	// Spans are the feed's items of the kind work.Span, in order of their keys. The slice isn't changed, only replaced.
	Spans []work.Item
}

// Position is how far a feed was read. Each page of files and of tables with a key has one, and the last page of a
// span of a list by insertion. After the last page of any other span, and at the end of a stream, it comes on a page
// without rows.
type Position struct {
	// Watermark is the new watermark. If it is zero or earlier than the present one, the present one
	// stays, unless that lies in the future of the page (counting.md 10).
	Watermark time.Time
	// HistoryDone ends the feed's first history and shows its series.
	HistoryDone bool
	// Resume replaces the State's; nil leaves it. A commit writes only those parts of ResumePart bytes that changed.
	Resume []byte
	// Read is the complete read that the page ends; nil: it ends none.
	Read *Read
	// Misses says that a part of what appeared before can't be read, so that the page ends no read.
	Misses bool
}

// Read is a complete read: each record that was there when it began was read.
type Read struct {
	// From and To are the times that were read; zero: all times.
	From, To time.Time
	// Began is when it began.
	Began time.Time
	// Partial: a part couldn't be read, and can't be read later either. The calls that count
	// nevertheless may lack legs.
	Partial bool
}

// covers says whether the read looked at all times in which other legs of a call may start before it is due.
func (r *Read) covers(first, due time.Time) bool {
	return !first.Before(r.From) && (r.To.IsZero() || !due.After(r.To))
}

// ResumePart is how long the parts of a Resume are, in bytes.
const ResumePart = 480

// Page is a part of what one read found, from the reader to the commit. It is committed as a whole or not at all.
type Page struct {
	// Records in the order of the page.
	Records []*cdr.Record
	// RowHashes stand for the rows that the records were read from, as a ledger's Lookup returns
	// them; 0 is none, and nil is none of all.
	RowHashes []uint64
	// Unchanged is how many rows were left out because Lookup knew them: they count as repeats.
	Unchanged int
	// Invalid are the rows that couldn't be read.
	Invalid []BadRow
	// Ignored are the rows that aren't calls.
	Ignored []BadRow
	// Enqueue and Done change the feed's pending work. For one kind and key, the greatest version
	// waits; the same version again changes it only if it was tried more often since. Done removes
	// an item unless a greater version waits.
	Enqueue []work.Item
	Done    []work.Item
	// Position is how far the feed was read with this page; nil: the page doesn't move it.
	Position *Position
	// ObservedAt is when the page was read, by the feed's clock: `late`, delays and trailing
	// windows are measured up to it.
	ObservedAt time.Time
	// Reached is how far the feed was read, if its watermark stands before a span of which rows are missing.
	Reached time.Time

	// Totals are the provider's own totals of days that were read completely.
	Totals []daily.ProviderTotal
	// Unmapped are values that the mapping doesn't know, with their field. A field counts once for a
	// record or an ignored row, and each value is logged once.
	Unmapped []Unmapped
}

// Unmapped is a value of the provider's that the mapping doesn't know.
type Unmapped struct {
	Field, Value string
	// Record is the record that has it; nil: Row is the content of the ignored row that does.
	Record *cdr.Record
	Row    string
}

// BadRow is a row that was set aside.
type BadRow struct {
	// Content is the raw row; only its keyed hash is kept, so that the same row is counted and
	// logged once (counting.md 14).
	Content []byte
	// At is where the row was, for the log: `page 3, row 17`.
	At string
	// Problem says what is wrong, without the row's content.
	Problem string
	// Near is the start of the record before the row, in a feed that is read by arrival; zero: it
	// isn't known.
	Near time.Time
	// Leg has the ids and the start of an ignored row that may have been an open leg before; else nil.
	Leg *cdr.Record
}

// Result is the result of a page's commit.
type Result struct {
	New, Duplicate, Revised, Invalid, Ignored, TooOld int
	// Waiting is how many calls wait for further legs after the commit. Incomplete are the calls
	// that counted although a leg was open or missing, part of the feed couldn't be read, or too
	// many waited. MoreCalls says that more calls are due than one commit looks at.
	Waiting, Incomplete int
	// Counted are the calls of several records that the page counted, whether or not they began
	// before the feed's origin.
	Counted   int
	MoreCalls bool
	// Oldest is the earliest start of the calls that wait after a complete read and have settled or
	// will settle within `settle`; Settled is when. Zero: there is none.
	Oldest, Settled time.Time
	// FullCalls are the ids of records that count as calls, since too many share their call key.
	FullCalls int
	// Queued is how many keys of Page.Enqueue weren't waiting already and now are.
	Queued int
	// Delays are how long after their calls' ends the new records were first seen.
	Delays []time.Duration
	// PremiumCalls are the new calls to premium and satellite numbers.
	PremiumCalls []metrics.PremiumCall
	// BadRows are the rows of Page.Invalid that weren't known: log these.
	BadRows []BadRow
	// Unmapped counts the records and ignored rows in which a field has a value that the mapping doesn't
	// know, by field: each once.
	Unmapped map[string]int
	// Overflow counts observations folded, by metric name.
	Overflow map[string]int
	// SkippedLogs and SkippedSpans are log records and spans not kept because their queue is full
	// and outbox_full is skip_logs.
	SkippedLogs, SkippedSpans int
}

// AddCalls adds the calls that a further commit of a page counted.
func (r *Result) AddCalls(more *Result) {
	r.Waiting, r.Incomplete, r.Counted = more.Waiting, r.Incomplete+more.Incomplete, r.Counted+more.Counted
	r.Oldest, r.Settled = more.Oldest, more.Settled
	r.Delays = append(r.Delays, more.Delays...)
	r.SkippedLogs, r.SkippedSpans = r.SkippedLogs+more.SkippedLogs, r.SkippedSpans+more.SkippedSpans
	for name, n := range more.Overflow {
		r.Overflow[name] += n
	}
}
