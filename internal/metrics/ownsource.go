package metrics

import "time"

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
	for _, r := range noticeResults {
		n.own.seriesOf(Notifications, n.source, r)
	}
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
	for _, r := range noticeResults {
		n.own.Clear(Notifications, n.source, r)
	}
}
