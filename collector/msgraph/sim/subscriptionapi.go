package sim

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// subscriptionPath matches what is asked of subscriptions.
var subscriptionPath = regexp.MustCompile(`^/v1\.0/subscriptions(?:/([^/]+)(/reauthorize)?)?$`)

// subscriptionRequest answers a request about subscriptions. A request that a fault
// answers with an error has done nothing; one whose answer is lost on the way has.
func (s *Server) subscriptionRequest(w http.ResponseWriter, r *http.Request) {
	number := s.recorder.Begin(EndpointSubscriptions)
	seen := simulator.Seen{Endpoint: EndpointSubscriptions, At: s.timeline.Now()}
	defer func() { s.recorder.End(seen) }()
	fault := simulator.NoFault
	answer, ok := s.authorise(r)
	if ok {
		fault = s.faults.Next(simulator.Request{Endpoint: EndpointSubscriptions, Number: number}, subscriptionFault)
		answer = s.subscribed(r, fault)
	}
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, answer.Status)
	s.faults.Write(w, r, fault, answer)
}

// subscriptionFault says whether a fault can be done to subscriptions.
func subscriptionFault(f simulator.Fault) bool {
	return f == ExpiredToken || f == Forbidden || anywhere(f)
}

// subscribed does what a request asks for.
func (s *Server) subscribed(r *http.Request, fault simulator.Fault) simulator.Answer {
	path, options, _ := strings.Cut(r.RequestURI, "?")
	match := subscriptionPath.FindStringSubmatch(path)
	switch {
	case fault == ExpiredToken:
		return s.refusal(r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	case fault == Forbidden:
		return s.refusal(r, http.StatusForbidden, "Forbidden", "")
	case simulator.StatusOf(fault, http.StatusOK) >= http.StatusBadRequest:
		return s.answer(r, http.StatusOK, nil) // the fault says what is answered
	case match == nil:
		return s.refusal(r, http.StatusBadRequest, "BadRequest", errNoResource.Error())
	case options != "" && (r.Method != http.MethodGet || match[1] != "" || !strings.HasPrefix(options, skipToken)):
		return s.refusal(r, http.StatusBadRequest, "BadRequest", errOption.Error())
	}
	switch method, id, reauthorize := r.Method, match[1], match[2] != ""; {
	case id == "" && method == http.MethodGet:
		return s.listSubscriptions(r)
	case id == "" && method == http.MethodPost:
		return s.subscribe(r)
	case reauthorize && method == http.MethodPost:
		return s.reauthorize(r, id)
	case id != "" && !reauthorize && method == http.MethodGet:
		return s.showSubscription(r, id)
	case id != "" && !reauthorize && method == http.MethodPatch:
		return s.renew(r, id)
	case id != "" && !reauthorize && method == http.MethodDelete:
		return s.unsubscribe(r, id)
	}
	return s.refusal(r, http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
}

func (s *Server) noSubscription(r *http.Request) simulator.Answer {
	return s.refusal(r, http.StatusNotFound, "ResourceNotFound", "The object was not found.")
}

func (s *Server) listSubscriptions(r *http.Request) simulator.Answer {
	to := rest{}
	if strings.Contains(r.RequestURI, skipToken) {
		var ok bool
		if to, ok = s.follow(r.RequestURI); !ok {
			return s.refusal(r, http.StatusBadRequest, "BadRequest", "The $skiptoken is not valid.")
		}
	}
	live := s.subscribers.live(s.timeline.Now())
	first := min(to.Skip, len(live))
	last := min(len(live), first+s.settings.Subscriptions.Page)
	var d doc
	d.object("", func() {
		d.text("@odata.context", "https://"+r.Host+"/v1.0/$metadata#subscriptions")
		if last < len(live) {
			d.text("@odata.nextLink", "https://"+r.Host+s.sealed(subscriptionsPath+"?"+skipToken, rest{What: "subscriptions", Skip: last}))
		}
		d.list("value", last-first, func(i int) { s.writeSubscription(&d, &live[first+i], "", false) })
	})
	return s.answer(r, http.StatusOK, d.bytes())
}

func (s *Server) showSubscription(r *http.Request, id string) simulator.Answer {
	x, ok := s.subscribers.find(id, s.timeline.Now())
	if !ok {
		return s.noSubscription(r)
	}
	return s.subscriptionAnswer(r, http.StatusOK, &x, false)
}

func (s *Server) subscriptionAnswer(r *http.Request, status int, x *Subscription, made bool) simulator.Answer {
	var d doc
	s.writeSubscription(&d, x, "https://"+r.Host+"/v1.0/$metadata#subscriptions/$entity", made)
	return s.answer(r, status, d.bytes())
}

// writeSubscription writes one. What it was made with to tell its notifications from
// forged ones is said once, in the answer to its making.
func (s *Server) writeSubscription(d *doc, x *Subscription, context string, made bool) {
	d.object("", func() {
		if context != "" {
			d.text("@odata.context", context)
		}
		d.text("id", x.ID)
		d.text("resource", x.Resource)
		d.text("applicationId", s.settings.ClientID)
		d.text("changeType", x.ChangeType)
		if made {
			d.orNull("clientState", x.ClientState)
		} else {
			d.null("clientState")
		}
		d.text("notificationUrl", x.NotificationURL)
		d.null("notificationQueryOptions")
		d.orNull("lifecycleNotificationUrl", x.LifecycleURL)
		d.time("expirationDateTime", x.Expires, 2)
		d.text("creatorId", s.settings.ClientID)
		d.null("includeResourceData")
		d.orNull("latestSupportedTlsVersion", x.MinTLS)
		d.null("encryptionCertificate")
	})
}

// renew sets when a subscription expires, and nothing else.
func (s *Server) renew(r *http.Request, id string) simulator.Answer {
	if _, ok := s.subscribers.find(id, s.timeline.Now()); !ok {
		return s.noSubscription(r)
	}
	var wanted struct {
		Expires *time.Time `json:"expirationDateTime"`
	}
	if !readBody(r, &wanted) || wanted.Expires == nil {
		return s.refusal(r, http.StatusBadRequest, "InvalidRequest", "Could not process subscription update payload. Are all property names spelled and camelCased properly?")
	}
	expires, problem := s.expiry(*wanted.Expires)
	if problem != "" {
		return s.refusal(r, http.StatusBadRequest, "ExtensionError", problem)
	}
	x, ok := s.subscribers.change(id, s.timeline.Now(), func(x *Subscription) {
		x.Expires, x.Deadline = expires, time.Time{}
		x.Renewed++
	})
	if !ok {
		return s.noSubscription(r)
	}
	return s.subscriptionAnswer(r, http.StatusOK, &x, false)
}

func (s *Server) reauthorize(r *http.Request, id string) simulator.Answer {
	if _, ok := s.subscribers.change(id, s.timeline.Now(), func(x *Subscription) { x.Deadline = time.Time{} }); !ok {
		return s.noSubscription(r)
	}
	return s.answer(r, http.StatusNoContent, nil)
}

func (s *Server) unsubscribe(r *http.Request, id string) simulator.Answer {
	if len(s.subscribers.remove(id, s.timeline.Now())) == 0 {
		return s.noSubscription(r)
	}
	return s.answer(r, http.StatusNoContent, nil)
}
