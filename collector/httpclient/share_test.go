package httpclient

import (
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// TestShare: a client that is to leave room uses a part of what is configured, or of the provider's
// own limit if that is less.
func TestShare(t *testing.T) {
	own := Limit{Requests: 10, Per: time.Minute}
	for name, tc := range map[string]struct {
		settings Settings
		want     float64 // requests a minute
	}{
		"all":                       {Settings{RequestsPerMinute: 600}, 600},
		"a tenth":                   {Settings{RequestsPerMinute: 600, Share: 0.1}, 60},
		"a tenth of the provider's": {Settings{Limit: own, Share: 0.1}, 1},
		"the less of both":          {Settings{RequestsPerMinute: 600, Limit: own, Share: 0.5}, 5},
		"all of both":               {Settings{RequestsPerMinute: 600, Limit: own}, 600},
	} {
		t.Run(name, func(t *testing.T) {
			tc.settings.BaseURL = "http://127.0.0.1:1"
			c, err := New(tc.settings)
			if err != nil {
				t.Fatal(err)
			}
			if got := 60 * float64(c.perMinute.Limit()); got < tc.want-1e-6 || got > tc.want+1e-6 {
				t.Errorf("%g a minute, want %g", got, tc.want)
			}
		})
	}
	if c, err := New(Settings{BaseURL: "http://127.0.0.1:1", Share: 0.1}); err != nil ||
		c.perMinute.Limit() != rate.Inf {
		t.Errorf("a share of an unlimited rate must be unlimited: %v", err)
	}
}
