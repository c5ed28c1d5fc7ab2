package httpclient

import (
	"testing"
	"testing/synctest"
	"time"
)

// A client that a reload makes knows what those before have used, and keeps to what
// froze them. Another credential has its own.
func TestQuotasOutliveClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var quotas Quotas
		open := func(key string, answers ...reply) (*Client, *recorder) {
			transport, rec := script(answers...)
			client := windowed(t, transport, func(s *Settings) {
				s.Quotas, s.QuotaKey, s.Limit.Requests = &quotas, key,
					3
			})
			rec.started = began
			return client, rec
		}
		page := replies(200, "page")
		first, _ := open("a", page)
		for range 2 {
			if err := get(t.Context(), first, "/x"); err != nil {
				t.Fatal(err)
			}
		}
		other, rec := open("b", page)
		if err := get(t.Context(), other, "/x"); err != nil || rec.times()[0] != 0 {
			t.Errorf("another credential: asked at %v, %v", rec.times(), err)
		}
		second, rec := open("a", page, page, replies(429, "", "Retry-After: 600"))
		if b := second.Budget(); b.Remaining != 1 || b.Limit != 3 {
			t.Errorf("after a reload the budget is %+v, want 1 of 3", b)
		}
		for range 2 {
			if err := get(t.Context(), second, "/x"); err != nil {
				t.Fatal(err)
			}
		}
		if at := rec.times(); at[0] != 0 || at[1] != time.Minute+windowMargin {
			t.Errorf("after a reload it is asked at %v, want at once and once there is room", at)
		}
		if err := get(t.Context(), second, "/x"); KindOf(err) != KindThrottled {
			t.Fatal(err)
		}
		frozen := time.Since(began)
		third, rec := open("a", page)
		if third.ThrottledUntil().IsZero() || third.Budget().FrozenUntil.IsZero() {
			t.Error("a reload ends the penalty")
		}
		if err := get(t.Context(), third, "/x"); err != nil {
			t.Fatal(err)
		}
		if at := rec.times()[0]; at < frozen+10*time.Minute || at > frozen+11*time.Minute+time.Second {
			t.Errorf("after another it is asked at %v, want 10 to 11 minutes after %v", at, frozen)
		}
	})
}

// Without a key, or without quotas, a client's are its own.
func TestQuotasWithoutAKey(t *testing.T) {
	var quotas Quotas
	for name, change := range map[string]func(*Settings){
		"no quotas": func(s *Settings) { s.QuotaKey = "a" },
		"no key":    func(s *Settings) { s.Quotas = &quotas },
	} {
		transport, _ := script(replies(200, "page"))
		one, two := windowed(t, transport, change), windowed(t, transport, change)
		if err := get(t.Context(), one, "/x"); err != nil {
			t.Fatal(err)
		}
		if got := two.Budget().Remaining; got != 10 {
			t.Errorf("%s: %d remain for another client, want 10", name, got)
		}
	}
}
