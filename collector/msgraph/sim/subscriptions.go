package sim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const subscriptionsPath = "/v1.0/subscriptions"

// The rules for subscriptions to call records.
const (
	// A subscription may expire at most longestSubscription ahead; an expiry nearer than
	// shortestSubscription is moved to shortestSubscription.
	longestSubscription  = 4230 * time.Minute
	shortestSubscription = 45 * time.Minute
	maxClientState       = 128
)

// Subscription is the state of a subscription. The fields with JSON names are also the body of a
// request that makes or renews one.
type Subscription struct {
	ID string `json:"-"`
	// ChangeType is `updated`: the simulator supports no other.
	ChangeType string `json:"changeType"`
	Resource   string `json:"resource"`
	// NotificationURL receives changes, LifecycleURL lifecycle notifications.
	NotificationURL string    `json:"notificationUrl"`
	LifecycleURL    string    `json:"lifecycleNotificationUrl"`
	ClientState     string    `json:"clientState"`
	MinTLS          string    `json:"latestSupportedTlsVersion"`
	Expires         time.Time `json:"expirationDateTime"`

	// since is the publication after which changes are sent.
	since time.Time
	// number counts the tenant's subscriptions.
	number uint64
}

// Subscriptions are those that haven't expired, the oldest first.
func (n *notifier) Subscriptions() []Subscription {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.live())
}

// serveSubscriptions answers requests about subscriptions. If a fault replaces the answer by an
// error, the request had no effect; if the answer is lost on the way, it had.
func (s *Server) serveSubscriptions(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, EndpointSubscriptions, func() simulator.Reply {
		if r.URL.RawQuery != "" {
			return s.badRequest(r, notSimulated)
		}
		a := s.reply(r, http.StatusOK, nil)
		a.Do = func(a *simulator.Reply) { *a = s.subscriptions(r) }
		return a
	})
}

func (s *Server) subscriptions(r *http.Request) simulator.Reply {
	id := r.PathValue("id")
	switch {
	case id == "" && r.Method == http.MethodGet:
		values := []simulator.Object{}
		for _, x := range s.Subscriptions() {
			values = append(values, s.subscriptionObject(&x, false))
		}
		body := simulator.NewObject("@odata.context", "https://"+r.Host+"/v1.0/$metadata#subscriptions", "value",
			values)
		return s.reply(r, http.StatusOK, simulator.JSON(body))
	case id == "" && r.Method == http.MethodPost:
		return s.subscribe(r)
	case id != "" && r.Method == http.MethodPatch:
		return s.renew(r, id)
	case id != "" && r.Method == http.MethodDelete:
		if len(s.remove(id)) == 0 {
			return s.refuse(r, http.StatusNotFound, "ResourceNotFound", "The object was not found.")
		}
		return s.reply(r, http.StatusNoContent, nil)
	}
	return s.badRequest(r, notSimulated)
}

// subscriptionObject renders a subscription. Its client state, which authenticates real
// notifications, is only returned when it is made.
func (s *Server) subscriptionObject(x *Subscription, made bool) simulator.Object {
	var state any
	if made {
		state = simulator.OrNull(x.ClientState)
	}
	return simulator.NewObject(
		"id", x.ID, "resource", x.Resource, "applicationId", ClientID, "changeType", x.ChangeType, "clientState", state,
		"notificationUrl", x.NotificationURL, "notificationQueryOptions", nil, "lifecycleNotificationUrl",
		simulator.OrNull(x.LifecycleURL),
		"expirationDateTime", formatTime(x.Expires, 2), "creatorId", ClientID, "includeResourceData", nil,
		"latestSupportedTlsVersion", simulator.OrNull(x.MinTLS), "encryptionCertificate", nil,
	)
}

func (s *Server) subscriptionReply(r *http.Request, status int, x *Subscription) simulator.Reply {
	o := s.subscriptionObject(x, status == http.StatusCreated)
	o.Set("@odata.context", "https://"+r.Host+"/v1.0/$metadata#subscriptions/$entity")
	return s.reply(r, status, simulator.JSON(o))
}

// readSubscription reads a request's body, which may contain nothing else.
func readSubscription(r *http.Request) (wanted Subscription, ok bool) {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	return wanted, strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && d.Decode(&wanted) == nil
}

// renew changes when a subscription expires, and nothing else.
func (s *Server) renew(r *http.Request, id string) simulator.Reply {
	wanted, ok := readSubscription(r)
	expires, possible := s.expiry(wanted.Expires)
	if !ok || !possible || wanted != (Subscription{Expires: wanted.Expires}) {
		return s.refuse(r, http.StatusBadRequest, "InvalidRequest", "Could not process subscription update payload.")
	}
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	live := s.live()
	i := slices.IndexFunc(live, func(x Subscription) bool { return x.ID == id })
	if i < 0 {
		return s.refuse(r, http.StatusNotFound, "ResourceNotFound", "The object was not found.")
	}
	live[i].Expires = expires
	return s.subscriptionReply(r, http.StatusOK, &live[i])
}

// expiry is the actual expiry for a requested one, and whether it is allowed.
func (s *Server) expiry(wanted time.Time) (at time.Time, possible bool) {
	now := s.Now()
	in := wanted.Sub(now)
	return now.Add(max(in, shortestSubscription)), in > 0 && in <= longestSubscription
}

// subscribe makes a subscription, after a handshake with each of its addresses.
func (s *Server) subscribe(r *http.Request) simulator.Reply {
	x, ok := readSubscription(r)
	expires, possible := s.expiry(x.Expires)
	if !ok || !possible || !x.isValid() {
		return s.refuse(r, http.StatusBadRequest, "InvalidRequest", "Could not process subscription creation payload.")
	}
	for _, address := range []string{x.NotificationURL, x.LifecycleURL} {
		if err := s.validateWebhook(r.Context(), address); err != nil {
			return s.refuse(r, http.StatusBadRequest, "ValidationError", "Subscription validation request failed. "+
				err.Error())
		}
	}
	x.Expires = expires
	x = s.AddSubscription(x)
	return s.subscriptionReply(r, http.StatusCreated, &x)
}

// isValid says whether Graph would make the requested subscription.
func (w *Subscription) isValid() bool {
	return w.ChangeType == "updated" && strings.TrimPrefix(w.Resource, "/") == "communications/callRecords" &&
		len(w.ClientState) <= maxClientState && w.MinTLS == "v1_2" && canNotify(w.NotificationURL) &&
		canNotify(w.LifecycleURL)
}

// canNotify says whether notifications can go to an address: over https, or to this machine, which
// the real Graph wouldn't allow.
func canNotify(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "127.0.0.1")
}

// validateWebhook sends an address a text that it has to return, as proof that it wants
// notifications. The error is for the subscriber.
func (s *Server) validateWebhook(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	// A careless endpoint loses some of these characters.
	token := "Validation: Testing client application reachability for subscription Request-Id: " + uuid.NewString() +
		" <b>50%+1&a=b</b>"
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+separator+"validationToken="+
		url.QueryEscape(token), http.NoBody)
	if err != nil {
		return errors.New("the address can't be asked")
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := s.client.Do(r)
	if err != nil {
		return errors.New("the notification endpoint didn't answer in time, or not at all")
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK || kind != "text/plain" || err != nil || string(body) != token {
		return errors.New("the response must be 200 OK with the decoded validationToken as text/plain")
	}
	return nil
}
