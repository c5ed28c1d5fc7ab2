package history

import (
	"container/heap"
	"errors"
)

// runHeap has the run with the least key on top.
type runHeap []*runReader

// Len implements heap.Interface.
func (h *runHeap) Len() int { return len(*h) }

// Less implements heap.Interface.
func (h *runHeap) Less(i, j int) bool { return (*h)[i].now.compare((*h)[j].now.key) < 0 }

// Swap implements heap.Interface.
func (h *runHeap) Swap(i, j int) { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push implements heap.Interface.
func (h *runHeap) Push(x any) { *h = append(*h, x.(*runReader)) }

// Pop implements heap.Interface.
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge gives every key of the runs once, in order, with its sum.
func merge(names []string, f func(*change) error) (err error) {
	var h runHeap
	var open []*runReader
	defer func() {
		for _, r := range open {
			err = errors.Join(err, r.file.Close())
		}
	}()
	for _, name := range names {
		r, err := openRun(name)
		if err != nil {
			return err
		}
		open = append(open, r)
		if more, err := r.next(); err != nil {
			return err
		} else if more {
			h = append(h, r)
		}
	}
	heap.Init(&h)
	return drain(&h, f)
}

// drain empties the heap.
func drain(h *runHeap, f func(*change) error) error {
	var sum change
	begun := false
	for h.Len() > 0 {
		r := (*h)[0]
		switch {
		case begun && r.now.key == sum.key:
			sum.add(&r.now.amount)
		case begun:
			if err := f(&sum); err != nil {
				return err
			}
			sum = r.now
		default:
			sum, begun = r.now, true
		}
		more, err := r.next()
		switch {
		case err != nil:
			return err
		case more:
			heap.Fix(h, 0)
		default:
			heap.Pop(h)
		}
	}
	if !begun {
		return nil
	}
	return f(&sum)
}
