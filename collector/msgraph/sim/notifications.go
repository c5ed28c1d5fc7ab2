package sim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Delivery says how notifications are sent. Times are by the provider's clock, except for Every.
type Delivery struct {
	Seed uint64
	// Every is the interval between checks for due notifications, by the machine's clock; zero
	// means 100 ms. If it is negative, only Deliver sends notifications.
	Every time.Duration
	// DelayMax is the longest time between a publication and its notification, and between a
	// notification and its copy.
	DelayMax time.Duration
	// Lost is the share of notifications that are never sent, Duplicated the share that is sent
	// twice.
	Lost, Duplicated float64
	// Forged is the number of forged notifications per real one: with a wrong client state, with
	// none, or from another tenant. Malformed is the number of notifications per real one whose id
	// isn't a GUID.
	Forged, Malformed float64
	// Retry is the pause before a refused notification is sent again; zero means 10 s.
	Retry time.Duration
}

// The constant rules of delivery.
const (
	answerWithin = 10 * time.Second // time for a webhook to answer, by the machine's clock
	batchSize    = 10               // most items in one request
)

// Notified counts notifications: items, not requests, unless a field says otherwise.
type Notified struct {
	// Lost were never sent, Copies were sent in addition; both as set in Delivery.
	Lost, Copies int
	// Delivered were accepted with a 2xx, including copies.
	Delivered int
	// Forged and Malformed were accepted too, though they aren't real; Lifecycle are lifecycle
	// notifications.
	Forged, Malformed, Lifecycle int
	// Refused is the number of requests without a 2xx within ten seconds, Handshakes the number of
	// validation requests.
	Refused, Handshakes int
}

// Notified counts the notifications up to now.
func (n *notifier) Notified() Notified {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notified
}

// NotificationsWaiting is the number of notifications that still have to be sent, sent again, or
// answered.
func (n *notifier) NotificationsWaiting() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.queue) + n.sending
}

// LoseSubscriptions removes all subscriptions without a notification.
func (n *notifier) LoseSubscriptions() { n.remove("") }

// RemoveSubscriptions removes all subscriptions, and sends subscriptionRemoved.
func (n *notifier) RemoveSubscriptions() { n.announce(n.remove(""), "subscriptionRemoved") }

// RequireReauthorization sends reauthorizationRequired to all subscriptions.
func (n *notifier) RequireReauthorization() { n.announce(n.Subscriptions(), "reauthorizationRequired") }

// MissNotifications drops the notifications that wait, and sends missed to all subscriptions.
func (n *notifier) MissNotifications() {
	n.mu.Lock()
	n.queuePublished()
	n.queue = nil
	n.mu.Unlock()
	n.announce(n.Subscriptions(), "missed")
}

type notification struct {
	// delivered is the counter to increment on delivery.
	delivered *int
	// subscription is the id of its subscription.
	subscription string
	address      address
	body         json.RawMessage
	due          time.Time
}

// address is a notification URL. Lifecycle notifications aren't sent together with others.
type address struct {
	url       string
	lifecycle bool
}

// publication is the event that a version of a record is published.
type publication struct {
	at      time.Time
	id      simulator.UUID
	source  *recordSource
	place   uint64
	version int
}

// notifier has the subscriptions and sends their notifications.
type notifier struct {
	server *Server
	client *http.Client
	ctx    context.Context // cancelled when the server closes
	cancel context.CancelFunc
	done   sync.WaitGroup // waits for run
	// NotificationsPaused holds notifications back; records are still published and listed.
	NotificationsPaused atomic.Bool

	// mu guards the fields below.
	mu            sync.Mutex
	subscriptions []Subscription // the oldest first
	made          uint64         // number of subscriptions ever made
	// coming are the publications of calls that started before plannedTo and aren't queued yet, in
	// order. Those up to queuedTo are queued.
	coming              []publication
	queuedTo, plannedTo time.Time
	queue               []*notification
	sending             int // notifications in flight
	notified            Notified
}

func newNotifier(s *Server) *notifier {
	n := &notifier{server: s, client: &http.Client{
		Transport:     cmp.Or(s.Webhooks, http.RoundTripper(new(http.Transport))),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	if every := cmp.Or(s.Delivery.Every, 100*time.Millisecond); every > 0 {
		n.done.Go(func() { n.run(every) })
	}
	return n
}

// close ends the sending. It may be called twice.
func (n *notifier) close() {
	n.cancel()
	n.done.Wait()
	n.client.CloseIdleConnections()
}

func (n *notifier) run(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
			n.Deliver()
		}
	}
}

// live are the subscriptions that haven't expired. The caller holds the lock.
func (n *notifier) live() []Subscription {
	now := n.server.Now()
	n.subscriptions = slices.DeleteFunc(n.subscriptions, func(x Subscription) bool { return !now.Before(x.Expires) })
	return n.subscriptions
}

// AddSubscription adds a subscription without asking its addresses, and returns it with its id.
func (n *notifier) AddSubscription(x Subscription) Subscription {
	n.mu.Lock()
	defer n.mu.Unlock()
	live := n.live()
	n.made++
	x.number, x.since, x.ID = n.made, n.server.Visible(), fmt.Sprintf("7f10aaaa-0000-4000-8000-%012d", n.made)
	if len(live) == 0 {
		n.coming, n.queuedTo, n.plannedTo = nil, x.since, time.Time{}
	}
	n.subscriptions = append(live, x)
	return x
}

// remove removes the subscription with an id; an empty id means all.
func (n *notifier) remove(id string) (gone []Subscription) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.subscriptions = slices.DeleteFunc(n.live(), func(x Subscription) bool {
		if id != "" && x.ID != id {
			return false
		}
		gone = append(gone, x)
		return true
	})
	return gone
}

// queuePublished queues notifications of everything published since its last call. The caller holds
// the lock.
func (n *notifier) queuePublished() {
	visible := n.server.Visible()
	if len(n.live()) == 0 {
		return
	}
	if !n.plannedTo.After(visible) {
		n.plan(n.server.CallRecords, visible.Add(10*time.Minute))
	}
	for len(n.coming) > 0 && !n.coming[0].at.After(visible) {
		e := &n.coming[0]
		for i := range n.subscriptions {
			if x := &n.subscriptions[i]; e.at.After(x.since) {
				n.notify(x, e)
			}
		}
		n.coming = n.coming[1:]
	}
	n.queuedTo = later(n.queuedTo, visible)
}

// plan adds the publications of calls that start before an instant. The caller holds the lock.
func (n *notifier) plan(records *CallRecords, to time.Time) {
	from := later(n.plannedTo, n.queuedTo.Add(-records.reach()))
	var p recordPlan
	for _, s := range records.sources {
		s.world.Each(from, to, func(c *simulator.Call) bool {
			if !s.plan(c, &p) || isListFlaw(p.flaw) {
				return true
			}
			for i, v := range p.versions {
				if v.at.After(n.queuedTo) {
					n.coming = append(n.coming, publication{at: v.at, id: p.id, source: s, place: p.place, version: i})
				}
			}
			return true
		})
	}
	n.plannedTo = to
	slices.SortFunc(n.coming, func(a, b publication) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.source.number, b.source.number), cmp.Compare(a.place, b.place),
			cmp.Compare(a.version, b.version))
	})
}

// notify draws whether and when a subscription learns of a publication, and queues the
// notifications. The caller holds the lock.
func (n *notifier) notify(x *Subscription, e *publication) {
	how := &n.server.Delivery
	d := e.source.world.Draws(e.place^how.Seed<<40, drawFate|uint64(e.version)<<32|x.number)
	due, style := e.at.Add(d.Duration(0, how.DelayMax)), d.Below(12)
	lost, copied := d.Hits(how.Lost), d.Hits(how.Duplicated)
	to, body := address{url: x.NotificationURL}, changeBody(x, e.id.String(), x.ClientState, TenantID, style)
	if lost {
		n.notified.Lost++
	} else {
		n.push(x, to, body, &n.notified.Delivered, due)
	}
	if copied && !lost {
		n.notified.Copies++
		n.push(x, to, body, &n.notified.Delivered, due.Add(d.Duration(0, how.DelayMax)))
	}
	if d.Hits(how.Forged) {
		n.push(x, to, forgery(x, style), &n.notified.Forged, due)
	}
	if d.Hits(how.Malformed) {
		ids := []string{"../../users", "not-a-guid", "5a5a0000-0000-4000-8000-00000000000g", "%2e%2e/me"}
		n.push(x, to, changeBody(x, ids[d.Below(len(ids))], x.ClientState, TenantID, style), &n.notified.Malformed, due)
	}
}

// push queues a notification, which counts when it is delivered. The caller holds the lock.
func (n *notifier) push(x *Subscription, to address, body []byte, delivered *int, due time.Time) {
	n.queue = append(n.queue, &notification{
		delivered: delivered, subscription: x.ID, address: to, body: body,
		due: due,
	})
}

// changeBody renders a change notification. The resource has a leading slash or not, and its type
// is in upper or lower case.
func changeBody(x *Subscription, id, state, tenant string, style int) []byte {
	resource, kind, slash := "communications/callRecords/"+id, "#microsoft.graph.callrecord", ""
	if style&2 != 0 {
		kind = "#Microsoft.Graph.callRecord"
	}
	if style&1 != 0 {
		slash = "/"
	}
	return simulator.JSON(simulator.NewObject(
		"subscriptionId", x.ID, "clientState", simulator.OrNull(state), "changeType", x.ChangeType, "tenantId", tenant,
		"resource", slash+resource,
		"subscriptionExpirationDateTime", formatTime(x.Expires, style),
		"resourceData", simulator.NewObject("@odata.type", kind, "@odata.id", resource, "id", id),
	))
}

// forgery is a notification from a stranger: with a wrong client state, with none, or from another
// tenant.
func forgery(x *Subscription, style int) []byte {
	state, tenant := "not the "+x.ClientState, TenantID
	switch style % 3 {
	case 1:
		state = ""
	case 2:
		state, tenant = x.ClientState, uuid.NewString()
	}
	return changeBody(x, uuid.NewString(), state, tenant, style)
}

// announce sends a lifecycle notification to subscriptions.
func (n *notifier) announce(all []Subscription, event string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range all {
		n.push(&x, address{x.LifecycleURL, true}, simulator.JSON(simulator.NewObject(
			"subscriptionId", x.ID, "subscriptionExpirationDateTime", formatTime(x.Expires, 1), "tenantId", TenantID,
			"clientState", simulator.OrNull(x.ClientState), "lifecycleEvent", event,
		)), &n.notified.Lifecycle, n.server.Now())
	}
}

// Deliver sends the due notifications and returns when they have been answered. Addresses don't
// wait for each other.
func (n *notifier) Deliver() {
	n.mu.Lock()
	n.queuePublished()
	due := map[address][]*notification{}
	if !n.NotificationsPaused.Load() {
		for _, x := range n.takeDue() {
			due[x.address] = append(due[x.address], x)
		}
	}
	n.mu.Unlock()
	var answered sync.WaitGroup
	for _, all := range due {
		answered.Go(func() {
			for batch := range slices.Chunk(all, batchSize) {
				n.send(batch)
			}
		})
	}
	answered.Wait()
}

// takeDue removes the due notifications from the queue, in order. The caller holds the lock.
func (n *notifier) takeDue() (due []*notification) {
	now, live := n.server.Now(), n.live()
	n.queue = slices.DeleteFunc(n.queue, func(x *notification) bool {
		if x.due.After(now) {
			return false
		}
		// Notifications for a subscription that has ended are dropped.
		if x.address.lifecycle || slices.ContainsFunc(live,
			func(s Subscription) bool { return s.ID == x.subscription }) {
			due = append(due, x)
		}
		return true
	})
	slices.SortStableFunc(due, func(a, b *notification) int { return a.due.Compare(b.due) })
	n.sending += len(due)
	return due
}

func (n *notifier) send(batch []*notification) {
	bodies := make([]any, len(batch))
	for i, x := range batch {
		bodies[i] = x.body
	}
	accepted := n.post(batch[0].address.url, simulator.JSON(simulator.NewObject("value", bodies)))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sending -= len(batch)
	if !accepted {
		n.notified.Refused++
	}
	for _, x := range batch {
		if accepted {
			*x.delivered++
		} else {
			x.due = n.server.Now().Add(cmp.Or(n.server.Delivery.Retry, 10*time.Second))
			n.queue = append(n.queue, x)
		}
	}
}

// post sends a request, and says whether the receiver accepted it.
func (n *notifier) post(url string, body []byte) bool {
	ctx, cancel := context.WithTimeout(n.ctx, answerWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := n.client.Do(r)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode/100 == 2
}
