package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// What a flood costs at most. Graph sends far less, and sends again what is turned down.
const (
	// maxNotifications bounds a request and maxNotification one item, in bytes; maxItems
	// is how many items there may be.
	maxNotifications = 1 << 20
	maxNotification  = 16 << 10
	maxItems         = 5_000
	// maxValidationToken bounds what is given back.
	maxValidationToken = 4 << 10
	// requestsAtOnce are read, and so many more wait for at most roomPatience.
	requestsAtOnce = 16
	// Of one address so many are read at once, and so many are in hand: no stranger takes all the room.
	readOfOne      = 12
	inHandOfOne    = 192
	requestsInLine = 192
	roomPatience   = 2 * time.Second
	// requestsPerSecond are answered on average, and twice as many at once.
	requestsPerSecond = 500
	// bodyPatience is how long a request may take to send its body, keepPatience how long
	// the ledger may take. Graph waits for ten seconds.
	bodyPatience = time.Second
	keepPatience = 4 * time.Second
)

// enqueue makes work durable; see collector.Webhook.
type enqueue func(ctx context.Context, work []collector.Task) (queued int, err error)

// notifications answers Graph: the handshake, change notifications and those of the
// subscription's life. It asks nothing of Graph, and acknowledges only what is durable.
type notifications struct {
	subscription *subscription
	tenant       string // empty if the configuration has only a domain
	observer     collector.NotificationObserver
	enqueue      enqueue
	// now is the local clock, offset the provider's minus that.
	now    func() time.Time
	offset func() (time.Duration, bool)

	limit      *rate.Limiter
	line, room chan struct{}

	mu   sync.Mutex
	from map[string]*sender // guarded by mu: who has requests in hand, by address
}

func newNotifications(s *subscription, tenant string, now func() time.Time, offset func() (time.Duration, bool), enqueue enqueue) *notifications {
	if !guid.MatchString(tenant) {
		tenant = ""
	}
	return &notifications{
		subscription: s, tenant: tenant, observer: s.observer, now: now, offset: offset, enqueue: enqueue,
		limit: rate.NewLimiter(requestsPerSecond, 2*requestsPerSecond),
		line:  make(chan struct{}, requestsAtOnce+requestsInLine),
		room:  make(chan struct{}, requestsAtOnce),
		from:  make(map[string]*sender),
	}
}

// ServeHTTP implements http.Handler.
func (n *notifications) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		turnDown(w, http.StatusMethodNotAllowed)
		return
	}
	leave, ok := n.enter(r)
	if !ok {
		busy(w)
		return
	}
	defer leave()
	if query := r.URL.Query(); query.Has("validationToken") {
		validate(w, query.Get("validationToken"))
		return
	}
	n.take(w, r)
}

// enter waits for room, if not too many do.
func (n *notifications) enter(r *http.Request) (leave func(), ok bool) {
	if !n.limit.Allow() {
		return nil, false
	}
	address, _, _ := net.SplitHostPort(r.RemoteAddr) // what can't be split is one address
	one := n.admit(address)
	if one == nil {
		return nil, false
	}
	select {
	case n.line <- struct{}{}:
	default:
		n.release(address)
		return nil, false
	}
	ctx, cancel := context.WithTimeout(r.Context(), roomPatience)
	defer cancel()
	if waitFor(ctx, one.room) {
		if waitFor(ctx, n.room) {
			return func() { <-n.room; <-one.room; <-n.line; n.release(address) }, true
		}
		<-one.room
	}
	<-n.line
	n.release(address)
	return nil, false
}

// waitFor takes a place, unless the context ends before there is one.
func waitFor(ctx context.Context, room chan struct{}) bool {
	select {
	case room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// sender is an address that has requests in hand.
type sender struct {
	requests int
	room     chan struct{} // for those that are read
}

// admit counts another request of an address; nil if it has too many.
func (n *notifications) admit(address string) *sender {
	n.mu.Lock()
	defer n.mu.Unlock()
	one := n.from[address]
	if one == nil {
		one = &sender{room: make(chan struct{}, readOfOne)}
		n.from[address] = one
	}
	if one.requests >= inHandOfOne {
		return nil
	}
	one.requests++
	return one
}

func (n *notifications) release(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one := n.from[address]
	if one.requests--; one.requests == 0 {
		delete(n.from, address)
	}
}

// turnDown answers with a status and nothing that a stranger could learn from.
func turnDown(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
}

// busy makes Graph send it again later.
func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	turnDown(w, http.StatusServiceUnavailable)
}

// validate gives the decoded token back as plain text: that is Graph's handshake.
func validate(w http.ResponseWriter, token string) {
	if token == "" || len(token) > maxValidationToken {
		turnDown(w, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, token) // whoever asked has gone
}

// take takes a request's notifications.
func (n *notifications) take(w http.ResponseWriter, r *http.Request) {
	// A server that has no deadlines, as in tests, says so; then there are none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
	s := sorting{of: n, at: n.now(), seen: map[string]bool{}, counts: map[string]int{}}
	err := s.read(http.MaxBytesReader(w, r.Body, maxNotifications))
	if err != nil {
		n.observer.Notifications("invalid", 1)
		status := http.StatusBadRequest
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			status = http.StatusRequestEntityTooLarge
		}
		turnDown(w, status)
		return
	}
	if len(s.work) > 0 || s.events > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), keepPatience)
		defer cancel()
		queued, err := n.enqueue(ctx, s.work)
		if err != nil {
			busy(w) // nothing was kept, so all of it must come again
			return
		}
		s.counts["accepted"] += queued
		s.counts["duplicate"] += len(s.work) - queued
	}
	for result, count := range s.counts {
		n.observer.Notifications(result, count)
	}
	if len(s.work) > 0 {
		n.subscription.heard(s.at)
	}
	w.WriteHeader(http.StatusAccepted)
}

// notification is one item of a request.
type notification struct {
	SubscriptionID string `json:"subscriptionId"`
	ClientState    string `json:"clientState"`
	LifecycleEvent string `json:"lifecycleEvent"`
	TenantID       string `json:"tenantId"`
	Resource       string `json:"resource"`
	ResourceData   struct {
		ID string `json:"id"`
	} `json:"resourceData"`
}

// id is the record's, empty if it isn't one: no link is built from anything else.
func (item *notification) id() string {
	last := item.Resource[strings.LastIndexByte(item.Resource, '/')+1:]
	for _, id := range []string{item.ResourceData.ID, last} {
		if guid.MatchString(id) {
			return strings.ToLower(id)
		}
	}
	return ""
}

// sorting tells what is to be fetched from what is to be dropped.
type sorting struct {
	of     *notifications
	at     time.Time
	work   []collector.Task
	events int
	seen   map[string]bool
	counts map[string]int
}

// notNotifications is a body that isn't Graph's.
const notNotifications = "the body holds no notifications, or too many"

// read reads a body.
func (s *sorting) read(body io.Reader) error {
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	in, found := wire.NewInput(maxNotification), false
	err = in.Document(content, notNotifications, func(name string) error {
		if !strings.EqualFold(name, "value") {
			return in.JSON.SkipValue()
		}
		found = true
		return s.items(in)
	})
	if err == nil && !found {
		err = errors.New(notNotifications)
	}
	return err
}

func (s *sorting) items(in *wire.Input) error {
	n := 0
	return in.Array(notNotifications, func(raw []byte) error {
		if n++; n > maxItems {
			return errors.New(notNotifications)
		}
		var item notification
		if json.Unmarshal(raw, &item) != nil {
			s.counts["invalid"]++
			return nil //nolint:nilerr // the others of the request are as good
		}
		s.sort(&item)
		return nil
	})
}

// sort judges an item, which must know the secret of the subscription.
func (s *sorting) sort(item *notification) {
	n := s.of
	id := item.id()
	switch {
	case !n.subscription.trusts(item.ClientState):
		s.counts["forged"]++
		n.subscription.estranged(item.SubscriptionID)
	case n.tenant != "" && item.TenantID != "" && !strings.EqualFold(item.TenantID, n.tenant):
		s.counts["forged"]++
	case item.LifecycleEvent != "":
		if !n.subscription.lifecycleEvent(item.LifecycleEvent) {
			s.counts["invalid"]++
			return
		}
		s.counts["accepted"]++
		s.events++
	case id == "":
		s.counts["invalid"]++
	case s.seen[id]:
		s.counts["duplicate"]++
	default:
		s.seen[id] = true
		s.work = append(s.work, collector.Task{Kind: taskNotified, Key: id, Version: s.at.UnixMicro(), Due: n.due(s.at)})
	}
}

// due is when what came at an instant of the local clock is to be fetched: at once, by
// the feed's clock too, whichever of the two is behind.
func (n *notifications) due(at time.Time) time.Time {
	if offset, known := n.offset(); known && offset < 0 {
		at = at.Add(offset)
	}
	return at.UTC()
}
