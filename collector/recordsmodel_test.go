package collector

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
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

type taskID struct{ kind, key string }

// taskModel is a provider that lists names, and a ledger, made of maps: what reading a list
// of names is held against. The rules of its work are the ledger's.
type taskModel struct {
	mu sync.Mutex
	// The provider.
	calls    []*notifiedCall // in the order of their starts
	settle   time.Duration
	pageSize int
	latency  time.Duration // of lists and fetches
	parallel int
	fault    func(key string) error // of a fetch; "": of a list
	slow     func(key string) time.Duration
	fetches  map[string]int
	fetched  []fetchedAt
	lists    []modelRead
	inFlight int
	most     int // fetches at once

	wake     func() // of the latest loop
	settings func(*FeedSettings)

	// The ledger.
	state   counting.State
	work    map[taskID]work.Item
	order   []work.Item          // the same by when it is due, see setTask
	known   map[string]int64     // the version, by id: what pruning has left
	starts  map[string]time.Time // of those
	counted map[string]bool
	settled map[string]bool
	keep    time.Duration // how far behind the watermark ids are kept; 0: for ever
	tooOld  int
	commits int
	// unlisted says that notifications alone name the calls.
	unlisted bool
	refuse   func(page *counting.Page) error
	queue    func() error                    // before it says what is due
	lost     func(page *counting.Page) error // after it was committed
	broken   []string
}

type fetchedAt struct {
	key string
	at  time.Time
}

func newTaskModel(origin time.Time) *taskModel {
	return &taskModel{
		pageSize: 60, parallel: 4, settle: time.Hour,
		fetches: make(map[string]int), work: make(map[taskID]work.Item), known: make(map[string]int64),
		starts: make(map[string]time.Time), counted: make(map[string]bool), settled: make(map[string]bool),
		state:    counting.State{Origin: origin, Floor: origin, Watermark: origin},
		settings: func(*FeedSettings) {},
	}
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
	key, wait := tasks[0].Key, m.latency
	m.mu.Lock()
	m.fetches[key]++
	m.fetched = append(m.fetched, fetchedAt{key, time.Now()})
	m.inFlight++
	m.most = max(m.most, m.inFlight)
	if m.slow != nil {
		wait += m.slow(key)
	}
	m.mu.Unlock()
	defer m.with(func() { m.inFlight-- }) // after a panic too
	err := m.answer(ctx, key, wait)
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

func (m *taskModel) State() counting.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Due implements TaskQueue.
func (m *taskModel) Due(_ context.Context, now time.Time, limit int) ([]work.Item, error) {
	return m.due(false, now, limit)
}

// SetAside implements TaskQueue.
func (m *taskModel) SetAside(_ context.Context, now time.Time, limit int) ([]work.Item, error) {
	return m.due(true, now, limit)
}

// Waiting implements TaskQueue.
func (m *taskModel) Waiting(context.Context) (waiting, setAside int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.work {
		if w.SetAside {
			setAside++
		} else {
			waiting++
		}
	}
	return waiting, setAside, nil
}

func (m *taskModel) due(setAside bool, now time.Time, limit int) ([]work.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.queue != nil {
		if err := m.queue(); err != nil {
			return nil, err
		}
	}
	var due []work.Item
	for i := range m.order {
		if w := &m.order[i]; w.Due.After(now) || len(due) == limit {
			break
		} else if w.SetAside == setAside {
			due = append(due, *w)
		}
	}
	return due, nil
}

func compareTasks(a, b work.Item) int {
	if c := a.Due.Compare(b.Due); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key))
}

// setTask puts a task in place of the one with its kind and key; deleteTask removes that.
func (m *taskModel) setTask(w work.Item) {
	id := taskID{w.Kind, w.Key}
	m.deleteTask(id)
	m.work[id] = w
	i, _ := slices.BinarySearchFunc(m.order, w, compareTasks)
	m.order = slices.Insert(m.order, i, w)
}

func (m *taskModel) deleteTask(id taskID) {
	if was, ok := m.work[id]; ok {
		delete(m.work, id)
		i, _ := slices.BinarySearchFunc(m.order, was, compareTasks)
		m.order = slices.Delete(m.order, i, i+1)
	}
}

// Commit counts what is new, and changes the work as the ledger does.
func (m *taskModel) Commit(ctx context.Context, page *counting.Page) (r counting.Result, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		if err := m.refuse(page); err != nil {
			return r, err
		}
	}
	m.commits++
	for _, record := range page.Records {
		m.count(record, &r)
	}
	for _, w := range page.Done {
		if was, ok := m.work[taskID{w.Kind, w.Key}]; ok && was.Version <= w.Version {
			m.deleteTask(taskID{w.Kind, w.Key})
		}
	}
	m.state.Spans = work.Spans(m.state.Spans, page.Done, page.Enqueue)
	for _, w := range page.Enqueue {
		if w.Kind != work.Span {
			m.enqueue(w, &r)
		}
	}
	if p := page.Position; p != nil {
		m.move(p)
	}
	if m.lost != nil {
		return r, m.lost(page)
	}
	return r, nil
}

func (m *taskModel) count(record *cdr.Record, r *counting.Result) {
	_, known := m.known[record.ID]
	switch {
	case record.Provisional:
		return
	case !known && record.Start.Before(m.state.Floor):
		m.tooOld++
		return
	case !known:
		r.New++
		m.state.Records++
		if m.counted[record.ID] {
			m.broken = append(m.broken, record.ID+" was counted twice")
		}
		m.counted[record.ID] = true
	}
	m.known[record.ID] = max(m.known[record.ID], record.Version)
	m.starts[record.ID] = record.Start
	m.settled[record.ID] = m.settled[record.ID] || record.Settled
}

func (m *taskModel) enqueue(w work.Item, r *counting.Result) {
	id := taskID{w.Kind, w.Key}
	if w.Due.IsZero() {
		m.broken = append(m.broken, "work came without a time: "+w.Key)
	}
	if w.Kind == work.Record && m.known[w.Key] >= w.Version {
		m.deleteTask(id)
		return
	}
	was, waits := m.work[id]
	if waits && (w.Version < was.Version || w.Version == was.Version && !w.SetAside && !was.SetAside &&
		w.Attempts < was.Attempts) {
		return
	}
	if waits && w.Version == was.Version && was.SetAside && !w.SetAside { // named again
		w.SetAside, w.Due = true, plan.Earliest(was.Due, w.Due.Add(time.Hour))
	}
	m.setTask(w)
	if !w.SetAside && (!waits || was.SetAside) {
		r.Queued++
	}
}

// move takes a position, and holds it against counting.md 7 and 20.
func (m *taskModel) move(p *counting.Position) {
	for _, c := range m.calls {
		at, first := c.start.Add(time.Minute), !c.start.Before(m.state.Origin)
		counted := m.counted[c.id]
		prompt := first && !c.bare && len(c.versions) > 0 && c.versions[0].Before(at) && c.readable.IsZero()
		switch {
		case counted || !prompt || m.unlisted:
		case c.start.Before(p.Watermark) && c.versions[0].Before(p.Watermark):
			m.broken = append(m.broken, fmt.Sprintf("the watermark passed %s without the call of %s", p.Watermark,
				c.start))
		case p.HistoryDone && !m.state.HistoryDone && c.versions[0].Before(time.Now().Add(-time.Hour)):
			m.broken = append(m.broken, fmt.Sprintf("the history is shown without the call of %s", c.start))
		}
	}
	m.state.Watermark = plan.Latest(m.state.Watermark, p.Watermark)
	m.state.HistoryDone = m.state.HistoryDone || p.HistoryDone
	if p.Resume != nil {
		m.state.Resume = slices.Clone(p.Resume)
	}
	if floor := m.state.Watermark.Add(-m.keep); m.keep > 0 && floor.After(m.state.Floor) {
		m.state.Floor = floor
		maps.DeleteFunc(m.starts, func(id string, start time.Time) bool {
			if start.Before(floor.Add(-48 * time.Hour)) {
				delete(m.known, id)
				return true
			}
			return false
		})
	}
}

// notify is a notification, as the app enqueues it.
func (m *taskModel) notify(keys ...string) (queued int, err error) {
	now := time.Now()
	page := &counting.Page{ObservedAt: now}
	for _, key := range keys {
		page.Enqueue = append(page.Enqueue, work.Item{Kind: "notified", Key: key, Version: now.UnixMicro(), Due: now})
	}
	r, err := m.Commit(context.Background(), page)
	if m.wake != nil {
		m.wake()
	}
	return r.Queued, err
}

// with changes the model while a loop runs over it.
func (m *taskModel) with(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
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
	m.with(func() { yes = m.counted[id] })
	return yes
}

// waiting is the work that waits, if there is any.
func (m *taskModel) waiting(kind, key string) (w work.Item) {
	m.with(func() { w = m.work[taskID{kind, key}] })
	return w
}

// uncounted and unsettled are the calls that should have been counted, and settled.
func (m *taskModel) uncounted() (uncounted, unsettled []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.calls {
		if c.start.Before(m.state.Origin) || len(c.versions) == 0 {
			continue
		}
		if !m.counted[c.id] {
			uncounted = append(uncounted, c.id)
		}
		if !m.settled[c.id] {
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
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, problem := range m.broken[:min(5, len(m.broken))] {
		t.Error(problem)
	}
	if m.tooOld > 0 {
		t.Errorf("%d calls were too old when they were fetched", m.tooOld)
	}
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
		Ledger: m, Queue: m, Random: seeded(8).Float64,
	}
	for _, c := range change {
		c(&settings)
	}
	loop := NewLoop(settings)
	m.wake = loop.Wake
	return loop
}
