package collector

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestReadAgain: a day that an audit names is read once more piece by piece. A restart doesn't lose it, nor does a
// provider that fails on a piece of it for hours: neither holds up the feed.
func TestReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := quiet(t, minutely, time.Now())
		day := time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Hour)
		missed := day.Add(10 * time.Hour)
		m.rows = []modelRow{{id: "missed", start: missed, published: day}}
		var failing atomic.Bool
		failing.Store(true)
		m.fault = func(from, to time.Time, _ int) error {
			if failing.Load() && !missed.Before(from) && missed.Before(to) {
				return errProvider
			}
			return nil
		}
		l := loopOver(m, time.Minute, 48*time.Hour)
		require.NoError(t, l.ReadAgain(t.Context(), day, day.AddDate(0, 0, 1)))
		l.Stop() // before it was read
		l = loopOver(m, time.Minute, 48*time.Hour)
		l.Start()
		pass(t, 5*time.Hour)
		s, spans := l.Status(), m.State().Spans
		if s.State != StateOK || len(s.Unread) > 0 || len(spans) != 1 ||
			!strings.Contains(spans[0].Problem, errProvider.Error()) {
			t.Errorf("the state is %s, skipped is %v, owed are %+v", s.State, s.Unread, spans)
		}
		failing.Store(false)
		pass(t, 7*time.Hour)
		l.Stop()
		if left := m.missing(time.Now()); len(left) > 0 || len(m.State().Spans) > 0 {
			t.Errorf("missing are %v, owed are %v", left, m.State().Spans)
		}
	})
}

// TestReadAgain_BeforeTheFeedIsOpen: the caller tries again.
func TestReadAgain_BeforeTheFeedIsOpen(t *testing.T) {
	l := loopOver(newModel(t, time.Now()), time.Minute, time.Hour, func(s *FeedSettings) { s.Ledger = &pages{} })
	if err := l.ReadAgain(t.Context(), time.Now(), time.Now()); err == nil {
		t.Error("a span was added to a feed whose state isn't known")
	}
}
