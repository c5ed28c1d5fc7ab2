package web

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// Status is what /api/v1/status answers and the page shows.
type Status struct {
	Version string   `json:"version"`
	Sources []Source `json:"sources"`
	OTLP    OTLP     `json:"otlp"`
	Ledger  Ledger   `json:"ledger"`
	// Replicas are the processes that share the ledger, in order of their start; absent if it isn't shared.
	Replicas []Replica `json:"replicas,omitempty"`

	// NotReady is the reason if it isn't Ready. Verdict is the handler's.
	Ready    bool   `json:"ready"`
	NotReady string `json:"not_ready,omitempty"`
	// ConfigProblem says why the newest configuration isn't in force; the one before is then.
	ConfigProblem string  `json:"config_problem,omitempty"`
	Now           Time    `json:"now"`
	Verdict       Verdict `json:"verdict"`
	// Reconciliation says in one sentence whether what providers list is counted, by the feeds' DailyTotals;
	// absent without any. It is the handler's.
	Reconciliation string `json:"reconciliation,omitempty"`
	// Thresholds are the limits by which the verdict judges.
	Thresholds thresholds.Thresholds `json:"-"`
	// ConfigFile is its path, for commands that the page names.
	ConfigFile string `json:"-"`
}

// Replica is one of the processes that share a ledger.
type Replica struct {
	Name string `json:"name"`
	// Address is the URL of its status page; absent if it isn't known.
	Address string `json:"address,omitempty"`
	Started Time   `json:"started"`
	// Feeds is how many it reads.
	Feeds int `json:"feeds"`
	// Self: it is the one that answers.
	Self bool `json:"self,omitempty"`
}

// Source is one account of one provider.
type Source struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Feeds    []Feed `json:"feeds"`
	// Budget is the provider's limit of requests; absent if it doesn't say.
	Budget *Budget `json:"budget,omitempty"`
	// Subscription is the one to the provider's notifications; absent without a webhook.
	Subscription *Subscription `json:"subscription,omitempty"`
}

// Subscription is one to a provider's notifications.
type Subscription struct {
	// Feed is the one whose calls are notified.
	Feed string `json:"feed"`
	// Expires is its end unless it is renewed; zero: not subscribed.
	Expires Time `json:"expires"`
	// LastNotification is when one was last accepted; zero: never.
	LastNotification Time `json:"last_notification"`
}

// Budget is a provider's limit of requests.
type Budget struct {
	// Group is the provider's name of the limit; empty: none, or not known yet.
	Group string `json:"group,omitempty"`
	// Limit is per WindowSeconds; Remaining of them are left, nil: not known.
	Limit         int   `json:"limit"`
	Remaining     *int  `json:"remaining,omitempty"`
	WindowSeconds int64 `json:"window_seconds"`
	// FrozenUntil is the end of throttling; zero: not throttled.
	FrozenUntil Time `json:"frozen_until"`
}

// Feed is the state of one feed.
type Feed struct {
	Feed  string `json:"feed"`
	State State  `json:"state"`
	// ReadBy is the replica that reads the feed; absent if none does or the ledger isn't shared. If
	// another replica reads the feed, this one knows only the feed's state in the ledger.
	ReadBy string `json:"read_by,omitempty"`
	// Watermark: every call that started before it has been looked for at least once. Zero: nothing has been read yet.
	Watermark Time `json:"watermark"`
	// LastSuccess is when a read last succeeded; zero: never.
	LastSuccess Time `json:"last_success"`
	// Records is the number counted since the feed's origin.
	Records int64 `json:"records"`
	// NextRead is when the next read is due; zero: a read is in progress, or none is planned.
	NextRead Time `json:"next_read"`
	// LastError is the last error, redacted; empty: none. Advice says what to do about it.
	LastError string `json:"last_error"`
	Advice    string `json:"advice,omitempty"`
	// Unread are the time ranges that weren't read completely, as FROM/TO: they are skipped, and
	// tried again later. If the provider gave fewer rows than its own total says, both
	// numbers follow: FROM/TO (2 of 5 rows).
	Unread []string `json:"unreadable,omitempty"`
	// Waiting is how many records wait to be fetched, SetAside how many were deferred after
	// failures; absent if none are fetched one by one.
	Waiting  *int `json:"waiting,omitempty"`
	SetAside *int `json:"set_aside,omitempty"`
	// NewestCall is the latest start of a counted call; zero: none yet.
	NewestCall Time `json:"newest_call"`
	// Series is the number of label sets of the feed's metrics, SeriesOverflow that of observations
	// folded since the feed was opened (metrics.series_limit).
	Series         int64 `json:"series"`
	SeriesOverflow int64 `json:"series_overflow"`
	// Overlaps says that its calls are also in another feed of the source.
	Overlaps bool `json:"-"`
	// Snapshot feeds have no records but calls InProgress, nil: not known.
	Snapshot   bool `json:"snapshot,omitempty"`
	InProgress *int `json:"in_progress,omitempty"`
	// Audit is the newest audit, with the sums of its days; absent if the feed was never audited.
	Audit *daily.Audit `json:"audit,omitempty"`
	// DailyTotals are the last DaysShown days that are over, the newest first, once the first history was read.
	DailyTotals []daily.Totals `json:"daily_totals,omitempty"`
	// Trunks are the last attempts, from which the handler makes the verdict.
	Trunks []metrics.LastAttempts `json:"-"`
	// PremiumCalls are the last calls to premium and satellite numbers.
	PremiumCalls []metrics.PremiumCall `json:"-"`
}

// Ledger is the state of the ledger.
type Ledger struct {
	// SizeBytes is the size of its files; 0: not known.
	SizeBytes int64 `json:"size_bytes"`
	// Problem says why nothing is committed to it any more; absent if all is well.
	Problem string `json:"problem,omitempty"`
	// Series and SeriesOverflow cover all feeds.
	Series         int64 `json:"series"`
	SeriesOverflow int64 `json:"series_overflow"`
}

// State is a feed's state.
type State string

// The states of a feed.
const (
	StateOK         State = "ok"
	StateCatchingUp State = "catching_up"
	StateThrottled  State = "throttled"
	StateError      State = "error"
	// StateElsewhere: another replica reads the feed, and knows how it is. StateUnowned: none does.
	StateElsewhere State = "elsewhere"
	StateUnowned   State = "unowned"
)

// OTLP is the state of delivery to the OTLP endpoint.
type OTLP struct {
	// OutboxRecords and OutboxSpans are the numbers of log records and spans waiting, Oldest when
	// the first of them was written; zero: none.
	OutboxRecords int64     `json:"outbox_records"`
	OutboxSpans   int64     `json:"outbox_spans,omitempty"`
	Oldest        Time      `json:"oldest"`
	State         OTLPState `json:"state"`
	// LastError is the last error, redacted; empty: none.
	LastError string `json:"last_error,omitempty"`
}

// OTLPState is the state of delivery.
type OTLPState string

// The states of delivery.
const (
	// OTLPOff: no endpoint is configured.
	OTLPOff OTLPState = "off"
	OTLPOK  OTLPState = "ok"
	// OTLPError: the last attempt failed and is retried.
	OTLPError OTLPState = "error"
	// OTLPFull: the outbox is full.
	OTLPFull OTLPState = "full"
)

// ActivityStep is the length of time that an Activity covers, ActivityKept how far back they are shown.
const (
	ActivityStep = 5 * time.Minute
	ActivityKept = 24 * time.Hour
)

// Activity is how many calls started in the five minutes from Start, and how many of them have the outcome `failed`.
type Activity struct {
	Start           time.Time
	Calls, Failures int64
}

// Time is an instant as the status JSON writes it: RFC 3339 in UTC, to the millisecond, and null for the zero time.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().Truncate(time.Millisecond).MarshalJSON()
}
