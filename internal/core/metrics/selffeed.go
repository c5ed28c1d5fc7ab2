package metrics

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// FeedMetrics is the self metrics of one feed, and what the status page shows of them. It is safe for
// concurrent use.
type FeedMetrics struct {
	self         *SelfMetrics
	source, feed string

	mu      sync.Mutex
	tasks   map[string]int // that wait, by kind; guarded by mu
	premium []PremiumCall  // guarded by mu

	overflowed atomic.Int64
}

// Feed is a feed's self metrics, every result at 0.
func (o *SelfMetrics) Feed(source, feed string) *FeedMetrics {
	f := &FeedMetrics{self: o, source: source, feed: feed, tasks: make(map[string]int)}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range SelfCatalogue() {
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
func (f *FeedMetrics) Poll(ok bool) {
	result := "ok"
	if !ok {
		result = "error"
	}
	f.self.Add(Polls, 1, f.source, f.feed, result)
}

// Rows counts rows by result, one of Rows.Zeros.
func (f *FeedMetrics) Rows(result string, n int) {
	if n > 0 {
		f.self.Add(Rows, int64(n), f.source, f.feed, result)
	}
}

// Delays adds the delays of new records.
func (f *FeedMetrics) Delays(all []time.Duration) {
	for _, d := range all {
		f.self.Observe(RecordDelay, d, f.source, f.feed)
	}
}

// SetTime sets one of the feed's gauges to a Unix time.
func (f *FeedMetrics) SetTime(d *Def, at time.Time) { f.self.SetTime(d, at, f.source, f.feed) }

// SetBool sets one of the feed's gauges to 1 or 0.
func (f *FeedMetrics) SetBool(d *Def, yes bool) { f.self.SetBool(d, yes, f.source, f.feed) }

// SetSeconds sets one of the feed's gauges to a length of time.
func (f *FeedMetrics) SetSeconds(d *Def, length time.Duration) {
	f.self.Set(d, length.Seconds(), f.source, f.feed)
}

// Tasks sets how many tasks of a kind wait, and how many of them were set aside. The kind is that of work.Item.
func (f *FeedMetrics) Tasks(kind string, waiting, setAside int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tasks[kind] = waiting
	sum := 0
	for _, n := range f.tasks {
		sum += n
	}
	f.self.Set(Tasks, float64(sum), f.source, f.feed, "waiting")
	f.self.Set(Tasks, float64(setAside), f.source, f.feed, kind+"_set_aside")
}

// Calls sets the number of calls that wait for more legs, and counts those that counted without
// one.
func (f *FeedMetrics) Calls(waiting, incomplete int) {
	f.self.Set(CallsWaiting, float64(waiting), f.source, f.feed)
	f.self.Add(CallsIncomplete, int64(incomplete), f.source, f.feed)
}

// Unmapped counts records in which a field has a value that the mapping doesn't know.
func (f *FeedMetrics) Unmapped(field string, n int) {
	f.self.Add(UnmappedValues, int64(n), f.source, f.feed, field)
}

// Overflow counts observations folded, by metric name.
func (f *FeedMetrics) Overflow(folded map[string]int) {
	for metric, n := range folded {
		f.self.Add(SeriesOverflow, int64(n), f.source, f.feed, metric)
		f.overflowed.Add(int64(n))
	}
}

// Overflowed is how many observations were folded since the feed was opened.
func (f *FeedMetrics) Overflowed() int64 { return f.overflowed.Load() }

// Notified is the self metrics of the notifications that a provider sends to a source, and what the
// status page shows of them. It is safe for concurrent use.
type Notified struct {
	self   *SelfMetrics
	source string

	mu            sync.Mutex
	expires, last time.Time // guarded by mu
}

// Source is a source's self metrics of notifications, one for each name. They are absent until some
// are counted, or Listens is called.
func (o *SelfMetrics) Source(name string) *Notified {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.notified[name] == nil {
		o.notified[name] = &Notified{self: o, source: name}
	}
	return o.notified[name]
}

// Listens says that the source has a webhook: every result exists, starting at 0.
func (n *Notified) Listens() {
	n.self.mu.Lock()
	defer n.self.mu.Unlock()
	n.self.startAtZero(Notifications, n.source)
}

// Notifications counts notifications by result, one of Notifications.Zeros.
func (n *Notified) Notifications(result string, count int) {
	if count > 0 {
		n.self.Add(Notifications, int64(count), n.source, result)
	}
}

// LastNotification sets when the last notification was accepted.
func (n *Notified) LastNotification(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = at
	n.self.SetTime(SubscriptionLastNotification, at, n.source)
}

// SubscriptionExpiry sets when the subscription expires; zero means that there is none.
func (n *Notified) SubscriptionExpiry(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expires = at
	n.self.SetTime(SubscriptionExpiry, at, n.source)
}

// Subscription is when the subscription expires and when the last notification was accepted; zero
// without one.
func (n *Notified) Subscription() (expires, last time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.expires, n.last
}

// Forget removes them when the source no longer gets notifications.
func (n *Notified) Forget() {
	n.SubscriptionExpiry(time.Time{})
	n.LastNotification(time.Time{})
	for _, r := range Notifications.Zeros {
		n.self.Clear(Notifications, n.source, r)
	}
}
