package subscriptions

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	// TaskNotified is the kind of task that reads a record that a notification named, without a
	// version.
	TaskNotified = "notified"
	// life is the requested lifetime of a subscription: less than the 4,230 minutes that Graph
	// allows for call records, so that clocks may differ.
	life = 4_200 * time.Minute
	// renewInterval is the longest time between renewals. A renewal also shows whether the
	// subscription still exists: Graph doesn't report a lost one.
	renewInterval = 10 * time.Minute
)

// Webhook is the key `webhook`: where Graph sends notifications.
type Webhook struct {
	// PublicURL is the address that Graph can reach. Its path must be the listener's.
	PublicURL string `yaml:"public_url"`
}

// Validate implements config.Validator.
func (w *Webhook) Validate(r *config.Report) {
	const want = "the https address that Graph reaches, with a path that no other source has, such as " +
		"https://cdr.example.com/webhooks/contoso"
	u, err := url.Parse(w.PublicURL)
	switch {
	case w.PublicURL == "":
		r.Required("public_url", w.PublicURL, want)
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		r.Problemf("public_url", "must be %s, without user, query and fragment", want)
	case u.Scheme != "https" && (u.Scheme != "http" || !config.IsLoopback(u.Hostname())):
		r.Problemf("public_url", "must be %s; plain http is for loopback only", want)
	case u.Path == "" || u.Path == "/":
		r.Problemf("public_url", "needs a path: the listener distinguishes sources by it")
	}
}

// Error is a failure to keep the subscription.
type Error struct{ cause error }

func (e *Error) Error() string { return "keep the subscription to notifications: " + e.cause.Error() }

func (e *Error) Unwrap() error { return e.cause }

// Manager maintains a subscription at Graph. It implements collector.SubscriptionManager: one
// goroutine maintains the subscription, others report what notifications say about it. It doesn't
// delete the subscription when the exporter ends: the next process finds it.
type Manager struct {
	client      *httpclient.Client
	clientState string // secret, at most 128 characters; empty in commands, which maintain nothing
	publicURL   string
	mark        string // query derived from the secret, to skip other ledgers' subscriptions
	observer    collector.NotificationObserver
	interval    time.Duration

	mu           sync.Mutex // guards the fields below
	id           string     // subscription id; empty: none known
	lastNotified time.Time  // before the first notification: when the subscription was certain to exist
	urgent       bool       // a notification requires Maintain
	missedSince  time.Time  // zero: no notification is missing
}

// New makes a manager of the subscription for a webhook, and the handler of its notifications for a
// tenant. interval is the longest time between renewals.
func New(
	w *Webhook, tenant string, s *collector.SourceSettings, client *httpclient.Client, interval time.Duration,
) (*Manager, *collector.Webhook, error) {
	address, err := url.Parse(w.PublicURL)
	if err != nil {
		return nil, nil, errors.New("public_url is not a URL")
	}
	m := &Manager{client: client, publicURL: w.PublicURL, observer: s.Notified, interval: min(renewInterval, interval)}
	if s.Derive != nil {
		m.clientState = hex.EncodeToString(s.Derive("webhook:" + s.Name + " " + w.PublicURL))
	}
	mark := sha256.Sum256([]byte(m.clientState))
	m.mark = "?ledger=" + hex.EncodeToString(mark[:8])
	handler := func(inbox collector.Inbox) http.Handler { return newHandler(m, tenant, s.Now, inbox.Enqueue) }
	// Graph trusts public authorities only
	transport, err := httpclient.NewTransport(promconfig.TLSConfig{}, s.ProxyURL)
	if err != nil {
		return nil, nil, err
	}
	try := func(ctx context.Context) error { return shakeHands(ctx, transport, w.PublicURL) }
	return m, &collector.Webhook{Path: address.Path, Handler: handler, URL: w.PublicURL, Try: try}, nil
}

// Maintain implements collector.SubscriptionManager: it renews the subscription, or makes one if none exists.
func (m *Manager) Maintain(ctx context.Context, now time.Time) (again time.Duration, missedSince time.Time, err error) {
	m.mu.Lock()
	id := m.id
	missedSince, m.urgent, m.missedSince = m.missedSince, false, time.Time{}
	m.mu.Unlock()
	var expires time.Time
	if id != "" {
		expires, err = m.renew(ctx, now, id)
	}
	if httpclient.KindOf(err) == httpclient.KindNotFound {
		missedSince, id = m.forget(missedSince), ""
	}
	if id == "" {
		expires, err = m.subscribe(ctx, now)
	}
	if err != nil {
		return 0, missedSince, &Error{err}
	}
	// Graph may have shortened the subscription's lifetime.
	return min(m.interval, max(time.Minute, expires.Sub(now)/2)), missedSince, nil
}

// Urgent implements collector.SubscriptionManager.
func (m *Manager) Urgent() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.urgent
}

// subscribe keeps the newest subscription that earlier processes have made, or creates one. It
// deletes all others of the webhook, because each repeats every notification and counts towards the
// tenant's limit of 100.
func (m *Manager) subscribe(ctx context.Context, now time.Time) (expires time.Time, err error) {
	all, err := m.list(ctx)
	if err != nil {
		return expires, err
	}
	slices.SortFunc(all, func(a, b subscription) int { return b.Expires.Compare(a.Expires) })
	kept := false
	for i := range all {
		if kept || !strings.HasSuffix(all[i].NotificationURL, m.mark) {
			err = m.client.Fetch(ctx, newRequest(http.MethodDelete, subscriptionsPath+"/"+all[i].ID),
				func([]byte) error { return nil })
		} else if expires, err = m.renew(ctx, now, all[i].ID); err == nil {
			kept = true
		}
		if err != nil && httpclient.KindOf(err) != httpclient.KindNotFound {
			return expires, err
		}
	}
	if kept {
		return expires, nil
	}
	wanted := now.Add(life).UTC()
	made, err := m.send(ctx, http.MethodPost, subscriptionsPath, &subscription{
		ChangeType: "updated", Resource: callRecordsResource, NotificationURL: m.publicURL + m.mark,
		LifecycleURL: m.publicURL,
		Expires:      wanted, ClientState: m.clientState, MinTLS: "v1_2",
	})
	if err == nil && !graph.IsGUID(made.ID) {
		err = errors.New("the answer isn't a subscription")
	}
	if err != nil {
		return expires, err
	}
	return m.remember(made, wanted, now), nil
}

func (m *Manager) renew(ctx context.Context, now time.Time, id string) (expires time.Time, err error) {
	wanted := now.Add(life).UTC()
	renewed, err := m.send(ctx, http.MethodPatch, subscriptionsPath+"/"+id, &subscription{Expires: wanted})
	if err != nil {
		return expires, err
	}
	renewed.ID = id
	return m.remember(renewed, wanted, now), nil
}

// remember stores a subscription and returns when it expires: as requested, if Graph doesn't say.
func (m *Manager) remember(one subscription, wanted, now time.Time) (expires time.Time) {
	expires = cmp.Or(one.Expires.UTC(), wanted)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id, m.lastNotified = one.ID, cmp.Or(m.lastNotified, now)
	m.observer.SubscriptionExpiry(expires)
	return expires
}

// forget drops a subscription that no longer exists and returns since when notifications may be
// missing: the time of the last one, if no earlier time is known.
func (m *Manager) forget(missedSince time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id = ""
	m.observer.SubscriptionExpiry(time.Time{})
	return cmp.Or(missedSince, m.lastNotified)
}

func (m *Manager) noteNotified(at time.Time) {
	m.mu.Lock()
	m.lastNotified = at
	m.mu.Unlock()
	m.observer.LastNotification(at)
}

// isAuthentic says whether a notification has the secret. Its time depends only on the text's
// length.
func (m *Manager) isAuthentic(clientState string) bool {
	got, want := sha256.Sum256([]byte(clientState)), sha256.Sum256([]byte(m.clientState))
	return m.clientState != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// mayBeAuthentic says whether a request contains the secret anywhere. It only decides what the
// request may cost.
func (m *Manager) mayBeAuthentic(content []byte) bool {
	return m.clientState != "" && bytes.Contains(content, []byte(m.clientState))
}

// noteLifecycle records what Graph reports about the subscription, and says whether the event is
// known. Maintain then renews the subscription, which also authorizes it again; if it was removed,
// Maintain finds or makes one.
func (m *Manager) noteLifecycle(event string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch event {
	case "subscriptionRemoved": // show it at once: Graph may refuse all requests for a while
		m.id = ""
		m.observer.SubscriptionExpiry(time.Time{})
		fallthrough
	case "missed":
		m.missedSince = cmp.Or(m.missedSince, m.lastNotified)
	case "reauthorizationRequired":
	default:
		return false
	}
	m.urgent = true
	return true
}
