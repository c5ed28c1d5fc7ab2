package subscriptions

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// inbox is a ledger for what notifications name.
type inbox struct {
	mu   sync.Mutex
	work map[string]work.Item
	puts int
	err  error
	wait time.Duration
}

func (b *inbox) enqueue(_ context.Context, work []work.Item) (queued int, err error) {
	<-time.After(b.wait)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.puts++
	if b.err != nil {
		return 0, b.err
	}
	for _, w := range work {
		if _, waits := b.work[w.Key]; !waits {
			queued++
		}
		b.work[w.Key] = w
	}
	return queued, nil
}

// listener is the handler with what is behind it.
type listener struct {
	*handler
	inbox    *inbox
	observer *noticed
	graph    *providertest.Script // without answers
}

func newListener(t testing.TB) *listener {
	t.Helper()
	g, n := new(providertest.Script), newNoticed()
	b := &inbox{work: map[string]work.Item{}}
	m := newManager(t, g, "https://graph.example", testSettings(n))
	return &listener{newHandler(m, testTenant, time.Now, b.enqueue), b, n, g}
}

const (
	record1 = "e523d2ed-2966-4b6b-925b-754a88034cc5"
	record2 = "e523d2ed-2966-4b6b-925b-754a88034cc6"
)

// itemOf is an item of a notification.
func itemOf(id string, change ...func(map[string]any)) map[string]any {
	item := map[string]any{
		"subscriptionId": sub1, "clientState": testState, "changeType": "updated", "tenantId": testTenant,
		"resource":                       "communications/callRecords/" + id,
		"subscriptionExpirationDateTime": "2026-11-22T06:00:00Z",
		"resourceData": map[string]any{
			"@odata.type": "#microsoft.graph.callrecord",
			"@odata.id":   "communications/callRecords/" + id, "id": id,
		},
	}
	for _, c := range change {
		c(item)
	}
	return item
}

// set changes a member of an item; nil removes it.
func set(key string, value any) func(map[string]any) {
	return func(item map[string]any) {
		if value == nil {
			delete(item, key)
			return
		}
		item[key] = value
	}
}

func bodyOf(t testing.TB, items ...any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"value": items})
	require.NoError(t, err)
	return string(text)
}

func (l *listener) post(t testing.TB, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, testHook, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	l.ServeHTTP(w, r)
	if w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("the answer may be sniffed")
	}
	return w
}

// want compares the status and the counts, in this order: accepted,
// duplicate, forged, invalid, refused; what isn't given isn't compared.
func (l *listener) want(t *testing.T, w *httptest.ResponseRecorder, status int, counts ...int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("the status is %d, want %d", w.Code, status)
	}
	if w.Body.Len() > 0 && status != http.StatusOK {
		t.Errorf("the body is %q", w.Body)
	}
	for i, result := range []string{"accepted", "duplicate", "forged", "invalid", "refused"} {
		if got := l.observer.count(result); i < len(counts) && got != counts[i] {
			t.Errorf("%d are %s, want %d", got, result, counts[i])
		}
	}
}

func TestNotificationItems(t *testing.T) {
	one := func(change ...func(map[string]any)) []any { return []any{itemOf(record1, change...)} }
	without := set("resourceData", nil)
	kind := map[string]any{"@odata.type": "#Microsoft.Graph.callRecord", "id": record1}
	path := map[string]any{"id": "../../users/" + record1}
	upper, both := strings.ToUpper(record1), record1+" "+record2
	accepted, forged, invalid := []int{1, 0, 0, 0}, []int{0, 0, 1, 0}, []int{0, 0, 0, 1}
	for _, c := range []struct {
		name   string
		items  []any
		counts []int
		keys   string
	}{
		{"one", one(), accepted, record1},
		{"two", []any{itemOf(record1), itemOf(record2)}, []int{2, 0, 0, 0}, both},
		{"one twice", []any{itemOf(record1), itemOf(upper)}, []int{1, 1, 0, 0}, record1},
		{"upper case", []any{itemOf(upper)}, accepted, record1},
		{"another type's case", one(set("resourceData", kind)), accepted, record1},
		{"id in the resource alone", one(without), accepted, record1},
		{
			"a slash before the resource", one(without, set("resource", "/communications/callRecords/"+record1)),
			accepted, record1,
		},
		{"resourceData null", one(set("resourceData", (*int)(nil))), accepted, record1},
		{"no tenant", one(set("tenantId", nil)), accepted, record1},
		{"tenant in upper case", one(set("tenantId", strings.ToUpper(testTenant))), accepted, record1},
		{"another tenant", one(set("tenantId", record2)), forged, ""},
		{"no secret", one(set("clientState", nil)), forged, ""},
		{"a null secret", one(set("clientState", (*int)(nil))), forged, ""},
		{"an empty secret", one(set("clientState", "")), forged, ""},
		{"a wrong secret", one(set("clientState", "x"+testState[1:])), forged, ""},
		{"a short secret", one(set("clientState", testState[:31])), forged, ""},
		{"a long secret", one(set("clientState", testState+"x")), forged, ""},
		{"a secret in another case", one(set("clientState", strings.ToUpper(testState))), forged, ""},
		{"no GUID", []any{itemOf("../../users")}, invalid, ""},
		{"a GUID and more", []any{itemOf(record1 + "/sessions")}, invalid, ""},
		{"an id that is a path", one(set("resourceData", path), set("resource", "x")), invalid, ""},
		{"no id", one(without, set("resource", nil)), invalid, ""},
		{"no object", []any{5, "x", nil, []int{1}}, []int{0, 0, 1, 3}, ""},
		{"wrong types", one(set("clientState", 5)), invalid, ""},
		{"mixed", []any{
			itemOf(record1), itemOf(record1), itemOf(record2, set("clientState", "x")), itemOf("x"), 5,
			itemOf(record2), itemOf("", set("lifecycleEvent", "missed")),
		}, []int{3, 1, 1, 2}, both},
		{"none", []any{}, []int{0, 0, 0, 0}, ""},
		{"an event", []any{itemOf("", set("lifecycleEvent", "reauthorizationRequired"))}, accepted, ""},
		{"an unknown event", []any{itemOf("", set("lifecycleEvent", "x"))}, invalid, ""},
		{
			"a forged event",
			[]any{itemOf("", set("lifecycleEvent", "subscriptionRemoved"), set("clientState", "x"))},
			forged, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newListener(t)
			w := l.post(t, bodyOf(t, c.items...))
			l.want(t, w, http.StatusAccepted, c.counts...)
			keys := ""
			for _, id := range []string{record1, record2} {
				if w, ok := l.inbox.work[id]; ok {
					keys += " " + id
					if w.Kind != TaskNotified || w.Version == 0 || !w.Due.IsZero() || w.Attempts != 0 {
						t.Errorf("the work is %+v", w)
					}
				}
			}
			if strings.TrimSpace(keys) != c.keys || len(l.inbox.work) != len(strings.Fields(c.keys)) {
				t.Errorf("%v wait, want %s", l.inbox.work, c.keys)
			}
			if len(l.graph.Asked) != 0 {
				t.Errorf("Graph was asked: %v", l.graph.Asked)
			}
			if heard := !l.observer.last.IsZero(); heard != (c.keys != "") {
				t.Errorf("one was heard: %t", heard)
			}
		})
	}
}

// Nothing is acknowledged that isn't kept, and nothing is counted that comes again.
func TestNotificationsAreKeptFirst(t *testing.T) {
	l := newListener(t)
	l.inbox.err = errors.New("disk full")
	body := bodyOf(t, itemOf(record1), itemOf(record2, set("clientState", "x")), itemOf("x"))
	w := l.post(t, body)
	l.want(t, w, http.StatusServiceUnavailable, 0, 0, 0, 0)
	if w.Header().Get("Retry-After") == "" || !l.observer.last.IsZero() {
		t.Error("it doesn't say when to come again, or was heard")
	}
	l.inbox.err = nil
	l.want(t, l.post(t, body), http.StatusAccepted, 1, 0, 1, 1)
	l.want(t, l.post(t, body), http.StatusAccepted, 1, 1, 2, 2)
	first := l.inbox.work[record1]
	if first.Version == 0 || !first.Due.IsZero() {
		t.Errorf("the task is %+v", first)
	}
}

// A ledger that waits, such as for another program that locks it, and that can't be interrupted,
// doesn't keep Graph waiting.
func TestNotificationsWhenTheLedgerIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(t)
		l.inbox.wait = time.Minute
		began := time.Now()
		for n := range 2 {
			l.want(t, l.post(t, bodyOf(t, itemOf(record1))), http.StatusServiceUnavailable, 0, 0, 0, 0, n+1)
		}
		if took := time.Since(began); took > 2*4*time.Second {
			t.Errorf("two took %s", took)
		}
		<-time.After(time.Minute) // the ledger goes on
		l.inbox.wait = 0
		l.want(t, l.post(t, bodyOf(t, itemOf(record1))), http.StatusAccepted, 0, 1, 0, 0, 2)
	})
}

func TestNotificationRequests(t *testing.T) {
	good := bodyOf(t, itemOf(record1))
	for _, c := range []struct {
		name, method, body string
		status             int
		accepted, invalid  int
	}{
		{"good", http.MethodPost, good, http.StatusAccepted, 1, 0},
		{"with a context before it", http.MethodPost, `{"@odata.context":"x","validationTokens":["a",{"b":[1]}],` +
			good[1:], http.StatusAccepted, 1, 0},
		{
			"in capitals", http.MethodPost, `{"Value":` + strings.TrimPrefix(good, `{"value":`), http.StatusAccepted, 1,
			0,
		},
		{"a GET", http.MethodGet, "", http.StatusMethodNotAllowed, 0, 0},
		{"a PUT", http.MethodPut, good, http.StatusMethodNotAllowed, 0, 0},
		{"empty", http.MethodPost, "", http.StatusBadRequest, 0, 1},
		{"no JSON", http.MethodPost, "<html>", http.StatusBadRequest, 0, 1},
		{"no object", http.MethodPost, "[]", http.StatusBadRequest, 0, 1},
		{"no value", http.MethodPost, "{}", http.StatusBadRequest, 0, 1},
		{"value null", http.MethodPost, `{"value":null}`, http.StatusBadRequest, 0, 1},
		{"cut", http.MethodPost, good[:len(good)-3], http.StatusBadRequest, 0, 1},
		{
			"an item too long", http.MethodPost,
			bodyOf(t, itemOf(record1, set("resource", strings.Repeat("x", maxItem)))),
			http.StatusAccepted, 0, 1,
		},
		{
			"too many items", http.MethodPost, `{"value":[` + strings.Repeat("{},", maxItems) + `{}]}`,
			http.StatusBadRequest, 0, 1,
		},
		{"too long", http.MethodPost, `{"value":[` + strings.Repeat(`{"clientState":"`+testState+
			strings.Repeat("x", 600)+`"},`, 2000) + `{}]}`, http.StatusRequestEntityTooLarge, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newListener(t)
			w := httptest.NewRecorder()
			l.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, testHook, strings.NewReader(c.body)))
			if w.Code != c.status || w.Body.Len() > 0 || len(l.inbox.work) != c.accepted ||
				l.observer.count("invalid") != c.invalid {
				t.Errorf("the status is %d %q, want %d; %d wait, %v", w.Code, w.Body, c.status, len(l.inbox.work),
					l.observer.counts)
			}
		})
	}
}

func TestValidationHandshake(t *testing.T) {
	for _, c := range []struct {
		name, query string
		status      int
		body        string
	}{
		{"plain", "validationToken=abc", 200, "abc"},
		{
			"encoded", "validationToken=Validation%3A+Testing%20client+%2B%2F%3D%C3%A9", 200,
			"Validation: Testing client +/=é",
		},
		{
			"a script", "validationToken=" + url.QueryEscape("<script>alert(1)</script>"), 200,
			"<script>alert(1)</script>",
		},
		{"empty", "validationToken=", 400, ""},
		{"too long", "validationToken=" + strings.Repeat("a", maxValidationToken+1), 400, ""},
		{"with others", "a=b&validationToken=abc", 200, "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newListener(t)
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, testHook+"?"+c.query, nil)
			r.Header.Set("Content-Type", "text/plain; charset=utf-8")
			l.ServeHTTP(w, r)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.status, c.body)
			}
			if h := w.Header(); h.Get("Content-Type") != "text/plain; charset=utf-8" ||
				h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("the header is %v", h)
			}
			if len(l.observer.counts)+l.inbox.puts > 0 {
				t.Errorf("it counts as a notification: %v", l.observer.counts)
			}
		})
	}
}

// The subscription's own handshake: Graph calls while it makes it.
func TestHandshakeWhileItIsMade(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keeping) {
		k.graph.handler = http.NotFoundHandler() // not listening yet
		if _, _, err := k.Maintain(t.Context(), time.Now()); err == nil {
			t.Fatal("a subscription was made that nobody listens to")
		}
		k.graph.handler = newHandler(k.Manager, testTenant, time.Now, new(inbox).enqueue)
		if _, _, err := k.Maintain(t.Context(), time.Now()); err != nil || k.id == "" {
			t.Errorf("the error is %v", err)
		}
	})
}

// A lifecycle notification wakes the feed with an enqueue without tasks, and makes the manager's
// work urgent.
func TestLifecycleNotificationsWake(t *testing.T) {
	l := newListener(t)
	for _, event := range []string{"reauthorizationRequired", "subscriptionRemoved", "missed"} {
		l.inbox.puts, l.manager.urgent, l.manager.missedSince = 0, false, time.Time{}
		l.manager.noteNotified(time.Now().Add(-time.Hour))
		l.post(t, bodyOf(t, itemOf("", set("lifecycleEvent", event), set("resourceData", nil))))
		missed := l.manager.missedSince
		if l.inbox.puts != 1 || !l.manager.Urgent() || missed.IsZero() != (event == "reauthorizationRequired") ||
			time.Since(missed) < time.Hour {
			t.Errorf("%s: enqueued %d times, urgent: %t, missed since %s", event, l.inbox.puts, l.manager.Urgent(),
				missed)
		}
	}
}

// Without a ledger the handler has no secret and trusts no sender.
func TestNotificationsWithoutSecret(t *testing.T) {
	l := newListener(t)
	l.manager.clientState = ""
	for _, secret := range []any{"", nil, testState} {
		if w := l.post(t, bodyOf(t, itemOf(record1, set("clientState", secret)))); w.Code != http.StatusAccepted ||
			l.inbox.puts > 0 {
			t.Errorf("%v: the status is %d, enqueued %d times", secret, w.Code, l.inbox.puts)
		}
	}
}
