package sim

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Delivery says how notifications are sent. Times are the provider's, but for Every.
type Delivery struct {
	Seed uint64
	// Every is the interval between two looks for notifications that are due, in the machine's time: 100 ms if zero. If negative, notifications are
	// only sent when Deliver is called.
	Every time.Duration
	// DelayMax is the longest time between a publication and its notification.
	DelayMax time.Duration
	// Lost is the share of notifications that are never sent, Duplicated of those that are sent twice, Reordered of those that are sent up to
	// ReorderedBy later than due: 2 s if zero.
	Lost, Duplicated, Reordered float64
	ReorderedBy                 time.Duration
	// Forged is how many forged notifications come for each real one: with a wrong client state, with none, or of another tenant. Malformed is how
	// many come whose id is no GUID.
	Forged, Malformed float64
	// RetryFirst is the pause after the first attempt, which doubles up to RetryMost: 10 s and 10 min if zero.
	RetryFirst, RetryMost time.Duration
}

// The rules of delivery that aren't settings.
const (
	// answerWithin is how long a webhook may take to answer, in the machine's time.
	answerWithin = 10 * time.Second
	// retryFor is how long a notification is tried again.
	retryFor = 4 * time.Hour
	// batchSize is how many items one request has at most.
	batchSize = 10
	// parallelRequests is how many requests are under way at once.
	parallelRequests = 4
)

func (d *Delivery) setDefaults() {
	d.Every = cmp.Or(d.Every, 100*time.Millisecond)
	d.ReorderedBy = cmp.Or(d.ReorderedBy, 2*time.Second)
	d.RetryFirst = cmp.Or(d.RetryFirst, 10*time.Second)
	d.RetryMost = cmp.Or(d.RetryMost, 10*time.Minute)
}

// Notified counts notifications: items, not requests, unless it says otherwise.
type Notified struct {
	// Published is how many there were to send: one for each version and subscription.
	Published int
	// Lost were never sent, Copies were sent in addition; both by Delivery.
	Lost, Copies int
	// Delivered were accepted with a 2xx, copies included; GivenUp aren't tried any more.
	Delivered, GivenUp int
	// Forged and Malformed were accepted too, though they aren't real; Lifecycle are lifecycle notifications.
	Forged, Malformed, Lifecycle int
	// Refused is how many requests had no 2xx, Slow how many took ten seconds or more, Handshakes how many were for validation.
	Refused, Slow, Handshakes int
}

// Notified counts the notifications so far.
func (s *Server) Notified() Notified {
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	return s.notifier.notified
}

// NotificationsWaiting is how many notifications are yet to be sent, to be sent again, or to be answered.
func (s *Server) NotificationsWaiting() int {
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	return len(s.notifier.queue) + s.notifier.sending
}

// Deliver sends what is due, and returns when it has been answered.
func (s *Server) Deliver() { s.notifier.deliver() }

// PauseNotifications holds notifications back until ResumeNotifications. Publication and lists go on.
func (s *Server) PauseNotifications() { s.notifier.paused.Store(true) }

// ResumeNotifications sends what was held back.
func (s *Server) ResumeNotifications() { s.notifier.paused.Store(false) }

// LoseSubscription makes all subscriptions vanish without a notification. It returns how many there were.
func (s *Server) LoseSubscription() int { return len(s.notifier.remove("")) }

// RemoveSubscription removes all subscriptions, and sends subscriptionRemoved. It returns how many there were.
func (s *Server) RemoveSubscription() int {
	return s.notifier.announce(s.notifier.remove(""), "subscriptionRemoved")
}

// RequireReauthorization sends reauthorizationRequired to all subscriptions.
func (s *Server) RequireReauthorization() int {
	return s.notifier.announce(s.Subscriptions(), "reauthorizationRequired")
}

// MissNotifications drops the notifications that wait, and sends missed to all subscriptions.
func (s *Server) MissNotifications() int {
	s.notifier.mu.Lock()
	s.notifier.queuePublished()
	s.notifier.queue = nil
	s.notifier.mu.Unlock()
	return s.notifier.announce(s.Subscriptions(), "missed")
}

// StormSent is what a storm consisted of.
type StormSent struct {
	// Records is the number of distinct records, Duplicates of further notifications of them, Forged of forged ones.
	Records, Duplicates, Forged int
}

// Storm sends count notifications to the oldest subscription as fast as they are accepted: a share of duplicates of others, a share of forged ones,
// and the rest of the tenant's records, in random order. It returns when no notification waits any more, or the context ends.
func (s *Server) Storm(ctx context.Context, count int, duplicates, forged float64) (sent StormSent, err error) {
	n, live, records, visible := s.notifier, s.Subscriptions(), s.settings.CallRecords, s.Visible()
	if len(live) == 0 || records == nil {
		return sent, errors.New("send a storm of notifications: there is no subscription, or there are no records")
	}
	sent.Forged = int(float64(count) * forged)
	var ids []string
	rows, _ := records.list(span{visible.Add(-retention).UnixMilli(), visible.UnixMilli()}, nil, visible, math.MaxInt32)
	for i := range rows {
		if rows[i].flaw == simulator.NoFlaw && rows[i].readable(visible) >= 0 && len(ids) < count-sent.Forged-int(float64(count)*duplicates) {
			ids = append(ids, rows[i].id.String())
		}
	}
	if len(ids) == 0 {
		return sent, errors.New("send a storm of notifications: there are no records")
	}
	sent.Records, sent.Duplicates = len(ids), count-sent.Forged-len(ids)
	var all []*notification
	for i := range sent.Records + sent.Duplicates {
		all = append(all, n.change(&live[0], ids[i%len(ids)], "updated", i))
	}
	for i := range sent.Forged {
		all = append(all, n.forgery(&live[0], i))
	}
	random := rand.New(rand.NewPCG(s.settings.Delivery.Seed, 1))
	random.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	n.mu.Lock()
	for _, x := range all {
		n.push(x, s.Now())
	}
	n.mu.Unlock()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.NotificationsWaiting() > 0 && ctx.Err() == nil {
		n.deliver()
		<-tick.C
	}
	return sent, ctx.Err()
}
