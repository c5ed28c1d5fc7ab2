package sim

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// event is that a version of a record is published.
type event struct {
	at      time.Time
	id      simulator.UUID
	source  int
	place   uint64
	version int
}

// events are those that are yet to come of calls that were looked at, the next first.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, k int) bool {
	a, b := &e[i], &e[k]
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.source, b.source), cmp.Compare(a.place, b.place), cmp.Compare(a.version, b.version)) < 0
}
func (e events) Swap(i, k int) { e[i], e[k] = e[k], e[i] }

// Push implements heap.Interface.
func (e *events) Push(x any) { *e = append(*e, x.(event)) }

// Pop implements heap.Interface.
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// schedule tells events in the order in which they happen. It isn't safe for concurrent
// use.
type schedule struct {
	records *CallRecords
	coming  events
	// taken is up to when events were told, loaded up to when calls were looked at.
	taken, loaded time.Time
}

// ahead is how far beyond an instant calls are looked at at once.
const ahead = 10 * time.Minute

// seek goes to an instant: what happened before isn't told.
func (s *schedule) seek(at time.Time) {
	s.coming, s.taken, s.loaded = nil, at, at.Add(-s.records.reach())
}

// take tells what has happened up to an instant since the one before.
func (s *schedule) take(until time.Time, tell func(*event)) {
	if !s.loaded.After(until) {
		s.load(until.Add(ahead))
	}
	for len(s.coming) > 0 && !s.coming[0].at.After(until) {
		e := heap.Pop(&s.coming).(event)
		tell(&e)
	}
	s.taken = later(s.taken, until)
}

// load looks at the calls that start up to an instant.
func (s *schedule) load(to time.Time) {
	var p plan
	for _, from := range s.records.sources {
		from.world.Each(s.loaded, to, func(c *simulator.Call) bool {
			if from.plan(c, &p) && !listFlaw(p.flaw) {
				s.add(&p)
			}
			return true
		})
	}
	s.loaded = to
}

// add puts a record's versions on the schedule.
func (s *schedule) add(p *plan) {
	for i := range p.releases() {
		if p.all[i].at.After(s.taken) {
			heap.Push(&s.coming, event{at: p.all[i].at, id: p.id, source: p.source.number, place: p.place, version: i})
		}
	}
}

// listFlaw says whether a flaw is in the list: then nothing else knows of the record.
// The others are in the record itself.
func listFlaw(f simulator.Flaw) bool {
	switch f {
	case simulator.NumericID, simulator.NotAnObject, simulator.Truncated, simulator.NegativeDuration, simulator.WrongType:
		return true
	default:
		return false
	}
}
