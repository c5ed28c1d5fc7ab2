package subscriptions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
)

const (
	testHook   = "https://cdr.example.com/webhooks/contoso"
	testTenant = "11111111-2222-4333-8444-555555555555"
	testState  = "6a6b6c6d6e6f6a6b6c6d6e6f6a6b6c6d"
)

// testAddress is the webhook with the mark of the ledger's secret.
var testAddress = func() string {
	sum := sha256.Sum256([]byte(testState))
	return testHook + "?ledger=" + hex.EncodeToString(sum[:8])
}()

// testSettings have a ledger with testState as its secret.
func testSettings(observer collector.NotificationObserver) *collector.SourceSettings {
	return &collector.SourceSettings{
		Name: "contoso", Now: time.Now, Notified: observer,
		Derive: func(string) []byte { return []byte("jklmnojklmnojklm") },
	}
}

// fakeTenant keeps subscriptions as Graph does. It is an http.RoundTripper.
type fakeTenant struct {
	t       testing.TB
	mu      sync.Mutex
	subs    map[string]*subscription
	made    int
	asked   []string // method and path
	bodies  []string
	at      []time.Time
	fault   func(r *http.Request) *http.Response // nil: answer as usual
	change  func(one *subscription)              // of an answer
	handler http.Handler                         // what public_url leads to; nil: it answers
}

func newFakeTenant(t testing.TB) *fakeTenant {
	t.Helper()
	return &fakeTenant{t: t, subs: map[string]*subscription{}}
}

func (g *fakeTenant) client() *httpclient.Client {
	g.t.Helper()
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: "https://graph.example", Transport: g,
		Quote: graph.Quote,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return client
}

// add puts a subscription there and returns its id.
func (g *fakeTenant) add(change func(*subscription)) string {
	g.made++
	expires := time.Now().Add(48 * time.Hour).UTC()
	one := &subscription{
		ID: fmt.Sprintf("7f10aaaa-0000-4000-8000-%012d", g.made), ChangeType: "updated", Resource: callRecordsResource,
		NotificationURL: testAddress, LifecycleURL: testAddress, Expires: expires,
	}
	if change != nil {
		change(one)
	}
	g.subs[one.ID] = one
	return one.ID
}

func answerWith(status int, body any) *http.Response {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // a test's own body
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{
			"Content-Type": {"application/json"},
			"Date":         {time.Now().UTC().Format(http.TimeFormat)},
		},
		Body: io.NopCloser(strings.NewReader(string(text))),
	}
}

func refused(status int, code string) *http.Response {
	return answerWith(status, map[string]any{"error": map[string]any{"code": code, "message": ""}})
}

// RoundTrip implements http.RoundTripper.
func (g *fakeTenant) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(content)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked, g.bodies, g.at = append(g.asked, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v1.0/")),
		append(g.bodies, body), append(g.at, time.Now())
	for id, one := range g.subs {
		if !one.Expires.After(time.Now()) {
			delete(g.subs, id)
		}
	}
	if g.fault != nil {
		if no := g.fault(r); no != nil {
			return no, nil
		}
	}
	var sent subscription
	if body != "" && json.Unmarshal([]byte(body), &sent) != nil {
		return refused(http.StatusBadRequest, "BadRequest"), nil
	}
	_, id, single := strings.Cut(r.URL.Path, "/v1.0/subscriptions/")
	switch {
	case !single && r.Method == http.MethodGet:
		return g.list(), nil
	case !single && r.Method == http.MethodPost:
		return g.create(&sent), nil
	case g.subs[id] == nil:
		return refused(http.StatusNotFound, "ResourceNotFound"), nil
	case r.Method == http.MethodDelete:
		delete(g.subs, id)
		return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody}, nil
	case r.Method == http.MethodPatch:
		g.subs[id].Expires = sent.Expires
		return g.shown(http.StatusOK, g.subs[id]), nil
	}
	return g.shown(http.StatusOK, g.subs[id]), nil
}

// shown is a subscription as Graph shows it: without its secret.
func (g *fakeTenant) shown(status int, one *subscription) *http.Response {
	shown := hidden(one)
	if g.change != nil {
		g.change(&shown)
	}
	return answerWith(status, &shown)
}

func hidden(one *subscription) subscription {
	shown := *one
	shown.ClientState = ""
	return shown
}

func (g *fakeTenant) list() *http.Response {
	all := []subscription{}
	for _, one := range g.subs {
		all = append(all, hidden(one))
	}
	return answerWith(http.StatusOK, map[string]any{"value": all})
}

// create calls the address first, as Graph does.
func (g *fakeTenant) create(sent *subscription) *http.Response {
	switch {
	case sent.Expires.IsZero() || time.Until(sent.Expires) > 4230*time.Minute || len(sent.ClientState) > 128:
		return refused(http.StatusBadRequest, "BadRequest")
	case g.handler != nil:
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, httptest.NewRequestWithContext(g.t.Context(), http.MethodPost,
			testAddress+"&validationToken=Validation%3A+a%2Bb%3D%C3%A9", nil))
		if w.Code != http.StatusOK || w.Body.String() != "Validation: a+b=é" {
			return refused(http.StatusBadRequest, "ValidationError")
		}
	}
	id := g.add(func(one *subscription) {
		made := *sent
		made.ID = one.ID
		*one = made
	})
	return g.shown(http.StatusCreated, g.subs[id])
}

// requests are those since the last call, in short.
func (g *fakeTenant) requests() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := strings.Join(g.asked, ", ")
	g.asked, g.bodies, g.at = nil, nil, nil
	return strings.ReplaceAll(all, "subscriptions", "s")
}

// noticed is a NotificationObserver.
type noticed struct {
	mu       sync.Mutex
	counts   map[string]int
	last     time.Time
	expiries []time.Time
}

func newNoticed() *noticed { return &noticed{counts: map[string]int{}} }

func (n *noticed) Notifications(result string, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.counts[result] += count
}

func (n *noticed) LastNotification(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = at
}

func (n *noticed) SubscriptionExpiry(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expiries = append(n.expiries, at)
}

// expiry is what the gauge shows; zero: nothing.
func (n *noticed) expiry() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.expiries) == 0 {
		return time.Time{}
	}
	return n.expiries[len(n.expiries)-1]
}

func (n *noticed) count(result string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts[result]
}
