package httpclient

import (
	"context"
	"slices"
	"sync"
	"time"
)

// line lets one through at a time, in the order in which they came. Its zero value is
// an empty line.
type line struct {
	mu      sync.Mutex
	taken   bool            // guarded by mu
	waiting []chan struct{} // guarded by mu; each is closed when its turn comes

	// How long whoever has the turn has waited for the provider's limits: in all, and
	// since when at present. Both are guarded by mu.
	stalls time.Duration
	since  time.Time
}

// take waits for the turn; whoever got it calls pass. While whoever has the turn waits
// for the provider's limits, so does everybody behind: waited is told of that time, and
// not of the time that another's request takes.
func (l *line) take(ctx context.Context, waited func(time.Duration)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	place := l.join()
	charged := l.stalled()
	charge := func() {
		all := l.stalled()
		if all > charged {
			waited(all - charged)
		}
		charged = all
	}
	ticker := time.NewTicker(throttleSlice)
	defer ticker.Stop()
	for {
		select {
		case <-place:
			charge()
			return nil
		case <-ctx.Done():
			charge()
			l.leave(place)
			return ctx.Err()
		case <-ticker.C:
			charge()
		}
	}
}

// join takes a place at the end.
func (l *line) join() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	place := make(chan struct{})
	if l.taken {
		l.waiting = append(l.waiting, place)
		return place
	}
	l.taken = true
	close(place)
	return place
}

// pass gives the turn to the next.
func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.taken = false
		return
	}
	close(l.waiting[0])
	l.waiting = slices.Delete(l.waiting, 0, 1)
}

// leave gives up a place, and the turn if it has come meanwhile.
func (l *line) leave(place chan struct{}) {
	l.mu.Lock()
	i := slices.Index(l.waiting, place)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 {
		l.pass()
	}
}

// stall notes that whoever has the turn waits for the provider's limits, until over is
// called.
func (l *line) stall() (over func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = time.Now()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stalls += time.Since(l.since)
		l.since = time.Time{}
	}
}

// stalled is how long the line has stood still for the provider's limits, ever.
func (l *line) stalled() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		return l.stalls
	}
	return l.stalls + time.Since(l.since)
}
