package sim

import (
	"crypto/x509"
	"slices"
	"sync"
	"time"
)

// subscriptionsPath is where subscriptions are kept.
const subscriptionsPath = "/v1.0/subscriptions"

// SubscriptionSettings say who may subscribe.
type SubscriptionSettings struct {
	// Limit is how many the tenant may have: 100 if zero.
	Limit int
	// Longest is how far ahead a subscription may expire, 4,230 minutes if zero; what is
	// nearer than Shortest, 45 minutes if zero, is put off till then.
	Longest, Shortest time.Duration
	// CAs are those whose certificates notification addresses may have; nil: the
	// machine's. Plain http works on loopback.
	CAs *x509.CertPool
	// AnswerWithin is how long the handshake may take, in the machine's time: 10 s if
	// zero.
	AnswerWithin time.Duration
	// Unique refuses a second subscription to the same address, with 409.
	Unique bool
	// ReauthorizeWithin is after how long an application that was asked to reauthorise is told
	// nothing more until it does; zero: it is told on.
	ReauthorizeWithin time.Duration
	// Page is how many come on a page of the list: 20 if zero.
	Page int
}

func (s *SubscriptionSettings) defaults() {
	set(&s.Limit, 100)
	set(&s.Longest, 4230*time.Minute)
	set(&s.Shortest, 45*time.Minute)
	set(&s.AnswerWithin, 10*time.Second)
	set(&s.Page, 20)
}

// Subscription is one as it stands.
type Subscription struct {
	ID string
	// ChangeType is `updated`, `created`, or both with a comma between.
	ChangeType, Resource string
	// NotificationURL is where changes are told, LifecycleURL where that of the
	// subscription is: empty for nowhere.
	NotificationURL, LifecycleURL string
	ClientState                   string
	MinTLS                        string
	Created, Expires              time.Time
	// Renewed counts how often it was renewed.
	Renewed int
	// Deadline is until when it must be reauthorised; zero: it needn't be.
	Deadline time.Time

	// since is up to when publications aren't told.
	since time.Time
	// number counts the tenant's subscriptions.
	number uint64
}

// subscribers are the tenant's subscriptions, the oldest first.
type subscribers struct {
	mu   sync.Mutex
	list []Subscription // guarded by mu
	made uint64         // guarded by mu
}

// live are those that haven't expired.
func (s *subscribers) live(now time.Time) []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	return slices.Clone(s.list)
}

func (s *subscribers) expire(now time.Time) {
	s.list = slices.DeleteFunc(s.list, func(x Subscription) bool { return !now.Before(x.Expires) })
}

// find is the subscription with an id.
func (s *subscribers) find(id string, now time.Time) (Subscription, bool) {
	for _, x := range s.live(now) {
		if x.ID == id {
			return x, true
		}
	}
	return Subscription{}, false
}

// add takes a subscription in, unless there are as many as there may be.
func (s *subscribers) add(x Subscription, limit int, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	if len(s.list) >= limit {
		return false
	}
	x.number = s.made
	s.made++
	s.list = append(s.list, x)
	return true
}

// change changes a subscription, and says whether there is one.
func (s *subscribers) change(id string, now time.Time, change func(*Subscription)) (Subscription, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	for i := range s.list {
		if s.list[i].ID == id {
			change(&s.list[i])
			return s.list[i], true
		}
	}
	return Subscription{}, false
}

// remove takes subscriptions away: the one with an id, or all for an empty one.
func (s *subscribers) remove(id string, now time.Time) (gone []Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	s.list = slices.DeleteFunc(s.list, func(x Subscription) bool {
		if id != "" && x.ID != id {
			return false
		}
		gone = append(gone, x)
		return true
	})
	return gone
}
