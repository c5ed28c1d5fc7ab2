package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Spans that must be read again are items of the kind work.Span. A span that is set aside can't be read while others
// can (counting.md 31), so reads leave it out. If the provider gave fewer rows than its own total says, the item's
// data says so, and the watermark stays before the span.

// mostHalved is how many items there may be for one that is read again to become two.
const mostHalved = 100

// SpanOf is an item's span; the zero span if its key isn't one.
func SpanOf(w *work.Item) Span {
	text, end, _ := strings.Cut(w.Key, "/")
	from, err := time.Parse(time.RFC3339, text)
	to, failed := time.Parse(time.RFC3339, end)
	if err != nil || failed != nil {
		return Span{}
	}
	return Span{From: from, To: to}
}

// SpanItem makes an item for one more read of a span.
func SpanItem(from, to, now time.Time) work.Item {
	from, to = ToWholeSeconds(from, to)
	return work.Item{Kind: work.Span, Key: Span{From: from, To: to}.String(), Due: now}
}

const missingRows = "%d of %d rows"

// MissingRows is the data of an item with fewer rows than the provider's total.
func MissingRows(rows, total int) string { return fmt.Sprintf(missingRows, rows, total) }

// SpanText is an item's span, and how many of its rows came.
func SpanText(w *work.Item) string {
	if w.Data == "" {
		return w.Key
	}
	return fmt.Sprintf("%s (%s)", w.Key, w.Data)
}

// StepOver makes an item for a span that other reads will leave out. It merges the item with the items that it touches,
// and returns those as done. Items of missing rows keep their numbers, unless there are too many. Data and problem are
// the new item's.
func StepOver(items []work.Item, span Span, now time.Time, data, problem string) (put work.Item, done []work.Item) {
	for i := range items {
		w := &items[i]
		one := SpanOf(w)
		touches := w.SetAside && !one.From.After(span.To) && !one.To.Before(span.From) && (w.Data == "") == (data == "")
		if !touches || data != "" && len(items) < mostHalved {
			continue
		}
		span.From, span.To = Earliest(one.From, span.From), Latest(one.To, span.To)
		data = addRows(data, w.Data)
		done = append(done, *w)
	}
	put = SpanItem(span.From, span.To, now.Add(work.Rereading.After(1, 0)))
	put.Attempts, put.SetAside, put.Data, put.Problem = 1, true, data, problem
	return put, done
}

func addRows(a, b string) string {
	if a == "" {
		return ""
	}
	var sum [4]int
	_, _ = fmt.Sscanf(a, missingRows, &sum[0], &sum[1]) // they are MissingRows
	_, _ = fmt.Sscanf(b, missingRows, &sum[2], &sum[3])
	return MissingRows(sum[0]+sum[2], sum[1]+sum[3])
}

// Parts returns the spans of an item that are read now. An item that is set aside is read in halves,
// unless it is no longer than shortest. Otherwise its first piece is read, at most longest; rest is
// the remaining span.
func Parts(w *work.Item, shortest, longest time.Duration) (parts []Span, rest Span) {
	span := SpanOf(w)
	switch {
	case !w.SetAside && span.Length() > longest:
		middle := span.From.Add(longest)
		return []Span{{From: span.From, To: middle}}, Span{From: middle, To: span.To}
	case !w.SetAside, span.Length() <= shortest:
		return []Span{span}, Span{}
	}
	middle := span.From.Add(span.Length() / 2).Truncate(time.Second)
	return []Span{{From: span.From, To: middle}, {From: middle, To: span.To}}, Span{}
}

// PutOff makes items for the parts of an item that still can't be read. If a part could be read, the wait before the
// next try starts over. If there are too many items, none is split.
func PutOff(items []work.Item, w work.Item, parts []work.Item, some bool, now time.Time) []work.Item {
	if len(parts) > 1 && len(items) >= mostHalved {
		parts = []work.Item{w}
	}
	attempts := w.Attempts + 1
	if some {
		attempts = 1
	}
	for i := range parts {
		p := &parts[i]
		p.Kind, p.SetAside, p.Attempts, p.Due = w.Kind, w.SetAside, attempts, now.Add(work.Rereading.After(attempts, 0))
	}
	return parts
}

// DueIn is how long from now until a span is read again. A clock that was ahead may have put it off too far.
func DueIn(w *work.Item, now time.Time) time.Duration {
	if wait := w.Due.Sub(now); wait <= work.Rereading.Last+ClockTolerance {
		return max(0, wait)
	}
	return 0
}

// SetAside are the spans that reads leave out, in order.
func SetAside(items []work.Item) (spans []Span) {
	for i := range items {
		if w := &items[i]; w.SetAside {
			spans = append(spans, SpanOf(w))
		}
	}
	return spans
}

// Release returns the watermark when no record holds it back: Reached, which it clears, or the start of the first span
// with missing rows.
func (p *Plan) Release(items []work.Item) time.Time {
	for i := range items {
		if w := &items[i]; w.SetAside && w.Data != "" && SpanOf(w).From.Before(p.Reached) {
			return SpanOf(w).From
		}
	}
	at := p.Reached
	p.Reached = time.Time{}
	return at
}

// Expire gives up the spans that the provider no longer keeps, or whose calls would be too old to count. It returns
// them and the others.
func (p *Plan) Expire(items []work.Item, v View) (left, expired []work.Item) {
	left = slices.DeleteFunc(slices.Clone(items), func(w work.Item) bool {
		span := SpanOf(&w)
		gone := !span.To.After(Latest(v.Edge, v.Floor))
		if gone {
			expired = append(expired, w)
		}
		if gone && w.SetAside {
			p.Expired += span.Length()
		}
		return gone
	})
	return left, expired
}

// NextStep cuts the next piece off a read, at most longest. It leaves out the spans that can't be
// read and moves the cursor past them. The piece may be empty.
func (p *Plan) NextStep(t *LevelRead, longest time.Duration, v View) Step {
	for _, u := range v.Skip {
		if !u.From.After(t.Cursor) && u.To.After(t.Cursor) {
			t.Cursor = Earliest(u.To, t.To)
		}
	}
	s := t.nextPiece(longest, v)
	for _, u := range v.Skip {
		switch {
		case !u.To.After(s.From) || !u.From.Before(s.To):
		case u.From.Before(t.Cursor) || !u.From.After(s.From):
			s.From = Earliest(u.To, t.To)
		default:
			s.To = u.From
		}
	}
	s.To = Latest(s.To, s.From)
	return s
}
