package plan

import (
	"fmt"
	"slices"
	"time"
)

const (
	// firstRereading and lastRereading bound the wait until such a span is read again, which doubles.
	firstRereading = 5 * time.Second
	lastRereading  = 6 * time.Hour
	// halvedUnread is how many such spans there may be for one that is read again to become two: the plan is stored with each commit.
	halvedUnread = 100
)

// Unreadable is a span of time that can't be read while others can (counting.md 31). Reads leave it out. It is retried by itself, less and less
// often, until it can be read or the provider no longer keeps it.
type Unreadable struct {
	Span

	Due   time.Time `json:"due"`
	Tries int       `json:"tries"`
	// Total is above zero if the provider gave fewer rows than its own total says: Rows. The
	// watermark stands before such a span.
	Rows  int `json:"rows,omitempty"`
	Total int `json:"total,omitempty"`
}

// Text is the span, and how many of its rows came.
func (u *Unreadable) Text() string {
	if u.Total == 0 {
		return u.String()
	}
	return fmt.Sprintf("%s (%d of %d rows)", u.String(), u.Rows, u.Total)
}

// NextStep cuts the next piece off a read, at most so long. It leaves out the spans that can't be read and moves the cursor past them; the piece
// may be empty.
func (p *Plan) NextStep(t *LevelRead, longest time.Duration, v View) Step {
	for _, u := range p.Unread {
		if !u.From.After(t.Cursor) && u.To.After(t.Cursor) {
			t.Cursor = Earliest(u.To, t.To)
		}
	}
	s := t.nextPiece(longest, v)
	for _, u := range p.Unread {
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

// UnreadFor is how much time is stepped over.
func (p *Plan) UnreadFor() (sum time.Duration) {
	for _, u := range p.Unread {
		sum += u.Length()
	}
	return sum
}

// StepOver leaves a span out from now on, and merges it with those that it touches. If fewer rows
// of the span came than the provider's total says, rows and total are these two numbers; else 0.
// Such spans keep their own numbers, unless there are too many.
func (p *Plan) StepOver(from, to, now time.Time, rows, total int) {
	u := Unreadable{Span: Span{From: from, To: to}, Due: now.Add(firstRereading), Tries: 1, Rows: rows, Total: total}
	p.Unread = slices.DeleteFunc(p.Unread, func(o Unreadable) bool {
		touches := !o.From.After(u.To) && !o.To.Before(u.From) && (o.Total > 0) == (u.Total > 0) &&
			(u.Total == 0 || len(p.Unread) >= halvedUnread)
		if touches {
			u.From, u.To = Earliest(o.From, u.From), Latest(o.To, u.To)
			u.Rows, u.Total = u.Rows+o.Rows, u.Total+o.Total
		}
		return touches
	})
	p.Unread = append(p.Unread, u)
	slices.SortFunc(p.Unread, func(a, b Unreadable) int { return a.From.Compare(b.From) })
}

// Halves are the parts in which the span is retried: both halves, or the whole if it is no longer than shortest.
func (u *Unreadable) Halves(shortest time.Duration) []Span {
	if u.Length() <= shortest {
		return []Span{u.Span}
	}
	middle := u.From.Add(u.Length() / 2).Truncate(time.Second)
	return []Span{{From: u.From, To: middle}, {From: middle, To: u.To}}
}

// KeepUnread replaces a span by the parts that still can't be read, with the rows that they have.
// If some of it could be read, the wait before the next try starts over.
func (p *Plan) KeepUnread(u Unreadable, parts []Unreadable, some bool, now time.Time) {
	if len(parts) > 1 && len(p.Unread) >= halvedUnread {
		parts = []Unreadable{u}
	}
	if some {
		u.Tries = 0
	}
	u.Due = now.Add(min(firstRereading<<min(u.Tries, 20), lastRereading))
	u.Tries++
	at := slices.IndexFunc(p.Unread, func(o Unreadable) bool { return o.From.Equal(u.From) })
	p.Unread = slices.Delete(p.Unread, at, at+1)
	for i, part := range parts {
		u.Span, u.Rows, u.Total = part.Span, part.Rows, part.Total
		p.Unread = slices.Insert(p.Unread, at+i, u)
	}
}

// Hold is where the watermark stands once reads have brought it to a time: before the first span of
// which rows are missing. Reached then keeps that time.
func (p *Plan) Hold(watermark time.Time) time.Time {
	p.Reached = time.Time{}
	for i := range p.Unread {
		if u := &p.Unread[i]; u.Total > 0 && u.From.Before(watermark) {
			p.Reached = watermark
			return u.From
		}
	}
	return watermark
}

// DueUnread is the span that is to be read again now, nil if there is none.
func (p *Plan) DueUnread(now time.Time) *Unreadable {
	for i := range p.Unread {
		if u := &p.Unread[i]; !u.Due.After(now) {
			return u
		}
	}
	return nil
}

// ExpireUnread gives up the spans that the provider no longer keeps, or whose calls would be too old to count.
func (p *Plan) ExpireUnread(v View) {
	p.Unread = slices.DeleteFunc(p.Unread, func(u Unreadable) bool {
		expired := !u.To.After(Latest(v.Edge, v.Floor))
		if expired {
			p.Expired += u.Length()
		}
		return expired
	})
}
