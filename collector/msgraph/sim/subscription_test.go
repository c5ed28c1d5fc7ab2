package sim

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestSubscriptionLifecycle(t *testing.T) {
	_, c, clock := startRecords(t, nil, begin, nil)
	e := newEndpoint(t)
	status, made := c.do(http.MethodPost, subscriptionsPath, c.wanted(e))
	if status != http.StatusCreated || made["clientState"] != "the secret" || made["changeType"] != "updated" || made["resource"] != "/communications/callRecords" {
		t.Fatalf("made: %d %v", status, made)
	}
	id := subscriptionsPath + "/" + made["id"].(string)
	if x := c.server.Subscriptions(); len(x) != 1 || x[0].ClientState != "the secret" || x[0].LifecycleURL != e.URL+"/life" || !x[0].Expires.Equal(begin.Add(4200*time.Minute)) {
		t.Errorf("subscriptions %+v", x)
	}
	if n := c.server.Notified().Handshakes; n != 2 {
		t.Errorf("%d handshakes, want one for each address", n)
	}
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
	for method, body := range map[string]any{http.MethodGet: nil, http.MethodPatch: map[string]any{"expirationDateTime": longest}, http.MethodDelete: nil} {
		if status, x := c.do(method, id, body); status != http.StatusNotFound || fmt.Sprint(x["error"].(map[string]any)["code"]) != "ResourceNotFound" {
			t.Errorf("%s after it has expired: %d %v", method, status, x)
		}
	}
	if status, _ := c.do(http.MethodPost, id+"/reauthorize", nil); status != http.StatusNotFound {
		t.Errorf("reauthorised after it has expired: %d", status)
	}
	again := subscriptionsPath + "/" + c.subscribe(e)
	if status, x := c.do(http.MethodDelete, again, nil); status != http.StatusNoContent || x != nil || len(c.server.Subscriptions()) != 0 {
		t.Errorf("deleted: %d %v", status, x)
	}
}

// TestHandshakes: whoever doesn't give the decoded token back as plain text within the
// time isn't told anything.
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
		works  bool
	}{
		"right":                {give(200, "text/plain", same), true},
		"with a character set": {give(200, "text/plain; charset=utf-8", same), true},
		"as JSON":              {give(200, "application/json", same), false},
		"accepted":             {give(202, "text/plain", same), false},
		"not found":            {give(404, "text/plain", same), false},
		"with a line's end":    {give(200, "text/plain", func(s string) string { return s + "\n" }), false},
		"without its plus":     {give(200, "text/plain", func(s string) string { return strings.ReplaceAll(s, "+", " ") }), false},
		"in quotes":            {give(200, "text/plain", func(s string) string { return `"` + s + `"` }), false},
		"as it came, undecoded": {func(w http.ResponseWriter, r *http.Request) {
			give(200, "text/plain", func(string) string { return r.URL.RawQuery[16:] })(w, r)
		}, false},
		"somewhere else": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		}, false},
		"too late": {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, c, _ := startRecords(t, nil, begin, func(s *Settings) { s.Subscriptions.AnswerWithin = 200 * time.Millisecond })
			e := newEndpoint(t)
			e.set(func(e *endpoint) { e.handshake = test.answer })
			status, x := c.do(http.MethodPost, subscriptionsPath, c.wanted(e))
			if test.works && status != http.StatusCreated {
				t.Errorf("%d %v", status, x)
			}
			if !test.works && (status != http.StatusBadRequest || fmt.Sprint(x["error"].(map[string]any)["code"]) != "ValidationError" || len(c.server.Subscriptions()) != 0) {
				t.Errorf("%d %v", status, x)
			}
		})
	}
}

// TestHandshakeOverHTTPS: the certificate must be one of the authorities' that were given.
func TestHandshakeOverHTTPS(t *testing.T) {
	authority, err := simulator.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := authority.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{}
	listener, err := simulator.Serve("127.0.0.1:0", leaf, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	for name, test := range map[string]struct {
		change func(*Settings)
		status int
	}{
		"known":   {func(s *Settings) { s.Subscriptions.CAs = authority.Pool() }, http.StatusCreated},
		"unknown": {nil, http.StatusBadRequest},
	} {
		_, c, _ := startRecords(t, nil, begin, test.change)
		wanted := c.wanted(newEndpoint(t))
		wanted["notificationUrl"], wanted["lifecycleNotificationUrl"] = listener.URL()+"/hook?tenant=1", nil
		if status, x := c.do(http.MethodPost, subscriptionsPath, wanted); status != test.status {
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
		"as it should be":           {nil, ""},
		"created":                   {map[string]any{"changeType": "created"}, ""},
		"both":                      {map[string]any{"changeType": "created,updated"}, ""},
		"no lifecycle":              {map[string]any{"lifecycleNotificationUrl": nil}, ""},
		"no slash":                  {map[string]any{"resource": "communications/callRecords"}, ""},
		"the longest":               {map[string]any{"expirationDateTime": in(4230 * time.Minute)}, ""},
		"deleted":                   {map[string]any{"changeType": "deleted"}, "InvalidRequest"},
		"no change type":            {map[string]any{"changeType": nil}, "InvalidRequest"},
		"another resource":          {map[string]any{"resource": "/users"}, "InvalidRequest"},
		"with data":                 {map[string]any{"includeResourceData": true}, "InvalidRequest"},
		"no expiry":                 {map[string]any{"expirationDateTime": nil}, "InvalidRequest"},
		"an expiry that is no time": {map[string]any{"expirationDateTime": "tomorrow"}, "InvalidRequest"},
		"too long":                  {map[string]any{"expirationDateTime": in(4231 * time.Minute)}, "ExtensionError"},
		"over already":              {map[string]any{"expirationDateTime": in(-time.Minute)}, "ExtensionError"},
		"a long state":              {map[string]any{"clientState": strings.Repeat("x", 129)}, "InvalidRequest"},
		"another TLS":               {map[string]any{"latestSupportedTlsVersion": "v9"}, "InvalidRequest"},
		"plain http":                {map[string]any{"notificationUrl": "http://cdr.example.com/hook"}, "InvalidRequest"},
		"plain http for lifecycle":  {map[string]any{"lifecycleNotificationUrl": "http://cdr.example.com/life"}, "InvalidRequest"},
		"no address":                {map[string]any{"notificationUrl": nil}, "InvalidRequest"},
		"a misspelled property":     {map[string]any{"notificationURL2": "x"}, "InvalidRequest"},
	} {
		wanted := c.wanted(e)
		maps.Copy(wanted, test.change)
		for name, value := range wanted {
			if value == nil {
				delete(wanted, name)
			}
		}
		status, x := c.do(http.MethodPost, subscriptionsPath, wanted)
		code := ""
		if problem, ok := x["error"].(map[string]any); ok {
			code = problem["code"].(string)
		}
		if (status == http.StatusCreated) != (test.code == "") || code != test.code || test.code != "" && status != http.StatusBadRequest {
			t.Errorf("%s: %d %v, want %s", name, status, x, test.code)
		}
	}
	id := subscriptionsPath + "/" + c.server.Subscriptions()[0].ID
	for name, test := range map[string]struct {
		method, uri string
		body        any
		status      int
	}{
		"renewed with nothing":        {http.MethodPatch, id, map[string]any{}, 400},
		"renewed with something else": {http.MethodPatch, id, map[string]any{"expirationDateTime": in(time.Hour), "clientState": "x"}, 400},
		"renewed for too long":        {http.MethodPatch, id, map[string]any{"expirationDateTime": in(4231 * time.Minute)}, 400},
		"another's renewed":           {http.MethodPatch, subscriptionsPath + "/00000000-0000-4000-8000-000000000000", map[string]any{"expirationDateTime": in(time.Hour)}, 404},
		"put":                         {http.MethodPut, id, map[string]any{}, 405},
		"the list deleted":            {http.MethodDelete, subscriptionsPath, nil, 405},
		"reauthorisation asked for":   {http.MethodGet, id + "/reauthorize", nil, 405},
		"something else of it":        {http.MethodGet, id + "/other/thing", nil, 400},
		"filtered":                    {http.MethodGet, subscriptionsPath + "?$filter=x", nil, 400},
		"a link made by hand":         {http.MethodGet, subscriptionsPath + "?$skiptoken=20", nil, 400},
	} {
		if status, x := c.do(test.method, test.uri, test.body); status != test.status {
			t.Errorf("%s: %d %v, want %d", name, status, x, test.status)
		}
	}
}

// TestShortSubscriptionsArePutOff: less than 45 minutes become 45.
func TestShortSubscriptionsArePutOff(t *testing.T) {
	_, c, _ := startRecords(t, nil, begin, nil)
	wanted := c.wanted(newEndpoint(t))
	wanted["expirationDateTime"] = begin.Add(time.Minute).Format(time.RFC3339)
	if _, made := c.do(http.MethodPost, subscriptionsPath, wanted); made["expirationDateTime"] != begin.Add(45*time.Minute).Format(time.RFC3339) {
		t.Errorf("expires at %v", made["expirationDateTime"])
	}
}

// TestSubscriptionLimit: a hundred, listed on pages; one that expires makes room.
func TestSubscriptionLimit(t *testing.T) {
	_, c, clock := startRecords(t, nil, begin, nil)
	e := newEndpoint(t)
	for range 100 {
		c.subscribe(e)
	}
	status, x := c.do(http.MethodPost, subscriptionsPath, c.wanted(e))
	if status != http.StatusForbidden {
		t.Errorf("the 101st: %d %v", status, x)
	}
	if all, sizes := follow[map[string]any](c, c.server.GraphURL()+subscriptionsPath); len(all) != 100 || len(sizes) != 5 {
		t.Errorf("%d subscriptions on %d pages", len(all), len(sizes))
	}
	clock.Advance(4200 * time.Minute)
	c.subscribe(e)
}

func TestUniqueSubscriptions(t *testing.T) {
	_, c, _ := startRecords(t, nil, begin, func(s *Settings) { s.Subscriptions.Unique = true })
	e := newEndpoint(t)
	c.subscribe(e)
	if status, x := c.do(http.MethodPost, subscriptionsPath, c.wanted(e)); status != http.StatusConflict {
		t.Errorf("the same again: %d %v", status, x)
	}
}

// TestFaultsOfSubscriptions: an error has done nothing; an answer that is lost has.
func TestFaultsOfSubscriptions(t *testing.T) {
	f := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	_, c, _ := startRecords(t, nil, begin, func(s *Settings) { s.Faults = f })
	e := newEndpoint(t)
	for fault, want := range map[simulator.Fault]struct{ status, made int }{
		simulator.Unavailable: {503, 0}, simulator.ThrottleSeconds: {429, 0}, ExpiredToken: {401, 0}, Forbidden: {403, 0}, simulator.HTMLOK: {200, 1},
	} {
		before := len(c.server.Subscriptions())
		f.Once(EndpointSubscriptions, fault)
		wanted := encode(c.wanted(e))
		response, _ := c.send(http.MethodPost, c.server.GraphURL()+subscriptionsPath, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(wanted))), int64(len(wanted))
			r.Header.Set("Content-Type", "application/json")
		})
		if made := len(c.server.Subscriptions()) - before; response.StatusCode != want.status || made != want.made {
			t.Errorf("%s: %d, %d made", fault, response.StatusCode, made)
		}
	}
	f.Once(EndpointSubscriptions, NotYet, HostileLink)
	if status, _ := c.do(http.MethodGet, subscriptionsPath, nil); status != 200 || f.Pending() != 2 {
		t.Errorf("faults of other endpoints: %d, %d pending", status, f.Pending())
	}
}
