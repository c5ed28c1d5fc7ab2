package msgraph

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	// subscriptionLife is how long a subscription is asked for: less than the 4,230
	// minutes that Graph allows for call records, so that clocks may differ.
	subscriptionLife = 4_200 * time.Minute
	// renewShare is at which share of its life a subscription is renewed, renewLeast after
	// how long at the least, whatever Graph says of its end.
	renewShare = 0.6
	renewLeast = time.Minute
	// checkSubscription is how often Graph is asked at the least whether it is still there:
	// one that is lost tells nobody.
	checkSubscription = 10 * time.Minute
)

var (
	errNoSecret = errors.New("there is no secret to tell Graph's notifications by")
	errEnded    = errors.New("graph says that the subscription has ended already")
)

// subscription keeps Graph telling of call records. It implements collector.SubscriptionManager: one
// goroutine keeps it, others note what notifications say of it.
//
//	          ┌──────────── 404, removed ◀───────────┐
//	          ▼                                       │
//	none ─▶ find ─ one is there ─▶ renew ─▶ kept ─ 60 % of its life, reauthorize ─▶ renew
//	          └──── none ────────▶ create ─▶  └─ every 10 min ─▶ check
//
// It is never deleted when the exporter ends: the next process finds it again.
type subscription struct {
	api         subscriptions
	publicURL   string
	clientState string
	proof       [sha256.Size]byte // of clientState
	observer    collector.NotificationObserver
	// every is how often it is checked.
	every time.Duration

	mu sync.Mutex
	// id and expires are those of the subscription; empty: none is known.
	id      string    // guarded by mu
	expires time.Time // guarded by mu
	renewAt time.Time // guarded by mu
	// made says that this process has made it, so that it knows our secret.
	made bool // guarded by mu
	// told is when a notification came last or, before the first, when it was certain
	// that they come.
	told time.Time // guarded by mu
	// wanted is what notifications have asked for.
	wanted lifecycle // guarded by mu
}

// lifecycle is what is to be done about a subscription at once.
type lifecycle struct {
	renew, remake, replace bool
	// missed is since when notifications may be missing; zero: none are.
	missed time.Time
}

func (l *lifecycle) any() bool { return l.renew || l.remake || l.replace || !l.missed.IsZero() }

func newSubscription(client *httpclient.Client, publicURL, clientState string, observer collector.NotificationObserver) *subscription {
	return &subscription{
		api: subscriptions{client}, publicURL: publicURL,
		clientState: clientState, proof: sha256.Sum256([]byte(clientState)), observer: observer, every: checkSubscription,
	}
}

// Maintain implements collector.SubscriptionManager: it finds, makes, renews or remakes the subscription.
func (s *subscription) Maintain(ctx context.Context, now time.Time) (again time.Duration, gap time.Time, err error) {
	if s.clientState == "" {
		return 0, gap, errNoSecret
	}
	s.mu.Lock()
	id, renewAt, wanted := s.id, s.renewAt, s.wanted
	s.wanted = lifecycle{}
	s.mu.Unlock()
	gap = wanted.missed
	switch {
	case wanted.replace:
		s.lose(&gap)
		err = s.replace(ctx, now)
	case wanted.remake:
		s.lose(&gap)
		err = s.find(ctx, now, "")
	case id == "":
		err = s.find(ctx, now, "")
	case wanted.renew || !now.Before(renewAt):
		err = s.renew(ctx, now, id)
	default:
		err = s.check(ctx, now, id)
	}
	if httpclient.KindOf(err) == httpclient.KindNotFound && id != "" && s.known() == id {
		s.lose(&gap)
		err = s.find(ctx, now, id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		// What was asked for is still to be done. The gap is kept by who asked.
		s.wanted.renew, s.wanted.replace = s.wanted.renew || wanted.renew, s.wanted.replace || wanted.replace
		return 0, gap, subscriptionError{withCode(err)}
	}
	return max(time.Second, min(s.every, s.renewAt.Sub(now))), gap, nil
}

// Urgent says whether notifications have asked for something that doesn't wait.
func (s *subscription) Urgent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted.any()
}

// find finds the subscription that an earlier process has made, but for one that is known
// to be gone, or makes one. Several are one too many: each brings everything again, and
// counts to the tenant's hundred. What was missed while nothing ran, the list finds.
func (s *subscription) find(ctx context.Context, now time.Time, gone string) error {
	all, err := s.api.list(ctx, s.publicURL)
	if err != nil {
		return err
	}
	newest := -1
	for i := range all {
		if all[i].ID != gone && s.ours(&all[i]) && (newest < 0 || all[i].ends().After(all[newest].ends())) {
			newest = i
		}
	}
	for i := range all {
		if i != newest && all[i].ID != gone {
			if err := s.api.delete(ctx, all[i].ID); err != nil {
				return err
			}
		}
	}
	if newest >= 0 {
		err := s.renew(ctx, now, all[newest].ID) // which tells whether it is really there
		if httpclient.KindOf(err) != httpclient.KindNotFound {
			return err
		}
	}
	return s.create(ctx, now)
}

// ours says whether a subscription's secret is ours, as far as Graph tells: of a ledger
// that was lost, it isn't.
func (s *subscription) ours(one *graphSubscription) bool {
	return one.ClientState == "" || one.ClientState == s.clientState
}

// replace makes a new subscription in place of all that there are.
func (s *subscription) replace(ctx context.Context, now time.Time) error {
	all, err := s.api.list(ctx, s.publicURL)
	if err != nil {
		return err
	}
	for i := range all {
		if err := s.api.delete(ctx, all[i].ID); err != nil {
			return err
		}
	}
	return s.create(ctx, now)
}

func (s *subscription) create(ctx context.Context, now time.Time) error {
	expires := now.Add(subscriptionLife).UTC()
	made, err := s.api.create(ctx, &graphSubscription{
		ChangeType: "updated", Resource: callRecordsResource, NotificationURL: s.publicURL, LifecycleURL: s.publicURL,
		Expires: &expires, ClientState: s.clientState, MinTLS: "v1_2",
	})
	if err != nil {
		return err
	}
	return s.take(made.ID, true, made.Expires, expires, now)
}

// renew prolongs the subscription.
func (s *subscription) renew(ctx context.Context, now time.Time, id string) error {
	expires := now.Add(subscriptionLife).UTC()
	renewed, err := s.api.renew(ctx, id, expires)
	if err != nil {
		return err
	}
	return s.take(id, false, renewed.Expires, expires, now)
}

// check asks whether the subscription is still there, and still ends when it did.
func (s *subscription) check(ctx context.Context, now time.Time, id string) error {
	one, err := s.api.get(ctx, id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	expires := s.expires
	s.mu.Unlock()
	switch {
	case one.Expires != nil && !one.Expires.Equal(expires):
		return s.take(id, false, one.Expires, expires, now)
	case !expires.After(now):
		return errEnded
	}
	return nil
}

// take takes over what Graph says of the subscription; asked is what it was asked for.
func (s *subscription) take(id string, made bool, expires *time.Time, asked, now time.Time) error {
	if expires == nil {
		expires = &asked
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != id {
		s.id, s.made = id, made
	}
	if s.told.IsZero() {
		s.told = now
	}
	s.expires = expires.UTC()
	s.renewAt = now.Add(max(renewLeast, time.Duration(renewShare*float64(s.expires.Sub(now)))))
	s.observer.SubscriptionExpiry(s.expires)
	if !s.expires.After(now) {
		return errEnded
	}
	return nil
}

// lose forgets a subscription that is gone. Notifications may be missing since one came
// last.
func (s *subscription) lose(gap *time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.expires = "", time.Time{}
	s.observer.SubscriptionExpiry(time.Time{})
	if gap.IsZero() {
		*gap = s.told
	}
}

func (s *subscription) known() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// heard notes a change notification that was accepted.
func (s *subscription) heard(at time.Time) {
	s.mu.Lock()
	s.told = at
	s.mu.Unlock()
	s.observer.LastNotification(at)
}

// trusts says whether a notification knows the secret. It takes as long for every text of
// the same length.
func (s *subscription) trusts(clientState string) bool {
	proof := sha256.Sum256([]byte(clientState))
	return s.clientState != "" && subtle.ConstantTimeCompare(proof[:], s.proof[:]) == 1
}

// estranged notes a notification of this very subscription that doesn't know our secret:
// it was found, and made with another, by a ledger that is lost. Strangers don't know its
// id; if one did, he could have it replaced once.
func (s *subscription) estranged(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != "" && id == s.id && !s.made {
		s.wanted.replace = true
	}
}

// lifecycleEvent notes what Graph says of the subscription itself, and says whether it
// is known.
func (s *subscription) lifecycleEvent(event string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch event {
	case "reauthorizationRequired":
		s.wanted.renew = true
	case "subscriptionRemoved":
		s.wanted.remake = true
	case "missed":
		if s.wanted.missed.IsZero() {
			s.wanted.missed = s.told
		}
	default:
		return false
	}
	return true
}

// subscriptionError is an error of keeping the subscription, which has advice of its own.
type subscriptionError struct{ error }

// Error implements error.
func (e subscriptionError) Error() string {
	return fmt.Sprintf("keep the subscription to notifications: %v", e.error)
}

// Unwrap returns the cause.
func (e subscriptionError) Unwrap() error { return e.error }
