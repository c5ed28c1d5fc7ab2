package main

import (
	"context"
	"sync"
	"time"
)

// snapshot is all that the page shows.
type snapshot struct {
	At      time.Time
	Alerts  []alert
	Figures []figure
	// Problem is why something isn't known; empty: all is.
	Problem string
}

// observer looks at everything, time and again. It is safe for concurrent use.
type observer struct {
	stack *stack

	mu   sync.Mutex
	last snapshot // guarded by mu
}

// lookEvery is how often it looks.
const lookEvery = time.Second

// observe looks until the context ends, or a part does.
func (o *observer) observe(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		o.look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := o.stack.running(); err != nil && ctx.Err() == nil && !o.stack.restarting() {
			return err
		}
	}
}

func (o *observer) look(ctx context.Context) {
	before := o.snapshot()
	s := snapshot{At: time.Now(), Alerts: before.Alerts, Figures: before.Figures}
	if alerts, err := o.stack.look(ctx); err != nil {
		s.Problem = err.Error()
	} else {
		s.Alerts = alerts
		for _, text := range changes(before.Alerts, alerts) {
			o.stack.history.note(text)
		}
	}
	if figures, err := o.stack.figures(ctx); err != nil {
		s.Problem = err.Error()
	} else {
		s.Figures = figures
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = s
}

func (o *observer) snapshot() snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// look asks Prometheus and Alertmanager for alerts.
func (s *stack) look(ctx context.Context) ([]alert, error) {
	fired, err := s.prometheus.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	received, err := s.alerts.Received(ctx)
	if err != nil {
		return nil, err
	}
	return merge(fired, received), nil
}
