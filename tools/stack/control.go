package main

import (
	"context"
	"time"
)

// actions are the actions of the page's buttons, by the paths of their forms.
func (s *stack) actions() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"/trunk/fail": s.change(&s.failedSince, true, s.failTrunk),
		"/trunk/mend": s.change(&s.failedSince, false, s.mendTrunk),
		// While publication is held, no call is in transit, and the numbers must agree.
		"/publication/hold":   s.change(&s.heldSince, true, s.providers.Pause),
		"/publication/resume": s.change(&s.heldSince, false, s.providers.Resume),
		"/exporter/kill":      s.kill,
	}
}

// change returns an action that begins or ends a state with a start time, unless that is already
// done.
func (s *stack) change(since *time.Time, begin bool, act func()) func(context.Context) error {
	return func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if since.IsZero() != begin {
			return nil
		}
		*since = time.Time{}
		if begin {
			*since = time.Now()
		}
		act()
		return nil
	}
}

func (s *stack) failTrunk() {
	now := s.providers.Tenant.Now()
	s.providers.DirectRouting.FailPart(trunk, 1, now, now.AddDate(1, 0, 0))
}

func (s *stack) mendTrunk() { s.providers.DirectRouting.MendTrunk(trunk, s.providers.Tenant.Now()) }

// kill kills the exporter without a warning, and starts it again.
func (s *stack) kill(ctx context.Context) error {
	s.mu.Lock()
	p := s.processes[exporter]
	delete(s.processes, exporter)
	if p != nil {
		s.killed++
	}
	s.mu.Unlock()
	if p == nil {
		return nil // it is already starting
	}
	p.Kill()
	return s.runExporter(ctx)
}
