package plan

import (
	"slices"
	"time"
)

const (
	// firstRereading and lastRereading bound the wait until such a span is read again, which doubles.
	firstRereading = 5 * time.Second
	lastRereading  = 6 * time.Hour
)

// Unreadable is a span of time that the provider can't give, while it gives others (counting.md 31). Reads go around it, and it is read
// by itself, ever more seldom, until it can be read or the provider no longer keeps it.
type Unreadable struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Due   time.Time `json:"due"`
	Tries int       `json:"tries"`
}

func (u *Unreadable) String() string {
	return u.From.UTC().Format(time.RFC3339) + "/" + u.To.UTC().Format(time.RFC3339)
}

// NextStep cuts the next piece off a task, at most so long, with nothing in it of the spans that can't be read, which its cursor passes. It may
// be empty then.
func (p *Plan) NextStep(t *Task, longest time.Duration, v View) Step {
	for _, u := range p.Unread {
		if !u.From.After(t.Cursor) && u.To.After(t.Cursor) {
			t.Cursor = Earliest(u.To, t.To)
		}
	}
	s := t.step(longest, v)
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
		sum += u.To.Sub(u.From)
	}
	return sum
}

// StepOver leaves a span out from now on.
func (p *Plan) StepOver(from, to, now time.Time) Unreadable {
	u := Unreadable{From: from, To: to, Due: now.Add(firstRereading), Tries: 1}
	p.Unread = append(p.Unread, u)
	slices.SortFunc(p.Unread, func(a, b Unreadable) int { return a.From.Compare(b.From) })
	return u
}

// DropUnread forgets a span that could be read.
func (p *Plan) DropUnread(from time.Time) {
	p.Unread = slices.DeleteFunc(p.Unread, func(u Unreadable) bool { return u.From.Equal(from) })
}

// PutOff notes that a span still can't be read.
func (u *Unreadable) PutOff(now time.Time) {
	u.Due = now.Add(min(firstRereading<<min(u.Tries, 20), lastRereading))
	u.Tries++
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
		gone := !u.To.After(Latest(v.Edge, v.Floor))
		if gone {
			p.Gone += u.To.Sub(u.From)
		}
		return gone
	})
}
