package simulator

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"
)

// TestHost: injected faults come in order, those that don't fit wait, and a provider's own change the reply.
func TestHost(t *testing.T) {
	faults := NewFaults(FaultSettings{})
	const own, other = Fault("own"), Fault("other")
	var h *Host
	h, err := NewHost("", NewManualClock(begin), faults, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Answer(w, r, "rows", func() Reply {
			return Reply{
				Answer: Answer{Status: http.StatusOK, Header: http.Header{}, Body: body}, Rows: 3, Refused: r.URL.Path == "/refused", Gzip: true,
				Own: map[Fault]func(*Reply){own: func(r *Reply) { r.Body, r.Rows = []byte("[]"), 0 }},
			}
		})
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	faults.Once("rows", NoFault, other, own, NoFault, Unavailable)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.Pool(), MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for i, want := range []struct {
		path         string
		status, size int
	}{
		{"/", 200, len(body)}, {"/refused", 200, len(body)}, {"/", 200, 2}, {"/", 200, len(body)}, {"/", 503, 0}, {"/", 200, len(body)},
	} {
		response, got, err := get(t, client, h.BaseURL()+want.path)
		if err != nil || response.StatusCode != want.status || len(got) != want.size || response.Header.Get("Date") != begin.Format(http.TimeFormat) {
			t.Errorf("request %d: %v, %d bytes, %v", i, response, len(got), err)
		}
	}
	if seen := h.Requests().Requests(); faults.Pending() != 1 || h.Requests().Rows("rows") != 12 || len(seen) != 6 || seen[2].Fault != own || seen[4].Status != 503 {
		t.Errorf("%d faults pending, %d rows, %+v", faults.Pending(), h.Requests().Rows("rows"), seen)
	}
}

func TestLimiter(t *testing.T) {
	at := begin
	for _, penalty := range []bool{false, true} {
		l := Limiter{Limit: 3, Window: time.Minute, Penalty: penalty}
		for want := 2; want >= 0; want-- {
			if left, wait := l.Take(at); left != want || wait != 0 {
				t.Errorf("%d left, wait %s", left, wait)
			}
			at = at.Add(10 * time.Second)
		}
		wait := 30 * time.Second
		if penalty {
			wait = time.Minute // from each request that comes too early on
		}
		if _, got := l.Take(at); got != wait {
			t.Errorf("wait %s, want %s", got, wait)
		}
		at = at.Add(wait - time.Second)
		if _, got := l.Take(at); got == 0 || l.Refused() != 2 {
			t.Errorf("too early, wait %s", got)
		}
		at = at.Add(map[bool]time.Duration{false: time.Second, true: time.Minute}[penalty])
		if _, got := l.Take(at); got != 0 {
			t.Errorf("in time, wait %s", got)
		}
	}
}
