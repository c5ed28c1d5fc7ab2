package metrics

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Feed is the exporter's own metrics of one feed. It is safe for concurrent use.
type Feed struct {
	own          *Own
	source, feed string

	mu    sync.Mutex
	tasks map[string][2]int // guarded by mu; by kind, in the order of Tasks.Zeros
}

// Feed is a feed's own metrics, every result at 0.
func (o *Own) Feed(source, feed string) *Feed {
	f := &Feed{own: o, source: source, feed: feed, tasks: make(map[string][2]int)}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range OwnCatalogue() {
		if d.Base == SourceFeed {
			o.startAtZero(d, source, feed)
		}
	}
	for _, d := range Catalogue() {
		if slices.ContainsFunc(d.Labels, func(l Label) bool { return l.Open }) {
			o.seriesOf(SeriesOverflow, source, feed, d.Name)
		}
	}
	return f
}

// Poll counts a read of the feed.
func (f *Feed) Poll(ok bool) {
	result := "ok"
	if !ok {
		result = "error"
	}
	f.own.Add(Polls, 1, f.source, f.feed, result)
}

// Rows counts rows by what became of them, one of Rows.Zeros.
func (f *Feed) Rows(result string, n int) {
	if n > 0 {
		f.own.Add(Rows, int64(n), f.source, f.feed, result)
	}
}

// Delays adds how late new records were.
func (f *Feed) Delays(all []time.Duration) {
	for _, d := range all {
		f.own.Observe(RecordDelay, d, f.source, f.feed)
	}
}

// Watermark sets how far the feed has been read.
func (f *Feed) Watermark(at time.Time) { f.own.SetTime(Watermark, at, f.source, f.feed) }

// NewestCall sets the latest start of a counted call.
func (f *Feed) NewestCall(at time.Time) { f.own.SetTime(NewestCall, at, f.source, f.feed) }

// LastSuccess sets when the feed was last read without an error.
func (f *Feed) LastSuccess(at time.Time) { f.own.SetTime(LastSuccess, at, f.source, f.feed) }

// CatchingUp says whether the watermark is far behind.
func (f *Feed) CatchingUp(yes bool) { f.own.SetBool(CatchingUp, yes, f.source, f.feed) }

// Unreadable sets how long the range is that the provider no longer keeps.
func (f *Feed) Unreadable(d time.Duration) { f.own.Set(Unreadable, d.Seconds(), f.source, f.feed) }

// Tasks sets how much of a kind waits, and how much of it was set aside.
func (f *Feed) Tasks(kind string, waiting, setAside int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tasks[kind] = [2]int{waiting, setAside}
	for i, state := range Tasks.Zeros {
		sum := 0
		for _, n := range f.tasks {
			sum += n[i]
		}
		f.own.Set(Tasks, float64(sum), f.source, f.feed, state)
	}
}

// ClockOffset sets the provider's clock minus ours.
func (f *Feed) ClockOffset(d time.Duration) { f.own.Set(ClockOffset, d.Seconds(), f.source, f.feed) }

// Unmapped counts a value of a field that the mapping doesn't know.
func (f *Feed) Unmapped(field string) { f.own.Add(UnmappedValues, 1, f.source, f.feed, field) }

// Overflow counts observations folded, by metric name.
func (f *Feed) Overflow(folded map[string]int) {
	for metric, n := range folded {
		f.own.Add(SeriesOverflow, int64(n), f.source, f.feed, metric)
	}
}

// Reconciled compares how many distinct records of a day were read with the provider's own total. The label is the date until it is shown.
func (f *Feed) Reconciled(day time.Time, ours, theirs int) {
	date := day.UTC().Format(time.DateOnly)
	f.own.Set(ProviderRecords, float64(theirs), f.source, f.feed, date)
	f.own.Set(ReconciliationDifference, float64(ours-theirs), f.source, f.feed, date)
}

// nameDay is a point of reconciliation with the name of its day now; ok is false if it is neither today nor yesterday. A day that is over
// is forgotten; tomorrow isn't, which some providers have already. The lock is held.
func (o *Own) nameDay(p Point) (named Point, ok bool) {
	labels, today := p.Labels.Values, o.now().UTC()
	name := ""
	switch date := labels[2]; {
	case date == today.Format(time.DateOnly):
		name = "today"
	case date == today.AddDate(0, 0, -1).Format(time.DateOnly):
		name = "yesterday"
	case date < today.Format(time.DateOnly):
		delete(o.series[p.Labels.Def], strings.Join(labels, "\xff"))
	}
	p.Labels = &LabelSet{Def: p.Labels.Def, Values: []string{labels[0], labels[1], name}}
	return p, name != ""
}

// Notified is the exporter's own metrics of the notifications that a provider sends to a source, for several goroutines.
type Notified struct {
	own    *Own
	source string
}

// Source is a source's own metrics of notifications. There are none until it is told of some, or Listens.
func (o *Own) Source(name string) *Notified { return &Notified{own: o, source: name} }

// Listens says that the source has a webhook: every result is there, at 0 at first.
func (n *Notified) Listens() {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	n.own.startAtZero(Notifications, n.source)
}

// Notifications counts those that came by what became of them, one of Notifications.Zeros.
func (n *Notified) Notifications(result string, count int) {
	if count > 0 {
		n.own.Add(Notifications, int64(count), n.source, result)
	}
}

// LastNotification sets when one came that was accepted.
func (n *Notified) LastNotification(at time.Time) {
	n.own.SetTime(SubscriptionLastNotification, at, n.source)
}

// SubscriptionExpiry sets when the subscription ends; zero: there is none.
func (n *Notified) SubscriptionExpiry(at time.Time) { n.own.SetTime(SubscriptionExpiry, at, n.source) }

// Forget removes them: the source is no longer notified.
func (n *Notified) Forget() {
	n.own.Clear(SubscriptionExpiry, n.source)
	n.own.Clear(SubscriptionLastNotification, n.source)
	for _, r := range Notifications.Zeros {
		n.own.Clear(Notifications, n.source, r)
	}
}
