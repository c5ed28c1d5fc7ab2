package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// wantedSubscription is what a request to subscribe may say.
type wantedSubscription struct {
	ChangeType      string     `json:"changeType"`
	Resource        string     `json:"resource"`
	NotificationURL string     `json:"notificationUrl"`
	LifecycleURL    string     `json:"lifecycleNotificationUrl"`
	Expires         *time.Time `json:"expirationDateTime"`
	ClientState     string     `json:"clientState"`
	MinTLS          string     `json:"latestSupportedTlsVersion"`
	WithData        bool       `json:"includeResourceData"`
}

// maxClientState is the documented length.
const maxClientState = 128

// readBody reads a request's body, in which nothing else may be.
func readBody(r *http.Request, into any) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && d.Decode(into) == nil
}

// subscribe makes a subscription, after a handshake with each of its addresses.
func (s *Server) subscribe(r *http.Request) simulator.Answer {
	bad := func(code, message string) simulator.Answer { return s.refusal(r, http.StatusBadRequest, code, message) }
	var wanted wantedSubscription
	if !readBody(r, &wanted) {
		return bad("InvalidRequest", "Could not process subscription creation payload. Are all property names spelled and camelCased properly?")
	}
	if problem := wanted.problem(); problem != "" {
		return bad("InvalidRequest", problem)
	}
	expires, problem := s.expiry(*wanted.Expires)
	if problem != "" {
		return bad("ExtensionError", problem)
	}
	live := s.subscribers.live(s.timeline.Now())
	if s.settings.Subscriptions.Unique && slices.ContainsFunc(live, func(x Subscription) bool { return x.NotificationURL == wanted.NotificationURL }) {
		return s.refusal(r, http.StatusConflict, "Conflict", "A subscription with the same resource and notificationUrl exists.")
	}
	if len(live) >= s.settings.Subscriptions.Limit {
		return s.tooMany(r)
	}
	for _, address := range []string{wanted.NotificationURL, wanted.LifecycleURL} {
		if address == "" {
			continue
		}
		if err := s.handshake(r.Context(), address); err != nil {
			return bad("ValidationError", "Subscription validation request failed. "+err.Error())
		}
	}
	x := Subscription{
		ID: uuid.NewString(), ChangeType: wanted.ChangeType, Resource: wanted.Resource, NotificationURL: wanted.NotificationURL,
		LifecycleURL: wanted.LifecycleURL, ClientState: wanted.ClientState, MinTLS: wanted.MinTLS,
		Created: s.timeline.Now(), Expires: expires, since: s.timeline.Visible(),
	}
	if !s.subscribers.add(x, s.settings.Subscriptions.Limit, s.timeline.Now()) {
		return s.tooMany(r)
	}
	s.teller.start()
	return s.subscriptionAnswer(r, http.StatusCreated, &x, true)
}

func (s *Server) tooMany(r *http.Request) simulator.Answer {
	return s.refusal(r, http.StatusForbidden, "Forbidden", "The number of subscriptions to call records is over the organization's limit.")
}

// problem is what is wrong with what was asked for; empty for nothing.
func (w *wantedSubscription) problem() string {
	kinds := strings.Split(w.ChangeType, ",")
	slices.Sort(kinds)
	switch resource := strings.TrimPrefix(w.Resource, "/"); {
	case !slices.Contains([]string{"created", "updated", "created,updated"}, strings.Join(kinds, ",")):
		return "The changeType is not supported for this resource."
	case resource != "communications/callRecords":
		return "The resource is not supported."
	case w.WithData:
		return "The resource does not support resource data."
	case w.Expires == nil:
		return "expirationDateTime is required."
	case len(w.ClientState) > maxClientState:
		return "clientState is longer than 128 characters."
	case w.MinTLS != "" && !slices.Contains([]string{"v1_0", "v1_1", "v1_2", "v1_3"}, w.MinTLS):
		return "latestSupportedTlsVersion is not known."
	case !notifiable(w.NotificationURL) || w.LifecycleURL != "" && !notifiable(w.LifecycleURL):
		return "The notification URL must be an https address."
	}
	return ""
}

// notifiable says whether notifications can be sent to an address: over https, or to
// this machine, which the real one wouldn't.
func notifiable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	host := u.Hostname()
	return u.Scheme == "https" || u.Scheme == "http" && (host == "127.0.0.1" || host == "::1" || host == "localhost")
}

// expiry is when a subscription that wants to expire at an instant does.
func (s *Server) expiry(wanted time.Time) (at time.Time, problem string) {
	now, rules := s.timeline.Now(), &s.settings.Subscriptions
	switch in := wanted.Sub(now); {
	case in <= 0:
		return at, "Subscription expiration must be in the future."
	case in > rules.Longest:
		return at, fmt.Sprintf("Subscription expiration can only be %d minutes in the future.", rules.Longest/time.Minute)
	case in < rules.Shortest:
		return now.Add(rules.Shortest), ""
	}
	return wanted.UTC(), ""
}

// handshake proves that whoever answers at an address wants notifications: it gives back
// a text. The error is for whoever subscribes.
func (s *Server) handshake(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Subscriptions.AnswerWithin)
	defer cancel()
	// Of these characters a careless endpoint loses some.
	token := "Validation: Testing client application reachability for subscription Request-Id: " + uuid.NewString() + " <b>50%+1&a=b</b>"
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+separator+"validationToken="+url.QueryEscape(token), http.NoBody)
	if err != nil {
		return errors.New("the address can't be asked")
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	s.teller.count(func(n *Notified) { n.Handshakes++ })
	response, err := s.teller.client.Do(r)
	if err != nil {
		return errors.New("the notification endpoint didn't answer in time, or not at all")
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode != http.StatusOK:
		return errors.New("the notification endpoint must respond with 200 OK to validation request")
	case kind != "text/plain":
		return errors.New("the response must be text/plain")
	case err != nil || string(body) != token:
		return errors.New("the response must be the decoded validationToken")
	}
	return nil
}
