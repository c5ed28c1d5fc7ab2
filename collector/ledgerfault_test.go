package collector

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// errRight is a ledger that takes empty commits only: a right on one table was revoked.
var errRight = errors.New("ledger: permission denied for table series")

// TestRule35_AFailingLedgerStepsOverNothing (counting.md 35): a ledger that refuses every page with
// rows, while empty ones can be committed, makes no span unreadable and moves no position past a
// call.
func TestRule35_AFailingLedgerStepsOverNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := newModel(begin.Add(-3 * time.Hour))
		traffic(m, begin.Add(20*time.Hour), 20*time.Minute, 6*time.Hour)
		m.refuse = func(p *counting.Page) error {
			if since := time.Since(begin); len(p.Records) > 0 && since > time.Hour && since < 8*time.Hour {
				return errRight
			}
			return nil
		}
		l := loopOver(m, time.Minute, 6*time.Hour)
		l.Start()
		pass(t, 7*time.Hour+30*time.Minute)
		if s := l.Status(); s.State != StateError || !strings.Contains(s.LastError, errRight.Error()) {
			t.Errorf("it shows %s, %q", s.State, s.LastError)
		}
		if left := m.missing(m.State().Watermark); len(l.Status().Unread) != 0 || len(left) != 0 {
			t.Errorf("stepped over are %v; the watermark has passed %d calls that weren't counted", l.Status().Unread,
				len(left))
		}
		pass(t, 20*time.Hour)
		l.Stop()
		if left := m.missing(begin.Add(20 * time.Hour)); len(left) != 0 || len(l.Status().Unread) != 0 {
			t.Errorf("%d calls weren't counted, and %v is stepped over", len(left), l.Status().Unread)
		}
	})
}

// TestRule35_AFailingLedgerIsNoRefusalOfATask (counting.md 35): what the ledger can't take is
// fetched again, as often as it takes.
func TestRule35_AFailingLedgerIsNoRefusalOfATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := newTaskModel(begin)
		m.add(begin.Add(time.Minute), begin.Add(10*time.Hour), 30*time.Minute, 0)
		m.refuse = func(page *counting.Page) error {
			if len(page.Records) > 0 && time.Since(begin) < 8*time.Hour {
				return errRight
			}
			return nil
		}
		loop := m.loop()
		loop.Start()
		pass(t, 7*time.Hour)
		_, setAside, err := m.Waiting(t.Context())
		if s := loop.Status(); err != nil || setAside != 0 || m.attempts() != 0 || s.State != StateError ||
			!strings.Contains(s.LastError, errRight.Error()) {
			t.Errorf("%d are set aside; it shows %s, %q", setAside, s.State, s.LastError)
		}
		pass(t, 60*time.Hour)
		loop.Stop()
		m.wantWhole(t)
	})
}
