package sim

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// telling has a subscriber since the morning, and notifications when Deliver is called.
func telling(t *testing.T, how Delivery, change func(*Settings)) (*Server, *client, *simulator.ManualClock, *endpoint, *CallRecords) {
	t.Helper()
	how.Every = -1
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 150, nil)})
	server, c, clock := startRecords(t, r, begin, func(s *Settings) {
		s.Delivery = how
		if change != nil {
			change(s)
		}
	})
	e := newEndpoint(t)
	c.subscribe(e)
	return server, c, clock, e, r
}

// published are the ids of the records of which a version was published in a span, once
// for each, sorted.
func published(r *CallRecords, from, to time.Time) []string {
	var all []string
	var p plan
	for _, s := range r.sources {
		s.world.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
			if s.plan(c, &p) {
				for _, x := range p.releases() {
					if x.at.After(from) && !x.at.After(to) {
						all = append(all, p.id.String())
					}
				}
			}
			return true
		})
	}
	slices.Sort(all)
	return all
}

// advance goes on in steps, telling after each.
func advance(s *Server, clock *simulator.ManualClock, by, step time.Duration) {
	for ; by > 0; by -= step {
		clock.Advance(step)
		s.Deliver()
	}
}

// TestEachVersionIsTold: once, to each subscription, when it is published.
func TestEachVersionIsTold(t *testing.T) {
	server, c, clock, e, r := telling(t, Delivery{}, nil)
	advance(server, clock, 12*time.Hour, time.Hour)
	first := e.taken()
	noon := clock.Now()
	if got, want := ids(first), published(r, begin, noon); !slices.Equal(got, want) || len(want) < 60 {
		t.Fatalf("%d were told, %d published", len(got), len(want))
	}
	slash, types := map[bool]int{}, map[string]int{}
	id := server.Subscriptions()[0].ID
	for _, x := range first {
		slash[strings.HasPrefix(x.Resource, "/")]++
		types[x.Data.Type]++
		if x.SubscriptionID != id || x.State != "the secret" || x.ChangeType != "updated" || x.Tenant != server.TenantID() ||
			!strings.HasSuffix(x.Resource, "communications/callRecords/"+x.Data.ID) || x.Data.Path != "communications/callRecords/"+x.Data.ID ||
			!x.Expires.Equal(begin.Add(4200*time.Minute)) {
			t.Fatalf("told %+v", x)
		}
	}
	if len(slash) != 2 || len(types) != 2 {
		t.Errorf("resources %v, types %v", slash, types)
	}
	// A second subscription hears what is published from now on, and of versions that are
	// the first of their record twice.
	clock.Advance(time.Hour)
	since := clock.Now()
	other := newEndpoint(t)
	wanted := c.wanted(other)
	wanted["changeType"] = "created,updated"
	if status, x := c.do(http.MethodPost, subscriptionsPath, wanted); status != http.StatusCreated {
		t.Fatal(x)
	}
	advance(server, clock, 12*time.Hour, time.Hour)
	one, both := e.taken(), other.taken()
	if got, want := ids(one), published(r, noon, clock.Now()); !slices.Equal(got, want) {
		t.Errorf("%d were told after noon, %d published", len(got), len(want))
	}
	created := slices.DeleteFunc(slices.Clone(both), func(x told) bool { return x.ChangeType != "created" })
	updated := slices.DeleteFunc(both, func(x told) bool { return x.ChangeType != "updated" })
	if !slices.Equal(ids(updated), published(r, since, clock.Now())) || len(updated) == len(one) || len(created) == 0 || len(slices.Compact(ids(created))) != len(created) {
		t.Errorf("%d updated, %d created, %d of the first subscription", len(updated), len(created), len(one))
	}
	if n := server.Notified(); n.Published != len(first)+len(one)+len(created)+len(updated) || n.Delivered != n.Published || n.Lost+n.Copies+n.Forged+n.Refused != 0 {
		t.Errorf("%+v", n)
	}
}

// TestDeliveryGoesWrong: shares of notifications are lost, sent twice, out of order, or
// somebody else's; each is counted.
func TestDeliveryGoesWrong(t *testing.T) {
	server, _, clock, e, r := telling(t, Delivery{
		Lost: 0.2, Duplicated: 0.3, Reordered: 0.5, ReorderedBy: 2 * time.Hour, Forged: 0.4, Malformed: 0.2,
	}, nil)
	advance(server, clock, 30*time.Hour, 10*time.Minute)
	n, items := server.Notified(), e.taken()
	want := published(r, begin, clock.Now().Add(-2*time.Hour))
	if n.Published < len(want) || n.Delivered != n.Published-n.Lost+n.Copies || len(items) != n.Delivered+n.Forged+n.Malformed {
		t.Errorf("%d were published: %+v; %d came", len(want), n, len(items))
	}
	for what, part := range map[string][2]int{"lost": {n.Lost, 20}, "copies": {n.Copies, 24}, "forged": {n.Forged, 40}, "malformed": {n.Malformed, 20}} {
		if percent := part[0] * 100 / n.Published; percent < part[1]-10 || percent > part[1]+10 {
			t.Errorf("%s: %d of %d", what, part[0], n.Published)
		}
	}
	known := map[string]bool{}
	for _, id := range want {
		known[id] = true
	}
	forged, malformed, states := 0, 0, map[string]bool{}
	for _, x := range items {
		_, ok := parseUUID(x.Data.ID)
		switch {
		case !ok:
			malformed++
		case x.State != "the secret" || x.Tenant != server.TenantID():
			forged++
			states[x.State] = true
			if known[x.Data.ID] {
				t.Errorf("a forgery tells of %s", x.Data.ID)
			}
		}
	}
	if forged != n.Forged || malformed != n.Malformed || len(states) != 3 {
		t.Errorf("%d forged, %d malformed, states %v; %+v", forged, malformed, states, n)
	}
	if n := reordered(items, r); n < 5 {
		t.Errorf("%d are out of order", n)
	}
}

// reordered is how many notifications came after one of a call that ended later.
func reordered(items []told, r *CallRecords) int {
	n := 0
	var last time.Time
	var p plan
	for _, x := range items {
		id, ok := parseUUID(x.Data.ID)
		if !ok || !r.find(id, begin.Add(48*time.Hour), &p) || p.count > 1 {
			continue
		}
		if p.all[0].at.Before(last) {
			n++
		}
		last = p.all[0].at
	}
	return n
}

// TestTheSameIsToldAgain: what goes wrong follows from the seed.
func TestTheSameIsToldAgain(t *testing.T) {
	run := func(seed uint64) (Notified, []string) {
		server, _, clock, e, _ := telling(t, Delivery{Seed: seed, Lost: 0.3, Duplicated: 0.3}, nil)
		advance(server, clock, 12*time.Hour, time.Hour)
		return server.Notified(), ids(e.taken())
	}
	one, first := run(1)
	two, second := run(1)
	_, third := run(2)
	if one != two || !slices.Equal(first, second) || slices.Equal(first, third) {
		t.Errorf("%+v and %+v", one, two)
	}
}

// TestDelays: notifications come that much after the publication.
func TestDelays(t *testing.T) {
	server, _, clock, e, r := telling(t, Delivery{DelayMin: time.Hour, DelayMax: time.Hour}, nil)
	advance(server, clock, 10*time.Hour, 30*time.Minute)
	if got, want := ids(e.taken()), published(r, begin, begin.Add(9*time.Hour)); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%d were told, want %d", len(got), len(want))
	}
}

// TestRetries: what isn't answered with a 2xx comes again, with growing pauses, and after
// four hours no more.
func TestRetries(t *testing.T) {
	server, _, clock, e, r := telling(t, Delivery{Batch: 1}, nil)
	e.set(func(e *endpoint) { e.status = http.StatusServiceUnavailable })
	clock.Set(begin.Add(3 * time.Hour))
	server.Deliver()
	want := published(r, begin, clock.Now())
	n := server.Notified()
	if n.Requests != len(want) || n.Retried != len(want) || n.Delivered != 0 || len(want) == 0 {
		t.Fatalf("%d were published: %+v", len(want), n)
	}
	advance(server, clock, 9*time.Second, time.Second)
	if again := server.Notified(); again.Requests != n.Requests {
		t.Errorf("retried after less than ten seconds: %+v", again)
	}
	advance(server, clock, 21*time.Second, time.Second)
	if again := server.Notified(); again.Requests != 3*n.Requests {
		t.Errorf("%d requests within 30 s of %d", again.Requests, n.Requests)
	}
	e.set(func(e *endpoint) { e.status = 0 })
	advance(server, clock, time.Minute, 10*time.Second)
	if got := ids(e.taken()); !slices.Equal(got, want) || server.NotificationsWaiting() != 0 {
		t.Errorf("%d were told in the end, want %d", len(got), len(want))
	}
	e.set(func(e *endpoint) { e.status = http.StatusInternalServerError })
	before := clock.Now()
	advance(server, clock, 2*time.Hour, time.Hour)
	late := published(r, before, clock.Now())
	server.PauseNotifications()
	advance(server, clock, 5*time.Hour, 5*time.Minute)
	server.ResumeNotifications()
	server.Deliver()
	if n := server.Notified(); n.GivenUp < len(late) || len(late) == 0 || n.Delivered != len(want) {
		t.Errorf("%d were published: %+v", len(late), n)
	}
}

// TestSlowEndpoints: over a tenth of slow answers puts notifications off, over 15 percent
// drops them.
func TestSlowEndpoints(t *testing.T) {
	clock := simulator.NewManualClock(begin)
	s := &Server{timeline: simulator.NewTimeline(clock)}
	s.settings.defaults()
	tell := newTeller(s)
	defer tell.close()
	answer := func(slow bool) {
		tell.answered("a", map[bool]time.Duration{true: 10 * time.Second}[slow], clock.Now())
	}
	n := func() *notice { return &notice{url: "a"} }
	for i := range 9 {
		answer(i == 0)
	}
	if tell.slowed(n(), clock.Now()) {
		t.Error("slowed down by nine answers")
	}
	answer(false)
	if tell.slowed(n(), clock.Now()) || tell.slowed(&notice{url: "b"}, clock.Now()) {
		t.Error("slowed down by a tenth")
	}
	for i := range 8 {
		answer(i == 7)
	}
	one := n()
	if !tell.slowed(one, clock.Now()) || !one.due.Equal(clock.Now().Add(10*time.Second)) || tell.slowed(one, clock.Now()) {
		t.Errorf("one in nine slow: due %s", one.due)
	}
	answer(true)
	if !tell.slowed(n(), clock.Now()) || tell.notified.Dropped != 1 || tell.notified.Delayed != 1 || tell.notified.Slow != 3 {
		t.Errorf("%+v", tell.notified)
	}
	clock.Advance(10*time.Minute + time.Second)
	if tell.slowed(n(), clock.Now()) {
		t.Error("still slowed down after the window")
	}
}

// TestSlowAnswersAreCounted: an answer that takes too long, or never comes, is none.
func TestSlowAnswersAreCounted(t *testing.T) {
	release := make(chan struct{})
	server, _, clock, e, r := telling(t, Delivery{Batch: 1000, AnswerWithin: 50 * time.Millisecond, SlowAfter: 40 * time.Millisecond}, nil)
	e.set(func(e *endpoint) { e.hold = func() { <-release } })
	clock.Set(begin.Add(4 * time.Hour))
	server.Deliver()
	close(release)
	if n := server.Notified(); n.Slow == 0 || n.Refused != n.Requests || n.Retried != len(published(r, begin, clock.Now())) {
		t.Errorf("%+v", n)
	}
}

// TestLifecycleNotifications: of what becomes of a subscription, where it says.
func TestLifecycleNotifications(t *testing.T) {
	server, c, clock, e, r := telling(t, Delivery{}, func(s *Settings) { s.Subscriptions.ReauthorizeWithin = time.Hour })
	id := server.Subscriptions()[0].ID
	event := func(want string) {
		t.Helper()
		server.Deliver()
		items := e.taken()
		if len(items) != 1 || items[0].Event != want || items[0].SubscriptionID != id || items[0].State != "the secret" || items[0].Resource != "" {
			t.Errorf("%s: told %+v", want, items)
		}
	}
	if n := server.RequireReauthorization(); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
	event("reauthorizationRequired")
	// Who doesn't is told nothing more, until he does.
	clock.Advance(3 * time.Hour)
	server.Deliver()
	if items := e.taken(); len(items) != 0 || server.Notified().Withdrawn == 0 {
		t.Errorf("%d were told who should have reauthorised", len(items))
	}
	if status, _ := c.do(http.MethodPost, subscriptionsPath+"/"+id+"/reauthorize", nil); status != http.StatusNoContent {
		t.Errorf("reauthorised: %d", status)
	}
	from := clock.Now()
	clock.Advance(2 * time.Hour)
	server.Deliver()
	if got, want := ids(e.taken()), published(r, from, clock.Now()); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%d were told, want %d", len(got), len(want))
	}
	clock.Advance(2 * time.Hour)
	server.MissNotifications()
	event("missed")
	if n := server.RemoveSubscription(); n != 1 || len(server.Subscriptions()) != 0 {
		t.Errorf("%d removed", n)
	}
	event("subscriptionRemoved")
	if n := server.Notified(); n.Lifecycle != 3 {
		t.Errorf("%+v", n)
	}
	clock.Advance(2 * time.Hour)
	server.Deliver()
	if items := e.taken(); len(items) != 0 {
		t.Errorf("%d were told without a subscription", len(items))
	}
}

// TestLostSubscription: nobody says so. A new one is told what is published after it was
// made.
func TestLostSubscription(t *testing.T) {
	server, c, clock, e, r := telling(t, Delivery{}, nil)
	id := server.Subscriptions()[0].ID
	clock.Advance(4 * time.Hour)
	if n := server.LoseSubscription(); n != 1 {
		t.Errorf("%d lost", n)
	}
	advance(server, clock, 4*time.Hour, time.Hour)
	if items := e.taken(); len(items) != 0 {
		t.Errorf("%d were told", len(items))
	}
	if status, _ := c.do(http.MethodGet, subscriptionsPath+"/"+id, nil); status != http.StatusNotFound {
		t.Errorf("asked for: %d", status)
	}
	from := clock.Now()
	c.subscribe(e)
	advance(server, clock, 4*time.Hour, time.Hour)
	if got, want := ids(e.taken()), published(r, from, clock.Now()); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%d were told, want %d", len(got), len(want))
	}
}

// TestNotificationsOnTheirWay: what was sent and isn't answered yet still waits.
func TestNotificationsOnTheirWay(t *testing.T) {
	server, _, clock, e, _ := telling(t, Delivery{}, nil)
	var least atomic.Int64
	least.Store(math.MaxInt64)
	e.set(func(e *endpoint) {
		e.hold = func() { least.Store(min(least.Load(), int64(server.NotificationsWaiting()))) }
	})
	clock.Advance(6 * time.Hour)
	server.Deliver()
	if n := least.Load(); len(e.taken()) == 0 || n == 0 || n == math.MaxInt64 {
		t.Errorf("%d waited during a request", n)
	}
	if n := server.NotificationsWaiting(); n != 0 {
		t.Errorf("%d wait after it", n)
	}
}

// TestPausedNotifications: they come later; while publication is paused there are none.
func TestPausedNotifications(t *testing.T) {
	server, _, clock, e, r := telling(t, Delivery{}, nil)
	server.PauseNotifications()
	advance(server, clock, 6*time.Hour, time.Hour)
	if len(e.taken()) != 0 || server.NotificationsWaiting() == 0 {
		t.Error("told while paused")
	}
	server.ResumeNotifications()
	server.Deliver()
	if got, want := ids(e.taken()), published(r, begin, clock.Now()); !slices.Equal(got, want) {
		t.Errorf("%d were told, want %d", len(got), len(want))
	}
	held := server.Pause()
	clock.Advance(6 * time.Hour)
	server.Deliver()
	if len(e.taken()) != 0 {
		t.Error("told what isn't published")
	}
	server.Resume()
	server.SetDelivery(func(d *Delivery) { d.Duplicated = 1 })
	server.Deliver()
	if got, want := ids(e.taken()), published(r, held, clock.Now()); !slices.Equal(slices.Compact(got), slices.Compact(want)) || len(want) == 0 {
		t.Errorf("%d were told, want %d", len(got), len(want))
	}
}

// TestStorm: so many notifications, so many of them duplicates, so many forged.
func TestStorm(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 500, nil)})
	server, c, _ := startRecords(t, r, begin.Add(72*time.Hour), func(s *Settings) { s.Delivery.Batch = 50 })
	if _, err := server.Storm(t.Context(), 10, 0, 0); err == nil {
		t.Error("a storm without a subscription")
	}
	e := newEndpoint(t)
	c.subscribe(e)
	sent, err := server.Storm(t.Context(), 1000, 0.5, 0.1)
	if err != nil || sent != (StormSent{Records: 400, Duplicates: 500, Forged: 100}) {
		t.Fatalf("%+v, %v", sent, err)
	}
	distinct, forged := map[string]int{}, 0
	for _, x := range e.taken() {
		if x.State != "the secret" || x.Tenant != server.TenantID() {
			forged++
			continue
		}
		distinct[x.Data.ID]++
	}
	all := 0
	for id, n := range distinct {
		all += n
		if c.record(id) == nil {
			t.Errorf("%s isn't there", id)
		}
	}
	if len(distinct) != 400 || all != 900 || forged != 100 {
		t.Errorf("%d records in %d notifications, %d forged", len(distinct), all, forged)
	}
	// More than there are records are told several times.
	if sent, err = server.Storm(t.Context(), 1000, 0, 0); err != nil || sent.Records != 500 || sent.Duplicates != 500 {
		t.Errorf("%+v, %v", sent, err)
	}
}

// TestNotificationsComeByThemselves: with the machine's clock, as in the demo.
func TestNotificationsComeByThemselves(t *testing.T) {
	calls, err := simulator.NewWorld(LiveCalls(1, time.Now().Add(-time.Hour), 20))
	if err != nil {
		t.Fatal(err)
	}
	r := newRecords(t, CallRecordSettings{Calls: calls, Versions: QuickVersions()})
	came := make(chan struct{}, 1000)
	server, c := start(t, Settings{CallRecords: r, Clock: simulator.SystemClock{}, Delivery: Delivery{Every: 10 * time.Millisecond}})
	e := newEndpoint(t)
	e.set(func(e *endpoint) { e.hold = func() { came <- struct{}{} } })
	c.subscribe(e)
	server.Advance(time.Minute)
	select {
	case <-came:
	case <-time.After(time.Minute):
		t.Fatal("nothing was told")
	}
	if n := server.Notified(); n.Published == 0 {
		t.Errorf("%+v", n)
	}
}
