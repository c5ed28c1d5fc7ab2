package audit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

const (
	// longestWait is how long the exporter's next read is waited for, lookInterval how often the
	// ledger is looked at meanwhile.
	longestWait  = 5 * time.Minute
	lookInterval = time.Second
	// slack is by how much a read may be later than planned, beside an interval, before the
	// exporter is taken not to run.
	slack = 10 * time.Second
)

// exporterReads are the reads of the exporter that counts, as it last committed them.
type exporterReads struct {
	plan  plan.Plan
	floor time.Time
	// watermark, for feeds that are read by arrival, is when the last look began; they have no plan.
	byArrival bool
	watermark time.Time
	interval  time.Duration
}

func (a *audit) exporterReads() *exporterReads {
	r := &exporterReads{
		byArrival: a.Info.Rules.ByArrival, floor: a.counted.Floor, watermark: a.counted.Watermark,
		interval: max(a.Info.PollInterval(), time.Second),
	}
	if !r.byArrival { // a plan that can't be read has no reads: nothing is waited for
		if json.Unmarshal(a.counted.Resume, &r.plan) != nil || len(r.plan.Levels) != r.plan.Ladder.Last()+1 {
			r.plan = plan.Plan{}
		}
	}
	return r
}

// newest is when the last read began.
func (r *exporterReads) newest() (at time.Time) {
	if r.byArrival {
		return r.watermark
	}
	for _, level := range r.plan.Levels {
		at = plan.Latest(at, level.Read)
	}
	return at
}

// last is when the last read of a start began; zero: never.
func (r *exporterReads) last(start time.Time) (at time.Time) {
	if r.byArrival {
		return r.watermark
	}
	for m, level := range r.plan.Levels {
		if !start.Before(level.Read.Add(-r.plan.Ladder.Reach(m))) {
			at = plan.Latest(at, level.Read)
		}
	}
	return at
}

// next is by when a start is read again; zero: never.
func (r *exporterReads) next(start time.Time) time.Time {
	switch {
	case r.byArrival:
		return r.watermark.Add(r.interval)
	case start.Before(r.floor):
		return time.Time{}
	}
	for m, level := range r.plan.Levels {
		due := level.Read.Add(r.plan.Ladder.Period(m))
		if !start.Before(due.Add(-r.plan.Ladder.Reach(m))) {
			return due
		}
	}
	return time.Time{}
}

// awaitRead waits until the exporter has read the differing records of a pass again, if it does so
// soon. It says whether the exporter runs. If the exporter won't read the day again, the answer may
// be wrong and doesn't matter.
func (a *audit) awaitRead(ctx context.Context, p *pass) (running bool, err error) {
	start := p.earliest
	if start.IsZero() { // but more may come
		start = p.to.Add(-time.Second)
	}
	first, began := a.exporterReads(), a.Now()
	overdue := first.newest().Add(max(2*first.interval, slack))
	for waits := false; ; waits = true {
		if err := a.refresh(ctx); err != nil {
			return false, err
		}
		now, reads := a.Now(), a.exporterReads()
		running = running || reads.newest().After(first.newest())
		next := reads.next(start)
		switch {
		case reads.last(start).After(p.ended), next.IsZero():
			return running, nil
		case running && (next.After(began.Add(longestWait)) || now.After(began.Add(longestWait))):
			return true, nil
		case !running && now.After(overdue):
			return false, nil
		}
		if !waits {
			a.note("something of %s differs: the audit waits for the exporter's next read of it, some minutes at most",
				p.day.Day)
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}
