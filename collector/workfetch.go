package collector

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

const (
	// fetchedAtOnce is how much work is looked at at once, and roundLength how long a
	// poll fetches, so that nothing else is starved. What is still under way then goes on.
	fetchedAtOnce = 100
	roundLength   = 10 * time.Second
	// queueRetry is after how long the ledger is asked for work again, when that failed.
	queueRetry = 5 * time.Second
	// ages is longer than any work waits.
	ages = 100 * 366 * 24 * time.Hour
)

// fetching is how fetching goes. Times are those of a clock that only counts up.
type fetching struct {
	// next is when some work can be begun; never: not before the feed is woken.
	next     time.Duration
	failures int
	err      error // of the provider's, not of one piece of work
	// flying is what is under way, by key; landed is what came of it.
	flying   map[string]bool
	landed   chan fetched
	parallel int
	// resting is what others go before, by key, until when.
	resting map[string]time.Duration
	// suspect is what had a fault before the provider answered for others: if it has one
	// again, that is its own.
	suspect map[string]bool
}

func newFetching(parallel int) fetching {
	parallel = max(1, parallel)
	return fetching{
		flying: make(map[string]bool), landed: make(chan fetched, parallel), parallel: parallel,
		resting: make(map[string]time.Duration), suspect: make(map[string]bool),
	}
}

func (s *fetching) wait(tick time.Duration) time.Duration {
	switch {
	case len(s.landed) > 0:
		return 0
	case s.next == never:
		return never
	}
	return s.next - tick
}

// rest lets others go before what had a fault.
func (s *fetching) rest(faults []fetched, until time.Duration) {
	for _, got := range faults {
		s.resting[got.job.key] = until
	}
}

// vouch notes that the provider answers: whatever rests isn't to wait any longer, and
// what becomes of it is its own.
func (s *fetching) vouch() {
	for key := range s.resting {
		s.suspect[key] = true
	}
	clear(s.resting)
}

// suspects tells the faults that are the work's own from those that may be the provider's.
func (s *fetching) suspects(faults []fetched) (own, others []fetched) {
	for _, got := range faults {
		if s.suspect[got.job.key] {
			own = append(own, got)
			delete(s.suspect, got.job.key)
		} else {
			others = append(others, got)
		}
	}
	return own, others
}

// free says whether work can be begun, as far as that isn't the ledger's to know.
func (s *fetching) free(key string) bool {
	_, rests := s.resting[key]
	return !rests && !s.flying[key]
}

// onlyResting says whether works are fewer than may be fetched at once, and all rest.
func (s *fetching) onlyResting(works []ledger.Work) bool {
	return len(works) < s.parallel && !slices.ContainsFunc(works, func(w ledger.Work) bool {
		_, rests := s.resting[w.Key]
		return !rests
	})
}

// rested ends the rests that are over, and says when the next will be; never if nothing
// rests.
func (s *fetching) rested(tick time.Duration) time.Duration {
	first := never
	for key, until := range s.resting {
		if until <= tick {
			delete(s.resting, key)
			continue
		}
		first = min(first, until)
	}
	return first
}

// full says whether no more may be under way.
func (s *fetching) full() bool { return len(s.flying) >= s.parallel }

// look asks when work is due next, unless a failure holds it back.
func (f *WorkFeed) look(ctx context.Context) {
	s, c := &f.fetching, f.clock()
	if s.failures > 0 && s.next > c.Elapsed() {
		return
	}
	if s.full() {
		s.next = never // whatever lands wakes the feed
		return
	}
	rested := s.rested(c.Elapsed())
	works, err := f.due(ctx, c.Now().Add(ages), 1)
	switch {
	case err != nil:
		s.next = c.Elapsed() + queueRetry
	case len(works) == 0:
		s.next = rested
		if s.next == never && len(s.flying) == 0 {
			s.failures, s.err = 0, nil // what failed isn't wanted any more
		}
	default:
		s.next = min(rested, c.Elapsed()+max(0, works[0].Due.Sub(c.Now())))
	}
}

// due is the work that is due and can be begun.
func (f *WorkFeed) due(ctx context.Context, now time.Time, limit int) ([]ledger.Work, error) {
	const kinds = 4 // of work about one key; more only make it see less
	s := &f.fetching
	works, err := f.settings.Queue.Due(ctx, now, limit+kinds*(len(s.flying)+len(s.resting)))
	if err != nil {
		return nil, err
	}
	free := works[:0]
	for _, w := range works {
		if s.free(w.Key) {
			free = append(free, w)
		}
	}
	return free, nil
}

// job is all that is to be done about one key, which one answer does.
type job struct {
	key   string
	works []ledger.Work
}

// jobsOf puts together the work about one key.
func jobsOf(works []ledger.Work) []*job {
	var jobs []*job
	byKey := make(map[string]*job)
	for _, w := range works {
		j := byKey[w.Key]
		if j == nil {
			j = &job{key: w.Key}
			byKey[w.Key] = j
			jobs = append(jobs, j)
		}
		j.works = append(j.works, w)
	}
	return jobs
}

// fetched is what became of a job.
type fetched struct {
	job   *job
	batch *Batch
	err   error
}

// fetch does some of the work that is due, and commits each answer as it comes.
func (f *WorkFeed) fetch(ctx context.Context, sink Sink) error {
	r := &round{feed: f, sink: sink}
	if s := &f.fetching; s.failures == 0 || s.next <= f.clock().Elapsed() {
		works, err := f.due(ctx, sink.Now(), fetchedAtOnce)
		if err != nil {
			return err
		}
		r.jobs = jobsOf(works)
	}
	err := r.run(ctx)
	f.rest()
	if notTheFeeds(err) {
		f.fetching.backOff(f, nil, err) // what lands meanwhile doesn't begin anything
	} else if failed := f.release(ctx, sink); failed != nil {
		err = failed
	}
	if err == nil && r.landed == 0 {
		return errNothingDue
	}
	return err
}

// rest forgets what woke the feed, if nothing is under way: whatever is due, the ledger
// is asked for before the loop sleeps.
func (f *WorkFeed) rest() {
	if len(f.fetching.flying) > 0 {
		return
	}
	select {
	case <-f.woken:
	default:
	}
}

// backOff lets nothing be begun for a while. Shown is what is the provider's.
func (s *fetching) backOff(f *WorkFeed, shown, err error) {
	s.failures++
	s.err = shown
	s.next = f.clock().Elapsed() + max(retryDelay(s.failures, f.ranges.settings.Random), httpclient.RetryAfter(err))
}

// launch begins a job. It may outlive the poll, not the loop, which ctx is of.
func (f *WorkFeed) launch(ctx context.Context, j *job) {
	f.fetching.flying[j.key] = true
	go func() {
		batch, err := f.attempt(ctx, j)
		f.fetching.landed <- fetched{job: j, batch: batch, err: err} // there is room for all that fly
		f.Wake()
	}()
}

// attempt fetches. A panic is an error like any other, as it is for the loop.
func (f *WorkFeed) attempt(ctx context.Context, j *job) (batch *Batch, err error) {
	defer func() {
		if v := recover(); v != nil {
			batch, err = nil, panicked(v)
		}
	}()
	return f.settings.Fetcher.Fetch(ctx, j.works)
}
