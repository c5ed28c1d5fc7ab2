package ringcentral

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// visit is a caller's visit to a queue: all legs of its extension.
type visit struct {
	queue string    // id of its extension
	start time.Time // of the first leg
	timed bool      // a leg has a start; else it is the call's
	last  *leg
}

// addVisits adds the visits of an inbound call to queues, one for each queue, with how each ended:
// by the first agent's leg that was accepted before the next visit, else by the next visit, else as
// the queue's last leg says.
func (m *mapper) addVisits(row *row, r *cdr.Record) {
	if m.queues == nil || r.Provisional || folded(row.Direction) != "inbound" {
		return
	}
	all := m.visits(row, r.Start)
	for _, v := range all {
		var next time.Time
		if later := slices.IndexFunc(all, func(o visit) bool { return o.start.After(v.start) }); later >= 0 {
			next = all[later].start
		}
		one := cdr.Visit{ID: v.queue, Queue: m.queues[v.queue], Start: v.start}
		one.Result = visitResults[folded(v.last.Result)]
		var end time.Time
		if agent := m.answer(row, v.start, next); !agent.IsZero() {
			one.Result, end = cdr.QueueAnswered, agent
		} else if !next.IsZero() {
			one.Result, end = cdr.QueueOverflowed, next
		} else if one.Result != cdr.QueueAnswered { // the leg of an answered visit ends with the talk
			end = v.last.end()
		}
		if wait := end.Sub(v.start); v.timed && !end.IsZero() && wait >= 0 {
			one.Wait = cdr.KnownLength(wait)
		}
		r.Visits = append(r.Visits, one)
	}
}

// visits are the queues of a call's legs, by the start of each one's first leg.
func (m *mapper) visits(row *row, callStart time.Time) (all []visit) {
	byStart := func(a, b *leg) int { return a.start().Compare(b.start()) }
	for _, l := range slices.SortedStableFunc(slices.Values(row.Legs), byStart) {
		if !m.isQueue(l) {
			continue
		}
		i := slices.IndexFunc(all, func(v visit) bool { return v.queue == l.Extension.text() })
		if i < 0 {
			i, all = len(all), append(all, visit{queue: l.Extension.text(), start: callStart})
		}
		v := &all[i]
		if at := l.start(); !v.timed && !at.IsZero() {
			v.start, v.timed = at, true
		}
		v.last = l
	}
	slices.SortFunc(all, func(a, b visit) int {
		return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.queue, b.queue))
	})
	return all
}

func (m *mapper) isQueue(l *leg) bool {
	_, known := m.queues[l.Extension.text()]
	return known && l.Extension.ID != nil
}

// answer is when the first agent's leg that was accepted began, at a time or later and, if there is
// a next visit, before that; zero if there is none. The master leg stands for the whole call, so
// its start isn't an agent's.
func (m *mapper) answer(row *row, from, next time.Time) (first time.Time) {
	for _, l := range row.Legs {
		at := l.start()
		if l.Master || l.Extension.ID == nil || m.isQueue(l) || visitResults[folded(l.Result)] != cdr.QueueAnswered ||
			at.IsZero() {
			continue
		}
		if !at.Before(from) && (next.IsZero() || at.Before(next)) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// visitResults are what the result of a queue's last leg says of the visit; all else is QueueOther.
var visitResults = map[string]cdr.QueueResult{
	"accepted": cdr.QueueAnswered, "call accepted": cdr.QueueAnswered, "call connected": cdr.QueueAnswered,
	"missed": cdr.QueueAbandoned, "no answer": cdr.QueueAbandoned, "hang up": cdr.QueueAbandoned,
	"abandoned": cdr.QueueAbandoned,
	"stopped":   cdr.QueueAbandoned,
	"voicemail": cdr.QueueOverflowed, "sent to voicemail": cdr.QueueOverflowed, "busy": cdr.QueueOverflowed,
}

// start is when the leg began; zero if it doesn't say.
func (l *leg) start() time.Time {
	at, err := time.Parse(time.RFC3339, l.StartTime)
	if err != nil || at.Year() <= 1 {
		return time.Time{}
	}
	return at.UTC()
}

// end is when the leg ended; zero if it doesn't say.
func (l *leg) end() time.Time {
	lasted, known := l.lasted()
	if !known || l.start().IsZero() {
		return time.Time{}
	}
	return l.start().Add(lasted)
}

// lasted is how long the leg took, and whether it says.
func (l *leg) lasted() (lasted time.Duration, known bool) {
	n, unit := l.DurationMs, time.Millisecond
	if n == nil {
		n, unit = l.Duration, time.Second
	}
	if n == nil {
		return 0, false
	}
	lasted, problem := cdr.Duration(*n, unit)
	return lasted, problem == ""
}
