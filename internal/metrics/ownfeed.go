package metrics

import (
	"slices"
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

// Rows counts rows by what became of them: `new`, `duplicate`, `revised`,
// `invalid`, `ignored`, `too_old`.
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

// dayKey is a day of a feed, dayTotal what was read of it and what the provider says there is.
type (
	dayKey struct {
		source, feed string
		day          time.Time
	}
	dayTotal struct{ ours, theirs int }
)

// Reconciled compares how many distinct records of a day were read with the
// provider's own total, when the day was last read completely.
func (f *Feed) Reconciled(day time.Time, ours, theirs int) {
	f.own.mu.Lock()
	defer f.own.mu.Unlock()
	f.own.totals[dayKey{f.source, f.feed, dayOf(day)}] = dayTotal{ours: ours, theirs: theirs}
}

// showTotals sets the gauges of today and yesterday, whichever days these are by now, and forgets those before;
// the lock is held.
func (o *Own) showTotals() {
	var theirs, differences []Row
	today := dayOf(o.now())
	names := map[time.Time]string{today: "today", today.AddDate(0, 0, -1): "yesterday"}
	for key, t := range o.totals {
		name, shown := names[key.day]
		if !shown && key.day.Before(today) {
			delete(o.totals, key)
		}
		if shown { // it isn't where the provider has tomorrow already
			labels := []string{key.source, key.feed, name}
			theirs = append(theirs, Row{labels, float64(t.theirs)})
			differences = append(differences, Row{labels, float64(t.ours - t.theirs)})
		}
	}
	o.replace(ProviderRecords, theirs)
	o.replace(ReconciliationDifference, differences)
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Notified is the exporter's own metrics of the notifications that a provider sends to a
// source. It is safe for concurrent use.
type Notified struct {
	own    *Own
	source string
}

// Source is a source's own metrics of notifications. There are none until it is told of
// some, or Listens.
func (o *Own) Source(name string) *Notified { return &Notified{own: o, source: name} }

// Listens says that the source has a webhook: every result is there, at 0 at first.
func (n *Notified) Listens() {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	n.own.startAtZero(Notifications, n.source)
}

// Notifications counts those that came by what became of them: `accepted`, `duplicate`,
// `forged`, `invalid`.
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
func (n *Notified) SubscriptionExpiry(at time.Time) {
	if at.IsZero() {
		n.own.Clear(SubscriptionExpiry, n.source)
		return
	}
	n.own.SetTime(SubscriptionExpiry, at, n.source)
}

// Forget removes them: the source is no longer notified.
func (n *Notified) Forget() {
	n.own.Clear(SubscriptionExpiry, n.source)
	n.own.Clear(SubscriptionLastNotification, n.source)
	for _, r := range Notifications.Zeros {
		n.own.Clear(Notifications, n.source, r)
	}
}
