package counting

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const (
	activitySeconds = 5 * 60
	// ActivityKept is how far back activity is kept, activityAhead how far ahead of a feed's clock
	// a call may begin to be in it.
	ActivityKept  = 25 * time.Hour
	activityAhead = time.Hour

	// PeakWindow is the hour of cdr_call_peak_concurrency. After it has moved by peakStep, older
	// entries are deleted.
	PeakWindow = time.Hour
	peakStep   = 10 * time.Minute
	// peakKept is how long calls are kept at the most: while a feed reads its history, or lags as
	// far behind, no peak is shown.
	peakKept = 72 * time.Hour
	// peakAhead is how far ahead of a feed's clock a call may end: past it, its end is a mistake.
	peakAhead = 24 * time.Hour
)

// ActivityOf is the first second of the five minutes of a time.
func ActivityOf(at time.Time) int64 { return at.Unix() / activitySeconds * activitySeconds }

// Activity counts the calls that began in five minutes, and those of them that failed.
type Activity struct{ Calls, Failures int64 }

// addActivity counts a call by when it began.
func (d *Decision) addActivity(f *facts.Fact) {
	r, at := f.Record, d.page.ObservedAt
	if f.Kind == facts.Call && !r.Start.Before(at.Add(-ActivityKept)) && !r.Start.After(at.Add(activityAhead)) {
		a := d.change.Activity[ActivityOf(r.Start)]
		a.Calls++
		a.Failures += int64(boolByte(r.Outcome == cdr.Failed))
		d.change.Activity[ActivityOf(r.Start)] = a
	}
}

// connection is when a call was connected, in microseconds since 1970, end excluded, and over which trunk
// and, if it led onto another one, over which second; 0: none. The zero value means that it wasn't connected.
type connection struct{ trunk, second, start, end int64 }

// Edge is the start (Change 1) or end (Change -1) of a connected call on a trunk. A revised call
// adds the opposites of its former edges, and its new ones.
type Edge struct{ Trunk, At, Change int64 }

// connectedIn is when a call was connected, as its leg was; empty if that isn't known.
func (d *Decision) connectedIn(r *cdr.Record) connection {
	leg, latest := r.Leg(), d.page.ObservedAt.Add(peakAhead)
	if leg.End.After(latest) {
		leg.End = time.Time{} // a mistake
	}
	i := leg.Connected()
	if !r.Outcome.Connected() || r.NoDuration || !i.To.After(i.From) || i.To.After(latest) {
		return connection{}
	}
	return connection{start: i.From.UnixMicro(), end: i.To.UnixMicro()}
}

// addConnected adds the edges of a connected call, unless it ended before ConnectedFrom, and
// returns its connection, which a revision takes back.
func (d *Decision) addConnected(r *cdr.Record) connection {
	s := d.connectedIn(r)
	if s.end <= d.was.ConnectedFrom {
		return connection{}
	}
	s.trunk = d.trunkNumber(r.Trunk)
	if l := r.Second; l != nil {
		if i := l.Connected(); i.To.After(i.From) {
			s.second = d.trunkNumber(l.Trunk)
		}
	}
	d.addEdges(s, 1)
	return s
}

func (d *Decision) addEdges(s connection, count int64) {
	for _, trunk := range [...]int64{s.trunk, s.second} {
		if trunk != 0 {
			d.change.Edges = append(d.change.Edges, Edge{trunk, s.start, count}, Edge{trunk, s.end, -count})
		}
	}
}

// reviseConnected replaces the edges of a call of one record by the edges of a later version, on the
// trunks that the call was first seen with; moved is as for changeOutcome.
func (d *Decision) reviseConnected(counted *rememberedRecord, e *entry, moved int) {
	r, was, now := e.record, counted.connection, d.connectedIn(e.record)
	tookNoTime := r.Outcome.Connected() && !r.NoDuration && now == (connection{}) && r.Duration == 0
	switch {
	case moved < 0 || tookNoTime:
		d.addEdges(was, -1)
		counted.connection = connection{}
	case now == (connection{}):
	case was.trunk != 0:
		counted.connection = connection{was.trunk, was.second, now.start, now.end}
		if counted.connection != was {
			d.addEdges(was, -1)
			d.addEdges(counted.connection, 1)
		}
	default:
		counted.connection = d.addConnected(r)
	}
}

// trunkNumber is the number of a trunk, folded past the limit (counting.md 22).
func (d *Decision) trunkNumber(name string) int64 {
	name = metrics.CleanLabel(name)
	trunks, added := d.known.Trunks, d.change.NewTrunks
	if n := trunks[name]; n != 0 {
		return n
	}
	if i := slices.Index(added, name); i >= 0 {
		return int64(len(trunks) + i + 1)
	}
	if len(trunks)+len(added) >= d.known.TrunkLimit && name != metrics.OverflowValue {
		return d.trunkNumber(metrics.OverflowValue)
	}
	d.change.NewTrunks = append(added, strings.Clone(name))
	return int64(len(trunks) + len(added) + 1)
}

// PeakHourEnd is the end of the hour of cdr_call_peak_concurrency.
func PeakHourEnd(s *State, lateAfter time.Duration) time.Time { return s.Watermark.Add(-lateAfter) }

// forgetConnected forgets calls that ended before the hour.
func (d *Decision) forgetConnected() {
	next, at := &d.change.State, d.page.ObservedAt
	keep := PeakHourEnd(next, d.settings.LateAfter).Add(-PeakWindow)
	if least := at.Add(-peakKept); keep.Before(least) {
		keep = least
	}
	next.ConnectedFrom = min(next.ConnectedFrom, at.UnixMicro()) // a clock was ahead
	if from := keep.UnixMicro(); from >= next.ConnectedFrom+peakStep.Microseconds() {
		next.ConnectedFrom = from
	}
}
