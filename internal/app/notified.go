package app

import (
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// notified takes the own metrics of a source's notifications, and remembers for the
// status what it was told. It is safe for concurrent use.
type notified struct {
	*metrics.Notified

	mu     sync.Mutex
	status web.Subscription // guarded by mu
}

var _ collector.NotificationObserver = (*notified)(nil)

// notifiedOf is that of a source, the same over reloads.
func (a *App) notifiedOf(source string) *notified {
	n := a.notices[source]
	if n == nil {
		n = &notified{Notified: a.own.Source(source)}
		a.notices[source] = n
	}
	return n
}

// LastNotification implements collector.NotificationObserver.
func (n *notified) LastNotification(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Notified.LastNotification(at)
	n.status.LastNotification = web.Time(at)
}

// SubscriptionExpiry implements collector.NotificationObserver.
func (n *notified) SubscriptionExpiry(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Notified.SubscriptionExpiry(at)
	n.status.Expires = web.Time(at)
}

// subscription is what it was told last.
func (n *notified) subscription() *web.Subscription {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.status
	return &s
}
