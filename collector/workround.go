package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

const (
	// maxAttempts is after how many of them work is parked: about half a day.
	maxAttempts = 48
	// firstAttempt and longestAttempt bound the wait between two attempts, which doubles.
	firstAttempt   = 30 * time.Second
	longestAttempt = 15 * time.Minute
	// restAfterFault is how long others go first, after a fault that may be the provider's,
	// unless it answers again.
	restAfterFault = 5 * time.Minute
	// committedAtOnce is how many answers are committed at once at most.
	committedAtOnce = 32
)

// round is one poll's fetching.
type round struct {
	feed *WorkFeed
	sink Sink
	jobs []*job // not begun yet

	landed   int
	answered bool // the provider has answered for some key
	// answers are what came and isn't committed yet.
	answers []fetched
	// refused is why no more is begun: the provider refuses us, or can't be reached.
	refused error
	// faults are jobs for which the provider had a fault, or that it forbade: all of them,
	// or only these.
	faults []fetched
}

// run begins jobs and takes what lands, until its time is up or nothing is left. What
// earlier rounds have begun is only waited for beside its own.
func (r *round) run(ctx context.Context) error {
	s := &r.feed.fetching
	over := time.NewTimer(roundLength)
	defer over.Stop()
	for began := false; ; {
		for ; len(r.jobs) > 0 && !s.full() && !r.given() && ctx.Err() == nil; r.jobs = r.jobs[1:] {
			r.feed.launch(ctx, r.jobs[0])
			began = true
		}
		got, ok := r.next(ctx, over.C, began && len(s.flying) > 0 && len(r.answers) == 0)
		var err error
		switch {
		case ok && len(r.answers) < committedAtOnce:
			err = r.take(ctx, got)
		case ok:
			err = errors.Join(r.commit(ctx), r.take(ctx, got))
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

// next is what lands next, if anything does before the round is over.
func (r *round) next(ctx context.Context, over <-chan time.Time, wait bool) (got fetched, ok bool) {
	s := &r.feed.fetching
	select {
	case got = <-s.landed:
		return got, true
	default:
	}
	if !wait {
		return got, false
	}
	select {
	case got = <-s.landed:
		return got, true
	case <-over:
		return got, false
	case <-ctx.Done(): // what has landed is still committed
		return r.next(ctx, over, false)
	}
}

// given says whether the round is given up: what is under way still lands.
func (r *round) given() bool {
	return r.refused != nil || !r.answered && len(r.faults) >= r.feed.fetching.parallel
}

// take sees to what became of a job. The error is the ledger's.
func (r *round) take(ctx context.Context, got fetched) error {
	s := &r.feed.fetching
	delete(s.flying, got.job.key)
	r.landed++
	switch {
	case got.err == nil:
		r.answered = true
		delete(s.suspect, got.job.key)
		r.answers = append(r.answers, got)
		return nil
	case errors.Is(got.err, ErrGone):
		r.answered = true
		return r.putOff(ctx, true, got)
	case errors.Is(got.err, ErrNotYet):
		r.answered = true
		return r.putOff(ctx, false, got)
	case ctx.Err() != nil:
		return nil //nolint:nilerr // it only ended: it still waits
	}
	switch httpclient.KindOf(got.err) {
	case httpclient.KindThrottled, httpclient.KindNetwork, httpclient.KindToken, httpclient.KindUnauthorized:
		r.refused = got.err
		return nil
	case httpclient.KindBadRequest, httpclient.KindNotFound, httpclient.KindNotAcceptable, httpclient.KindGone, httpclient.KindTooLarge:
		r.answered = true
		return r.putOff(ctx, false, got)
	case httpclient.KindForbidden, httpclient.KindServer, httpclient.KindBody, httpclient.KindHost, httpclient.KindRedirect, httpclient.KindStatus:
	}
	r.faults = append(r.faults, got)
	return nil
}

// end settles what couldn't be told at once, and how fetching goes. Where the provider
// answers for other keys, now or since the fault before, a fault is the work's own. Else it
// is the provider's: that counts no attempt, but lets others go first.
func (r *round) end(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s, err := &r.feed.fetching, r.refused
	var own, others []fetched
	switch {
	case err != nil:
		others = r.faults
	case r.answered:
		own = r.faults
	default:
		own, others = s.suspects(r.faults)
	}
	if len(own) > 0 {
		if err := r.putOff(ctx, false, own...); err != nil {
			return err
		}
	}
	if len(others) > 0 {
		s.rest(others, r.feed.clock().Elapsed()+restAfterFault)
		if err == nil {
			err = others[0].err
		}
	}
	switch {
	case err != nil:
		s.backOff(r.feed, err, err)
	case r.answered:
		s.failures, s.err = 0, nil
		s.vouch()
	}
	return err
}

// commit commits the answers that have come together with the work that they do: what
// lands during a commit is the next one, so that a slow disk is no brake.
func (r *round) commit(ctx context.Context) error {
	all, whole := r.answers, &Batch{}
	r.answers = nil
	var done []ledger.Work
	for _, got := range all {
		if b := got.batch; b != nil {
			whole.Records = appendFinal(whole.Records, b.Records)
			whole.Invalid = append(whole.Invalid, b.Invalid...)
			whole.Ignored = append(whole.Ignored, b.Ignored...)
			whole.Unmapped = append(whole.Unmapped, b.Unmapped...)
			whole.Work = append(whole.Work, b.Work...)
		}
		done = append(done, got.job.works...)
	}
	page := r.feed.ranges.page(r.sink, whole)
	page.Done = done
	_, err := (&workSink{Sink: r.sink, feed: r.feed}).Commit(ctx, page)
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

// putOff tries jobs again later, or parks them: they are then shown and not forgotten.
func (r *round) putOff(ctx context.Context, gone bool, all ...fetched) error {
	page, random := &ledger.Page{ObservedAt: r.sink.Now()}, r.feed.ranges.settings.Random
	for _, got := range all {
		for _, w := range got.job.works {
			w.Attempts++
			w.Due = page.ObservedAt.Add(attemptDelay(w.Attempts, random))
			w.Parked = gone || w.Attempts >= maxAttempts
			page.Enqueue = append(page.Enqueue, w)
		}
	}
	if _, err := r.sink.Commit(ctx, page); err != nil {
		return err
	}
	for _, got := range all {
		r.tellParked(got, gone)
	}
	return nil
}

// tellParked logs what is tried no more.
func (r *round) tellParked(got fetched, gone bool) {
	for _, w := range got.job.works {
		if gone || w.Attempts+1 >= maxAttempts {
			r.feed.ranges.settings.Logger.Warn("something that was named can't be fetched and is set aside",
				"kind", w.Kind, "key", w.Key, "attempts", w.Attempts+1, "error", got.err.Error())
		}
	}
}

// attemptDelay is the wait after so many attempts, less up to a quarter.
func attemptDelay(attempts int, random func() float64) time.Duration {
	wait := firstAttempt
	for n := 1; n < attempts && wait < longestAttempt; n++ {
		wait *= 2
	}
	wait = min(wait, longestAttempt)
	return wait - time.Duration(random()*float64(wait)/4)
}
