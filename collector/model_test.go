package collector

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// modelRow is a call as the model provider keeps it.
type modelRow struct {
	id               string
	start, published time.Time
	synthetic        string // instead of an id
	call             string // its call key
}

// model is a provider of rows, over a ledger: what the collector is held against.
type model struct {
	*checkedFeed

	// Rows are sorted by start.
	rows     []modelRow
	pageSize int
	latency  time.Duration // of each page
	limits   Limits
	fault    func(from, to time.Time, page int) error // before a page is given out
	clock    func() time.Time                         // the provider's own
	local    func() time.Time                         // ours
	date     func() time.Time                         // what the provider says the time is
	offset   time.Duration                            // as of the last answer
	answered bool
	reads    []modelRead
	pages    int
	visits   map[string]int // how often each row was given out, if it is made
	batch    Page
	pool     []cdr.Record
}

// modelRead is one read of the provider.
type modelRead struct {
	at, from, to time.Time
	err          error
	ended        time.Time
}

func newModel(t *testing.T, origin time.Time) *model {
	m := &model{
		checkedFeed: newCheckedFeed(t, origin), pageSize: 1000, clock: time.Now, local: time.Now, date: time.Now,
		limits: Limits{MaxRange: 90 * 24 * time.Hour},
	}
	m.check = m.checkPosition
	return m
}

// Pages implements RangeReader.
func (m *model) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return pagesOf(func(emit func(*Page) error) error { return m.read(ctx, from, to, emit) })
}

// read gives out pages; their memory is used again, as providers do.
func (m *model) read(ctx context.Context, from, to time.Time, emit func(*Page) error) (err error) {
	m.mu.Lock()
	at := len(m.reads)
	m.reads = append(m.reads, modelRead{at: m.clock(), from: from, to: to})
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.reads[at].err, m.reads[at].ended = err, m.clock()
		m.mu.Unlock()
	}()
	if len(m.pool) != m.pageSize {
		m.pool = make([]cdr.Record, m.pageSize)
	}
	b, pool := &m.batch, m.pool
	for page := 0; ; page++ {
		if err := m.wait(ctx); err != nil {
			return err
		}
		if m.fault != nil {
			if err := m.fault(from, to, page); err != nil {
				return err
			}
		}
		rows, more := m.page(from, to, page)
		b.Records = b.Records[:0]
		for i, row := range rows {
			pool[i].Reset()
			pool[i].ID, pool[i].Start, pool[i].Synthetic = row.id, row.start, row.synthetic
			pool[i].CallKey = row.call
			b.Records = append(b.Records, &pool[i])
		}
		if len(rows) == 0 {
			return nil
		}
		if err := emit(b); err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		for i := range rows {
			pool[i].ID = "used again"
		}
		if !more {
			return nil
		}
	}
}

func (m *model) wait(ctx context.Context) error {
	if m.latency == 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(m.latency):
		return nil
	}
}

// page is a page of the rows that are visible now: offsets shift when rows appear.
func (m *model) page(from, to time.Time, page int) (rows []modelRow, more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offset, m.answered = m.date().Sub(m.local()), true
	m.pages++
	now, skip := m.clock(), page*m.pageSize
	first, _ := slices.BinarySearchFunc(m.rows, from, func(r modelRow, t time.Time) int { return r.start.Compare(t) })
	for _, row := range m.rows[first:] {
		if !row.start.Before(to) {
			break
		}
		if row.published.After(now) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(rows) == m.pageSize {
			return rows, true
		}
		rows = append(rows, row)
		if m.visits != nil {
			m.visits[row.id]++
		}
	}
	return rows, false
}

// Offset is the provider's clock minus ours, as of the last answer.
func (m *model) Offset() (time.Duration, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.offset, m.answered
}

// checkPosition holds a position against counting.md 7: what was published at once and
// started before the watermark has been counted or is in a span that is held, and
// the watermark isn't ahead.
func (m *model) checkPosition(was *counting.State, p *counting.Position) {
	if p.Watermark.After(m.clock()) {
		m.broken = append(m.broken, fmt.Sprintf("the watermark %s is ahead of the provider's %s", p.Watermark,
			m.clock()))
	}
	byStart := func(r modelRow, at time.Time) int { return r.start.Compare(at) }
	first, _ := slices.BinarySearchFunc(m.rows, was.Watermark, byStart)
	for _, row := range m.rows[first:] {
		if !row.start.Before(p.Watermark) {
			return
		}
		if _, ok := m.counted[row.id]; ok || row.id == "" || !row.published.Equal(row.start) {
			continue
		}
		holdsRow := func(u plan.Span) bool { return !row.start.Before(u.From) && row.start.Before(u.To) }
		if !slices.ContainsFunc(plan.SetAside(was.Spans), holdsRow) {
			m.broken = append(m.broken, fmt.Sprintf("the watermark passed %s without the call of %s", p.Watermark,
				row.start))
		} // else it is stepped over, and read again until it's there (counting.md 31)
	}
}

// missing are the rows that were published by an instant, may be counted, and weren't.
func (m *model) missing(by time.Time) []modelRow {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []modelRow
	for _, row := range m.rows {
		if _, ok := m.counted[row.id]; !ok && !row.published.After(by) && !row.start.Before(m.State().Origin) {
			all = append(all, row)
		}
	}
	return all
}

// wantWhole wants that every call counted which the provider had published by an instant, that none was too old, that
// the watermark stands close behind the provider's clock, and that nothing broke.
func (m *model) wantWhole(t *testing.T, by time.Time, behind time.Duration) {
	t.Helper()
	if left := m.missing(by); len(left) > 0 {
		t.Errorf("%d of %d calls are missing, the first of %v", len(left), len(m.rows), left[:1])
	}
	if late := m.clock().Sub(m.State().Watermark); late < -time.Second || late > behind {
		t.Errorf("the watermark is %s behind", late)
	}
	m.wantSound(t)
}

// done are the reads until now.
func (m *model) done() []modelRead {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.reads)
}

// took is how long the longest read took.
func (m *model) took() time.Duration {
	var longest time.Duration
	for _, r := range m.reads {
		longest = max(longest, r.ended.Sub(r.at))
	}
	return longest
}

var errProvider = errors.New("the provider has trouble")

// seeded is a source of chance that is the same in every run.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// loopOver is a loop with a range feed over a model.
func loopOver(m *model, interval, lookback time.Duration, change ...func(*FeedSettings)) *Loop {
	m.open(lookback)
	random := seeded(7).Float64
	clock := NewClock(m.local, m.Offset)
	settings := FeedSettings{
		Source: "contoso", Info: &FeedInfo{
			Name: "calls", Reader: m, Limits: m.limits, Interval: interval,
			Lookback: lookback,
		},
		Ledger: m, Clock: clock, Random: random,
	}
	for _, c := range change {
		c(&settings)
	}
	return NewLoop(settings)
}

// pass lets virtual time pass.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
	synctest.Wait()
}

// runFor runs a loop for a time.
func runFor(t *testing.T, l *Loop, d time.Duration) {
	t.Helper()
	l.Start()
	pass(t, d)
	l.Stop()
}
