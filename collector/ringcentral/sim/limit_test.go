package sim

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// limited is a server with RingCentral's own limits, whose wall clock stands still.
func limited(t *testing.T, change func(*Settings)) (*simulator.ManualClock, *Server, *client) {
	t.Helper()
	wall := simulator.NewManualClock(begin)
	s := Settings{Account: world(t, Mix(), 10, nil), Wall: wall, Heavy: 10, Auth: 5}
	if change != nil {
		change(&s)
	}
	server, c := start(t, s)
	return wall, server, c
}

func (c *client) heavy() *http.Response {
	c.t.Helper()
	response, body := c.get(log + day)
	if response.StatusCode == http.StatusTooManyRequests && codeOf(body) != "CMN-301" {
		c.t.Errorf("the body of 429: %s", body)
	}
	return response
}

func TestWindowSlides(t *testing.T) {
	wall, server, c := limited(t, nil)
	for i := range 10 {
		r := c.heavy()
		left := strconv.Itoa(9 - i)
		if r.StatusCode != http.StatusOK || r.Header.Get("X-Rate-Limit-Group") != "heavy" || r.Header.Get("X-Rate-Limit-Limit") != "10" ||
			r.Header.Get("X-Rate-Limit-Remaining") != left || r.Header.Get("X-Rate-Limit-Window") != "60" {
			t.Errorf("request %d: %d %v", i, r.StatusCode, r.Header)
		}
		wall.Advance(time.Second)
	}
	// The first is 60 s old.
	wall.Advance(50 * time.Second)
	if r := c.heavy(); r.StatusCode != http.StatusOK || r.Header.Get("X-Rate-Limit-Remaining") != "0" {
		t.Errorf("after the window: %d %v", r.StatusCode, r.Header)
	}
	if server.Throttled(GroupHeavy) != 0 {
		t.Error("throttled a client that kept to the limit")
	}
}

// TestPenaltyBeginsAnew: every request in the penalty begins it anew.
func TestPenaltyBeginsAnew(t *testing.T) {
	wall, server, c := limited(t, nil)
	for range 10 {
		c.heavy()
	}
	if r := c.heavy(); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "60" || r.Header.Get("X-Rate-Limit-Remaining") != "0" {
		t.Errorf("over the limit: %d %v", r.StatusCode, r.Header)
	}
	for range 3 {
		wall.Advance(59 * time.Second)
		if r := c.heavy(); r.StatusCode != http.StatusTooManyRequests {
			t.Errorf("in the penalty: %d", r.StatusCode)
		}
	}
	wall.Advance(60 * time.Second)
	if r := c.heavy(); r.StatusCode != http.StatusOK {
		t.Errorf("after the penalty: %d", r.StatusCode)
	}
	if n := server.Throttled(GroupHeavy); n != 4 || server.Requests().Count(EndpointCallLog)[429] != 4 {
		t.Errorf("%d requests were throttled, want 4", n)
	}
}

func TestLimitsAreOfGroups(t *testing.T) {
	_, server, c := limited(t, nil)
	for range 4 {
		c.heavy()
	}
	for _, uri := range []string{company + "active-calls", extension + "call-log", extension + "active-calls", syncs, company + "recording/1", company + "call-log/a"} {
		c.get(uri)
	}
	if r := c.heavy(); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("all in all eleven: %d", r.StatusCode)
	}
	for range 5 {
		if r, _ := c.login(nil); r.StatusCode != http.StatusOK || r.Header.Get("X-Rate-Limit-Group") != "auth" {
			t.Errorf("a token: %d", r.StatusCode)
		}
	}
	r, body := c.login(nil)
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "60" || body["errorCode"] != "CMN-301" || server.Throttled(GroupAuth) != 1 {
		t.Errorf("a sixth token: %d %v", r.StatusCode, body)
	}
}

func TestNoRetryAfter(t *testing.T) {
	_, _, c := limited(t, func(s *Settings) { s.Heavy, s.NoRetryAfter = 1, true })
	c.heavy()
	if r := c.heavy(); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "" {
		t.Errorf("%d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
}

// TestStrangersUseNothingUp: a request without a good token is of no user.
func TestStrangersUseNothingUp(t *testing.T) {
	_, _, c := limited(t, func(s *Settings) { s.Heavy = 1 })
	c.token = "nonsense"
	for range 3 {
		if r, _ := c.get(log); r.StatusCode != http.StatusUnauthorized || r.Header.Get("X-Rate-Limit-Group") != "" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	}
	c.token = c.server.begin(time.Hour)
	if r := c.heavy(); r.StatusCode != http.StatusOK {
		t.Errorf("%d", r.StatusCode)
	}
}
