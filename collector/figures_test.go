package collector

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

const figuresFile = "testdata/plan-figures.txt"

// TestPlanFigures measures the read plan and compares with the figures that the
// docs include. After a change that is meant: go test -run PlanFigures -update.
func TestPlanFigures(t *testing.T) {
	if testing.Short() {
		return
	}
	var got bytes.Buffer
	fmt.Fprint(&got, "The read plan, simulated: when calls are seen, and what that costs.\n"+
		"A page is 1000 rows and takes 0.2 s. A third of the calls is published at once,\n"+
		"the others up to the lookback after their start.\n")
	for _, c := range []struct{ interval, lookback, run, every time.Duration }{
		{time.Minute, 48 * time.Hour, 108 * time.Hour, time.Minute},
		{5 * time.Minute, 72 * time.Hour, 7 * 24 * time.Hour, 2 * time.Minute},
		{time.Second, time.Hour, 150 * time.Minute, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) { measure(t, &got, c.interval, c.lookback, c.run, c.every) })
	}
	t.Log("\n" + got.String())
	golden.File(t, figuresFile, got.Bytes())
}

// memory counts the records of a model without a real ledger, which would take most of the time.
type memory struct {
	pages

	model *model
}

func (l *memory) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	l.model.mu.Lock()
	defer l.model.mu.Unlock()
	if page.Position != nil {
		l.model.check(&l.state, page.Position)
	}
	for _, r := range page.Records {
		if _, known := l.model.counted[r.ID]; !known {
			l.model.counted[r.ID] = page.ObservedAt
			l.result.New++
		}
	}
	l.model.added += l.result.New
	return l.pages.Commit(ctx, page)
}

func measure(t *testing.T, w io.Writer, interval, lookback, run, every time.Duration) {
	m := newModel(t, time.Now())
	m.latency = 200 * time.Millisecond
	m.visits = make(map[string]int)
	traffic(m, time.Now().Add(run), every, lookback)
	settings := FeedSettings{
		Info:   &FeedInfo{Reader: m, Limits: m.limits, Interval: interval, Lookback: lookback},
		Ledger: &memory{pages{state: m.State()}, m}, Random: seeded(7).Float64,
	}
	l := NewLoop(settings)
	list := &counter{ranges: partOf[*ranges](l)}
	l.parts = []part{list}
	began := time.Now()
	runFor(t, l, run)
	m.wantInTime(t, interval, began)

	days := run.Hours() / 24
	fmt.Fprintf(w, "\ninterval %s, lookback %s: %d calls in %s\n\n", show(interval), show(lookback), len(m.counted),
		show(run))
	fmt.Fprintf(w, "  published after its start   calls   seen after that, at most   promised, with one poll\n")
	for _, b := range buckets(m, interval, lookback) {
		fmt.Fprintf(w, "  up to %-18s %8d   %-24s   %s\n", show(b.late), b.calls, b.worst.Round(100*time.Millisecond),
			show(b.bound))
	}
	once, n := 0, 0
	for _, row := range m.rows {
		if row.published.Equal(row.start) && row.start.Before(time.Now().Add(-2*lookback)) {
			once, n = once+m.visits[row.id], n+1
		}
	}
	fmt.Fprintf(w, "\n  reads of a call that was published at once: %.1f (re-reading the lookback each time: %d)\n",
		float64(once)/float64(n), lookback/interval)
	fmt.Fprintf(w, "  requests a day: %.0f; polls a day: %.0f; by level:", float64(m.pages)/days,
		float64(len(m.reads))/days)
	for _, polls := range list.levels {
		fmt.Fprintf(w, " %.1f", float64(polls)/days)
	}
	fmt.Fprintln(w)
}

// bucket is the calls that were published within a time after their start.
type bucket struct {
	late, worst, bound time.Duration
	calls              int
}

func buckets(m *model, interval, lookback time.Duration) []bucket {
	var all []bucket
	took := m.took()
	for late := interval; ; late *= 4 {
		late = min(late, lookback)
		all = append(all, bucket{late: late, bound: max(late/2, interval) + took})
		if late == lookback {
			break
		}
	}
	for _, row := range m.rows {
		at, ok := m.counted[row.id]
		if !ok {
			continue
		}
		i := slices.IndexFunc(all, func(b bucket) bool { return row.published.Sub(row.start) <= b.late })
		all[i].calls++
		all[i].worst = max(all[i].worst, at.Sub(row.published))
	}
	return all
}

// show is a duration without the zeros.
func show(d time.Duration) string {
	d = d.Round(100 * time.Millisecond)
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if cut := s[:max(0, len(s)-2)]; len(s) > 3 && s[len(s)-3:] == zeros {
			s = cut
		}
	}
	return s
}
