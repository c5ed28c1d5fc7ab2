package msgraph

import (
	"context"
	"sync"
	"time"
)

// What Graph allows of one call record, less a little: 10 requests in 20 s for first
// pages, 50 in 5 min for those that follow (throttling limits, "Call records").
const (
	firstPages     = 9
	firstPer       = 20 * time.Second
	followingPages = 45
	followingPer   = 5 * time.Minute
)

// paces keep to what Graph allows of each call record. It is safe for concurrent use.
type paces struct {
	// firstMost and followingMost are how many requests there may be in each span of time.
	firstMost, followingMost int

	mu    sync.Mutex
	byID  map[string]*pace
	swept time.Time // guarded by mu
}

// pace is that of one record.
type pace struct {
	first, following turns
	used             time.Time // guarded by paces.mu
}

func newPaces() *paces {
	return &paces{firstMost: firstPages, followingMost: followingPages, byID: make(map[string]*pace)}
}

// of is the pace of a record. What wasn't asked for in a while is forgotten.
func (p *paces) of(id string) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.swept) > followingPer {
		for key, one := range p.byID {
			if now.Sub(one.used) > 2*followingPer && one.following.idle(now) {
				delete(p.byID, key)
			}
		}
		p.swept = now
	}
	one := p.byID[id]
	if one == nil {
		one = &pace{first: turns{most: p.firstMost, per: firstPer}, following: turns{most: p.followingMost, per: followingPer}}
		p.byID[id] = one
	}
	one.used = now
	return one
}

// turns give so many turns in any span of time.
type turns struct {
	most int
	per  time.Duration

	mu    sync.Mutex
	taken []time.Time // guarded by mu: the latest, in order
}

// wait waits for a turn.
func (t *turns) wait(ctx context.Context) error {
	wait := time.Until(t.take(time.Now()))
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take takes the next turn and says when it is.
func (t *turns) take(now time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := now
	if len(t.taken) == t.most {
		if next := t.taken[0].Add(t.per); next.After(at) {
			at = next
		}
		t.taken = t.taken[1:]
	}
	t.taken = append(t.taken, at)
	return at
}

// idle says whether no turn is still to come.
func (t *turns) idle(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.taken) == 0 || !t.taken[len(t.taken)-1].After(now)
}
