package collector

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

// traffic fills a model with calls from its watermark to an instant: a third is
// published at once, the others after anything up to the lookback, short delays
// as often as long ones.
func traffic(m *model, until time.Time, every, lookback time.Duration) {
	random := seeded(3)
	for at := m.State().Watermark; at.Before(until); at = at.Add(time.Duration(random.ExpFloat64() * float64(every))) {
		row := modelRow{id: fmt.Sprint("call ", len(m.rows)), start: at, published: at}
		if random.IntN(3) > 0 {
			// From a thousandth of the lookback on, each doubling is as likely.
			late := float64(lookback)
			for range random.IntN(11) {
				late /= 2
			}
			row.published = at.Add(time.Duration(late * (1 + random.Float64()) / 2))
		}
		m.rows = append(m.rows, row)
	}
}

// counter counts the polls of each level.
type counter struct {
	*ranges

	levels []int
}

func (c *counter) do(ctx context.Context) error {
	err := c.ranges.do(ctx)
	if c.levels == nil {
		c.levels = make([]int, c.ladder.Last()+1)
	}
	c.levels[c.level]++
	return err
}

// TestRule06_EveryDelayWithinItsBound runs the plan for longer than the lookback without trouble. TestPlanFigures does
// so with the usual settings.
func TestRule06_EveryDelayWithinItsBound(t *testing.T) {
	for _, c := range []struct{ interval, lookback, run, every, latency time.Duration }{
		{30 * time.Second, time.Minute, 4 * time.Hour, 10 * time.Second, 10 * time.Millisecond}, // one level
		// the shortest lookback
		{time.Minute, time.Minute, 6 * time.Hour, 20 * time.Second, 0},
		// a last level of more than a quarter
		{time.Minute, 570 * time.Minute, 20 * time.Hour, time.Minute, time.Millisecond},
		{7 * time.Minute, 1000 * time.Minute, 40 * time.Hour, 2 * time.Minute, time.Minute},
	} {
		inBubble(t, fmt.Sprint(c.interval, " of ", c.lookback), func(t *testing.T) {
			m := newModel(t, time.Now().Add(-c.lookback/2))
			m.latency = c.latency
			traffic(m, time.Now().Add(c.run), c.every, c.lookback)
			began := time.Now()
			run(t, m, plan.Ladder{Interval: c.interval, Lookback: c.lookback}, c.run)
			m.wantInTime(t, c.interval, began)
		})
	}
}

// wantInTime wants that each call was seen within half its delay or an interval, and the time of one poll.
func (m *model) wantInTime(t *testing.T, interval time.Duration, began time.Time) {
	t.Helper()
	m.wantSound(t)
	seen, took := 0, m.took()
	for _, row := range m.rows {
		at, ok := m.counted[row.id]
		late := row.published.Sub(row.start)
		bound := max(late/2, interval) + took
		switch {
		case !ok && row.published.Add(bound).Before(time.Now()):
			t.Fatalf("a call published %s after its start wasn't seen", late)
		case ok && row.published.After(began) && at.Sub(row.published) > bound:
			t.Errorf("a call published %s after its start was seen %s later, want at most %s", late,
				at.Sub(row.published), bound)
		case ok:
			seen++
		}
	}
	if seen < 1000 {
		t.Errorf("only %d calls: this shows nothing", seen)
	}
}
