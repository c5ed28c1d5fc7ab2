package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// Settings are what an audit needs.
type Settings struct {
	// From and To are the span, in whole seconds.
	From, To time.Time
	// Ledger is the ledger that has counted: one that is open, or the storage of one that another
	// process may have open.
	Ledger Ledger
	// Now is the local clock.
	Now func() time.Time
	// Note is called with a line about each thing that bounds what the audit can say.
	Note func(text string)
	// Progress, unless nil, is called with how much of the span was read.
	Progress func(read time.Duration)
}

// Ledger is read by an audit and stores its result. *[ledger.Ledger] and [ledger.Storage] implement it.
type Ledger interface {
	// Inspect reads what is committed by now.
	Inspect(ctx context.Context) (*ledger.Inspector, error)
	StoreAudit(ctx context.Context, audited ledger.Identity, spec ledger.FeedSpec, results []daily.Audit) error
}

// Feed is a feed that the ledger counts.
type Feed struct {
	Spec ledger.FeedSpec
	Info *collector.FeedInfo
	// NoAmounts says that what is listed has no amounts, so that none are compared.
	NoAmounts bool
}

// Day is what was found of a feed's records that start within a day of UTC. Each record that is
// listed is one of Counted to Missing. Those of Changed are among Counted.
type Day struct {
	daily.Audit

	Counted      int `json:"counted"`
	NotFinal     int `json:"not_final"`
	Ignored      int `json:"ignored"`
	Invalid      int `json:"invalid"`
	BeforeOrigin int `json:"before_origin"`
	// Unknown are older than the ledger remembers. Vanished are counted and not listed any more.
	Unknown  int `json:"unknown"`
	Vanished int `json:"vanished"`
	// MissingIDs are the ids of the first missing records.
	MissingIDs []MissingID `json:"missing_ids"`
	// Charges are the amounts of the records that are counted or missing.
	Charges Charges `json:"charges"`

	audited ledger.Identity
}

// Charges are sums by currency.
type Charges struct {
	Listed  cdr.Amounts `json:"listed"`
	Counted cdr.Amounts `json:"counted"`
}

func (c *Charges) add(f *counting.Finding) {
	for _, charge := range f.Listed {
		c.Listed.Add(charge.Currency, &charge.Amount)
	}
	for _, charge := range f.Counted {
		c.Counted.Add(charge.Currency, &charge.Amount)
	}
}

// MissingID names a record that is missing.
type MissingID struct {
	ID  string `json:"id"`
	UID string `json:"uid"` // log.record.uid of its first log record
}

// mostMissingIDs are named of a day.
const mostMissingIDs = 20

// audit is that of one feed.
type audit struct {
	Settings
	Feed

	reader  collector.RangeReader
	waiting error             // what is read can't be complete
	noted   string            // of what waits
	view    *ledger.Inspector // nil while a request may be under way
	audited ledger.Identity
	counted counting.State // as it was when the ledger was last open
	began   time.Time
}

// Run audits a feed.
func Run(ctx context.Context, s Settings, f Feed) (days []Day, err error) {
	a := &audit{Settings: s, Feed: f, reader: f.Info.Reader, began: s.Now()}
	if spans, is := a.reader.(collector.SpanReader); is {
		spans.Audit = true
		a.reader = spans
	}
	if err := a.refresh(ctx); err != nil {
		return nil, err
	}
	if err := a.limit(); err != nil {
		return nil, err
	}
	begin := a.From
	for from := begin; from.Before(a.To); {
		to := plan.Earliest(daily.DateOf(from).Add(1).Time, a.To)
		day, err := a.auditDay(ctx, from, to)
		if err != nil {
			return days, err
		}
		day.audited = a.audited
		days, from = append(days, *day), to
		if s.Progress != nil {
			s.Progress(from.Sub(begin))
		}
	}
	if a.waiting != nil {
		return days, fmt.Errorf("%w: %w", ErrProvider, a.waiting)
	}
	return days, nil
}

// noteWaiting notes once that a part of what is read waits.
func (a *audit) noteWaiting(part error) {
	if text := part.Error(); text != a.noted {
		a.noted = text
		a.note("%s", text)
	}
}

// limit ends the span where counting has come to, and begins it where the provider has records.
func (a *audit) limit() error {
	state := &a.counted
	if !state.HistoryDone {
		return errors.New("its first history isn't read yet: audit it when the exporter is ready")
	}
	if end := state.Watermark.Truncate(time.Second); a.To.After(end) {
		if a.To.Sub(end) > 2*a.Info.PollInterval() {
			a.note("the audit ends at %s, up to where the exporter has read", end.Format(time.RFC3339))
		}
		a.To = end
	}
	if edge := history.EarliestRead(a.Info, a.Now()); a.From.Before(edge) {
		a.From = edge
		a.note("the provider keeps records for %.4g days: the audit begins at %s", a.Info.Limits.Retention.Hours()/24,
			edge.Format(time.RFC3339))
	}
	if a.Info.Rules.FoundAnywhere() {
		a.note("which records vanished isn't known: the ledger doesn't keep this feed's ids by the time of calls")
	}
	if !a.From.Before(a.To) {
		return errors.New("nothing of the span can be audited")
	}
	return nil
}

// open reads what is committed by now. The caller closes it before the provider is asked, since a
// request may be throttled for hours: meanwhile an open view would hold up commits, or keep a
// database from freeing space.
func (a *audit) open(ctx context.Context) (err error) {
	if a.view, err = a.Ledger.Inspect(ctx); err != nil {
		return err
	}
	state, there := a.view.State(a.Spec)
	if !there {
		return errors.Join(errors.New("the ledger doesn't have this feed: audit what an exporter with this "+
			"configuration counts"), a.close())
	}
	identity, err := a.view.Identity()
	if err == nil && a.audited != (ledger.Identity{}) && identity != a.audited {
		err = ledger.ErrReplaced
	}
	if err != nil {
		return errors.Join(err, a.close())
	}
	a.audited, a.counted = identity, state
	return nil
}

// refresh reads what the exporter has committed by now.
func (a *audit) refresh(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	return a.close()
}

func (a *audit) close() error {
	err := a.view.Close()
	a.view = nil
	return err
}

func (a *audit) note(format string, args ...any) {
	a.Note(a.Spec.Source + "/" + a.Spec.Feed + ": " + fmt.Sprintf(format, args...))
}

// Store stores the result of an audit in the ledger, where the exporter finds it.
func Store(ctx context.Context, where Ledger, spec ledger.FeedSpec, days []Day) error {
	if len(days) == 0 {
		return nil
	}
	var results []daily.Audit
	for _, d := range days {
		results = append(results, d.Audit)
	}
	return where.StoreAudit(ctx, days[0].audited, spec, results)
}
