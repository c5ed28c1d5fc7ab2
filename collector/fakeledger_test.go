package collector

import (
	"cmp"
	"context"
	"fmt"
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

// fakeLedger is a ledger made of maps, which notes what goes wrong while the collector uses it. The real one is as
// exact, and too slow for weeks of polls.
type fakeLedger struct {
	mu      sync.Mutex
	state   counting.State
	counted map[string]time.Time   // by id, when each was counted
	settled map[string]bool        // by id
	known   map[string]knownRecord // by id, what pruning has left
	keep    time.Duration          // how far behind the watermark ids are kept; 0: for ever
	work    map[taskID]work.Item
	order   []work.Item // the same by when it is due, see setTask

	tooOld    int
	commits   int
	positions []counting.Position
	broken    []string // what was found to be wrong

	refuse func(page *counting.Page) error // before a commit
	lost   func(page *counting.Page) error // after it was committed
	queue  func() error                    // before it says what is due
	check  func(p *counting.Position)      // before a position moves
}

type knownRecord struct {
	start   time.Time
	version int64
}

type taskID struct{ kind, key string }

func newFakeLedger(origin time.Time) fakeLedger {
	return fakeLedger{
		state:   counting.State{Origin: origin, Floor: origin, Watermark: origin},
		counted: make(map[string]time.Time), settled: make(map[string]bool), known: make(map[string]knownRecord),
		work: make(map[taskID]work.Item),
	}
}

func (l *fakeLedger) State() counting.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Commit counts what is new, and changes work and position.
func (l *fakeLedger) Commit(ctx context.Context, page *counting.Page) (r counting.Result, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		if err := l.refuse(page); err != nil {
			return r, err
		}
	}
	l.commits++
	for _, record := range page.Records {
		l.count(record, page.ObservedAt, &r)
	}
	l.state.Spans = work.Spans(l.state.Spans, page.Done, page.Enqueue)
	for _, w := range page.Done {
		if was, waits := l.work[taskID{w.Kind, w.Key}]; waits && was.Version <= w.Version {
			l.deleteTask(taskID{w.Kind, w.Key})
		}
	}
	for _, w := range page.Enqueue {
		if w.Kind != work.Span {
			l.enqueue(w, &r)
		}
	}
	if page.Position != nil {
		l.move(page.Position, page.ObservedAt)
	}
	if l.lost != nil {
		return r, l.lost(page)
	}
	return r, nil
}

func (l *fakeLedger) count(record *cdr.Record, observed time.Time, r *counting.Result) {
	id := record.ID
	if id == "" {
		id = fmt.Sprint(record.Synthetic, "#", record.Twin)
	}
	was, known := l.known[id]
	switch {
	case record.Provisional:
		l.broken = append(l.broken, id+" was committed although it isn't final")
		return
	case known:
		r.Duplicate++
	case record.Start.Before(l.state.Floor):
		r.TooOld++
		l.tooOld++
		return
	default:
		r.New++
		if _, twice := l.counted[id]; twice {
			l.broken = append(l.broken, fmt.Sprintf("%s, of %s, was counted twice", id, record.Start))
		}
		l.counted[id] = observed
		l.state.Records++
		l.state.NewestCall = plan.Latest(l.state.NewestCall, record.Start)
	}
	l.known[id] = knownRecord{record.Start, max(was.version, record.Version)}
	if record.Settled {
		l.settled[id] = true
	}
}

func (l *fakeLedger) enqueue(w work.Item, r *counting.Result) {
	id := taskID{w.Kind, w.Key}
	if w.Due.IsZero() {
		l.broken = append(l.broken, "work came without a time: "+w.Key)
	}
	if w.Kind == work.Record && l.known[w.Key].version >= w.Version {
		l.deleteTask(id)
		return
	}
	var was *work.Item
	if waits, is := l.work[id]; is {
		was = &waits
	}
	next, queued, changed := w.Enqueued(was)
	if changed {
		l.setTask(next)
	}
	if queued {
		r.Queued++
	}
}

// move takes a position over, and forgets old ids and raises the floor with it (counting.md 5).
func (l *fakeLedger) move(p *counting.Position, observed time.Time) {
	l.positions = append(l.positions, *p)
	if l.check != nil {
		l.check(p)
	}
	if ahead := l.state.Watermark.After(observed.Add(plan.ClockTolerance)); ahead && !p.Watermark.IsZero() {
		l.state.Watermark = p.Watermark
	}
	l.state.Watermark = plan.Latest(l.state.Watermark, p.Watermark)
	l.state.HistoryDone = l.state.HistoryDone || p.HistoryDone
	if p.Resume != nil {
		l.state.Resume = slices.Clone(p.Resume)
	}
	if floor := l.state.Watermark.Add(-l.keep).Truncate(time.Hour); l.keep > 0 && floor.After(l.state.Floor) {
		l.state.Floor = floor
		maps.DeleteFunc(l.known, func(_ string, r knownRecord) bool { return r.start.Before(floor) })
	}
}

// Due implements TaskQueue.
func (l *fakeLedger) Due(_ context.Context, now time.Time, limit int) ([]work.Item, error) {
	return l.due(false, now, limit)
}

// SetAside implements TaskQueue.
func (l *fakeLedger) SetAside(_ context.Context, now time.Time, limit int) ([]work.Item, error) {
	return l.due(true, now, limit)
}

// Waiting implements TaskQueue.
func (l *fakeLedger) Waiting(context.Context) (waiting, setAside int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.work {
		if w.SetAside {
			setAside++
		} else {
			waiting++
		}
	}
	return waiting, setAside, nil
}

func (l *fakeLedger) due(setAside bool, now time.Time, limit int) ([]work.Item, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue != nil {
		if err := l.queue(); err != nil {
			return nil, err
		}
	}
	var due []work.Item
	for i := range l.order {
		if w := &l.order[i]; w.Due.After(now) || len(due) == limit {
			break
		} else if w.SetAside == setAside {
			due = append(due, *w)
		}
	}
	return due, nil
}

func compareTasks(a, b work.Item) int {
	return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key))
}

// setTask puts a task in place of the one with its kind and key; deleteTask removes that.
func (l *fakeLedger) setTask(w work.Item) {
	id := taskID{w.Kind, w.Key}
	l.deleteTask(id)
	l.work[id] = w
	i, _ := slices.BinarySearchFunc(l.order, w, compareTasks)
	l.order = slices.Insert(l.order, i, w)
}

func (l *fakeLedger) deleteTask(id taskID) {
	if was, waits := l.work[id]; waits {
		delete(l.work, id)
		i, _ := slices.BinarySearchFunc(l.order, was, compareTasks)
		l.order = slices.Delete(l.order, i, i+1)
	}
}

// with changes the ledger, or what embeds it, while a loop runs over it.
func (l *fakeLedger) with(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// wantSound wants that nothing broke, and that no record was too old.
func (l *fakeLedger) wantSound(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, problem := range l.broken[:min(5, len(l.broken))] {
		t.Error(problem)
	}
	if l.tooOld > 0 {
		t.Errorf("%d records were too old", l.tooOld)
	}
}
