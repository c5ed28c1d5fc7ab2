package metrics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// recentKept is how many attempts are kept of a trunk and direction.
const recentKept = 64

// Attempt is a call as it was first seen.
type Attempt struct {
	second  int64 // its start since 1970
	Outcome cdr.Outcome
	// Failure says why it didn't connect; it is zero if it did.
	Failure Failure
}

// Start is when the call started, in whole seconds.
func (a Attempt) Start() time.Time { return time.Unix(a.second, 0).UTC() }

// Failure says why a call didn't connect, in the label values of cdr_call_failures_total.
type Failure struct {
	SIPCode     string `json:"sip_code,omitempty"`
	SubCode     string `json:"sub_code,omitempty"`
	Reason      string `json:"reason,omitempty"`
	FaultDomain string `json:"fault_domain"`
}

// Recent are the last attempts of a trunk in a direction, from which the cdr_recent gauges are made.
type Recent struct {
	Source, Provider, Feed, Direction, Trunk string
	// NoReasons says that the feed can't tell faults from other calls that didn't connect.
	NoReasons bool
	recent
}

// recent is the value of a series of attempts.
type recent struct {
	// Attempts are at least one and at most 64, in the order in which they were first seen; those of one commit by their start.
	Attempts []Attempt
	fresh    int // of these, how many the commit under way added, at the end, until it settles
	// gone is, by Ending, when the run of such attempts began with which those end that aren't kept any more; 0: they end otherwise.
	gone [endings]int64
}

// Ending is how attempts may end.
type Ending int

// The endings.
const (
	Faults      Ending = iota // the calls that failed
	Unconnected               // the calls that nobody answered, for whatever reason
	endings     int    = iota
)

// Has says whether an outcome is such an ending.
func (e Ending) Has(o cdr.Outcome) bool {
	if e == Faults {
		return o == cdr.Failed
	}
	return !o.Connected()
}

func (r *recent) count(such Ending) (n int) {
	for _, a := range r.Attempts {
		if such.Has(a.Outcome) {
			n++
		}
	}
	return n
}

// Since is when the unbroken run of attempts that ended so, up to the newest, began; zero if the newest ended otherwise.
func (r *recent) Since(such Ending) (since time.Time) {
	for _, a := range slices.Backward(r.Attempts) {
		if !such.Has(a.Outcome) {
			return since
		}
		since = a.Start()
	}
	if began := r.gone[such]; began != 0 {
		return time.Unix(began, 0).UTC()
	}
	return since
}

// Newest is the latest start.
func (r *recent) Newest() time.Time {
	var latest int64
	for _, a := range r.Attempts {
		latest = max(latest, a.second)
	}
	return time.Unix(latest, 0).UTC()
}

// TopFailure is the most frequent failure of the attempts that ended so, of two as frequent the latest, and how many had it; 0 if none.
func (r *recent) TopFailure(such Ending) (top Failure, n int) {
	counts := make(map[Failure]int)
	for _, a := range r.Attempts {
		if !such.Has(a.Outcome) {
			continue
		}
		counts[a.Failure]++
		if counts[a.Failure] >= n {
			top, n = a.Failure, counts[a.Failure]
		}
	}
	return top, n
}

// Recent are the last attempts of every configured feed whose first history was read, in no particular order.
func (s *Store) Recent() []Recent {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Recent
	for _, f := range s.feeds {
		if !f.revealed {
			continue
		}
		for _, series := range f.list {
			if series.Labels.Def == RecentAttempts {
				own := series.Own()
				all = append(all, Recent{
					Source: f.source, Provider: f.provider, Feed: f.feed, Direction: own[0], Trunk: own[1],
					NoReasons: f.NoReasons, recent: *series.cur.recent.clone(),
				})
			}
		}
	}
	return all
}

func (b *builder) recent(f *FeedSeries, series *Series) {
	r, values := series.cur.recent, series.Labels.Values
	b.gauge(RecentAttempts, values, float64(len(r.Attempts)))
	if !f.NoReasons {
		b.gauge(RecentFaults, values, float64(r.count(Faults)))
	}
	b.gauge(RecentConnected, values, float64(len(r.Attempts)-r.count(Unconnected)))
	b.gauge(RecentNewest, values, float64(r.Newest().Unix()))
}

// AddAttempt adds a new call, which counted makes of, to the last attempts of its trunk and direction, if it is an attempt. One whose failure
// isn't counted, since it is another's too, is none.
func (c *Changes) AddAttempt(r *cdr.Record, counted []Delta) {
	if !r.Outcome.Attempt() && (r.Outcome != cdr.NotConnected || !c.feed.NoReasons) {
		return
	}
	a := Attempt{second: r.Start.Unix(), Outcome: r.Outcome}
	if !r.Outcome.Connected() {
		i := slices.IndexFunc(counted, func(d Delta) bool { return d.Def == CallFailures })
		if i < 0 {
			return
		}
		l := &counted[i].Labels
		a.Failure = Failure{SIPCode: l[3], SubCode: l[4], Reason: CleanLabel(l[5]), FaultDomain: l[6]}
	}
	recent := c.series(RecentAttempts, []string{r.Direction.String(), r.Trunk}).next.recent
	recent.Attempts = append(recent.Attempts, a)
	recent.fresh++
}

func (r *recent) clone() *recent {
	return &recent{Attempts: slices.Clone(r.Attempts), gone: r.gone}
}

// settle ends the commit under way: its attempts follow in order of their start, since providers may list the newest first; the last stay.
func (r *recent) settle() {
	slices.SortStableFunc(r.Attempts[len(r.Attempts)-r.fresh:], func(a, b Attempt) int { return cmp.Compare(a.second, b.second) })
	gone := max(0, len(r.Attempts)-recentKept)
	for _, a := range r.Attempts[:gone] {
		r.forget(a)
	}
	r.Attempts, r.fresh = slices.Delete(r.Attempts, 0, gone), 0
}

// forget notes how the oldest attempt ended, which goes.
func (r *recent) forget(a Attempt) {
	for e := range r.gone {
		if !Ending(e).Has(a.Outcome) {
			r.gone[e] = 0
		} else if r.gone[e] == 0 {
			r.gone[e] = a.second
		}
	}
}

// merge adds the attempts of a series that falls together with this one, by their start.
func (r *recent) merge(o *recent) {
	r.Attempts = append(r.Attempts, o.Attempts...)
	r.fresh = len(r.Attempts)
	r.settle()
}

// storedRecent is the stored form of recent. An attempt's failure is its number among the failures, or -1.
type storedRecent struct {
	Attempts [][3]int64     `json:"attempts"`
	Failures []Failure      `json:"failures"`
	Gone     [endings]int64 `json:"gone"`
}

func (r *recent) append(dst []byte) []byte {
	r.settle()
	stored, before := storedRecent{Gone: r.gone}, int64(0)
	for _, a := range r.Attempts {
		number := -1
		if !a.Outcome.Connected() {
			if number = slices.Index(stored.Failures, a.Failure); number < 0 {
				number, stored.Failures = len(stored.Failures), append(stored.Failures, a.Failure)
			}
		}
		stored.Attempts = append(stored.Attempts, [3]int64{a.second - before, int64(a.Outcome), int64(number)})
		before = a.second
	}
	text, _ := json.Marshal(stored) // numbers and strings always encode
	return append(dst, text...)
}

func parseRecent(text string) (*recent, error) {
	var stored storedRecent
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", RecentAttempts.Name, errValue, err)
	}
	r, before := &recent{gone: stored.Gone}, int64(0)
	for _, a := range stored.Attempts {
		before += a[0]
		one := Attempt{second: before, Outcome: cdr.Outcome(a[1])}
		if a[1] < 0 || int(a[1]) >= len(cdr.Outcomes()) || a[2] < -1 || int(a[2]) >= len(stored.Failures) {
			return nil, fmt.Errorf("%s: %w", RecentAttempts.Name, errValue)
		}
		if a[2] >= 0 {
			one.Failure = stored.Failures[a[2]]
		}
		r.Attempts = append(r.Attempts, one)
	}
	return r, nil
}
