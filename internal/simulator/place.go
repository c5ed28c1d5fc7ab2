package simulator

import "time"

// CallAt fills in the call at a place that Each or Page told, and allocates
// nothing. A place that the world doesn't have is a mistake of the caller's, and
// what it gives means nothing.
func (w *World) CallAt(c *Call, block int64, number int) { w.fill(c, block, number) }

// Span is when the world's calls start: in [from, to). A live world has no end,
// and to is zero.
func (w *World) Span() (from, to time.Time) {
	if !w.s.To.IsZero() {
		to = w.s.To.UTC()
	}
	return w.s.From.UTC(), to
}
