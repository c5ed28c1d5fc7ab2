package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = simtest.Begin

// day is a request's range for the whole of a test's world.
const day = "(fromDateTime=2026-03-02T00:00:00Z,toDateTime=2026-03-03T00:00:00Z)"

func world(t testing.TB, mix *simulator.Mix, calls int, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	return simtest.World(t, simulator.Historical(7, mix, begin, begin.Add(24*time.Hour), calls), change)
}

// client talks to a server as somebody who has a token.
type client struct {
	*simtest.Client
	t      testing.TB
	server *Server
}

// start starts a server long after its calls were published.
func start(t testing.TB, s Settings) (*Server, *client) {
	t.Helper()
	if s.Clock == nil {
		s.Clock = simulator.NewManualClock(begin.Add(30 * 24 * time.Hour))
	}
	server, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, &client{simtest.NewClient(t, server.Host, server.issue()), t, server}
}

func (c *client) get(uri string) (*http.Response, []byte) {
	c.t.Helper()
	return c.Send(http.MethodGet, c.server.GraphURL()+uri, nil)
}

// envelope is a page as a reader sees it.
type envelope struct {
	Context string            `json:"@odata.context"`
	Count   int               `json:"@odata.count"`
	Next    string            `json:"@odata.nextLink"`
	Value   []json.RawMessage `json:"value"`
}

const functions = callRecordsPath + "/"

// read follows all pages of a feed.
func (c *client) read(function string) (rows []json.RawMessage, pages []envelope) {
	c.t.Helper()
	address := c.server.GraphURL() + functions + function
	for address != "" {
		response, body := c.Send(http.MethodGet, address, nil)
		var e envelope
		if err := json.Unmarshal(body, &e); response.StatusCode != http.StatusOK || err != nil {
			c.t.Fatalf("page %d: status %d, %v", len(pages), response.StatusCode, err)
		}
		if e.Count != len(e.Value) {
			c.t.Fatalf("page %d says %d rows and has %d", len(pages), e.Count, len(e.Value))
		}
		rows = append(rows, e.Value...)
		pages = append(pages, e)
		address = e.Next
	}
	return rows, pages
}

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
	response, content := c.Send(method, c.server.GraphURL()+uri, func(r *http.Request) {
		if body != nil {
			text := simulator.JSON(body)
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

// Served records, read the plain way.
type (
	servedRecord struct {
		ID           string
		Version      int64
		Type         string
		Start        time.Time `json:"startDateTime"`
		End          time.Time `json:"endDateTime"`
		Modified     time.Time `json:"lastModifiedDateTime"`
		Sessions     []servedSession
		MoreSessions string `json:"sessions@odata.nextLink"`
	}
	servedSession struct {
		ID             string
		Modalities     []string
		Caller, Callee *servedEnd
		Failure        *struct{ Stage, Reason string } `json:"failureInfo"`
		Segments       []servedSegment
		MoreSegments   string `json:"segments@odata.nextLink"`
	}
	servedEnd struct {
		Agent    *struct{ Platform, Role, ProductFamily string } `json:"userAgent"`
		Identity *struct{ Phone *struct{ ID string } }
		Feedback *struct{ Rating string }
	}
	servedSegment struct {
		ID    string
		Media []servedMedium
	}
	servedMedium struct {
		Label         string
		CallerNetwork *struct{ ConnectionType string }
		CalleeNetwork *struct{ ConnectionType string }
		Streams       []servedStream
	}
	servedStream struct {
		Direction string   `json:"streamDirection"`
		Jitter    *string  `json:"averageJitter"`
		RoundTrip *string  `json:"averageRoundTripTime"`
		Loss      *float64 `json:"averagePacketLossRate"`
		Concealed *float64 `json:"averageRatioOfConcealedSamples"`
		FrameLoss *float64 `json:"averageVideoFrameLossPercentage"`
		FrameRate *float64 `json:"averageVideoFrameRate"`
		LossLeft  *float64 `json:"postForwardErrorCorrectionPacketLossRate"`
		Packets   *int64   `json:"packetUtilization"`
		Bypass    *bool    `json:"wasMediaBypassed"`
	}
)

// recordWorld is a world of calls with records of the day, changed.
func recordWorld(t testing.TB, calls int, change func(*simulator.Settings)) *simulator.World {
	t.Helper()
	return simtest.World(t, HistoricalCalls(7, begin, begin.Add(24*time.Hour), calls), change)
}

func newRecords(t testing.TB, s CallRecordSettings) *CallRecords {
	t.Helper()
	r, err := NewCallRecords(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// only is a mix of the kinds that a function chooses.
func only(choose func(*simulator.Kind, *shape) bool) func(*simulator.Settings) {
	return func(s *simulator.Settings) {
		mix := *s.Mix
		mix.Kinds = slices.DeleteFunc(slices.Clone(mix.Kinds), func(k simulator.Kind) bool { return !choose(&k, k.Detail.(*shape)) })
		s.Mix = &mix
	}
}

// startRecords starts a server of records without limits, at an instant.
func startRecords(t testing.TB, r *CallRecords, at time.Time, change func(*Settings)) (*Server, *client, *simulator.ManualClock) {
	t.Helper()
	clock := simulator.NewManualClock(at)
	s := Settings{CallRecords: r, Clock: clock, FirstPages: -1, NextPages: -1, Delivery: Delivery{Every: -1}}
	if change != nil {
		change(&s)
	}
	server, c := start(t, s)
	return server, c, clock
}

// expanded is the option that a record comes with its sessions.
const expanded = "?$expand=sessions($expand=segments)"

// readable are the ids of the records that can be read at an instant.
func readable(r *CallRecords, at time.Time) (ids []string) {
	rows, _ := r.list(span{begin.Add(-time.Hour).UnixMilli(), at.UnixMilli()}, nil, at, 100_000)
	for i := range rows {
		if rows[i].flaw == simulator.NoFlaw && rows[i].readable(at) >= 0 {
			ids = append(ids, rows[i].id.String())
		}
	}
	return ids
}

// filtered is the list of a range of starts.
func filtered(from, to time.Time) string {
	text := "startDateTime ge " + from.Format(time.RFC3339Nano) + " and startDateTime lt " + to.Format(time.RFC3339Nano)
	return callRecordsPath + "?$filter=" + url.PathEscape(text)
}

// decode gets an address, which must work, and reads its JSON.
func (c *client) decode(address string, into any) {
	c.t.Helper()
	response, body := c.Send(http.MethodGet, address, nil)
	if response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %s", address, response.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		c.t.Fatalf("%s: %v in %s", address, err, body)
	}
}

// pages follows next links, and gives all entries and the sizes of the pages.
func follow[T any](c *client, address string) (all []T, sizes []int) {
	c.t.Helper()
	for address != "" {
		var page struct {
			Value []T
			Next  string `json:"@odata.nextLink"`
		}
		c.decode(address, &page)
		all, sizes = append(all, page.Value...), append(sizes, len(page.Value))
		address = page.Next
	}
	return all, sizes
}

// list reads the whole list.
func (c *client) list(from, to time.Time) []servedRecord {
	c.t.Helper()
	all, _ := follow[servedRecord](c, c.server.GraphURL()+filtered(from, to))
	return all
}

// record reads one record whole; nil if it isn't found.
func (c *client) record(id string) *servedRecord {
	c.t.Helper()
	address := c.server.GraphURL() + callRecordsPath + "/" + id + expanded
	response, body := c.Send(http.MethodGet, address, nil)
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	var r servedRecord
	if err := json.Unmarshal(body, &r); err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %v", id, response.StatusCode, err)
	}
	if r.MoreSessions != "" {
		more, _ := follow[servedSession](c, r.MoreSessions)
		r.Sessions = append(r.Sessions, more...)
	}
	for i := range r.Sessions {
		if link := r.Sessions[i].MoreSegments; link != "" {
			more, _ := follow[servedSegment](c, link)
			r.Sessions[i].Segments = append(r.Sessions[i].Segments, more...)
		}
	}
	return &r
}

// phone is the number of an end that is a telephone.
func (e *servedEnd) phone() string {
	if e == nil || e.Identity == nil || e.Identity.Phone == nil {
		return ""
	}
	return e.Identity.Phone.ID
}
