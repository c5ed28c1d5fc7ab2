package simulate

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
)

// errCrashed is the answer to everything that a crashed process still wants.
var errCrashed = errors.New("the process has crashed")

// turns orders what a process does. It is safe for concurrent use.
type turns struct {
	mu      sync.Mutex
	waiting []*turn // guarded by mu
	crashed bool    // guarded by mu
}

// turn is a step that waits to be taken.
type turn struct {
	name string
	take chan error
}

// wait returns when it is the step's turn, with an error if the process has crashed or the step has
// been cancelled.
func (t *turns) wait(ctx context.Context, name string) error {
	t.mu.Lock()
	if t.crashed {
		t.mu.Unlock()
		return errCrashed
	}
	step := &turn{name: name, take: make(chan error, 1)}
	t.waiting = append(t.waiting, step)
	t.mu.Unlock()
	select {
	case err := <-step.take:
		return err
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		t.waiting = slices.DeleteFunc(t.waiting, func(other *turn) bool { return other == step })
		return ctx.Err()
	}
}

// steps are the names of the steps that wait, in alphabetical order.
func (t *turns) steps() (names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.waiting, func(a, b *turn) int { return cmp.Compare(a.name, b.name) })
	for _, step := range t.waiting {
		names = append(names, step.name)
	}
	return names
}

// give gives the turn to one of steps.
func (t *turns) give(index int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	step := t.waiting[index]
	t.waiting = slices.Delete(t.waiting, index, index+1)
	step.take <- nil
}

// giveNamed gives the turn to a step of a name, if one waits.
func (t *turns) giveNamed(name string) bool {
	index := slices.Index(t.steps(), name)
	if index >= 0 {
		t.give(index)
	}
	return index >= 0
}

// crash ends all steps, and those to come.
func (t *turns) crash() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.crashed = true
	for _, step := range t.waiting {
		step.take <- errCrashed
	}
	t.waiting = nil
}
