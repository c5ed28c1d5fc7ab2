package web

import (
	"context"
	"sync"
	"time"
)

// ActivityStep is the span of time that one Activity is of, and ActivityKept is how far
// back they are shown.
const (
	ActivityStep = 5 * time.Minute
	ActivityKept = 24 * time.Hour
)

// Activity is how many calls of a feed began in the five minutes from Start, whenever
// they were read, and how many of them failed for a fault (outcome `failed`).
type Activity struct {
	Source   string `json:"source"`
	Provider string `json:"provider"`
	Feed     string `json:"feed"`
	Start    Time   `json:"start"`
	Calls    int64  `json:"calls"`
	Failures int64  `json:"failures"`
}

const (
	// activityFresh is how long an answer of the backend is shown again: what many
	// viewers cost is what one costs.
	activityFresh = 3 * time.Second
	// activityPatience is how long the backend is waited for.
	activityPatience = 2 * time.Second
)

// recentActivity asks the backend for all that is shown, at most once in activityFresh.
// It is safe for concurrent use.
type recentActivity struct {
	ask func(ctx context.Context, from time.Time) ([]Activity, error)
	now func() time.Time

	mu    sync.Mutex
	asked time.Time  // guarded by mu
	all   []Activity // guarded by mu; never changed once it is handed out
	err   error      // guarded by mu
}

// get is the activity of the last ActivityKept. A client that goes away doesn't end the
// asking, since others wait for the same answer. Fresh says that it was asked for now,
// so that a failure is logged once.
func (r *recentActivity) get(ctx context.Context) (all []Activity, fresh bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if age := now.Sub(r.asked); !r.asked.IsZero() && age >= 0 && age < activityFresh {
		return r.all, false, r.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), activityPatience)
	defer cancel()
	r.all, r.err = r.ask(ctx, oldestActivity(now))
	r.asked = now
	return r.all, true, r.err
}

// oldestActivity is the first start that is shown at a time.
func oldestActivity(now time.Time) time.Time {
	return now.UTC().Truncate(ActivityStep).Add(ActivityStep - ActivityKept)
}
