package httpclient

import (
	"errors"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Window is a provider's own limit: so many requests of a credential in any window of
// time. Requests then go one at a time, in the order in which they were asked for: of
// several under way, those behind one that is refused would begin its penalty anew.
//
// The limit is used in full and not overrun, whatever a request's way to the server and
// back takes: that leaves Limit requests in Per and the time of one answer.
type Window struct {
	// Limit requests go in any Per, until an answer says otherwise. A greater limit of
	// the provider's isn't used if Most is above zero.
	Limit, Most int
	Per         time.Duration
	// Group, LimitHeader, Remaining and PerHeader name the answer's headers; the last
	// is in seconds. Empty ones aren't looked at.
	Group, LimitHeader, Remaining, PerHeader string
	// Only, if it isn't empty, is the group whose numbers are believed, whatever its
	// case: requests of another group weigh too, but its limit isn't this one's.
	Only string
	// Penalty is how long a 429 that doesn't say freezes everything. Every request
	// within it may begin it anew.
	Penalty time.Duration
}

// check finds what no window can have.
func (s *Window) check() error {
	if s.Limit <= 0 || s.Per <= 0 || s.Most < 0 || s.Penalty < 0 {
		return errors.New("the window of requests has no limit or no length")
	}
	return nil
}

// Budget is what a provider lets a credential ask, as far as is known.
type Budget struct {
	// Group is the provider's name of it; empty: not said yet.
	Group string
	// Limit requests in any Per, 0 for no limit; Remaining of them are left now, below 0
	// if that isn't known.
	Limit, Remaining int
	Per              time.Duration
	// FrozenUntil is when the provider may be asked again; zero: now.
	FrozenUntil time.Time
}

// The bounds within which an answer's headers are believed.
const (
	mostLimit  = 100_000
	longestPer = time.Hour
)

// windowMargin is how much longer than Per a request weighs here: two clocks don't run
// alike, and a server may count both ends of its window.
const windowMargin = 100 * time.Millisecond

// window counts requests as a server does that slides its window. The server counts a
// request at a time between its sending and its answer. So:
//
//   - It weighs until Per after its answer, when the server has forgotten it. Of our own
//     requests, no window of the server's then ever holds more than the limit.
//   - An answer that says how many requests remain counts those of other programs too.
//     When none remains, room comes with the first of our own that the server surely
//     counted and by now has forgotten, or Per after the answer.
type window struct {
	line line

	mu       sync.Mutex
	settings Window        // guarded by mu
	group    string        // guarded by mu
	limit    int           // guarded by mu; the provider's
	per      time.Duration // guarded by mu
	past     []exchange    // in order; guarded by mu
	told     told          // guarded by mu
}

// exchange is when a request was sent and when its answer, or none, came.
type exchange struct{ sent, answered time.Time }

// told is what the latest answer said of what remains, less our requests since.
type told struct {
	at   time.Time // zero: nothing
	left int
}

func newWindow(s *Window) *window {
	return &window{settings: *s, limit: s.Limit, per: s.Per, group: strings.ToLower(s.Only)}
}

// configure takes settings over and keeps what is known.
func (w *window) configure(s *Window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settings = *s
}

// full is how long there is no room; whoever asks has the turn.
func (w *window) full() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.ownRoom()
	if also := w.toldRoom(); also.After(at) {
		at = also
	}
	return time.Until(at)
}

// ownRoom is when our own requests leave room; the lock is held.
func (w *window) ownRoom() time.Time {
	if i := len(w.past) - w.most(); i >= 0 {
		return w.end(i)
	}
	return time.Time{}
}

// toldRoom is when the requests leave room that the latest answer counted, those of
// other programs among them; the lock is held.
func (w *window) toldRoom() time.Time {
	if w.told.at.IsZero() || w.told.left > 0 {
		return time.Time{}
	}
	// So many more of the requests that were counted must be forgotten.
	i := w.counted() - w.told.left
	if i < len(w.past) && !w.past[i].answered.After(w.told.at) {
		return w.end(i)
	}
	return w.told.at.Add(w.per + windowMargin) // when all of them are
}

// counted is the index of the first request that the latest answer surely counted; the
// lock is held.
func (w *window) counted() int {
	from := w.told.at.Add(-w.per)
	return sort.Search(len(w.past), func(i int) bool { return w.past[i].sent.After(from) })
}

// most is the limit that is kept to; the lock is held.
func (w *window) most() int {
	if most := w.settings.Most; most > 0 {
		return min(w.limit, most)
	}
	return w.limit
}

// end is when a request stops to weigh; the lock is held.
func (w *window) end(i int) time.Time { return w.past[i].answered.Add(w.per + windowMargin) }

// ended is how many requests of the past no longer weigh; the lock is held.
func (w *window) ended(now time.Time) int {
	return sort.Search(len(w.past), func(i int) bool { return w.end(i).After(now) })
}

// answered notes a request that was sent and has ended; whoever calls it has the turn.
// The status is 0 and the header nil if no answer came.
func (w *window) answered(sent time.Time, status int, header http.Header) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.past = append(w.past, exchange{sent: sent, answered: now})
	for len(w.past) > mostLimit || now.Sub(w.past[0].answered) > longestPer+windowMargin {
		w.past = w.past[1:]
	}
	w.told.left-- // unless the answer says better
	frozen := status == http.StatusTooManyRequests && header.Get("Retry-After") != ""
	if frozen {
		w.told = told{} // the provider says when to come again
	}
	if !w.ours(header) {
		return
	}
	s := &w.settings
	if n, ok := number(header, s.LimitHeader, mostLimit); ok && n > 0 {
		w.limit = n
	}
	if n, ok := number(header, s.PerHeader, int(longestPer/time.Second)); ok && n > 0 {
		w.per = time.Duration(n) * time.Second
	}
	if left, ok := number(header, s.Remaining, mostLimit); ok && !frozen {
		w.told = told{at: now, left: left}
	}
}

// ours says whether an answer's numbers are this window's; the lock is held.
func (w *window) ours(header http.Header) bool {
	if w.settings.Group == "" {
		return true
	}
	group := strings.TrimSpace(header.Get(w.settings.Group))
	if only := w.settings.Only; only != "" {
		return group == "" || strings.EqualFold(group, only)
	}
	if name := groupName(group); name != "" {
		w.group = name
	}
	return true
}

// groupName is a group's name as it is shown; empty for what is too long to be one and
// might be anything.
func groupName(name string) string {
	const longest = 20
	if len(name) > longest {
		return ""
	}
	return strings.ToLower(cleanID(name))
}

// number is a header's number.
func number(h http.Header, name string, most int) (int, bool) {
	if name == "" {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(h.Get(name)))
	return n, err == nil && n >= 0 && n <= most
}

func (w *window) budget() Budget {
	w.mu.Lock()
	defer w.mu.Unlock()
	ended := w.ended(time.Now())
	left := w.most() - (len(w.past) - ended)
	if !w.told.at.IsZero() && time.Since(w.told.at) < w.per+windowMargin {
		left = min(left, w.told.left+max(0, ended-w.counted()))
	}
	return Budget{Group: w.group, Limit: w.most(), Per: w.per, Remaining: max(0, left)}
}
