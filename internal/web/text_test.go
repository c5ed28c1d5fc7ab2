package web

import (
	"math"
	"testing"
	"time"
)

func TestSpanText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour:                      "0 s",
		0:                               "0 s",
		999 * time.Millisecond:          "0 s",
		59*time.Second + 999999999:      "59 s",
		time.Minute:                     "1 min",
		59*time.Minute + 59*time.Second: "59 min",
		time.Hour:                       "1 h",
		time.Hour + 60*time.Second:      "1 h 1 min",
		47*time.Hour + 59*time.Minute:   "47 h 59 min",
		48 * time.Hour:                  "2 d",
		73*time.Hour + 59*time.Minute:   "3 d 1 h",
		time.Duration(math.MaxInt64):    "106751 d 23 h",
	} {
		if got := spanText(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestCountText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 999999: "999,999", 1234567: "1,234,567",
		-1: "-1", -1000: "-1,000", math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := countText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestBudgetText(t *testing.T) {
	for _, test := range []struct {
		budget *Budget
		want   string
	}{
		{&Budget{Limit: 10, Remaining: new(10), WindowSeconds: 60}, "10 of 10 requests left (limit per 60 s)"},
		{&Budget{Group: "heavy", Limit: 10, Remaining: new(0), WindowSeconds: 60}, "heavy: 0 of 10 requests left (limit per 60 s)"},
		{&Budget{Limit: 36000, WindowSeconds: 3600}, "at most 36,000 requests per 3,600 s"},
		{
			&Budget{Group: "heavy", Limit: 10, Remaining: new(4), WindowSeconds: 60, FrozenUntil: ago(-time.Minute)},
			"heavy: 4 of 10 requests left (limit per 60 s), throttled until 12:01:00",
		},
	} {
		if got := viewNow().BudgetText(test.budget); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.budget, got, test.want)
		}
	}
}

func viewNow() view { return view{Status: Status{Now: Time(now)}} }

func TestTaskText(t *testing.T) {
	for name, test := range map[string]struct {
		feed Feed
		want string
	}{
		"lists hold the records": {Feed{}, ""},
		"nothing waits":          {Feed{Waiting: new(0), SetAside: new(0)}, "0 waiting to be fetched"},
		"some wait":              {Feed{Waiting: new(1234)}, "1,234 waiting to be fetched"},
		"some are set aside":     {Feed{Waiting: new(0), SetAside: new(2)}, "0 waiting to be fetched, 2 deferred after failures"},
		"an unreadable span":     {Feed{Unread: []string{"A/B"}}, "unreadable: A/B"},
		"unreadable spans":       {Feed{Unread: []string{"A/B", "C/D", "E/F"}}, "unreadable: A/B and 2 more time ranges"},
		"unknown progress":       {Feed{Snapshot: true}, ""},
		"no call":                {Feed{Snapshot: true, InProgress: new(0)}, "0 calls in progress"},
		"calls":                  {Feed{Snapshot: true, InProgress: new(1200)}, "1,200 calls in progress"},
	} {
		if got := workText(test.feed); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestSubscriptionText(t *testing.T) {
	for name, test := range map[string]struct {
		subscription *Subscription
		want         string
	}{
		"none yet":   {&Subscription{}, "not subscribed"},
		"subscribed": {&Subscription{Expires: ago(-24 * time.Hour)}, "subscribed until 2026-03-30 12:00:00"},
		"notified": {
			&Subscription{Expires: ago(-time.Hour), LastNotification: ago(90 * time.Second)},
			"subscribed until 13:00:00, last notification 1 min ago",
		},
		"lost": {&Subscription{LastNotification: ago(3 * time.Hour)}, "not subscribed, last notification 3 h ago"},
	} {
		if got := viewNow().SubscriptionText(test.subscription); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "–", 999: "999 bytes", 1000: "1.0 kB", 99949: "99.9 kB", 123456: "123 kB", 1234567890: "1.2 GB", math.MaxInt64: "9223372 TB",
	} {
		if got := sizeText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestOverflowText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "none over the limit", 1: "1 observation folded into overflow: raise metrics.series_limit, or see which label grows",
	} {
		if got := overflowText(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	feeds := func(states ...State) []Source {
		var sources []Source
		for _, state := range states {
			sources = append(sources, Source{Feeds: []Feed{{State: state}}})
		}
		return sources
	}
	for name, test := range map[string]struct {
		status Status
		text   string
		worst  State
	}{
		"no feeds": {Status{Ready: true}, "Ready. No feeds yet.", ""},
		"one":      {Status{Ready: true, Sources: feeds("ok")}, "Ready. 1 feed: 1 ok.", "ok"},
		"worst first": {
			Status{Ready: true, Sources: feeds("ok", "throttled", "ok", "error", "catching_up")},
			"Ready. 5 feeds: 1 error, 1 throttled, 1 catching up, 2 ok.", "error",
		},
		"not ready": {Status{NotReady: "it reads.", Sources: feeds("catching_up")}, "Not ready: it reads. 1 feed: 1 catching up.", "catching_up"},
	} {
		text, worst := summary(test.status)
		if text != test.text || worst != test.worst {
			t.Errorf("%s: got %q %q, want %q %q", name, text, worst, test.text, test.worst)
		}
	}
}
