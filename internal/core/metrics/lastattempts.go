package metrics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// attemptsKept is the number of attempts kept for a trunk and direction.
const attemptsKept = 64

// Attempt is an attempt on a trunk, as it was first seen: an outbound leg, or a call.
type Attempt struct {
	second  int64 // its start since 1970
	Outcome cdr.Outcome
	// Failure says why it didn't connect. Labels are the operator's labels. Both are zero if it connected.
	Failure Failure
	Labels  cdr.Labels
}

// Start is when the attempt started, in whole seconds.
func (a Attempt) Start() time.Time { return time.Unix(a.second, 0).UTC() }

// Failure says why an attempt didn't connect, in the label values of cdr_call_failures_total.
type Failure struct {
	SIPCode     string `json:"sip_code,omitempty"`
	SubCode     string `json:"sub_code,omitempty"`
	Reason      string `json:"reason,omitempty"`
	FaultDomain string `json:"fault_domain"`
}

// LastAttempts are the last attempts of a trunk in a direction, the source of the cdr_recent
// gauges.
type LastAttempts struct {
	Source, Feed, Direction, Trunk string
	// NoReasons says that the feed can't distinguish faults from other calls that didn't connect.
	NoReasons bool
	keptAttempts
}

// keptAttempts is the value of a series of attempts.
type keptAttempts struct {
	// Attempts are at least one and at most 64, by start.
	Attempts []Attempt
	fresh    int // attempts at the end that the current commit added, until sortAndTrim
	// failureRunStart is, by Ending, the start of a failure run that is older than the oldest kept
	// attempt and includes it; 0 without one.
	failureRunStart [endings]int64
}

// Ending is a way in which attempts end.
type Ending int

// The endings.
const (
	Faults      Ending = iota // outcome failed
	Unconnected               // not connected, for any reason
	endings     int    = iota
)

// Has says whether an attempt with an outcome ended this way.
func (e Ending) Has(o cdr.Outcome) bool {
	if e == Faults {
		return o == cdr.Failed
	}
	return !o.Connected()
}

func (r *keptAttempts) count(ending Ending) (n int) {
	for _, a := range r.Attempts {
		if ending.Has(a.Outcome) {
			n++
		}
	}
	return n
}

// Since is the start of the unbroken run of attempts that ended this way, up to the newest; zero if
// the newest ended otherwise.
func (r *keptAttempts) Since(ending Ending) (since time.Time) {
	for _, a := range slices.Backward(r.Attempts) {
		if !ending.Has(a.Outcome) {
			return since
		}
		since = a.Start()
	}
	if began := r.failureRunStart[ending]; began != 0 {
		return time.Unix(began, 0).UTC()
	}
	return since
}

// Newest is the latest start.
func (r *keptAttempts) Newest() time.Time {
	var latest int64
	for _, a := range r.Attempts {
		latest = max(latest, a.second)
	}
	return time.Unix(latest, 0).UTC()
}

// TopFailure is the most frequent failure of the attempts that ended this way, the latest of
// several, and their number; 0 without one.
func (r *keptAttempts) TopFailure(ending Ending) (top Failure, n int) {
	counts := make(map[Failure]int)
	for _, a := range r.Attempts {
		if !ending.Has(a.Outcome) {
			continue
		}
		counts[a.Failure]++
		if counts[a.Failure] >= n {
			top, n = a.Failure, counts[a.Failure]
		}
	}
	return top, n
}

// TopLabels are the operator's labels of the attempts that ended this way, each with its most
// frequent value, and the number of these attempts.
func (r *keptAttempts) TopLabels(ending Ending) (top []cdr.LabelCount, all int) {
	counts := cdr.CountLabels(func(yield func(cdr.Labels) bool) {
		for _, a := range r.Attempts {
			if ending.Has(a.Outcome) && !yield(a.Labels) {
				return
			}
		}
	})
	for _, c := range counts {
		if !slices.ContainsFunc(top, func(t cdr.LabelCount) bool { return t.Name == c.Name }) {
			top = append(top, c)
		}
	}
	return top, r.count(ending)
}

// SetNoReasons says whether a feed can't distinguish faults: a new definition of its provider may
// provide more or less of a call.
func (s *Store) SetNoReasons(f *FeedSeries, no bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.NoReasons = no
}

// LastAttempts returns the last attempts of every configured feed whose first history was read, in
// no particular order.
func (s *Store) LastAttempts() []LastAttempts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []LastAttempts
	for _, f := range s.feeds {
		if !f.revealed {
			continue
		}
		for _, series := range f.list {
			if series.Labels.Def == RecentAttempts {
				own := series.LabelValues()
				all = append(all, LastAttempts{
					Source: f.source, Feed: f.feed, Direction: own[0], Trunk: own[1],
					NoReasons: f.NoReasons, keptAttempts: *series.cur.attempts.clone(),
				})
			}
		}
	}
	return all
}

func (b *builder) attemptGauges(f *FeedSeries, series *Series) {
	r, values := series.cur.attempts, series.Labels.Values
	b.gauge(RecentAttempts, values, float64(len(r.Attempts)))
	if !f.NoReasons {
		b.gauge(RecentFaults, values, float64(r.count(Faults)))
	}
	b.gauge(RecentConnected, values, float64(len(r.Attempts)-r.count(Unconnected)))
	b.gauge(RecentNewest, values, float64(r.Newest().Unix()))
}

// addAttempt adds a call or an outbound leg to the last attempts of its trunk and direction. An
// unknown outcome isn't an attempt, and neither is not_connected in a feed that can distinguish
// faults.
func (c *Changes) addAttempt(f *facts.Fact) {
	r := f.Record
	if f.Ahead || !r.Outcome.Attempt() && (r.Outcome != cdr.NotConnected || !c.feed.NoReasons) {
		return
	}
	a := Attempt{second: r.Start.Unix(), Outcome: r.Outcome}
	if !r.Outcome.Connected() {
		a.Labels = r.Labels
		a.Failure = Failure{
			SIPCode: digits(r.SIPCode), SubCode: digits(r.SubCode), Reason: strings.Clone(CleanLabel(r.Reason)),
			FaultDomain: r.Fault().String(),
		}
	}
	last := c.series(RecentAttempts, []string{r.Direction.String(), r.Trunk}).next.attempts
	last.Attempts = append(last.Attempts, a)
	last.fresh++
}

func (r *keptAttempts) clone() *keptAttempts {
	return &keptAttempts{Attempts: slices.Clone(r.Attempts), failureRunStart: r.failureRunStart}
}

// sortAndTrim ends the current commit: it sorts the attempts by start and keeps only the last
// attemptsKept. While a feed catches up, a provider may list the newest first over many commits.
func (r *keptAttempts) sortAndTrim() {
	var full int64 // start of the oldest kept one, if others were dropped before
	if kept := len(r.Attempts) - r.fresh; kept == attemptsKept {
		full = r.Attempts[0].second
	}
	slices.SortStableFunc(r.Attempts, func(a, b Attempt) int { return cmp.Compare(a.second, b.second) })
	excess := max(0, len(r.Attempts)-attemptsKept)
	for _, a := range r.Attempts[:excess] {
		r.noteDropped(a, a.second < full)
	}
	r.Attempts, r.fresh = slices.Delete(r.Attempts, 0, excess), 0
}

// noteDropped updates failureRunStart for the oldest attempt, which is about to be dropped. A late
// attempt lies before those that were already dropped: it may end a run, but begins none.
func (r *keptAttempts) noteDropped(a Attempt, late bool) {
	for e := range r.failureRunStart {
		switch has := Ending(e).Has(a.Outcome); {
		case !has && a.second >= r.failureRunStart[e]:
			r.failureRunStart[e] = 0
		case has && !late && r.failureRunStart[e] == 0:
			r.failureRunStart[e] = a.second
		}
	}
}

// storedAttempts is the stored form of keptAttempts. An attempt has four numbers: the seconds since
// the start of the one before, the outcome, the index of its failure or -1, and the index of its
// labels plus 1, or 0.
type storedAttempts struct {
	Attempts        [][4]int64     `json:"attempts"`
	Failures        []Failure      `json:"failures"`
	Labels          []cdr.Labels   `json:"labels,omitempty"`
	FailureRunStart [endings]int64 `json:"failure_run_start"`
}

func (r *keptAttempts) append(dst []byte) []byte {
	r.sortAndTrim()
	stored, before := storedAttempts{FailureRunStart: r.failureRunStart}, int64(0)
	for _, a := range r.Attempts {
		failure, labels := -1, 0
		if !a.Outcome.Connected() {
			stored.Failures, failure = indexOrAppend(stored.Failures, a.Failure)
		}
		if a.Labels != "" {
			stored.Labels, labels = indexOrAppend(stored.Labels, a.Labels)
			labels++
		}
		stored.Attempts = append(stored.Attempts,
			[4]int64{a.second - before, int64(a.Outcome), int64(failure), int64(labels)})
		before = a.second
	}
	text, _ := json.Marshal(stored) // numbers and strings always encode
	return append(dst, text...)
}

// indexOrAppend is the index of a value in a list; it appends a missing value.
func indexOrAppend[T comparable](all []T, value T) (with []T, index int) {
	if index = slices.Index(all, value); index < 0 {
		return append(all, value), len(all)
	}
	return all, index
}

func parseAttempts(text string) (*keptAttempts, error) {
	var stored storedAttempts
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", RecentAttempts.Name, errValue, err)
	}
	r, before := &keptAttempts{failureRunStart: stored.FailureRunStart}, int64(0)
	for _, a := range stored.Attempts {
		before += a[0]
		one := Attempt{second: before, Outcome: cdr.Outcome(a[1])}
		if a[1] < 0 || int(a[1]) >= len(cdr.Outcomes()) || a[2] < -1 || int(a[2]) >= len(stored.Failures) || a[3] < 0 ||
			int(a[3]) > len(stored.Labels) {
			return nil, fmt.Errorf("%s: %w", RecentAttempts.Name, errValue)
		}
		if a[2] >= 0 {
			one.Failure = stored.Failures[a[2]]
		}
		if a[3] > 0 {
			one.Labels = stored.Labels[a[3]-1]
		}
		r.Attempts = append(r.Attempts, one)
	}
	return r, nil
}
