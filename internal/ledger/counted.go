package ledger

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// counted is where a record is counted by its time, so that a later version can move it:
// in the activity and among the connected calls. What began or ended too long ago to
// be in either isn't told.
type counted struct {
	// began is the five minutes since 1970 whose activity has the call; 0 for none.
	began int64
	// span is when the call was connected; its trunk is 0 for none.
	span metrics.Span
}

// The parts of the stored form.
const (
	countedBegan = 1 << iota
	countedSpan
	// countedBoth: the span begins within the five minutes of the activity.
	countedBoth

	allCounted = countedBegan | countedSpan | countedBoth
)

// countedEpoch is the time that stored forms are reckoned from, so that they are short:
// 2026-01-01.
const countedEpoch = 1767225600

// append appends the stored form: which parts there are, and these.
func (c *counted) append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0)
	switch {
	case c.began == 0:
	case c.span.Trunk != 0 && fiveMinutes(c.span.Start) == c.began:
		dst[at] |= countedBoth
	default:
		dst[at] |= countedBegan
		dst = binary.AppendVarint(dst, c.began-countedEpoch/activitySeconds)
	}
	if c.span.Trunk != 0 {
		dst[at] |= countedSpan
		dst = binary.AppendVarint(dst, c.span.Start-countedEpoch*1e6)
		dst = binary.AppendUvarint(dst, uint64(c.span.End-c.span.Start))
		dst = binary.AppendUvarint(dst, uint64(c.span.Trunk))
	}
	return dst
}

// none says that there is nothing to tell.
func (c *counted) none() bool { return c.began == 0 && c.span.Trunk == 0 }

// counted reads what append wrote.
func (r *reader) counted() (c counted) {
	parts := r.bytes(1)
	if r.bad || parts[0] == 0 || parts[0]&^allCounted != 0 || parts[0]&countedBoth != 0 && parts[0] != countedBoth|countedSpan {
		r.bad = true
		return counted{}
	}
	if parts[0]&countedBegan != 0 {
		c.began = r.varint() + countedEpoch/activitySeconds
		r.bad = r.bad || c.began == 0
	}
	if parts[0]&countedSpan != 0 {
		c.span.Start = r.varint() + countedEpoch*1e6
		c.span.End = c.span.Start + int64(r.uvarint())
		c.span.Trunk = int64(r.uvarint())
		r.bad = r.bad || c.span.Trunk <= 0 || c.span.End < c.span.Start
	}
	if parts[0]&countedBoth != 0 {
		c.began = fiveMinutes(c.span.Start)
		r.bad = r.bad || c.began == 0
	}
	return c
}

// fiveMinutes are the five minutes since 1970 in which a time lies, in microseconds.
func fiveMinutes(us int64) int64 {
	return time.UnixMicro(us).Unix() / activitySeconds
}
