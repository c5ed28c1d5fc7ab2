package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// told is a notification as an endpoint sees it.
type told struct {
	SubscriptionID string    `json:"subscriptionId"`
	State          string    `json:"clientState"`
	ChangeType     string    `json:"changeType"`
	Tenant         string    `json:"tenantId"`
	Resource       string    `json:"resource"`
	Event          string    `json:"lifecycleEvent"`
	Expires        time.Time `json:"subscriptionExpirationDateTime"`
	Data           struct {
		Type string `json:"@odata.type"`
		Path string `json:"@odata.id"`
		ID   string `json:"id"`
	} `json:"resourceData"`
}

// endpoint takes notifications.
type endpoint struct {
	*httptest.Server
	mu sync.Mutex
	// handshake answers a validation; nil: as is right.
	handshake http.HandlerFunc
	// status answers notifications; 202 if zero.
	status int
	// hold is called before an answer.
	hold     func()
	items    []told
	requests []int
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	handshake, status, hold := e.handshake, e.status, e.hold
	e.mu.Unlock()
	if token := r.URL.Query().Get("validationToken"); token != "" {
		if handshake != nil {
			handshake(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, token)
		return
	}
	if hold != nil {
		hold()
	}
	if status == 0 {
		status = http.StatusAccepted
	}
	var body struct{ Value []told }
	if json.NewDecoder(r.Body).Decode(&body) != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		status = http.StatusBadRequest
	}
	if status/100 == 2 {
		e.mu.Lock()
		e.items, e.requests = append(e.items, body.Value...), append(e.requests, len(body.Value))
		e.mu.Unlock()
	}
	w.WriteHeader(status)
}

func (e *endpoint) set(change func(*endpoint)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e)
}

// taken are the notifications that were taken, and forgets them.
func (e *endpoint) taken() []told {
	e.mu.Lock()
	defer e.mu.Unlock()
	items := e.items
	e.items, e.requests = nil, nil
	return items
}

// ids are those of some notifications, sorted.
func ids(items []told) []string {
	var all []string
	for _, x := range items {
		all = append(all, x.Data.ID)
	}
	slices.Sort(all)
	return all
}

// subscription is what a request to subscribe says.
func (c *client) wanted(e *endpoint) map[string]any {
	return map[string]any{
		"changeType": "updated", "resource": "/communications/callRecords", "notificationUrl": e.URL + "/hook", "lifecycleNotificationUrl": e.URL + "/life",
		"expirationDateTime": c.server.Now().Add(4200 * time.Minute).Format(time.RFC3339), "clientState": "the secret", "latestSupportedTlsVersion": "v1_2",
	}
}

// do sends JSON, and reads the answer's.
func (c *client) do(method, uri string, body any) (int, map[string]any) {
	c.t.Helper()
	response, content := c.send(method, c.server.GraphURL()+uri, func(r *http.Request) {
		if body != nil {
			text := encode(body)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(text))), int64(len(text))
			r.Header.Set("Content-Type", "application/json")
		}
	})
	var answer map[string]any
	if len(content) > 0 {
		if err := json.Unmarshal(content, &answer); err != nil {
			c.t.Fatalf("%s %s: %s", method, uri, content)
		}
	}
	return response.StatusCode, answer
}

// subscribe makes a subscription, and gives its id.
func (c *client) subscribe(e *endpoint) string {
	c.t.Helper()
	status, made := c.do(http.MethodPost, subscriptionsPath, c.wanted(e))
	if status != http.StatusCreated {
		c.t.Fatalf("subscribe: %d %v", status, made)
	}
	return made["id"].(string)
}
