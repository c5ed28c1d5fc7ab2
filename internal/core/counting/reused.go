package counting

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// SameCall is how far apart the starts of two versions of a call may be in a feed that is read by
// arrival. Systems that number their calls from 1 again, each day or with an emptied table, use an
// id for another call: a record whose start is farther from the remembered one has a key of id and
// hour (counting.md 38).
const SameCall = time.Hour

// MayBeOne says whether rows with one id are taken for versions of one call, by their starts (counting.md, "Known
// again" and "Records that come by arrival").
func (r *Rules) MayBeOne(start, other time.Time) bool {
	if r.ByArrival {
		return start.Sub(other).Abs() <= SameCall
	}
	hour := HourBucket(other)
	return hour == HourBucket(start) || hour == neighbour(start) || r.Grows
}

// isCallOf says whether a state that one of the record's keys leads to is of the record's call.
func (d *Decision) isCallOf(st *storedState, r *cdr.Record) bool {
	if !d.settings.ByArrival {
		return true
	}
	start, is := startOf(st.Data)
	return !is || r.Start.Sub(time.Unix(start, 0)).Abs() <= SameCall
}

// newKey is what a record that isn't known is remembered under: its first key, or that of id and
// hour if another call has the first one.
func (d *Decision) newKey(e *entry) Hash {
	if len(e.hours) > 0 && d.states[e.keys[0]] != nil {
		return e.hours[0]
	}
	return e.keys[0]
}

// hourOf is the hour of a record's key if another call has its id, else 0.
func (d *Decision) hourOf(e *entry) int64 {
	if len(e.hours) == 0 {
		return 0
	}
	key := d.newKey(e)
	if st := d.findState(e); st != nil {
		key = st.Hash
	}
	at := slices.Index(e.hours, key)
	if at < 0 {
		return 0
	}
	return HourBucket(e.record.Start) + [...]int64{0, -1, 1}[at]
}
