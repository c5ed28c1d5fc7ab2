package collector

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// fetchedAtOnce is how many tasks a poll takes from the ledger, and batchLength how long it
	// fetches, so that nothing else is starved. What is in flight then goes on.
	fetchedAtOnce = 100
	batchLength   = 10 * time.Second
	// queueRetry is the wait before the ledger is asked for tasks again, when that failed.
	queueRetry = 5 * time.Second
	// ages is longer than any task waits.
	ages = 100 * 366 * 24 * time.Hour
)

// fetching is the state of fetching. Times are those of a clock that only counts up.
type fetching struct {
	// next is when the next task is due; never: not before the feed is woken.
	next     time.Duration
	failures int
	err      error // the provider's, not that of one task
	fetchPool
	// endpoint counts what was fetched, and cases has what speaks against each key that
	// was refused since it was last fetched.
	endpoint witness.Endpoint
	cases    map[string]*witness.Case
	// backoff is when each key that was refused without a witness is tried again: others
	// go first, as one of them may be the witness. The times are the feed's.
	backoff map[string]time.Time
}

func newFetching(f Fetcher) fetching {
	return fetching{
		fetchPool: newFetchPool(f), cases: make(map[string]*witness.Case), backoff: make(map[string]time.Time),
	}
}

func (s *fetching) wait(tick time.Duration) time.Duration {
	switch {
	case len(s.results) > 0:
		return 0
	case s.next == never:
		return never
	}
	return s.next - tick
}

// caseOf is what speaks against a key.
func (s *fetching) caseOf(key string) *witness.Case {
	if s.cases[key] == nil {
		s.cases[key] = new(witness.Case)
	}
	return s.cases[key]
}

// free says whether work can be begun, as far as that isn't the ledger's to know.
func (s *fetching) free(key string) bool {
	_, waits := s.backoff[key]
	return !waits && !s.inFlight[key]
}

// onlyRefused says whether tasks are fewer than may be fetched at once, and all were
// refused without a witness.
func (s *fetching) onlyRefused(tasks []ledger.Task) bool {
	return len(tasks) < s.parallel && !slices.ContainsFunc(tasks, func(w ledger.Task) bool {
		_, waits := s.backoff[w.Key]
		return !waits
	})
}

// endBackoff lets begin what has waited long enough, and says how long until more will
// have; never if nothing waits.
func (s *fetching) endBackoff(now time.Time) time.Duration {
	first := never
	for key, until := range s.backoff {
		left := until.Sub(now)
		if left <= 0 || left > longestAttempt { // our clock was set back
			delete(s.backoff, key)
			continue
		}
		first = min(first, left)
	}
	return first
}

// scheduleFetch asks the ledger when work is due next, unless a failure holds it back.
func (f *TaskFeed) scheduleFetch(ctx context.Context) {
	s, c := &f.fetching, f.clock()
	if s.failures > 0 && s.next > c.Elapsed() {
		return
	}
	if s.full() {
		s.next = never // the next result wakes the feed
		return
	}
	refused := s.endBackoff(c.Now())
	tasks, err := f.due(ctx, c.Now().Add(ages), 1)
	if err != nil {
		s.next = c.Elapsed() + queueRetry
		return
	}
	wait := refused
	for i := range tasks {
		wait = min(wait, max(0, tasks[i].Due.Sub(c.Now())))
	}
	if s.err != nil && wait > 0 && len(s.backoff) > 0 {
		clear(s.backoff) // all others were tried: an outage is backed off from as a whole
		wait = 0
	}
	if s.next = never; wait < never {
		s.next = c.Elapsed() + wait
	}
	if refused == never && len(s.inFlight) == 0 && !slices.ContainsFunc(tasks, func(w ledger.Task) bool { return !w.SetAside }) {
		s.failures, s.err = 0, nil // what failed isn't wanted any more
		if len(tasks) == 0 {
			clear(s.cases)
		}
	}
}

// due is the work that is due and can be begun, what was set aside last.
func (f *TaskFeed) due(ctx context.Context, now time.Time, limit int) ([]ledger.Task, error) {
	const kinds = 4 // of work about one key; more only make it see less
	s := &f.fetching
	limit += kinds * (len(s.inFlight) + len(s.backoff))
	tasks, err := f.settings.Queue.Due(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	again, err := f.settings.Queue.SetAside(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(append(tasks, again...), func(w ledger.Task) bool { return !s.free(w.Key) }), nil
}

// job is all that is to be done about one key, which one answer does.
type job struct {
	key   string
	tasks []ledger.Task
}

// blamed says whether a refusal has counted against the key: that had a witness.
func (j *job) blamed() bool {
	return slices.ContainsFunc(j.tasks, func(w ledger.Task) bool { return w.SetAside || w.Attempts > 0 })
}

// jobsOf puts together the work about one key.
func jobsOf(tasks []ledger.Task) []*job {
	var jobs []*job
	byKey := make(map[string]*job)
	for _, w := range tasks {
		j := byKey[w.Key]
		if j == nil {
			j = &job{key: w.Key}
			byKey[w.Key] = j
			jobs = append(jobs, j)
		}
		j.tasks = append(j.tasks, w)
	}
	return jobs
}

// fetch does some of the work that is due, and commits each answer as it comes.
func (f *TaskFeed) fetch(ctx context.Context, sink Sink) error {
	r := &fetchBatch{feed: f, sink: sink}
	if s := &f.fetching; s.failures == 0 || s.next <= f.clock().Elapsed() {
		tasks, err := f.due(ctx, sink.Now(), fetchedAtOnce)
		if err != nil {
			return err
		}
		r.jobs = jobsOf(tasks)
	}
	err := r.run(ctx)
	f.clearWoken()
	if notTheFeeds(err) {
		f.fetching.backOff(f, nil, err) // a result that comes meanwhile doesn't begin anything
	} else if failed := f.release(ctx, sink); failed != nil {
		err = failed
	}
	if err == nil && r.finished == 0 {
		return errNothingDue
	}
	return err
}

// clearWoken forgets what woke the feed, if nothing is under way: whatever is due, the ledger
// is asked for before the loop sleeps.
func (f *TaskFeed) clearWoken() {
	if len(f.fetching.inFlight) > 0 {
		return
	}
	select {
	case <-f.woken:
	default:
	}
}

// backOff lets nothing be begun for a while. Shown is what is the provider's.
func (s *fetching) backOff(f *TaskFeed, shown, err error) {
	s.failures++
	s.err = shown
	s.next = f.clock().Elapsed() + max(retryDelay(s.failures, f.ranges.settings.Random), httpclient.RetryAfter(err))
}
