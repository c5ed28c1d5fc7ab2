package httpclient

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestThrottled(t *testing.T) {
	date := func(after time.Duration) string {
		// A synctest clock starts at midnight UTC 2000-01-01.
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(after).Format(http.TimeFormat)
	}
	theirs := replies(429, "", "Retry-After: "+date(time.Hour+40*time.Second), "Date: "+date(time.Hour))
	ours := replies(503, "", "Retry-After: "+date(15*time.Second))
	const short, less = 600 * time.Millisecond, 400 * time.Millisecond
	for _, test := range []struct {
		name      string
		refusal   reply
		times     int           // that it comes, before there is a page
		wait      time.Duration // after each, at least
		slack     time.Duration // at most this much more
		throttled time.Duration // at least, and at most slack more
	}{
		{"429 with seconds", replies(429, "", "Retry-After: 25"), 1, 25 * time.Second, 0, 25 * time.Second},
		{"429 with a date, by the provider's clock", theirs, 1, 40 * time.Second, 0, 40 * time.Second},
		{"503 with a date, by ours", ours, 1, 15 * time.Second, 0, 15 * time.Second},
		{"503 with less than a step", replies(503, "", "Retry-After: 0.1"), 1, short, less, 0},
		{"503 without", replies(503, ""), 1, short, less, 0},
		{"504 with seconds holds this page only", replies(504, "", "Retry-After: 9"), 1, 9 * time.Second, 0, 0},
		{"429 without", replies(429, ""), 1, short, less, short},
		{"429 with 0", replies(429, "", "Retry-After: 0"), 1, short, less, short},
		{"429 with a past date", replies(429, "", "Retry-After: "+date(-time.Hour)), 1, short, less, short},
		{"429 with a week is capped", replies(429, "", "Retry-After: 604800"), 1, time.Hour, 0, time.Hour},
		{"429 uses up no try", replies(429, "", "Retry-After: 10"), 6, 10 * time.Second, 0, time.Minute},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			seen := &observed{}
			answers := slices.Repeat([]reply{test.refusal}, test.times)
			transport, rec := script(append(answers, replies(200, "page"))...)
			client := newTest(t, transport, func(s *Settings) { s.Observer = seen })
			var got string
			err := client.Fetch(t.Context(), Request{Feed: "pstn", URL: "/x"}, readAll(&got))
			at := rec.times()
			if err != nil || got != "page" || len(at) != test.times+1 {
				t.Fatalf("got %q after %d requests, %v", got, len(at), err)
			}
			for i, now := range at {
				if want := time.Duration(i) * test.wait; now < want || now > want+test.slack {
					t.Errorf("request %d at %v, want %v to %v", i, now, want, want+test.slack)
				}
			}
			if got := seen.throttled["pstn"]; got < test.throttled || got > test.throttled+test.slack {
				t.Errorf("throttled for %v, want %v to %v", got, test.throttled, test.throttled+test.slack)
			}
		})
	}
}

// One feed is refused: the others wait too, and each counts its own wait.
func TestThrottlingHoldsAllFeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &observed{}
		transport, rec := script(replies(429, "", "Retry-After: 60"), replies(200, "page"))
		client := newTest(t, transport, func(s *Settings) { s.Observer = seen })
		var feeds sync.WaitGroup
		for i, feed := range []string{"pstn", "direct_routing"} {
			feeds.Go(func() {
				bubbleSleep(t, time.Duration(i)*5*time.Second)
				if err := client.Fetch(t.Context(), Request{Feed: feed, URL: "/x"}, readAll(new(string))); err != nil {
					t.Error(err)
				}
			})
		}
		bubbleSleep(t, 31*time.Second)
		synctest.Wait()
		seen.mu.Lock()
		if got := seen.throttled["pstn"]; got != 30*time.Second {
			t.Errorf("after 31s %v of pstn's wait were reported, want 30s", got)
		}
		seen.mu.Unlock()
		feeds.Wait()
		at := rec.times()
		if len(at) != 3 || at[0] != 0 || at[1] != time.Minute || at[2] != time.Minute {
			t.Errorf("requests at %v, want 0s and twice 1m", at)
		}
		if seen.throttled["pstn"] != time.Minute || seen.throttled["direct_routing"] != 55*time.Second {
			t.Errorf("throttled %v, want 1m and 55s", seen.throttled)
		}
	})
}

// Requests that were under way together are refused together: one step, not several.
func TestThrottleStepsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newTest(t, fakeTransport(nil), nil)
		first := client.limiter.hold(0)
		if second := client.limiter.hold(0); second != first {
			t.Errorf("a second refusal made %v of %v", second, first)
		}
		if got := client.limiter.hold(time.Minute); got != time.Minute {
			t.Errorf("a longer hold is %v", got)
		}
		if got := client.limiter.hold(time.Second); got != time.Minute {
			t.Errorf("a shorter one shortens it to %v", got)
		}
	})
}

// TestPace: requests follow one another at the configured rate, or the provider's own, or a share of the lower one.
func TestPace(t *testing.T) {
	own := Limit{Requests: 60, Per: time.Minute}
	for _, test := range []struct {
		name     string
		settings Settings
		burst    int
		gap      time.Duration
	}{
		{"slow", Settings{RequestsPerMinute: 30}, 1, 2 * time.Second},
		{"default of Graph", Settings{RequestsPerMinute: 600}, 10, 100 * time.Millisecond},
		{"fast", Settings{RequestsPerMinute: 6000}, 10, 10 * time.Millisecond},
		{"a tenth", Settings{RequestsPerMinute: 600, Share: 0.1}, 1, time.Second},
		{"a tenth of the provider's", Settings{Limit: own, Share: 0.1}, 1, 10 * time.Second},
		{"half of the lower one", Settings{RequestsPerMinute: 600, Limit: own, Share: 0.5}, 1, 2 * time.Second},
		{"a share of no limit", Settings{Share: 0.1}, 1, 0},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			transport, rec := script(replies(200, "page"))
			test.settings.BaseURL = testBase
			client := newTest(t, transport, func(s *Settings) { *s = test.settings; s.Transport = transport })
			const more = 5
			for range test.burst + more {
				require.NoError(t, client.Fetch(t.Context(), Request{URL: "/x"}, readAll(new(string))))
			}
			at := rec.times()
			want, got := more*test.gap, at[len(at)-1]
			if at[test.burst-1] != 0 || (got-want).Abs() > time.Millisecond {
				t.Errorf("requests at %v; want %d at once and the last at %v", at, test.burst, want)
			}
		})
	}
}

func TestThrottlingIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		transport, _ := script(replies(429, "body-secret", "Retry-After: 30"), replies(500, "body-secret"),
			replies(200, "page"))
		client := newTest(t, transport, func(s *Settings) {
			s.Logger = textLogger(&log)
			s.Token = tokenFunc(func() string { return "token-secret" })
		})
		if err := client.Fetch(t.Context(), Request{Feed: "pstn", URL: "/x?query-secret", Label: "calls"},
			readAll(new(string))); err != nil {
			t.Fatal(err)
		}
		got := log.String()
		for _, want := range []string{
			`level=WARN msg="The provider throttles" feed=pstn endpoint=calls wait=30s err="GET calls: 429 Too Many Requests"`,
			`level=INFO msg="Request failed, retrying" feed=pstn endpoint=calls repeat=1 wait=`,
			`err="GET calls: 500 Internal Server Error"`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("the log has no %s:\n%s", want, got)
			}
		}
		if strings.Contains(got, "secret") {
			t.Errorf("the log has a secret:\n%s", got)
		}
	})
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestParseRetryAfter(t *testing.T) {
	date := func(t time.Time) string { return t.Format(http.TimeFormat) }
	for _, test := range []struct {
		name, value string
		date        time.Time
		want        time.Duration
	}{
		{name: "absent", value: ""},
		{name: "blank", value: "  "},
		{name: "seconds", value: "120", want: 2 * time.Minute},
		{name: "seconds with blanks", value: " 7 ", want: 7 * time.Second},
		{name: "zero", value: "0"},
		{name: "fraction", value: "1.5", want: 1500 * time.Millisecond},
		{name: "negative", value: "-30"},
		{name: "a day is capped", value: "86400", want: time.Hour},
		{name: "more digits than a number has", value: "99999999999999999999999999", want: time.Hour},
		{name: "text", value: "soon"},
		{name: "exponent", value: "1e3"},
		{name: "hexadecimal", value: "0x10"},
		{name: "infinite", value: "Inf"},
		{name: "a dot", value: "."},
		{name: "trailing dot", value: "5.", want: 5 * time.Second},
		{name: "minus", value: "-"},
		{
			name: "date against the answer's date", value: date(noon.Add(30 * time.Second)), date: noon,
			want: 30 * time.Second,
		},
		{
			name: "date against a clock that is 10 min ahead", value: date(noon.Add(11 * time.Minute)),
			date: noon.Add(10 * time.Minute), want: time.Minute,
		},
		{name: "date without the answer's date", value: date(noon.Add(45 * time.Second)), want: 45 * time.Second},
		{name: "date that has passed", value: date(noon.Add(-time.Minute)), date: noon},
		{name: "date of next year is capped", value: date(noon.AddDate(1, 0, 0)), date: noon, want: time.Hour},
		{name: "RFC 850 date", value: "Sunday, 01-Mar-26 12:00:10 GMT", date: noon, want: 10 * time.Second},
		{name: "asctime date", value: "Sun Mar  1 12:00:20 2026", date: noon, want: 20 * time.Second},
		{name: "RFC 3339 date", value: "2026-03-01T12:00:10Z", date: noon, want: 10 * time.Second},
		{name: "date without a time", value: "2026-03-02", date: noon},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Retry-After": {test.value}}
			if !test.date.IsZero() {
				header.Set("Date", date(test.date))
			}
			if got := ParseRetryAfter(header, noon); got != test.want {
				t.Errorf("ParseRetryAfter(%q) = %v, want %v", test.value, got, test.want)
			}
		})
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"", "0", "120", "-1", "1.5", "9e9", "NaN", "99999999999999999999",
		"Sun, 01 Mar 2026 12:00:10 GMT", "Sunday, 01-Mar-26 12:00:10 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT",
	} {
		f.Add(seed, int64(0))
		f.Add(seed, int64(1772366400))
	}
	f.Fuzz(func(t *testing.T, value string, unix int64) {
		header := http.Header{"Retry-After": {value}, "Date": {time.Unix(unix, 0).UTC().Format(http.TimeFormat)}}
		if got := ParseRetryAfter(header, noon); got < 0 || got > MaxRetryAfter {
			t.Errorf("ParseRetryAfter(%q) = %v", value, got)
		}
	})
}
