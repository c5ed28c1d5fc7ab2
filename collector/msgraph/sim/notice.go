package sim

import (
	"container/heap"
	"time"

	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// noticeKind says what a notice is.
type noticeKind uint8

const (
	genuineNotice noticeKind = iota
	forgedNotice
	malformedNotice
	lifecycleNotice
)

// notice is an item on its way to a subscriber.
type notice struct {
	kind noticeKind
	// subscription is the one that it is for, url where it goes.
	subscription, url string
	body              []byte
	// due is when it is sent, order who comes first of those that are due at once.
	due   time.Time
	order int
	// first is when it was due at first.
	first    time.Time
	attempts int
	delayed  bool
	storm    *storm
}

// notices are those that wait, the next first.
type notices []*notice

func (n notices) Len() int { return len(n) }
func (n notices) Less(i, k int) bool {
	if c := n[i].due.Compare(n[k].due); c != 0 {
		return c < 0
	}
	return n[i].order < n[k].order
}
func (n notices) Swap(i, k int) { n[i], n[k] = n[k], n[i] }

// Push implements heap.Interface.
func (n *notices) Push(x any) { *n = append(*n, x.(*notice)) }

// Pop implements heap.Interface.
func (n *notices) Pop() any {
	last := len(*n) - 1
	x := (*n)[last]
	(*n)[last] = nil
	*n = (*n)[:last]
	return x
}

// push queues a notice. The caller holds the lock.
func (t *teller) push(n *notice, due time.Time) {
	n.due, n.order = due, t.pushed
	if n.first.IsZero() {
		n.first = due
	}
	t.pushed++
	heap.Push(&t.queue, n)
}

// change is a notice of a version of a record, as it is varied by a number.
func (s *Server) change(x *Subscription, id, changeType string, style int) *notice {
	return &notice{
		kind: genuineNotice, subscription: x.ID, url: x.NotificationURL,
		body: s.changeBody(x, id, changeType, x.ClientState, s.settings.TenantID, style),
	}
}

// changeBody writes a change notification. The resource comes with a slash before it or
// without, and the type in either case.
func (s *Server) changeBody(x *Subscription, id, changeType, state, tenant string, style int) []byte {
	resource := "communications/callRecords/" + id
	kind := "#microsoft.graph.callrecord"
	if style&2 != 0 {
		kind = "#Microsoft.Graph.callRecord"
	}
	var d doc
	d.object("", func() {
		d.text("subscriptionId", x.ID)
		d.orNull("clientState", state)
		d.text("changeType", changeType)
		d.text("tenantId", tenant)
		if style&1 != 0 {
			d.text("resource", "/"+resource)
		} else {
			d.text("resource", resource)
		}
		d.time("subscriptionExpirationDateTime", x.Expires, style)
		d.object("resourceData", func() {
			d.text("@odata.type", kind)
			d.text("@odata.id", resource)
			d.text("id", id)
		})
	})
	return d.bytes()
}

// forgery is a notice that somebody else sends.
func (s *Server) forgery(x *Subscription, style int) *notice {
	state, tenant := "not the "+x.ClientState, s.settings.TenantID
	switch style % 3 {
	case 1:
		state = ""
	case 2:
		state, tenant = x.ClientState, uuid.NewString()
	}
	if x.ClientState == "" {
		tenant = uuid.NewString()
	}
	return &notice{
		kind: forgedNotice, subscription: x.ID, url: x.NotificationURL,
		body: s.changeBody(x, uuid.NewString(), "updated", state, tenant, style),
	}
}

// malformed is a notice whose id is no GUID.
func (s *Server) malformed(x *Subscription, style int) *notice {
	ids := []string{"../../users", "not-a-guid", "5a5a0000-0000-4000-8000-00000000000g", "%2e%2e/me"}
	return &notice{
		kind: malformedNotice, subscription: x.ID, url: x.NotificationURL,
		body: s.changeBody(x, ids[style%len(ids)], "updated", x.ClientState, s.settings.TenantID, style),
	}
}

// lifecycle is a notice of a subscription's own life.
func (s *Server) lifecycle(x *Subscription, event string) *notice {
	var d doc
	d.object("", func() {
		d.text("subscriptionId", x.ID)
		d.time("subscriptionExpirationDateTime", x.Expires, 1)
		d.text("tenantId", s.settings.TenantID)
		d.orNull("clientState", x.ClientState)
		d.text("lifecycleEvent", event)
	})
	return &notice{kind: lifecycleNotice, subscription: x.ID, url: x.LifecycleURL, body: d.bytes()}
}

// tell decides what becomes of an event for a subscription, and queues it. The caller
// holds the lock.
func (t *teller) tell(x *Subscription, e *event) {
	for _, changeType := range changeTypes(x.ChangeType, e.version) {
		t.notified.Published++
		how := &t.delivery
		d := t.server.settings.CallRecords.sources[e.source].world.Draws(e.place^how.Seed<<40, drawFate|uint64(e.version)<<32|x.number)
		due := e.at.Add(d.Duration(how.DelayMin, how.DelayMax))
		style := d.Below(8)
		lost, late := d.Hits(how.Lost), d.Duration(0, how.ReorderedBy)
		if d.Hits(how.Reordered) {
			due = due.Add(late)
		}
		if lost {
			t.notified.Lost++
		} else {
			t.push(t.server.change(x, e.id.String(), changeType, style), due)
		}
		if d.Hits(how.Duplicated) && !lost {
			t.notified.Copies++
			t.push(t.server.change(x, e.id.String(), changeType, style), due.Add(d.Duration(0, how.ReorderedBy)))
		}
		t.intrude(x, &d, due)
	}
}

// intrude adds what isn't real.
func (t *teller) intrude(x *Subscription, d *simulator.Draws, due time.Time) {
	if d.Hits(t.delivery.Forged) {
		t.push(t.server.forgery(x, d.Below(12)), due)
	}
	if d.Hits(t.delivery.Malformed) {
		t.push(t.server.malformed(x, d.Below(12)), due)
	}
}

// changeTypes are those that a subscription is told a version with.
func changeTypes(subscribed string, version int) []string {
	var told []string
	for _, kind := range []string{"created", "updated"} {
		if (kind == "updated" || version == 0) && containsWord(subscribed, kind) {
			told = append(told, kind)
		}
	}
	return told
}
