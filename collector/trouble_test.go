package collector

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/long"
)

// troubled is a model to which things happen.
type troubled struct {
	*model
	t                  *testing.T
	interval, lookback time.Duration
	random             *rand.Rand
	deck               []int // the kinds of trouble that are still to come, each as often as the others
	loop               *Loop
	flips, lies        *rand.Rand
	slept              skewed // the machine, with its clock

	world   sync.Mutex
	trouble trouble // guarded by world
}

// trouble is what is wrong at present.
type trouble struct {
	skew, lie  time.Duration // of our clock, and of the provider's Date
	down, full bool
	longest    time.Duration // longer ranges fail; 0: none
	flaky      float64
}

// now is what is wrong at present; change makes it something else.
func (tr *troubled) now() trouble {
	tr.world.Lock()
	defer tr.world.Unlock()
	return tr.trouble
}

func (tr *troubled) change(to trouble) {
	tr.world.Lock()
	defer tr.world.Unlock()
	tr.trouble = to
}

// with makes something wrong for a while.
func (tr *troubled) with(is trouble, d time.Duration) {
	if is.flaky == 0 {
		is.flaky = usually.flaky
	}
	tr.change(is)
	pass(tr.t, d)
	tr.change(usually)
}

var usually = trouble{flaky: 0.02}

func newTroubled(t *testing.T, seed uint64, interval, lookback time.Duration) *troubled {
	tr := &troubled{
		model: newModel(t, time.Now().Add(-lookback)), t: t, interval: interval, lookback: lookback,
		random: seeded(seed), flips: seeded(seed + 100), lies: seeded(seed + 200), trouble: usually,
	}
	tr.prunes = true
	tr.latency = 150 * time.Millisecond
	tr.pageSize = 300
	tr.clock = tr.slept.now
	tr.local = func() time.Time { return tr.clock().Add(tr.now().skew) }
	tr.date = func() time.Time {
		if tr.lies.IntN(300) == 0 {
			return tr.clock().Add(-26 * time.Hour) // one bad front end
		}
		return tr.clock().Add(tr.now().lie).Truncate(time.Second)
	}
	tr.fault = func(from, to time.Time, _ int) error {
		is := tr.now()
		if is.down || tr.flips.Float64() < is.flaky || is.longest > 0 && to.Sub(from) > is.longest {
			return errProvider
		}
		return nil
	}
	tr.refuse = func(*counting.Page) error {
		if tr.now().full {
			return ledger.ErrFull
		}
		if tr.flips.IntN(500) == 0 {
			return fmt.Errorf("commit: %w", ledger.ErrFenced)
		}
		return nil
	}
	return tr
}

func (tr *troubled) start() {
	tr.mu.Lock()
	tr.answered = false
	tr.mu.Unlock()
	tr.loop = loopOver(tr.model, tr.interval, tr.lookback)
	tr.loop.Start()
}

// between is a random time, short ones as likely as long ones.
func (tr *troubled) between(least, most time.Duration) time.Duration {
	d := least + time.Duration(tr.random.Float64()*float64(most-least))
	for range tr.random.IntN(4) {
		d = max(least, d/3)
	}
	return d
}

// wrong is by how much a clock is ahead or behind.
func (tr *troubled) wrong() time.Duration {
	by := tr.between(time.Second, 2*tr.lookback)
	if tr.random.IntN(4) == 0 {
		by = 400 * day
	}
	return by * time.Duration(1-2*tr.random.IntN(2))
}

// next is the kind of trouble that comes next: all of them once, then all again, in random order.
func (tr *troubled) next(kinds int) int {
	if len(tr.deck) == 0 {
		tr.deck = tr.random.Perm(kinds)
	}
	kind := tr.deck[0]
	tr.deck = tr.deck[1:]
	return kind
}

const kinds = 10 // of trouble

// happen makes one thing happen, and ends it.
func (tr *troubled) happen() {
	long := tr.lookback * 2
	switch tr.next(kinds) {
	case 0: // a quick restart
		tr.loop.Stop()
		tr.start()
	case 1: // downtime
		tr.loop.Stop()
		pass(tr.t, tr.between(time.Minute, long))
		tr.start()
	case 2: // the provider is down
		tr.with(trouble{down: true}, tr.between(time.Minute, long))
	case 3: // the provider is slow with long ranges
		tr.with(trouble{longest: tr.between(10*time.Minute, tr.lookback)}, tr.between(time.Minute, long))
	case 4: // the disk is full
		tr.with(trouble{full: true}, tr.between(time.Minute, long/4))
	case 5: // our clock is set
		tr.change(trouble{flaky: usually.flaky, skew: tr.wrong()})
		pass(tr.t, tr.between(time.Minute, tr.lookback/4))
		if tr.random.IntN(2) == 0 {
			tr.loop.Stop()
			tr.start()
		}
		pass(tr.t, tr.between(time.Minute, tr.lookback/4))
		tr.change(usually)
	case 6: // the provider's Date is wrong
		lie := tr.wrong()
		if lie > 0 {
			lie += plan.ClockTolerance // it is believed up to that
		}
		tr.with(trouble{lie: lie}, tr.between(time.Minute, tr.lookback/4))
	case 7: // the plan is lost
		tr.loop.Stop()
		resume := []string{"", "{", `{"v":99}`}[tr.random.IntN(3)]
		tr.begin(&Page{Position: &Position{Resume: []byte(resume)}})
		tr.start()
	case 8: // a bad hour
		tr.with(trouble{flaky: 0.4}, tr.between(time.Minute, long/12))
	case 9: // the machine sleeps
		tr.slept.set(time.Duration(tr.slept.by.Load()) + tr.between(time.Minute, tr.lookback))
		pass(tr.t, 10*tr.interval)
	}
}

// TestNothingIsLostWhateverHappens runs the plan with all the trouble that counting.md names, each
// kind several times, and wants every call counted once.
func TestNothingIsLostWhateverHappens(t *testing.T) {
	for _, c := range []struct {
		interval, lookback, every time.Duration
		rounds                    int // how often each kind of trouble comes
	}{
		{3 * time.Minute, 12 * time.Hour, 5 * time.Minute, 1},
		{2 * time.Second, 10 * time.Minute, 5 * time.Second, 1},
		{time.Minute, time.Minute, time.Minute, 10},
	} {
		if testing.Short() && c.lookback != 10*time.Minute {
			continue
		}
		for seed := range long.Seeds(2) {
			inBubble(t, fmt.Sprint(c.interval, " of ", c.lookback, " ", seed), func(t *testing.T) {
				tr := newTroubled(t, seed, c.interval, c.lookback)
				tr.endure(c.rounds*kinds, c.every, tr.start, tr.happen)
				tr.change(trouble{})
				pass(t, 2*c.lookback+10*time.Minute)
				tr.loop.Stop()
				tr.wantWhole(t, tr.clock().Add(-tr.lookback/4-2*tr.interval), 2*tr.interval+time.Minute)
				if !tr.State().HistoryDone {
					t.Error("the history was never done")
				}
			})
		}
	}
}

// endure runs a loop while a number of troubles happen.
func (tr *troubled) endure(troubles int, every time.Duration, start, happen func()) {
	long := 4*tr.lookback + 10*time.Minute // one trouble with the calm before it
	traffic(tr.model, time.Now().Add(time.Duration(troubles+1)*long), every, tr.lookback)
	start()
	for range troubles {
		pass(tr.t, tr.between(tr.interval, tr.lookback))
		happen()
	}
}

// errRight is a ledger that takes empty commits only: a right on one table was revoked.
var errRight = errors.New("ledger: permission denied for table series")

// TestRule35_AFailingLedgerStepsOverNothing (counting.md 35): a ledger that refuses every page with
// rows, while empty ones can be committed, makes no span unreadable and moves no position past a
// call.
func TestRule35_AFailingLedgerStepsOverNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := newModel(t, begin.Add(-3*time.Hour))
		traffic(m, begin.Add(20*time.Hour), 20*time.Minute, 6*time.Hour)
		m.refuse = func(p *counting.Page) error {
			if since := time.Since(begin); len(p.Records) > 0 && since > time.Hour && since < 8*time.Hour {
				return errRight
			}
			return nil
		}
		l := loopOver(m, 3*time.Minute, 6*time.Hour)
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
