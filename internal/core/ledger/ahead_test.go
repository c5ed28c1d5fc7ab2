package ledger

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A call that starts later than a day from now is counted and moves nothing that follows the newest call.
func TestStartsInTheFuture(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct{ start, newest time.Time }{
		"in an hour":       {epoch.Add(time.Hour), epoch.Add(time.Hour)},
		"in a day":         {epoch.Add(day), epoch.Add(day)},
		"later":            {epoch.Add(day + time.Second), epoch.Add(-time.Hour)},
		"in the year 9999": {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), epoch.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.live()
			r.records(call("a", start(epoch.Add(-time.Hour))))
			if got := r.records(call("b", start(c.start), outcome(cdr.Failed))); got.New != 1 {
				t.Fatalf("%+v", got)
			}
			if got := r.feed.State().NewestCall; !got.Equal(c.newest) {
				t.Errorf("the newest call starts at %s, want %s", got, c.newest)
			}
			var newest time.Time
			for _, attempts := range r.ledger.Store().LastAttempts() {
				if at := attempts.Newest(); at.After(newest) {
					newest = at
				}
			}
			if !newest.Equal(c.newest) {
				t.Errorf("the newest attempt starts at %s, want %s", newest, c.newest)
			}
		})
	}
}
