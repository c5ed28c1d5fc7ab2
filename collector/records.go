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
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// queueRetry is the wait after the ledger failed to read tasks.
	queueRetry = 5 * time.Second
	// longestTaskWait is longer than any task waits, so a query for tasks that are due by then finds all.
	longestTaskWait = 100 * 366 * 24 * time.Hour

	// maxAttempts is after how many attempts a task is set aside: about half a day.
	maxAttempts = 48
	// maxRetries is after how many attempts a task that was set aside is dropped: no provider keeps
	// a record for as many days.
	maxRetries = 45
	// youngRefusals is the number of 404s of a single record that don't mean an outage.
	youngRefusals = 3
)

// job is all tasks of one key, which one answer does, and the result.
type job struct {
	tasks []work.Item // at least one

	page *Page
	err  error
}

func (j *job) key() string { return j.tasks[0].Key }

// fetch does the job. A panic is an error like any other.
func (j *job) fetch(ctx context.Context, f Fetcher) {
	j.err = catchPanic(ctx, func(ctx context.Context) (err error) {
		j.page, err = f.Fetch(ctx, j.tasks)
		return err
	})
}

// records is the part of a feed that fetches what its list and its notifications have named. A named record is a task
// in the ledger until it was fetched, so that neither a crash nor a refusal loses it. Its backoff is of failures that
// are the provider's, not one task's.
//
//	list ──────────┐
//	               ├─▶ tasks in the ledger ─▶ fetch ─▶ record, and tasks for later
//	notifications ─┘
type records struct {
	*committer
	backoff

	list *ranges

	// fetched counts the successful fetches. refusals has the refusals of each key since it
	// was last fetched. It has at most one entry for each record that waits in the ledger, of
	// about 110 bytes: 100,000 records in an outage take 11 MB.
	fetched  witness.Endpoint
	refusals map[string]witness.Refusals
	// retryRefusedAt is when keys in refusals are tried again, by Clock.Elapsed. Others go first,
	// as one of them may be the witness.
	retryRefusedAt time.Duration
}

func newRecords(c *committer, list *ranges) *records {
	return &records{committer: c, list: list, refusals: make(map[string]witness.Refusals)}
}

// show shows how many tasks wait. If the ledger can't be read, the next poll tries again.
func (f *records) show(ctx context.Context) {
	if waiting, setAside, err := f.settings.Ledger.Waiting(ctx); err == nil {
		f.settings.Metrics.Tasks("record", waiting, setAside)
	}
}

// hold says whether records that are due hold the position of the list: all others were fetched, or put off as poison.
// Refused says that only a few do, and that all of them were refused.
func (f *records) hold(ctx context.Context) (waits, refused bool, err error) {
	parallel := f.settings.Info.Fetcher.Parallel()
	items, err := f.settings.Ledger.Due(ctx, f.settings.Clock.Now(), parallel)
	isNew := func(w work.Item) bool { return f.refusals[w.Key].Count() == 0 }
	refused = len(items) < parallel && !slices.ContainsFunc(items, isNew)
	return len(items) > 0, refused, asLedgerError(err)
}

// due returns the tasks that are due: those that were never refused first, and among equals those
// that were set aside last.
func (f *records) due(ctx context.Context, now time.Time, keys int) ([]work.Item, error) {
	const kinds = 4 // of tasks of one key; with more kinds the query only sees fewer keys
	limit := kinds * (keys + len(f.refusals))
	tasks, err := f.settings.Ledger.Due(ctx, now, limit)
	if err != nil {
		return nil, asLedgerError(err)
	}
	setAside, err := f.settings.Ledger.SetAside(ctx, now, limit)
	if err != nil {
		return nil, asLedgerError(err)
	}
	tasks = append(tasks, setAside...)
	slices.SortStableFunc(tasks, func(a, b work.Item) int {
		return f.refusals[a.Key].Count() - f.refusals[b.Key].Count()
	})
	return tasks, nil
}

// dueIn is how long from now until a task is due, by the provider's clock, by which records settle.
// For a retry the earlier clock decides, because a clock that is ahead for a while would put it off
// for days.
func (f *records) dueIn(w *work.Item) time.Duration {
	if w.Attempts > 0 || w.SetAside {
		return w.Due.Sub(f.settings.Clock.Now())
	}
	return w.Due.Sub(f.settings.Clock.provider())
}

// wait implements part: how long from now until a task is fetched.
func (f *records) wait(ctx context.Context) time.Duration {
	c := f.settings.Clock
	tick, now := c.Elapsed(), c.provider()
	if f.retry > tick {
		return f.retry - tick
	}
	tasks, err := f.due(ctx, now.Add(longestTaskWait), 1)
	if err != nil {
		return queueRetry
	}
	wait := neverDue
	for i := range tasks {
		left := max(0, f.dueIn(&tasks[i]))
		if f.refusals[tasks[i].Key].Count() > 0 {
			left = max(left, f.retryRefusedAt-tick)
		}
		wait = min(wait, left)
	}
	if !slices.ContainsFunc(tasks, func(w work.Item) bool { return !w.SetAside }) {
		f.backoff = backoff{} // the tasks that failed are gone
		if len(tasks) == 0 {
			clear(f.refusals)
		}
	}
	return wait
}

// groupByKey makes a job of the tasks of each key.
func groupByKey(tasks []work.Item) []*job {
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
	feed *records

	succeeded bool   // some key was fetched
	page      Page   // the answers, with the tasks that are done and those that are put off
	refused   []*job // without a witness
	stopped   error  // the provider throttles us or refuses our credential
}

// do does some of the tasks that are due, as many at once as the Fetcher allows. Their answers
// are committed together: on a disk that syncs in 50 ms, one by one would be 20 records a second.
func (f *records) do(ctx context.Context) error {
	defer f.show(ctx)
	parallel := f.settings.Info.Fetcher.Parallel()
	tasks, err := f.due(ctx, f.settings.Clock.provider(), parallel)
	if err != nil {
		return err
	}
	wait := f.retryRefusedAt > f.settings.Clock.Elapsed()
	tasks = slices.DeleteFunc(tasks, func(w work.Item) bool {
		return f.dueIn(&w) > 0 || wait && f.refusals[w.Key].Count() > 0
	})
	jobs := groupByKey(tasks)
	if len(jobs) == 0 {
		return errNothingDue
	}
	if err := f.settings.Paused(); err != nil {
		return asLedgerError(err)
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
			return err
		}
	}
	for _, w := range r.page.Enqueue {
		if w.SetAside && w.Attempts == 0 {
			f.settings.Logger.Warn("Something that was named can't be fetched and is set aside; it is tried "+
				"once a day, and when it is named again",
				"kind", w.Kind, "key", w.Key, "err", w.Problem)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := f.list.release(ctx); err != nil {
		return err
	}
	return r.finish()
}

// finish updates the backoff of fetching. If nothing was fetched it is an outage, unless one record
// alone was refused that may be too young.
func (r *fetchBatch) finish() error {
	f, err := r.feed, r.stopped
	tick := f.settings.Clock.Elapsed()
	if len(r.refused) > 0 {
		first := r.refused[0]
		n := f.refusals[first.key()].Count()
		f.retryRefusedAt = tick + work.Fetch.After(n, f.settings.Random())
		young := len(r.refused) == 1 && errors.Is(first.err, ErrNotYet) && n <= youngRefusals
		if err == nil && !r.succeeded && !young {
			err = fmt.Errorf("%w: %w", ErrNoneFetched, first.err)
			f.retryRefusedAt = 0
		}
	}
	switch {
	case err != nil:
		f.fail(err, tick, f.settings.Random)
	case r.succeeded:
		if f.err != nil {
			f.retryRefusedAt = 0 // the outage is over
		}
		f.backoff = backoff{}
	}
	return err
}

func (r *fetchBatch) handleResult(ctx context.Context, got *job) {
	f := r.feed
	answered := errors.Is(got.err, ErrStale) || errors.Is(got.err, ErrTooLarge)
	if got.err == nil || answered {
		f.fetched.Succeeded()
		r.succeeded = true
	}
	switch kind := httpclient.KindOf(got.err); {
	case got.err == nil:
		delete(f.refusals, got.key())
		r.addAnswer(got)
	case answered:
		r.putOff(got, true)
	case ctx.Err() != nil: // it only ended: it still waits
	case kind == httpclient.KindThrottled || kind == httpclient.KindToken || kind == httpclient.KindUnauthorized:
		r.stopped = got.err
	default:
		r.handleRefusal(got)
	}
}

// handleRefusal puts a key off if its refusals have a witness, now or earlier (counting.md 30).
// Else its tasks stay due in the ledger, where they hold the watermark, and others go first.
func (r *fetchBatch) handleRefusal(got *job) {
	f := r.feed
	refusals := f.refusals[got.key()]
	before := refusals.Witnessed()
	refusals.Add(&f.fetched)
	f.refusals[got.key()] = refusals
	failedBefore := slices.ContainsFunc(got.tasks, func(w work.Item) bool { return w.SetAside || w.Attempts > 0 })
	if refusals.Witnessed() > 0 || failedBefore {
		r.putOff(got, refusals.Witnessed() > before)
		return
	}
	r.refused = append(r.refused, got)
}

// addAnswer adds an answer to the batch's page. A record that isn't final is left out (counting.md
// 17): the task that the Fetcher left for it reads it again, however long that takes. (The ledger
// alone would count it after the lookback.)
func (r *fetchBatch) addAnswer(got *job) {
	page := &r.page
	page.Done = append(page.Done, got.tasks...)
	if p := got.page; p != nil {
		page.Records = append(page.Records,
			slices.DeleteFunc(p.Records, func(r *cdr.Record) bool { return r.Provisional })...)
		page.Invalid = append(page.Invalid, p.Invalid...)
		page.Ignored = append(page.Ignored, p.Ignored...)
		page.Unmapped = append(page.Unmapped, p.Unmapped...)
		page.Enqueue = append(page.Enqueue, p.Enqueue...)
	}
}

// putOff schedules a job for another try. If the refusal counts and was the last allowed
// one, the job is set aside: it is shown, and tried once a day.
func (r *fetchBatch) putOff(got *job, counts bool) {
	f := r.feed
	now := f.settings.Clock.Now()
	for _, w := range got.tasks {
		w.Problem = got.err.Error()
		if counts {
			w.Attempts++
		}
		switch {
		case w.SetAside && w.Attempts >= maxRetries:
			r.page.Done = append(r.page.Done, w)
			delete(f.refusals, w.Key) // other tasks of the key start at zero
			continue
		case !w.SetAside && counts && (w.Attempts >= maxAttempts || errors.Is(got.err, ErrGone) ||
			errors.Is(got.err, ErrTooLarge)):
			w.SetAside, w.Attempts = true, 0
		}
		wait := work.Daily
		if !w.SetAside {
			wait = work.Fetch.After(max(w.Attempts, f.refusals[w.Key].Count()), f.settings.Random())
		}
		w.Due = now.Add(wait)
		r.page.Enqueue = append(r.page.Enqueue, w)
	}
}
