package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
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

const (
	// maxAttempts is after how many of them work is set aside: about half a day.
	maxAttempts = 48
	// retrySetAside is how often it is tried even so, and maxRetries after how many such
	// attempts in vain it is dropped: no provider keeps a record for as many days.
	retrySetAside = 24 * time.Hour
	maxRetries    = 45
	// firstAttempt and longestAttempt bound the wait between two attempts, which doubles.
	firstAttempt   = 30 * time.Second
	longestAttempt = 15 * time.Minute
	// youngRefusals are how many 404s of one record alone are no sign of an outage.
	youngRefusals = 3
	// committedAtOnce is how many answers are committed at once at most.
	committedAtOnce = 32
)

// fetchBatch is what one poll fetches.
type fetchBatch struct {
	feed *TaskFeed
	sink Sink
	jobs []*job // not begun yet

	finished int
	served   bool // the provider has given what was asked for, of some key
	// answers are what came and isn't committed yet.
	answers []fetched
	// stopped is why no more is begun: the provider throttles us or refuses our credential.
	stopped error
	// refused are jobs that were refused without a witness.
	refused []fetched
}

// run begins jobs and handles results, until its time is up or nothing is left. Jobs of
// earlier polls are waited for only beside its own.
func (r *fetchBatch) run(ctx context.Context) error {
	s := &r.feed.fetching
	over := time.NewTimer(batchLength)
	defer over.Stop()
	for began := false; ; {
		for ; len(r.jobs) > 0 && !s.full() && !r.givenUp() && ctx.Err() == nil; r.jobs = r.jobs[1:] {
			s.start(ctx, r.jobs[0], r.feed.Wake) // it may outlive the poll, not the loop, which ctx is of
			began = true
		}
		got, ok := r.next(ctx, over.C, began && len(s.inFlight) > 0 && len(r.answers) == 0)
		var err error
		switch {
		case ok && len(r.answers) < committedAtOnce:
			err = r.handleResult(ctx, got)
		case ok:
			err = errors.Join(r.commit(ctx), r.handleResult(ctx, got))
		case len(r.answers) > 0:
			err = r.commit(ctx)
		default:
			return r.end(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// next is the next result, if one comes before the time is up.
func (r *fetchBatch) next(ctx context.Context, over <-chan time.Time, wait bool) (got fetched, ok bool) {
	s := &r.feed.fetching
	select {
	case got = <-s.results:
		return got, true
	default:
	}
	if !wait {
		return got, false
	}
	select {
	case got = <-s.results:
		return got, true
	case <-over:
		return got, false
	case <-ctx.Done(): // results that are there are still committed
		return r.next(ctx, over, false)
	}
}

// givenUp says that no more jobs are begun; those in flight still finish.
func (r *fetchBatch) givenUp() bool {
	return r.stopped != nil || !r.served && len(r.refused) >= r.feed.fetching.parallel
}

// handleResult deals with what became of a job. The error is the ledger's.
func (r *fetchBatch) handleResult(ctx context.Context, got fetched) error {
	s := &r.feed.fetching
	delete(s.inFlight, got.job.key)
	r.finished++
	stale := errors.Is(got.err, ErrStale)
	if got.err == nil || stale {
		s.endpoint.Served()
		r.served = true
		if s.err != nil {
			clear(s.backoff) // the outage is over
		}
	}
	switch {
	case got.err == nil:
		delete(s.cases, got.job.key)
		r.answers = append(r.answers, got)
		return nil
	case stale:
		return r.putOff(ctx, got, true)
	case ctx.Err() != nil:
		return nil //nolint:nilerr // it only ended: it still waits
	}
	switch httpclient.KindOf(got.err) {
	case httpclient.KindThrottled, httpclient.KindToken, httpclient.KindUnauthorized:
		r.stopped = got.err
		return nil
	case httpclient.KindBadRequest, httpclient.KindNotFound, httpclient.KindNotAcceptable, httpclient.KindGone, httpclient.KindTooLarge, httpclient.KindNetwork,
		httpclient.KindForbidden, httpclient.KindServer, httpclient.KindBody, httpclient.KindHost, httpclient.KindRedirect, httpclient.KindStatus:
	}
	return r.refuse(ctx, got)
}

// refuse blames a key for its refusal if there is a witness (counting.md 30). Else its work
// stays due in the ledger, where it holds the watermark, and others go first.
func (r *fetchBatch) refuse(ctx context.Context, got fetched) error {
	s, key := &r.feed.fetching, got.job.key
	c := s.caseOf(key)
	before := c.Witnessed()
	c.Refuse(&s.endpoint)
	if c.Witnessed() > 0 || got.job.blamed() {
		return r.putOff(ctx, got, c.Witnessed() > before)
	}
	s.backoff[key] = r.sink.Now().Add(r.attemptDelay(c.Refusals()))
	r.refused = append(r.refused, got)
	return nil
}

// end settles how fetching goes.
func (r *fetchBatch) end(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s, err := &r.feed.fetching, r.stopped
	if err == nil && !r.served {
		err = r.outage()
	}
	switch {
	case err != nil:
		s.backOff(r.feed, err, err)
	case r.served:
		s.failures, s.err = 0, nil
	}
	return err
}

// outage is why nothing is fetched, nil if that says nothing yet: one record alone may be
// too young to be had.
func (r *fetchBatch) outage() error {
	switch {
	case len(r.refused) == 0:
		return nil
	case len(r.refused) == 1 && errors.Is(r.refused[0].err, ErrNotYet) &&
		r.feed.fetching.caseOf(r.refused[0].job.key).Refusals() <= youngRefusals:
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNoneFetched, r.refused[0].err)
}

// commit commits the answers together, with the tasks that they do: those that come during a commit are
// the next, so that a slow disk doesn't hold them up one by one.
func (r *fetchBatch) commit(ctx context.Context) error {
	all, whole := r.answers, &Page{}
	r.answers = nil
	for _, got := range all {
		if p := got.page; p != nil {
			whole.Records = appendFinal(whole.Records, p.Records)
			whole.Invalid = append(whole.Invalid, p.Invalid...)
			whole.Ignored = append(whole.Ignored, p.Ignored...)
			whole.Unmapped = append(whole.Unmapped, p.Unmapped...)
			whole.Enqueue = append(whole.Enqueue, p.Enqueue...)
		}
		whole.Done = append(whole.Done, got.job.tasks...)
	}
	_, err := r.feed.ranges.commitPage(ctx, &taskSink{Sink: r.sink, feed: r.feed}, whole)
	return err
}

// appendFinal appends the records that are final. What isn't is neither counted nor
// remembered (counting.md 17): the work that was left for it reads it again, however long
// that takes, where the ledger waits for no longer than the lookback.
func appendFinal(all, more []*cdr.Record) []*cdr.Record {
	for _, r := range more {
		if !r.Provisional {
			all = append(all, r)
		}
	}
	return all
}

// putOff tries a job again later. If the refusal counts and was the last of so many, the
// job is set aside: it is shown, and tried more seldom.
func (r *fetchBatch) putOff(ctx context.Context, got fetched, counts bool) error {
	page := &ledger.Page{ObservedAt: r.sink.Now()}
	for _, w := range got.job.tasks {
		w.Problem = got.err.Error()
		if counts {
			w.Attempts++
		}
		switch {
		case w.SetAside && w.Attempts >= maxRetries:
			page.Done = append(page.Done, w)
			continue
		case w.SetAside:
		case counts && (w.Attempts >= maxAttempts || errors.Is(got.err, ErrGone)):
			w.SetAside, w.Attempts = true, 0
		}
		wait := r.attemptDelay(max(w.Attempts, r.feed.fetching.caseOf(got.job.key).Refusals()))
		if w.SetAside {
			wait = retrySetAside
		}
		w.Due = page.ObservedAt.Add(wait)
		page.Enqueue = append(page.Enqueue, w)
	}
	if _, err := r.sink.Commit(ctx, page); err != nil {
		return err
	}
	r.logSetAside(got, page.Enqueue)
	return nil
}

// logSetAside logs what was set aside just now.
func (r *fetchBatch) logSetAside(got fetched, tasks []ledger.Task) {
	for _, w := range tasks {
		if w.SetAside && w.Attempts == 0 {
			r.feed.ranges.settings.Logger.Warn("something that was named can't be fetched and is set aside; it is tried once a day, and when it is named again",
				"kind", w.Kind, "key", w.Key, "error", got.err.Error())
		}
	}
}

// attemptDelay is the wait after so many refusals, less up to a quarter.
func (r *fetchBatch) attemptDelay(refusals int) time.Duration {
	wait := firstAttempt
	for n := 1; n < refusals && wait < longestAttempt; n++ {
		wait *= 2
	}
	wait = min(wait, longestAttempt)
	return wait - time.Duration(r.feed.ranges.settings.Random()*float64(wait)/4)
}
