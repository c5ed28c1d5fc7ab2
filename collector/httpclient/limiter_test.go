package httpclient

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// The limit is used in full, hour after hour, and never overrun, whatever the way takes
// and however many feeds there are. One request at a time bounds it where an answer
// takes longer than the sixth of a minute that each may have.
func TestLimitIsUsedInFullAndNeverOverrun(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		name  string
		way   func() time.Duration
		least float64 // answers a minute
	}{
		{"at once", always(0), 9.95},
		{"near", between(random, 10*time.Millisecond, 200*time.Millisecond), 9.8},
		{"far", between(random, 200*time.Millisecond, 800*time.Millisecond), 9.6},
		{"farther", between(random, 300*time.Millisecond, 1500*time.Millisecond), 9.4},
		{"three seconds", always(1500 * time.Millisecond), 9.5},
		{"now and then slow", mostly(random, 50*time.Millisecond, 4*time.Second), 9.6},
		{"anything", between(random, 0, 8*time.Second), 6.5},
		{"slower than the limit", always(5 * time.Second), 5.95},
	} {
		for _, feeds := range [][]string{{"call_log"}, {"call_log", "active_calls", "other"}} {
			inBubble(t, test.name+", feeds: "+string(rune('0'+len(feeds))), func(t *testing.T) {
				const long = 4 * time.Hour
				server := newSliding(test.way)
				saturate(t, windowed(t, server, nil), feeds, long)
				if server.refused != 0 {
					t.Errorf("%d of %d requests were refused", server.refused, len(server.ours))
				}
				if rate := float64(server.answered) / long.Minutes(); rate < test.least {
					t.Errorf("%.2f answers a minute, want %.2f", rate, test.least)
				}
			})
		}
	}
}

// Another program uses the credential too: few requests are refused, and none within a penalty.
func TestLimitSharedWithAnotherProgram(t *testing.T) {
	for _, test := range []struct {
		name  string
		gap   time.Duration // of the other program's requests, on average
		burst int
		least float64 // of ours a minute
	}{
		{"steadily", 15 * time.Second, 1, 8},
		{"in bursts", 2 * time.Minute, 6, 9},
		{"all that it can", 5 * time.Second, 1, 7},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			const long = 6 * time.Hour
			random := rand.New(rand.NewPCG(3, 4))
			server := newSliding(between(random, 50*time.Millisecond, 500*time.Millisecond))
			began, other := time.Now(), rand.New(rand.NewPCG(5, 6))
			done := make(chan struct{})
			go func() {
				defer close(done)
				for time.Since(began) < long {
					bubbleSleep(t, time.Duration(other.Float64()*2*float64(test.gap)))
					for range test.burst {
						server.arriveIfRoom()
					}
				}
			}()
			saturate(t, windowed(t, server, nil), []string{"a", "b", "c"}, long)
			<-done
			if server.early != 0 {
				t.Errorf("of %d refused, %d came in a penalty", server.refused, server.early)
			}
			if rate := float64(server.answered) / long.Minutes(); rate < test.least {
				t.Errorf("%.2f answers a minute, want %.2f", rate, test.least)
			}
		})
	}
}

// TestLimitIsFrozenByOneRefusal: a 429 stops every feed, including those in the queue, until the
// penalty is over. A request within it would restart it.
func TestLimitIsFrozenByOneRefusal(t *testing.T) {
	for _, test := range []struct {
		name         string
		silent, mute bool
		penalty      time.Duration // of the server
		most         time.Duration // until it is asked again
	}{
		{"with Retry-After", false, false, time.Minute, 67 * time.Second},
		{"with nothing else", false, true, time.Minute, 67 * time.Second},
		{"a short one", false, false, 5 * time.Second, 67 * time.Second},
		{"without, but nothing remains", true, false, time.Minute, 67 * time.Second},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			server := newSliding(always(200 * time.Millisecond))
			server.silent, server.mute, server.penalty = test.silent, test.mute, test.penalty
			client := windowed(t, server, nil)
			go func() {
				bubbleSleep(t, 500*time.Millisecond) // while the second is on its way
				server.fill()
			}()
			saturate(t, client, []string{"a", "b", "c", "d"}, 2*time.Minute)
			const refused = 1 // the second request
			gap := server.ours[refused+1].Sub(server.ours[refused])
			if gap < test.penalty || gap > test.most || server.early != 0 {
				t.Errorf("asked again after %v, want %v to %v; %d in the penalty", gap, test.penalty, test.most,
					server.early)
			}
		})
	}
}

// Two refusals of which neither says for how long: the second hold is twice as long, so
// that a penalty longer than it was taken for ends. Once the provider answers, holds are short again.
func TestLimitRefusedWithoutAnyWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newSliding(always(200 * time.Millisecond))
		server.silent, server.mute = true, true
		server.fill()
		client := windowed(t, server, nil)
		saturate(t, client, []string{"a", "b"}, 5*time.Minute)
		if server.refused != 2 || server.answered < 10 {
			t.Errorf("%d refused and %d answered, want 2 and 10 or more", server.refused, server.answered)
		}
		first, second := server.ours[1].Sub(server.ours[0]), server.ours[2].Sub(server.ours[1])
		if first < 30*time.Second || first > 34*time.Second || second < time.Minute || second > 67*time.Second {
			t.Errorf("asked again after %v and %v, want 30 s and 60 s, and a tenth more at most", first, second)
		}
		server.limit = 0 // it refuses again: answers in between end the longer hold
		asked := len(server.ours)
		saturate(t, client, []string{"c"}, 2*time.Minute)
		if again := server.ours[asked+1].Sub(server.ours[asked]); again < 30*time.Second || again > 34*time.Second {
			t.Errorf("after answers asked again after %v, want 30 s, and a tenth more at most", again)
		}
	})
}

// When the provider says when to come again, that is when, though nothing remained.
func TestRetryAfterComesBeforeWhatRemains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, rec := script(
			replies(200, "page"),
			replies(429, "", "Retry-After: 20", "X-Rate-Limit-Remaining: 0"), replies(200, "page"),
		)
		client := windowed(t, transport, nil)
		for range 2 {
			require.NoError(t, client.Fetch(t.Context(), Request{URL: "/x"}, readAll(new(string))))
		}
		if at := rec.times()[2]; at < 20*time.Second || at > 22*time.Second {
			t.Errorf("asked again after %v, want 20 s to a tenth more", at)
		}
	})
}

// gaps asks one after another and says when each request was sent.
func gaps(t *testing.T, requests int, answers ...reply) ([]time.Duration, *Client) {
	t.Helper()
	transport, rec := script(answers...)
	client := windowed(t, transport, nil)
	for range requests {
		if _, err := client.Get(t.Context(), Request{URL: "/x"}); err != nil {
			t.Fatal(err)
		}
	}
	return rec.times(), client
}

// budget is the rest of RingCentral's heavy group.
func budget(limit, remaining int) Budget {
	return Budget{Group: "heavy", Limit: limit, Remaining: remaining, Per: time.Minute}
}

// says is a page with some of the headers of the limit.
func says(header ...string) reply {
	for i, line := range header {
		header[i] = "X-Rate-Limit-" + line
	}
	return replies(200, "page", header...)
}

func TestLimitHeaders(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer reply
		burst  int    // requests before the limit holds the next one
		budget Budget // at the end
	}{
		{"none", says(), 10, budget(10, 9)},
		{"garbage", says("Limit: many", "Remaining: -", "Window: 1m", "Group: \x01<b>"), 10, budget(10, 9)},
		{"out of bounds", says("Limit: 0", "Remaining: -3", "Window: 99999999"), 10, budget(10, 9)},
		{"a number too long", says("Limit: 99999999999999999999", "Remaining: 1e9"), 10, budget(10, 9)},
		{"raised", says("Limit: 20"), 20, budget(20, 19)},
		{"lowered", says("Limit: 3"), 3, budget(3, 2)},
		{
			"another length", says("Window: 20"), 10,
			Budget{Group: "heavy", Limit: 10, Remaining: 9, Per: 20 * time.Second},
		},
		{"blanks and another case", says("Group: HEAVY", "Limit:  7 "), 7, budget(7, 6)},
		{"of another group", says("Group: light", "Limit: 50", "Remaining: 0", "Window: 1"), 10, budget(10, 9)},
		{"of a group with a long name", says("Group: heavy-heavy-heavy-heavy-heavy", "Limit: 50"), 10, budget(10, 9)},
		{"more remain than may be", says("Remaining: 10000"), 10, budget(10, 9)},
		{"none remain", says("Remaining: 0"), 1, budget(10, 0)},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			got, client := gaps(t, test.burst+1, test.answer)
			want := append(make([]time.Duration, test.burst), test.budget.Per+windowMargin)
			if !slices.Equal(got, want) {
				t.Errorf("asked at %v, want %v", got, want)
			}
			if budget := client.Budget(); budget != test.budget {
				t.Errorf("the budget is %+v, want %+v", budget, test.budget)
			}
		})
	}
}

// A limit that changes is kept to from the answer on that tells of it; so is a window
// that gets longer.
func TestLimitChanges(t *testing.T) {
	const s, full = time.Second, time.Minute + windowMargin
	for _, test := range []struct {
		name    string
		answers []reply
		want    []time.Duration
	}{
		{"raised in the middle", []reply{says("Limit: 2"), says("Limit: 4")}, []time.Duration{0, 0, 0, 0, full}},
		{"lowered in the middle", []reply{says(), says(), says("Limit: 2")}, []time.Duration{0, 0, 0, full, full}},
		{
			"longer in the middle, for the requests from then on",
			[]reply{says("Limit: 2", "Window: 10"), says("Window: 30")},
			[]time.Duration{0, 0, 10*s + windowMargin, 30*s + windowMargin},
		},
		{
			"the rest of an answer without numbers",
			[]reply{says("Remaining: 2"), says()},
			[]time.Duration{0, 0, 0, full, full},
		},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			if got, _ := gaps(t, len(test.want), test.answers...); !slices.Equal(got, test.want) {
				t.Errorf("asked at %v, want %v", got, test.want)
			}
		})
	}
}

func TestBudgetSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, _ := script(replies(200, "page"), replies(429, "", "Retry-After: 60"), replies(200, "page"))
		client := windowed(t, transport, nil)
		want := budget(10, 10)
		if got := client.Budget(); got != want {
			t.Errorf("before any request: %+v, want %+v", got, want)
		}
		for range 2 {
			_, _ = client.Get(t.Context(), Request{URL: "/x"}) // the second is refused
		}
		got := client.Budget()
		if left := time.Until(got.FrozenUntil); got.Remaining != 8 || left < time.Minute || left > 66*time.Second {
			t.Errorf("after a refusal: %+v, frozen for %v", got, left)
		}
		bubbleSleep(t, 67*time.Second)
		if got := client.Budget(); got != want {
			t.Errorf("afterwards: %+v, want %+v", got, want)
		}
		plain := newTest(t, transport, func(s *Settings) { s.RequestsPerMinute = 600 })
		if got, want := plain.Budget(), (Budget{Limit: 600, Remaining: -1, Per: time.Minute}); got != want {
			t.Errorf("without a window: %+v, want %+v", got, want)
		}
		for perMinute, want := range map[int]Budget{
			12: {Group: "heavy", Limit: 12, Remaining: -1, Per: time.Minute},
			60: {Group: "heavy", Limit: 10, Remaining: 10, Per: 20 * time.Second}, // 30 a minute
		} {
			both := windowed(t, transport, func(s *Settings) {
				s.RequestsPerMinute, s.Limit.Per = perMinute, 20*time.Second
			})
			if got := both.Budget(); got != want {
				t.Errorf("of %d a minute and a window: %+v, want %+v", perMinute, got, want)
			}
		}
	})
}

// FuzzLimitHeaders: whatever the headers contain, there is a limit, and a request is allowed within
// the longest window.
func FuzzLimitHeaders(f *testing.F) {
	f.Add("heavy", "10", "3", "60", 200)
	f.Add("Light", "0", "-1", "", 429)
	f.Add("", "999999999999999999999", "0", "3600", 503)
	f.Add("\x00", " 1 ", "0x10", "3601", 0)
	f.Fuzz(func(t *testing.T, group, limit, remaining, per string, status int) {
		l := NewLimiter(heavy())
		resp := answer(200, "")
		resp.Header["X-Rate-Limit-Group"] = []string{group}
		resp.Header["X-Rate-Limit-Limit"] = []string{limit}
		resp.Header["X-Rate-Limit-Remaining"] = []string{remaining}
		resp.Header["X-Rate-Limit-Window"] = []string{per}
		for range 3 {
			_ = l.Take()
			l.Learn(status, resp.Header)
			b := l.Budget()
			if b.Limit < 1 || b.Limit > maxLimit || b.Per <= 0 || b.Per > maxWindow || b.Remaining < 0 ||
				b.Remaining > b.Limit {
				t.Fatalf("the budget is %+v", b)
			}
			if full := l.Take(); full > maxWindow+windowMargin {
				t.Fatalf("full for %v", full)
			}
		}
	})
}

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
			require.NoError(t, get(t.Context(), first, "/x"))
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
			require.NoError(t, get(t.Context(), second, "/x"))
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
		require.NoError(t, get(t.Context(), third, "/x"))
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
		require.NoError(t, get(t.Context(), one, "/x"))
		if got := two.Budget().Remaining; got != 10 {
			t.Errorf("%s: %d remain for another client, want 10", name, got)
		}
	}
}
