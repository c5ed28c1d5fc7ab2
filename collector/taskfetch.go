package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// queueRetry is the wait before the ledger is asked for tasks again, when that failed.
	queueRetry = 5 * time.Second
	// ages is longer than any task waits.
	ages = 100 * 366 * 24 * time.Hour

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
)

// job is all that is to be done about one key, which one answer does, and what became of it.
type job struct {
	tasks []Task // at least one

	page *Page
	err  error
}

func (j *job) key() string { return j.tasks[0].Key }

// fetch does the job. A panic is an error like any other.
func (j *job) fetch(ctx context.Context, f Fetcher) {
	defer recoverTo(&j.err)
	j.page, j.err = f.Fetch(ctx, j.tasks)
}

// fetching is the state of fetching. Its backoff is of failures that are the provider's, not one task's.
type fetching struct {
	backoff

	// endpoint counts what was fetched, and refusals has what speaks against each key that
	// was refused since it was last fetched.
	endpoint witness.Endpoint
	refusals map[string]witness.Case
	// again is when such keys are tried again, by Clock.Elapsed. Others go first, as one of them may be the witness.
	again time.Duration
}

// due is the work that is due: first what was never refused, and of that what was set aside last.
func (f *TaskFeed) due(ctx context.Context, now time.Time, keys int) ([]Task, error) {
	const kinds = 4 // of work about one key; more only make it see less
	s := &f.fetching
	limit := kinds * (keys + len(s.refusals))
	tasks, err := f.settings.Queue.Due(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	again, err := f.settings.Queue.SetAside(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	tasks = append(tasks, again...)
	slices.SortStableFunc(tasks, func(a, b Task) int { return s.refusals[a.Key].Refusals() - s.refusals[b.Key].Refusals() })
	return tasks, nil
}

// fetchWait is how long from now until something is fetched, by what waits in the ledger and what was refused.
func (f *TaskFeed) fetchWait(ctx context.Context) time.Duration {
	s, c := &f.fetching, f.settings.Clock
	tick, now := c.Elapsed(), c.Now()
	if s.retry > tick {
		return s.retry - tick
	}
	tasks, err := f.due(ctx, now.Add(ages), 1)
	if err != nil {
		return queueRetry
	}
	wait := never
	for i := range tasks {
		left := max(0, tasks[i].Due.Sub(now))
		if s.refusals[tasks[i].Key].Refusals() > 0 {
			left = max(left, s.again-tick)
		}
		wait = min(wait, left)
	}
	if !slices.ContainsFunc(tasks, func(w Task) bool { return !w.SetAside }) {
		s.backoff = backoff{} // what failed isn't wanted any more
		if len(tasks) == 0 {
			clear(s.refusals)
		}
	}
	return wait
}

// jobsOf puts together the work about one key.
func jobsOf(tasks []Task) []*job {
	var jobs []*job
	byKey := make(map[string]*job)
	for _, w := range tasks {
		j := byKey[w.Key]
		if j == nil {
			j = new(job)
			byKey[w.Key] = j
			jobs = append(jobs, j)
		}
		j.tasks = append(j.tasks, w)
	}
	return jobs
}

// fetchBatch is what one poll fetches.
type fetchBatch struct {
	feed *TaskFeed

	served  bool   // the provider has given what was asked for, of some key
	page    Page   // what came, with the tasks that are done and those that are put off
	refused []*job // without a witness
	stopped error  // the provider throttles us or refuses our credential
}

// fetch does some of the work that is due, as much at once as the Fetcher allows. What comes together is committed together: a disk
// that syncs in 50 ms would allow 20 records a second.
func (f *TaskFeed) fetch(ctx context.Context) error {
	parallel := f.settings.Info.Fetcher.Parallel()
	tasks, err := f.due(ctx, f.settings.Clock.Now(), parallel)
	if err != nil {
		return err
	}
	if s := &f.fetching; s.again > f.settings.Clock.Elapsed() {
		tasks = slices.DeleteFunc(tasks, func(w Task) bool { return s.refusals[w.Key].Refusals() > 0 })
	}
	jobs := jobsOf(tasks)
	if len(jobs) == 0 {
		return errNothingDue
	}
	jobs = jobs[:min(len(jobs), parallel)]
	var group sync.WaitGroup
	for _, j := range jobs {
		group.Go(func() { j.fetch(ctx, f.settings.Info.Fetcher) })
	}
	group.Wait()
	r := &fetchBatch{feed: f}
	for _, j := range jobs {
		r.handleResult(ctx, j)
	}
	if len(r.page.Done)+len(r.page.Enqueue) > 0 {
		if _, err := f.commitPage(ctx, &r.page); err != nil {
			if !notTheFeeds(err) {
				f.fetching.fail(err, f.settings.Clock.Elapsed(), f.settings.Random)
			}
			return err
		}
	}
	for _, w := range r.page.Enqueue {
		if w.SetAside && w.Attempts == 0 {
			f.settings.Logger.Warn("something that was named can't be fetched and is set aside; it is tried once a day, and when it is named again",
				"kind", w.Kind, "key", w.Key, "error", w.Problem)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := f.release(ctx); err != nil {
		return err
	}
	return r.end()
}

// end settles how fetching goes. It is an outage if nothing is fetched, but for one record alone, which may be too young to be had.
func (r *fetchBatch) end() error {
	s, tick, err := &r.feed.fetching, r.feed.settings.Clock.Elapsed(), r.stopped
	if len(r.refused) > 0 {
		first := r.refused[0]
		n := s.refusals[first.key()].Refusals()
		s.again = tick + r.attemptDelay(n)
		young := len(r.refused) == 1 && errors.Is(first.err, ErrNotYet) && n <= youngRefusals
		if err == nil && !r.served && !young {
			err = fmt.Errorf("%w: %w", ErrNoneFetched, first.err)
			s.again = 0
		}
	}
	switch {
	case err != nil:
		s.fail(err, tick, r.feed.settings.Random)
	case r.served:
		if s.err != nil {
			s.again = 0 // the outage is over
		}
		s.backoff = backoff{}
	}
	return err
}

func (r *fetchBatch) handleResult(ctx context.Context, got *job) {
	s := &r.feed.fetching
	stale := errors.Is(got.err, ErrStale)
	if got.err == nil || stale {
		s.endpoint.Served()
		r.served = true
	}
	switch kind := httpclient.KindOf(got.err); {
	case got.err == nil:
		delete(s.refusals, got.key())
		r.add(got)
	case stale:
		r.putOff(got, true)
	case ctx.Err() != nil: // it only ended: it still waits
	case kind == httpclient.KindThrottled || kind == httpclient.KindToken || kind == httpclient.KindUnauthorized:
		r.stopped = got.err
	default:
		r.refuse(got)
	}
}

// refuse blames a key for its refusal if there is a witness, now or earlier (counting.md 30). Else its work
// stays due in the ledger, where it holds the watermark, and others go first.
func (r *fetchBatch) refuse(got *job) {
	s := &r.feed.fetching
	c := s.refusals[got.key()]
	before := c.Witnessed()
	c.Refuse(&s.endpoint)
	s.refusals[got.key()] = c
	blamed := slices.ContainsFunc(got.tasks, func(w Task) bool { return w.SetAside || w.Attempts > 0 })
	if c.Witnessed() > 0 || blamed {
		r.putOff(got, c.Witnessed() > before)
		return
	}
	r.refused = append(r.refused, got)
}

// add adds an answer. A record that isn't final is neither counted nor remembered (counting.md 17): the work that was left for it reads it
// again, however long that takes, where the ledger waits for no longer than the lookback.
func (r *fetchBatch) add(got *job) {
	whole := &r.page
	whole.Done = append(whole.Done, got.tasks...)
	if p := got.page; p != nil {
		whole.Records = append(whole.Records, slices.DeleteFunc(p.Records, func(r *cdr.Record) bool { return r.Provisional })...)
		whole.Invalid = append(whole.Invalid, p.Invalid...)
		whole.Ignored = append(whole.Ignored, p.Ignored...)
		whole.Unmapped = append(whole.Unmapped, p.Unmapped...)
		whole.Enqueue = append(whole.Enqueue, p.Enqueue...)
	}
}

// putOff tries a job again later. If the refusal counts and was the last of so many, the
// job is set aside: it is shown, and tried more seldom.
func (r *fetchBatch) putOff(got *job, counts bool) {
	s, now := &r.feed.fetching, r.feed.settings.Clock.Now()
	for _, w := range got.tasks {
		w.Problem = got.err.Error()
		if counts {
			w.Attempts++
		}
		switch {
		case w.SetAside && w.Attempts >= maxRetries:
			r.page.Done = append(r.page.Done, w)
			delete(s.refusals, w.Key) // its other work, if there is any, is begun with a clean record
			continue
		case !w.SetAside && counts && (w.Attempts >= maxAttempts || errors.Is(got.err, ErrGone)):
			w.SetAside, w.Attempts = true, 0
		}
		wait := retrySetAside
		if !w.SetAside {
			wait = r.attemptDelay(max(w.Attempts, s.refusals[w.Key].Refusals()))
		}
		w.Due = now.Add(wait)
		r.page.Enqueue = append(r.page.Enqueue, w)
	}
}

// attemptDelay is the wait after so many refusals, less up to a quarter.
func (r *fetchBatch) attemptDelay(refusals int) time.Duration {
	wait := doubling(firstAttempt, longestAttempt, refusals)
	return wait - time.Duration(r.feed.settings.Random()*float64(wait)/4)
}
