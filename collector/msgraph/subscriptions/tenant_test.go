package subscriptions

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const (
	testHook   = "https://cdr.example.com/webhooks/contoso"
	testTenant = sim.TenantID
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

// tenant is a simulated tenant, which refuses some requests.
type tenant struct {
	*sim.Server
	trusted http.RoundTripper

	asked   []string                                   // method and path
	fault   func(r *http.Request) *providertest.Answer // nil: answer as usual
	handler http.Handler                               // what public_url leads to; nil: it answers
}

// RoundTrip implements http.RoundTripper: it answers the manager.
func (g *tenant) RoundTrip(r *http.Request) (*http.Response, error) {
	g.asked = append(g.asked, r.Method+" "+strings.Replace(r.URL.Path, "/v1.0/subscriptions", "s", 1))
	if g.fault != nil {
		if refused := g.fault(r); refused != nil {
			return refused.Response(r), nil
		}
	}
	return g.trusted.RoundTrip(r)
}

// deliver passes a request of Graph to the handler.
func (g *tenant) deliver(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if g.handler != nil {
		g.handler.ServeHTTP(w, r)
	} else {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.WriteString(r.URL.Query().Get("validationToken"))
	}
	return w.Result(), nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// requests are those since the last call, in short.
func (g *tenant) requests() string {
	all := strings.Join(g.asked, ", ")
	g.asked = nil
	return all
}

// add puts a subscription there.
func (g *tenant) add(change func(*sim.Subscription)) {
	one := sim.Subscription{
		ChangeType: "updated", Resource: callRecordsResource, NotificationURL: testAddress, LifecycleURL: testHook,
		Expires: time.Now().Add(48 * time.Hour).UTC(),
	}
	if change != nil {
		change(&one)
	}
	g.AddSubscription(one)
}

// find is the subscription with an id; without one it has no end.
func (g *tenant) find(id string) (found sim.Subscription) {
	for _, one := range g.Subscriptions() {
		if one.ID == id {
			found = one
		}
	}
	return found
}

// keeping is a manager over a simulated tenant.
type keeping struct {
	*Manager
	graph    *tenant
	observer *noticed
}

// inBubble starts a tenant, and runs a test in a bubble of testing/synctest.
func inBubble(t *testing.T, test func(t *testing.T, k *keeping)) {
	t.Helper()
	g := new(tenant)
	var err error
	g.Server, err = sim.Start(sim.Settings{Webhooks: roundTrip(g.deliver), Delivery: sim.Delivery{Every: -1}})
	require.NoError(t, err)
	t.Cleanup(g.Close)
	g.trusted = g.Trusted()
	synctest.Test(t, func(t *testing.T) {
		n := newNoticed()
		test(t, &keeping{newManager(t, g, g.BaseURL(), testSettings(n)), g, n})
	})
}

func newManager(
	t testing.TB, transport http.RoundTripper, baseURL string, settings *collector.SourceSettings,
) *Manager {
	t.Helper()
	client, err := httpclient.New(httpclient.Settings{BaseURL: baseURL, Transport: transport, Quote: graph.Quote})
	require.NoError(t, err)
	m, _, err := New(&Webhook{PublicURL: testHook}, testTenant, settings, client, time.Hour)
	require.NoError(t, err)
	return m
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
