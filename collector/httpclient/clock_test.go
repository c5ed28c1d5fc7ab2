package httpclient

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// counting.md 10: a feed's now is the local clock corrected by the provider's HTTP Date.
func TestOffset(t *testing.T) {
	for _, test := range []struct {
		name    string
		ahead   time.Duration // of the provider's clock
		took    time.Duration // of the round trip
		status  int
		headers []string
		want    time.Duration
		known   bool
	}{
		{name: "same", status: 200, known: true},
		{name: "ahead", ahead: 3 * time.Minute, status: 200, want: 3 * time.Minute, known: true},
		{name: "behind", ahead: -time.Hour, status: 200, want: -time.Hour, known: true},
		{
			name: "half the round trip", ahead: time.Minute, took: 4 * time.Second, status: 200, want: time.Minute,
			known: true,
		},
		{name: "cut to seconds", ahead: 900 * time.Millisecond, status: 200, known: true},
		{name: "refusals tell it too", ahead: time.Minute, status: 403, want: time.Minute, known: true},
		{name: "a cache's doesn't count", ahead: time.Minute, status: 200, headers: []string{"Age: 30"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newTest(t, fakeTransport(func(*http.Request) (*http.Response, error) {
					bubbleSleep(t, test.took/2)
					date := time.Now().Add(test.ahead).UTC().Format(http.TimeFormat)
					bubbleSleep(t, test.took/2)
					return answer(test.status, "", append(test.headers, "Date: "+date)...), nil
				}), nil)
				if got, known := client.Offset(); got != 0 || known {
					t.Errorf("offset %v, %v before any answer", got, known)
				}
				_, _ = client.Get(t.Context(), Request{URL: "/x"}) // refusals tell it too
				if got, known := client.Offset(); got != test.want || known != test.known {
					t.Errorf("offset %v, %v; want %v, %v", got, known, test.want, test.known)
				}
			})
		})
	}
	t.Run("no date", func(t *testing.T) {
		transport, _ := script(replies(200, "", "Date: yesterday"))
		client := newTest(t, transport, nil)
		if _, err := client.Get(t.Context(), Request{URL: "/x"}); err != nil {
			t.Fatal(err)
		}
		if _, known := client.Offset(); known {
			t.Error("an offset without a date")
		}
	})
}
