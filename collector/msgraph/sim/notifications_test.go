package sim

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestSubscriptionLifecycle: made, shown without its client state, renewed, expired, deleted.
func TestSubscriptionLifecycle(t *testing.T) {
	_, c, clock := startRecords(t, nil, begin, nil)
	e := newEndpoint(t)
	status, made := c.do(http.MethodPost, subscriptionsPath, c.wanted(e))
	if status != http.StatusCreated || made["clientState"] != "the secret" || made["changeType"] != "updated" || c.server.Notified().Handshakes != 2 {
		t.Fatalf("made: %d %v", status, made)
	}
	id := subscriptionsPath + "/" + made["id"].(string)
	_, one := c.do(http.MethodGet, id, nil)
	_, list := c.do(http.MethodGet, subscriptionsPath, nil)
	for what, x := range map[string]any{"shown": one, "listed": list["value"].([]any)[0]} {
		if x := x.(map[string]any); x["clientState"] != nil || x["notificationUrl"] != e.URL+"/hook" || x["id"] != made["id"] {
			t.Errorf("%s: %v", what, x)
		}
	}
	clock.Advance(1000 * time.Minute)
	longest := clock.Now().Add(4230 * time.Minute).Format(time.RFC3339)
	if status, x := c.do(http.MethodPatch, id, map[string]any{"expirationDateTime": longest}); status != 200 || x["expirationDateTime"] != longest || x["clientState"] != nil {
		t.Errorf("renewed: %d %v", status, x)
	}
	if x := c.server.Subscriptions()[0]; x.Renewed != 1 {
		t.Errorf("renewed %d times", x.Renewed)
	}
	if status, x := c.do(http.MethodPost, id+"/reauthorize", nil); status != http.StatusNoContent || x != nil {
		t.Errorf("reauthorised: %d %v", status, x)
	}
	clock.Advance(4230*time.Minute - time.Second)
	if status, _ := c.do(http.MethodGet, id, nil); status != 200 {
		t.Errorf("just before it expires: %d", status)
	}
	clock.Advance(time.Second)
	soon := clock.Now().Add(time.Minute)
	for method, body := range map[string]any{http.MethodGet: nil, http.MethodPatch: map[string]any{"expirationDateTime": soon}, http.MethodDelete: nil} {
		if status, x := c.do(method, id, body); status != http.StatusNotFound || fmt.Sprint(x["error"].(map[string]any)["code"]) != "ResourceNotFound" {
			t.Errorf("%s after it has expired: %d %v", method, status, x)
		}
	}
	again := subscriptionsPath + "/" + c.subscribe(e)
	if status, x := c.do(http.MethodPatch, again, map[string]any{"expirationDateTime": soon}); status != 200 || !c.server.Subscriptions()[0].Expires.Equal(clock.Now().Add(45*time.Minute)) {
		t.Errorf("the shortest: %d %v", status, x)
	}
	if status, x := c.do(http.MethodDelete, again, nil); status != http.StatusNoContent || x != nil || len(c.server.Subscriptions()) != 0 {
		t.Errorf("deleted: %d %v", status, x)
	}
	for range maxSubscriptions {
		c.subscribe(e)
	}
	if status, x := c.do(http.MethodPost, subscriptionsPath, c.wanted(e)); status != http.StatusForbidden {
		t.Errorf("one too many: %d %v", status, x)
	}
}

// TestHandshakes: an endpoint that doesn't return the decoded token as plain text gets no notifications.
func TestHandshakes(t *testing.T) {
	give := func(status int, kind string, change func(string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, change(r.URL.Query().Get("validationToken")))
		}
	}
	same := func(token string) string { return token }
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		tasks  bool
	}{
		"right":                {give(200, "text/plain", same), true},
		"with a character set": {give(200, "text/plain; charset=utf-8", same), true},
		"as JSON":              {give(200, "application/json", same), false},
		"accepted":             {give(202, "text/plain", same), false},
		"with a line's end":    {give(200, "text/plain", func(s string) string { return s + "\n" }), false},
		"without its plus":     {give(200, "text/plain", func(s string) string { return strings.ReplaceAll(s, "+", " ") }), false},
		"not decoded": {func(w http.ResponseWriter, r *http.Request) {
			give(200, "text/plain", func(string) string { return r.URL.RawQuery[16:] })(w, r)
		}, false},
		"somewhere else": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		}, false},
	} {
		_, c, _ := startRecords(t, nil, begin, nil)
		e := newEndpoint(t)
		e.set(func(e *endpoint) { e.handshake = test.answer })
		status, x := c.do(http.MethodPost, subscriptionsPath, c.wanted(e))
		if tasks := status == http.StatusCreated; tasks != test.tasks || !tasks && (status != http.StatusBadRequest || len(c.server.Subscriptions()) != 0) {
			t.Errorf("%s: %d %v", name, status, x)
		}
	}
}

// TestSubscriptionsAreChecked: what is wrong with a request, each with its error.
func TestSubscriptionsAreChecked(t *testing.T) {
	_, c, _ := startRecords(t, nil, begin, nil)
	e := newEndpoint(t)
	in := func(d time.Duration) string { return begin.Add(d).Format(time.RFC3339) }
	for name, test := range map[string]struct {
		change map[string]any
		code   string
	}{
		"both":                     {map[string]any{"changeType": "created,updated"}, ""},
		"no lifecycle":             {map[string]any{"lifecycleNotificationUrl": nil}, ""},
		"no slash":                 {map[string]any{"resource": "communications/callRecords"}, ""},
		"the longest":              {map[string]any{"expirationDateTime": in(4230 * time.Minute)}, ""},
		"deleted":                  {map[string]any{"changeType": "deleted"}, "InvalidRequest"},
		"another resource":         {map[string]any{"resource": "/users"}, "InvalidRequest"},
		"with data":                {map[string]any{"includeResourceData": true}, "InvalidRequest"},
		"no expiry":                {map[string]any{"expirationDateTime": nil}, "InvalidRequest"},
		"too long":                 {map[string]any{"expirationDateTime": in(4231 * time.Minute)}, "ExtensionError"},
		"over already":             {map[string]any{"expirationDateTime": in(-time.Minute)}, "ExtensionError"},
		"a long state":             {map[string]any{"clientState": strings.Repeat("x", 129)}, "InvalidRequest"},
		"another TLS":              {map[string]any{"latestSupportedTlsVersion": "v9"}, "InvalidRequest"},
		"plain http":               {map[string]any{"notificationUrl": "http://cdr.example.com/hook"}, "InvalidRequest"},
		"plain http for lifecycle": {map[string]any{"lifecycleNotificationUrl": "http://cdr.example.com/life"}, "InvalidRequest"},
		"a misspelled property":    {map[string]any{"notificationURL2": "x"}, "InvalidRequest"},
	} {
		wanted := c.wanted(e)
		maps.Copy(wanted, test.change)
		maps.DeleteFunc(wanted, func(_ string, v any) bool { return v == nil })
		status, x := c.do(http.MethodPost, subscriptionsPath, wanted)
		code := ""
		if problem, ok := x["error"].(map[string]any); ok {
			code = problem["code"].(string)
		}
		if code != test.code || (status == http.StatusCreated) != (code == "") {
			t.Errorf("%s: %d %v, want %s", name, status, x, test.code)
		}
	}
	id := subscriptionsPath + "/" + c.server.Subscriptions()[0].ID
	for name, body := range map[string]map[string]any{
		"nothing": {}, "something else": {"expirationDateTime": in(time.Hour), "clientState": "x"}, "too long": {"expirationDateTime": in(4231 * time.Minute)},
	} {
		if status, x := c.do(http.MethodPatch, id, body); status != http.StatusBadRequest {
			t.Errorf("renewed with %s: %d %v", name, status, x)
		}
	}
	if status, _ := c.do(http.MethodPut, id, map[string]any{}); status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", status)
	}
}

// TestFaultsOfSubscriptions: an error has done nothing; an answer that is lost has.
func TestFaultsOfSubscriptions(t *testing.T) {
	f := simulator.NewFaults(simulator.FaultSettings{})
	_, c, _ := startRecords(t, nil, begin, func(s *Settings) { s.Faults = f })
	e := newEndpoint(t)
	f.Once(EndpointSubscriptions, Forbidden, simulator.Unavailable, simulator.HTMLOK)
	for _, want := range []int{403, 503, 200} {
		response, _ := c.Send(http.MethodPost, c.server.GraphURL()+subscriptionsPath, func(r *http.Request) {
			text := string(simulator.JSON(c.wanted(e)))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			r.Header.Set("Content-Type", "application/json")
		})
		if n := len(c.server.Subscriptions()); response.StatusCode != want || n != want/200%2 {
			t.Errorf("%d with %d subscriptions, want %d", response.StatusCode, n, want)
		}
	}
}

// notifying has a subscriber since the morning, and notifications when Deliver is called.
func notifying(t *testing.T, how Delivery) (*Server, *client, *simulator.ManualClock, *endpoint, *CallRecords) {
	t.Helper()
	how.Every = -1
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 150, nil)})
	server, c, clock := startRecords(t, r, begin, func(s *Settings) { s.Delivery = how })
	e := newEndpoint(t)
	c.subscribe(e)
	return server, c, clock, e, r
}

// published are the ids of the records of which a version was published in a span, once for each version, sorted.
func published(r *CallRecords, from, to time.Time) []string {
	var all []string
	var p recordPlan
	for _, s := range r.sources {
		s.world.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
			s.plan(c, &p)
			for _, x := range p.versions() {
				if x.at.After(from) && !x.at.After(to) {
					all = append(all, p.id.String())
				}
			}
			return true
		})
	}
	slices.Sort(all)
	return all
}

// advance moves the clock in steps, delivering after each.
func advance(s *Server, clock *simulator.ManualClock, by, step time.Duration) {
	for ; by > 0; by -= step {
		clock.Advance(step)
		s.Deliver()
	}
}

// wantNotified wants one notification for each version that was published in a span.
func wantNotified(t *testing.T, items []told, r *CallRecords, from, to time.Time) {
	t.Helper()
	if got, want := ids(items), published(r, from, to); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("%d notifications, %d publications", len(got), len(want))
	}
}

// TestEachVersionIsNotified: once, to each subscription, when it is published, unless publication or notifications are paused.
func TestEachVersionIsNotified(t *testing.T) {
	server, c, clock, e, r := notifying(t, Delivery{})
	advance(server, clock, 12*time.Hour, time.Hour)
	first, noon, id := e.taken(), clock.Now(), server.Subscriptions()[0].ID
	wantNotified(t, first, r, begin, noon)
	slash, types := map[bool]int{}, map[string]int{}
	for _, x := range first {
		slash[strings.HasPrefix(x.Resource, "/")]++
		types[x.Data.Type]++
		if x.SubscriptionID != id || x.State != "the secret" || x.ChangeType != "updated" || x.Tenant != server.TenantID() ||
			!strings.HasSuffix(x.Resource, "communications/callRecords/"+x.Data.ID) || x.Data.Path != "communications/callRecords/"+x.Data.ID ||
			!x.Expires.Equal(begin.Add(4200*time.Minute)) {
			t.Fatalf("notified %+v", x)
		}
	}
	if len(slash) != 2 || len(types) != 2 {
		t.Errorf("resources %v, types %v", slash, types)
	}
	other := newEndpoint(t)
	wanted := c.wanted(other)
	wanted["changeType"] = "created,updated"
	if status, x := c.do(http.MethodPost, subscriptionsPath, wanted); status != http.StatusCreated {
		t.Fatal(x)
	}
	advance(server, clock, 3*time.Hour, time.Hour)
	wantNotified(t, e.taken(), r, noon, clock.Now())
	both := other.taken()
	updated := slices.DeleteFunc(slices.Clone(both), func(x told) bool { return x.ChangeType != "updated" })
	wantNotified(t, updated, r, noon, clock.Now())
	if created := len(both) - len(updated); created == 0 || created >= len(updated) {
		t.Errorf("%d created, %d updated", created, len(updated))
	}
	held := server.Pause()
	advance(server, clock, time.Hour, time.Hour)
	server.PauseNotifications()
	server.Resume()
	server.Deliver()
	if n := len(e.taken()); n != 0 || server.NotificationsWaiting() == 0 {
		t.Errorf("%d notifications while paused", n)
	}
	server.ResumeNotifications()
	server.Deliver()
	wantNotified(t, e.taken(), r, held, clock.Now())
	if n := server.Notified(); n.Delivered != n.Published || n.Lost+n.Copies+n.Forged+n.Refused != 0 {
		t.Errorf("%+v", n)
	}
}

// TestDeliveryGoesWrong: shares of notifications are lost, sent twice, late, forged or malformed; each is counted.
func TestDeliveryGoesWrong(t *testing.T) {
	server, _, clock, e, _ := notifying(t, Delivery{
		Lost: 0.2, Duplicated: 0.3, Reordered: 0.5, ReorderedBy: 2 * time.Hour, Forged: 0.4, Malformed: 0.2,
	})
	advance(server, clock, 50*time.Hour, time.Hour)
	e.mu.Lock()
	largest := slices.Max(e.requests)
	e.mu.Unlock()
	n, items := server.Notified(), e.taken()
	if n.Delivered != n.Published-n.Lost+n.Copies || len(items) != n.Delivered+n.Forged+n.Malformed || largest != batchSize {
		t.Errorf("%+v; %d came, %d at once", n, len(items), largest)
	}
	for what, part := range map[string][2]int{"lost": {n.Lost, 20}, "copies": {n.Copies, 24}, "forged": {n.Forged, 40}, "malformed": {n.Malformed, 20}} {
		if percent := part[0] * 100 / n.Published; percent < part[1]-10 || percent > part[1]+10 {
			t.Errorf("%s: %d of %d", what, part[0], n.Published)
		}
	}
	forged, malformed, states := 0, 0, map[string]bool{}
	for _, x := range items {
		if _, err := uuid.Parse(x.Data.ID); err != nil {
			malformed++
		} else if x.State != "the secret" || x.Tenant != server.TenantID() {
			forged++
			states[x.State] = true
		}
	}
	if forged != n.Forged || malformed != n.Malformed || len(states) != 3 {
		t.Errorf("%d forged with states %v, %d malformed: %+v", forged, states, malformed, n)
	}
}

// TestRetries: what isn't accepted comes again, with growing pauses, and after four hours no more.
func TestRetries(t *testing.T) {
	server, _, clock, e, r := notifying(t, Delivery{})
	e.set(func(e *endpoint) { e.status = http.StatusServiceUnavailable })
	clock.Set(begin.Add(3 * time.Hour))
	server.Deliver()
	n := server.Notified().Refused
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, n}, {9 * time.Second, n}, {time.Second, 2 * n}, {19 * time.Second, 2 * n}, {time.Second, 3 * n}} {
		clock.Advance(step.after)
		server.Deliver()
		if got := server.Notified(); got.Refused != step.want || got.Delivered != 0 || n == 0 {
			t.Errorf("%+v, want %d refused", got, step.want)
		}
	}
	e.set(func(e *endpoint) { e.status = 0 })
	advance(server, clock, time.Minute, 10*time.Second)
	if got := len(e.taken()); got < n || server.NotificationsWaiting() != 0 {
		t.Errorf("%d notifications in the end, want %d", got, n)
	}
	e.set(func(e *endpoint) { e.status = http.StatusInternalServerError })
	before := clock.Now()
	advance(server, clock, 8*time.Hour, 10*time.Minute)
	if got := server.Notified().GivenUp; got < len(published(r, before, clock.Now().Add(-5*time.Hour))) || got == 0 {
		t.Errorf("%d given up", got)
	}
}

// TestLifecycleNotifications: of what happens to a subscription. One that is lost has none.
func TestLifecycleNotifications(t *testing.T) {
	server, c, clock, e, r := notifying(t, Delivery{})
	id := server.Subscriptions()[0].ID
	event := func(n int, want string) {
		t.Helper()
		server.Deliver()
		items := e.taken()
		if n != 1 || len(items) != 1 || items[0].Event != want || items[0].SubscriptionID != id || items[0].State != "the secret" || items[0].Resource != "" {
			t.Errorf("%s: %d, notified %+v", want, n, items)
		}
	}
	event(server.RequireReauthorization(), "reauthorizationRequired")
	clock.Advance(4 * time.Hour)
	event(server.MissNotifications(), "missed")
	event(server.RemoveSubscription(), "subscriptionRemoved")
	if n := server.Notified(); n.Lifecycle != 3 || n.Delivered != 0 {
		t.Errorf("%+v", n)
	}
	c.subscribe(e)
	clock.Advance(4 * time.Hour)
	if n := server.LoseSubscription(); n != 1 {
		t.Errorf("%d lost", n)
	}
	advance(server, clock, 4*time.Hour, time.Hour)
	if items := e.taken(); len(items) != 0 {
		t.Errorf("%d notifications without a subscription", len(items))
	}
	from := clock.Now()
	c.subscribe(e)
	advance(server, clock, 4*time.Hour, time.Hour)
	wantNotified(t, e.taken(), r, from, clock.Now())
}
