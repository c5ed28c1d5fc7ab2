package collector

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// notifiedCall is a call whose record comes in versions, the first of which may lack what makes
// it count.
type notifiedCall struct {
	id         string
	start, end time.Time
	// versions are when each is published; bare says that the first doesn't count yet.
	versions []time.Time
	bare     bool
	// readable is when it can be fetched; zero: as soon as it is published.
	readable time.Time
}

func (c *notifiedCall) version(at time.Time) int {
	n := 0
	for n < len(c.versions) && !c.versions[n].After(at) {
		n++
	}
	return n
}

// published is a call that took no time, whose versions are published at some times.
func published(id string, start time.Time, later ...time.Time) *notifiedCall {
	return &notifiedCall{id: id, start: start, end: start, versions: append([]time.Time{start}, later...)}
}

// taskModel is a provider that lists names, over a ledger: what reading a list of names is held against.
type taskModel struct {
	*checkedFeed

	calls    []*notifiedCall // in the order of their starts
	settle   time.Duration
	pageSize int
	latency  time.Duration // of lists and fetches
	parallel int
	unlisted bool                   // notifications alone name the calls
	fault    func(key string) error // of a fetch; "": of a list
	fetches  map[string]int
	fetched  []fetchedAt
	lists    []modelRead
	inFlight int
	most     int // fetches at once

	wake     func() // of the latest loop
	settings func(*FeedSettings)
}

type fetchedAt struct {
	key string
	at  time.Time
}

func newTaskModel(t *testing.T, origin time.Time) *taskModel {
	m := &taskModel{
		checkedFeed: newCheckedFeed(t, origin), pageSize: 60, parallel: 4, settle: time.Hour,
		fetches: make(map[string]int), settings: func(*FeedSettings) {},
	}
	m.check = m.checkPosition
	m.spec.Rules = counting.Rules{Grows: true}
	m.open(72 * time.Hour)
	return m
}

func (m *taskModel) Parallel() int { return m.parallel }

// Pages lists names and versions.
func (m *taskModel) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return pagesOf(func(emit func(*Page) error) error { return m.read(ctx, from, to, emit) })
}

func (m *taskModel) read(ctx context.Context, from, to time.Time, emit func(*Page) error) error {
	if err := m.answer(ctx, "", m.latency); err != nil {
		return err
	}
	m.mu.Lock()
	m.lists = append(m.lists, modelRead{at: time.Now(), from: from, to: to})
	var all []work.Item
	for _, c := range m.calls {
		if v := c.version(time.Now()); v > 0 && !c.start.Before(from) && c.start.Before(to) {
			all = append(all, work.Item{Kind: work.Record, Key: c.id, Version: int64(v)})
		}
	}
	m.mu.Unlock()
	for page := range slices.Chunk(all, m.pageSize) {
		if err := emit(&Page{Enqueue: slices.Clone(page)}); err != nil {
			return err
		}
		if err := m.answer(ctx, "", m.latency); err != nil {
			return err
		}
	}
	return nil
}

// answer is the provider's way to any answer.
func (m *taskModel) answer(ctx context.Context, key string, wait time.Duration) error {
	if wait > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	m.mu.Lock()
	fault := m.fault
	m.mu.Unlock()
	if fault != nil {
		return fault(key)
	}
	return ctx.Err()
}

// Fetch gives the version that is published.
func (m *taskModel) Fetch(ctx context.Context, tasks []work.Item) (*Page, error) {
	key := tasks[0].Key
	m.mu.Lock()
	m.fetches[key]++
	m.fetched = append(m.fetched, fetchedAt{key, time.Now()})
	m.inFlight++
	m.most = max(m.most, m.inFlight)
	m.mu.Unlock()
	defer m.with(func() { m.inFlight-- }) // after a panic too
	err := m.answer(ctx, key, m.latency)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, w := range tasks {
		if w.Key != key {
			m.broken = append(m.broken, fmt.Sprintf("work about %s and %s is done together", key, w.Key))
		}
	}
	i := slices.IndexFunc(m.calls, func(c *notifiedCall) bool { return c.id == key })
	if i < 0 || m.calls[i].readable.After(time.Now()) || m.calls[i].version(time.Now()) == 0 {
		return nil, fmt.Errorf("fetch %s: %w", key, ErrNotYet)
	}
	c, now := m.calls[i], time.Now()
	v, settles := c.version(now), c.end.Add(m.settle)
	r := &cdr.Record{ID: key, Start: c.start, Version: int64(v), Settled: !now.Before(settles) ||
		slices.ContainsFunc(tasks, func(w work.Item) bool {
			return w.Kind == "settle" && !w.Due.Before(settles) // it was waited for once already
		})}
	r.Provisional = c.bare && v == 1 && !r.Settled
	b := &Page{Records: []*cdr.Record{r}}
	if !r.Settled {
		b.Enqueue = []work.Item{{Kind: "settle", Key: key, Version: int64(v), Due: settles}}
	}
	return b, nil
}

// checkPosition holds a position against counting.md 7 and 20.
func (m *taskModel) checkPosition(was *counting.State, p *counting.Position) {
	for _, c := range m.calls {
		at, first := c.start.Add(time.Minute), !c.start.Before(was.Origin)
		_, counted := m.counted[c.id]
		prompt := first && !c.bare && len(c.versions) > 0 && c.versions[0].Before(at) && c.readable.IsZero()
		switch {
		case counted || !prompt || m.unlisted:
		case c.start.Before(p.Watermark) && c.versions[0].Before(p.Watermark):
			m.broken = append(m.broken, fmt.Sprintf("the watermark passed %s without the call of %s", p.Watermark,
				c.start))
		case p.HistoryDone && !was.HistoryDone && c.versions[0].Before(time.Now().Add(-time.Hour)):
			m.broken = append(m.broken, fmt.Sprintf("the history is shown without the call of %s", c.start))
		}
	}
}

// tryNotify is a notification, as the app enqueues it.
func (m *taskModel) tryNotify(keys ...string) error {
	now := time.Now()
	page := &counting.Page{ObservedAt: now}
	for _, key := range keys {
		page.Enqueue = append(page.Enqueue, work.Item{Kind: "notified", Key: key, Version: now.UnixMicro(), Due: now})
	}
	_, err := m.Commit(context.Background(), page)
	if m.wake != nil {
		m.wake()
	}
	return err
}

// notify is a notification that the ledger takes.
func (m *taskModel) notify(keys ...string) {
	m.t.Helper()
	require.NoError(m.t, m.tryNotify(keys...))
}

// fetchesOf is how often a key was fetched, listed how often the list was read.
func (m *taskModel) fetchesOf(key string) (n int) {
	m.with(func() { n = m.fetches[key] })
	return n
}

func (m *taskModel) listed() (n int) {
	m.with(func() { n = len(m.lists) })
	return n
}

// isCounted says whether a call is counted.
func (m *taskModel) isCounted(id string) (yes bool) {
	m.with(func() { _, yes = m.counted[id] })
	return yes
}

// waiting is the work that waits, if there is any.
func (m *taskModel) waiting(kind, key string) work.Item {
	for _, w := range m.tasks() {
		if w.Kind == kind && w.Key == key {
			return w
		}
	}
	return work.Item{}
}

// uncounted and unsettled are the calls that should have been counted, and settled.
func (m *taskModel) uncounted() (uncounted, unsettled []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.calls {
		if c.start.Before(m.State().Origin) || len(c.versions) == 0 {
			continue
		}
		if _, counted := m.counted[c.id]; !counted {
			uncounted = append(uncounted, c.id)
		}
		if !m.latest[c.id].settled {
			unsettled = append(unsettled, c.id)
		}
	}
	return uncounted, unsettled
}

// want wants every call counted and settled, and nothing broken.
func (m *taskModel) want(t *testing.T) {
	t.Helper()
	if uncounted, unsettled := m.uncounted(); len(uncounted)+len(unsettled) > 0 {
		t.Errorf("of %d calls %d aren't counted %v, %d aren't settled %v", len(m.calls),
			len(uncounted), uncounted[:min(5, len(uncounted))], len(unsettled), unsettled[:min(5, len(unsettled))])
	}
	m.wantWhole(t)
}

func (m *taskModel) wantWhole(t *testing.T) {
	t.Helper()
	m.wantSound(t)
	if m.most > m.parallel {
		t.Errorf("%d were fetched at once, want at most %d", m.most, m.parallel)
	}
}

// add adds calls, one after each span of time. published is how long after its end a call appears.
func (m *taskModel) add(from, to time.Time, every, published time.Duration) {
	for at := from; at.Before(to); at = at.Add(every) {
		end := at.Add(30 * time.Second)
		m.calls = append(m.calls, &notifiedCall{
			id: fmt.Sprint("c", len(m.calls)), start: at, end: end, versions: []time.Time{end.Add(published)},
		})
	}
	slices.SortStableFunc(m.calls, func(a, b *notifiedCall) int { return a.start.Compare(b.start) })
}

// loop is a loop over the model.
func (m *taskModel) loop(change ...func(*FeedSettings)) *Loop {
	settings := FeedSettings{
		Source: "contoso",
		Info: &FeedInfo{
			Name: "call_records", Reader: m,
			Limits: Limits{MaxRange: 30 * 24 * time.Hour, Retention: 30 * 24 * time.Hour}, Fetcher: m,
			Interval: 5 * time.Minute, Lookback: 72 * time.Hour,
		},
		Ledger: m, Random: seeded(8).Float64,
	}
	for _, c := range change {
		c(&settings)
	}
	loop := NewLoop(settings)
	m.wake = loop.Wake
	return loop
}
