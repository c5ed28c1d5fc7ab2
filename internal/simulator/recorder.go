package simulator

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// keptRequests is how many requests a recorder keeps whole.
const keptRequests = 20_000

// Seen is a request that was answered.
type Seen struct {
	Endpoint string
	// At is the provider's time.
	At time.Time
	// From and To are the range that was asked for, Skip the offset; zero where the request has none.
	From, To time.Time
	Skip     int
	// Status is what was answered, Fault what went wrong with it; Rows are those of the page.
	Status int
	Fault  Fault
	Rows   int
}

// Recorder keeps what was asked.
type Recorder struct {
	mu     sync.Mutex
	seen   []Seen
	begun  map[string]int
	counts map[string]map[int]int
	rows   map[string]int
}

// NewRecorder has seen nothing.
func NewRecorder() *Recorder {
	return &Recorder{begun: map[string]int{}, counts: map[string]map[int]int{}, rows: map[string]int{}}
}

// Begin says that a request came, which ends with End, and how many came to its endpoint before.
func (r *Recorder) Begin(endpoint string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.begun[endpoint]
	r.begun[endpoint]++
	return n
}

// End says how a request was answered.
func (r *Recorder) End(s Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts[s.Endpoint] == nil {
		r.counts[s.Endpoint] = map[int]int{}
	}
	r.counts[s.Endpoint][s.Status]++
	r.rows[s.Endpoint] += s.Rows
	if len(r.seen) == keptRequests {
		r.seen = slices.Delete(r.seen, 0, keptRequests/2)
	}
	r.seen = append(r.seen, s)
}

// Requests are the requests that were answered last, oldest first: at least 10,000 of them are kept.
func (r *Recorder) Requests() []Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// Count is the number of requests to an endpoint, by what was answered; all of them under 0.
func (r *Recorder) Count(endpoint string) map[int]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := maps.Clone(r.counts[endpoint])
	if counts == nil {
		counts = map[int]int{}
	}
	counts[0] = r.begun[endpoint]
	return counts
}

// Rows is the number of rows that an endpoint gave away.
func (r *Recorder) Rows(endpoint string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rows[endpoint]
}
