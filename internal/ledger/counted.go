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

// append appends the stored form.
func (c *counted) append(dst []byte) []byte {
	dst = binary.AppendUvarint(binary.AppendVarint(dst, c.began), uint64(c.span.Trunk))
	if c.span.Trunk != 0 {
		dst = binary.AppendVarint(dst, c.span.Start)
		dst = binary.AppendUvarint(dst, uint64(c.span.End-c.span.Start))
	}
	return dst
}

// counted reads what append wrote.
func (r *reader) counted() (c counted) {
	c.began, c.span.Trunk = r.varint(), int64(r.uvarint())
	if c.span.Trunk != 0 {
		c.span.Start = r.varint()
		c.span.End = c.span.Start + int64(r.uvarint())
		r.bad = r.bad || c.span.Trunk < 0 || c.span.End < c.span.Start
	}
	return c
}

// fiveMinutes are the five minutes since 1970 in which a time lies, in microseconds.
func fiveMinutes(us int64) int64 {
	return time.UnixMicro(us).Unix() / activitySeconds
}
