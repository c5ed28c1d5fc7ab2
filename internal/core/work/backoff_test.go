package work

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		name     string
		backoff  Backoff
		failures int
		want     time.Duration
	}{
		{"a poll, once", Poll, 1, time.Second},
		{"a poll, six times", Poll, 6, 32 * time.Second},
		{"a poll, seven times", Poll, 7, time.Minute},
		{"a poll, for long", Poll, 1000, time.Minute},
		{"a record, once", Fetch, 1, 30 * time.Second},
		{"a record, for long", Fetch, 1000, 15 * time.Minute},
		{"a span, once", Rereading, 1, 5 * time.Second},
		{"a span, for long", Rereading, 1000, 6 * time.Hour},
	} {
		if got := c.backoff.After(c.failures, 0); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		least := c.want - time.Duration(c.backoff.Jitter*float64(c.want))
		if got := c.backoff.After(c.failures, 0.999); got < least || got > least+c.want/100 {
			t.Errorf("%s, with the most jitter: %s, want %s", c.name, got, least)
		}
	}
}
