package counting

import "time"

// originTolerance is how far a clock may be ahead before it matters.
const originTolerance = 2 * time.Minute

// decidePosition takes over the page's position (counting.md 2, 7). The end of the first history
// shows the feed's series (counting.md 20).
func (d *Decision) decidePosition() {
	d.moveOrigin()
	next, position := &d.change.State, d.page.Position
	if position == nil {
		return
	}
	ahead := next.Watermark.After(d.page.ObservedAt.Add(originTolerance))
	if position.Watermark.After(next.Watermark) || ahead && !position.Watermark.IsZero() {
		next.Watermark = position.Watermark.UTC()
	}
	if position.Resume != nil {
		next.Resume = append([]byte(nil), position.Resume...)
	}
	if position.HistoryDone && !next.HistoryDone {
		d.endHistory()
	}
}

// endHistory shows the feed once the calls of its first history are whole, or have waited `settle` once.
func (d *Decision) endHistory() {
	next, read := &d.change.State, d.page.Position.Read
	began := d.page.ObservedAt
	if read != nil {
		began = read.Began
	}
	switch {
	case d.change.Result.Waiting == 0, !next.HistoryRead.IsZero() &&
		!began.Before(next.HistoryRead.Add(d.settings.Settle)):
		next.HistoryDone = true
	case next.HistoryRead.IsZero():
		next.HistoryRead = d.page.ObservedAt
	}
}

// moveOrigin sets the origin of a feed that nothing was planned for yet by the provider's clock,
// where ours was ahead when the feed was made: it would have left out calls of its first history
// (counting.md 5, 10).
func (d *Decision) moveOrigin() {
	next := &d.change.State
	if d.page.Position != nil || next.HistoryDone || len(next.Resume) > 0 {
		return
	}
	origin := d.page.ObservedAt.Add(-d.settings.History).UTC().Truncate(time.Second)
	if origin.Before(next.Origin.Add(-originTolerance)) {
		first := origin.Add(-d.settings.Lead)
		next.Origin, next.Floor, next.Watermark = origin, first, first
	}
}
