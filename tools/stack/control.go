package main

import (
	"context"
	"time"
)

// fail lets the trunk lose every call that begins from now on.
func (s *stack) fail(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failedSince.IsZero() {
		s.failedSince = time.Now()
		s.providers.Tenant.BreakTrunk(trunk)
		s.history.note("The trunk " + trunk + " begins to fail.")
	}
	return nil
}

// mend lets calls through again.
func (s *stack) mend(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failedSince.IsZero() {
		s.failedSince = time.Time{}
		s.providers.Tenant.MendTrunk(trunk)
		s.history.note("The trunk " + trunk + " is mended.")
	}
	return nil
}

// hold stops publication: then nothing is on its way any more, and the numbers must agree.
func (s *stack) hold(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heldSince.IsZero() {
		s.heldSince = time.Now()
		s.providers.Tenant.Pause()
		s.providers.Office.Pause()
		s.providers.Carrier.Pause()
		s.history.note("The providers publish nothing more for now.")
	}
	return nil
}

// resume publishes what was held back.
func (s *stack) resume(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.heldSince.IsZero() {
		s.heldSince = time.Time{}
		s.providers.Tenant.Resume()
		s.providers.Office.Resume()
		s.providers.Carrier.Resume()
		s.history.note("The providers publish again.")
	}
	return nil
}

// kill ends the exporter without any warning, and starts it again.
func (s *stack) kill(ctx context.Context) error {
	s.mu.Lock()
	p, already := s.exporter, s.restart
	if !already {
		s.killed++
		s.restart = true
	}
	s.mu.Unlock()
	if already {
		return nil
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.restart = false
	}()
	s.history.note("The exporter is killed (kill -9) and started again.")
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	<-p.done
	return s.runExporter(ctx)
}
