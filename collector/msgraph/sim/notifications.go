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
	"time"

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

// RemoveSubscriptions removes all subscriptions, with a lifecycle notification to each. It says
// whether all were accepted.
func (n *notifier) RemoveSubscriptions() (accepted bool) {
	accepted = true
	for _, x := range n.remove("") {
		one := simulator.NewObject(
			"subscriptionId", x.ID, "subscriptionExpirationDateTime", formatTime(x.Expires, 1), "tenantId", TenantID,
			"clientState", x.ClientState, "lifecycleEvent", "subscriptionRemoved",
		)
		accepted = n.post(x.LifecycleURL, simulator.JSON(simulator.NewObject("value", []any{one}))) && accepted
	}
	return accepted
}

type notification struct {
	subscription string // its id
	address      string
	body         json.RawMessage
	due          time.Time
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
	if d.Hits(how.Lost) {
		n.notified.Lost++
		return
	}
	one := &notification{
		subscription: x.ID, address: x.NotificationURL, body: changeBody(x, e.id.String(), style), due: due,
	}
	n.queue = append(n.queue, one)
	if d.Hits(how.Duplicated) {
		again := *one
		again.due = due.Add(d.Duration(0, how.DelayMax))
		n.notified.Copies++
		n.queue = append(n.queue, &again)
	}
}

// changeBody renders a change notification. The resource has a leading slash or not, and its type
// is in upper or lower case.
func changeBody(x *Subscription, id string, style int) []byte {
	resource, kind, slash := "communications/callRecords/"+id, "#microsoft.graph.callrecord", ""
	if style&2 != 0 {
		kind = "#Microsoft.Graph.callRecord"
	}
	if style&1 != 0 {
		slash = "/"
	}
	return simulator.JSON(simulator.NewObject(
		"subscriptionId", x.ID, "clientState", x.ClientState, "changeType", x.ChangeType, "tenantId", TenantID,
		"resource", slash+resource,
		"subscriptionExpirationDateTime", formatTime(x.Expires, style),
		"resourceData", simulator.NewObject("@odata.type", kind, "@odata.id", resource, "id", id),
	))
}

// Deliver sends the due notifications and returns when they have been answered. Addresses don't
// wait for each other.
func (n *notifier) Deliver() {
	n.mu.Lock()
	n.queuePublished()
	due := map[string][]*notification{}
	for _, x := range n.takeDue() {
		due[x.address] = append(due[x.address], x)
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
		if slices.ContainsFunc(live, func(s Subscription) bool { return s.ID == x.subscription }) {
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
	accepted := n.post(batch[0].address, simulator.JSON(simulator.NewObject("value", bodies)))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sending -= len(batch)
	for _, x := range batch {
		if accepted {
			n.notified.Delivered++
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
