package collector

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// heldPosition is a position that waits until the named calls are fetched or put off. If the
// watermark passed them before that, so would the floor, and they would be too old to count;
// and the first history would be shown while it is still being counted (counting.md 5, 7, 20).
// It isn't stored: after a restart the plan arrives at it again. It is empty if at is zero.
type heldPosition struct {
	counting.Position

	at    time.Time     // up to which nothing may be due
	until time.Duration // when the next piece is listed even so, by Clock.Elapsed
}

// add holds a position back until the calls that were named up to now are fetched.
func (h *heldPosition) add(p counting.Position, state counting.State, now time.Time) {
	ends := p.HistoryDone && !state.HistoryDone
	if ends || !p.Watermark.IsZero() {
		h.at = plan.Latest(h.at, now)
		h.Watermark = plan.Latest(h.Watermark, p.Watermark)
		if !p.Watermark.IsZero() && p.Watermark.Before(state.Watermark) {
			h.Watermark = p.Watermark // it steps back
		}
		h.HistoryDone = h.HistoryDone || ends
	}
}

// extend makes a held position also wait for tasks that were named later, up to an instant.
func (h *heldPosition) extend(at time.Time) {
	if !h.at.IsZero() {
		h.at = plan.Latest(h.at, at)
	}
}
