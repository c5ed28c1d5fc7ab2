package collector

import (
	"slices"
	"sync"
)

// Scheduler runs loops, one goroutine each. A loop's failure stays its own.
// It is safe for concurrent use.
type Scheduler struct {
	mu    sync.Mutex
	loops []*Loop // guarded by mu, in the order they were added
}

// NewScheduler has no loops yet.
func NewScheduler() *Scheduler { return &Scheduler{} }

// Add starts loops. A loop is started once in its life.
func (s *Scheduler) Add(loops ...*Loop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range loops {
		l.Start()
	}
	s.loops = append(s.loops, loops...)
}

// Remove stops loops, together, and returns when all have ended: a page in hand
// is committed if it was decoded. A reload removes the old loop of a feed before
// it adds the new one.
func (s *Scheduler) Remove(loops ...*Loop) {
	s.mu.Lock()
	s.loops = slices.DeleteFunc(s.loops, func(l *Loop) bool { return slices.Contains(loops, l) })
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, l := range loops {
		wg.Go(l.Stop)
	}
	wg.Wait()
}

// Stop removes every loop. It may be called twice.
func (s *Scheduler) Stop() { s.Remove(s.all()...) }

// Status is every loop's, in the order they were added.
func (s *Scheduler) Status() []Status {
	loops := s.all()
	all := make([]Status, len(loops))
	for i, l := range loops {
		all[i] = l.Status()
	}
	return all
}

// Ready says whether every feed's history has been read or has failed once.
func (s *Scheduler) Ready() bool {
	return !slices.ContainsFunc(s.all(), func(l *Loop) bool { return !l.Status().Ready })
}

// Refresh brings the own metrics that depend on the time up to it: for a hook
// before each snapshot.
func (s *Scheduler) Refresh() {
	for _, l := range s.all() {
		l.Refresh()
	}
}

func (s *Scheduler) all() []*Loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.loops)
}
