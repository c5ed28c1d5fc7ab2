package collector_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// numbered yields pages without end, and what its context ended with.
func numbered(made *int) func(context.Context) iter.Seq2[*collector.Page, error] {
	return func(ctx context.Context) iter.Seq2[*collector.Page, error] {
		return func(yield func(*collector.Page, error) bool) {
			for ctx.Err() == nil {
				*made++
				if !yield(&collector.Page{ObservedAt: time.Unix(int64(*made), 0)}, nil) {
					return
				}
			}
			yield(nil, ctx.Err())
		}
	}
}

func TestPrefetch(t *testing.T) {
	t.Run("one page ahead, no more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			made, taken := 0, 0
			for page, err := range collector.Prefetch(t.Context(), numbered(&made)) {
				taken++
				synctest.Wait()
				if err != nil || made != taken+1 {
					t.Fatalf("%d pages were made when %d was taken, %v", made, taken, err)
				}
				if page.ObservedAt.Unix() == 3 {
					break
				}
			}
			if taken != 3 {
				t.Errorf("%d pages", taken)
			}
		})
	})
	t.Run("an end by the context is an error, not the last page", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			made := 0
			var last error
			for _, last = range collector.Prefetch(ctx, numbered(&made)) {
				cancel()
			}
			if !errors.Is(last, context.Canceled) {
				t.Errorf("it ended with %v", last)
			}
		})
	})
	t.Run("a panic of the reader is an error", func(t *testing.T) {
		var last error
		for _, last = range collector.Prefetch(t.Context(), func(context.Context) iter.Seq2[*collector.Page, error] {
			return func(func(*collector.Page, error) bool) { panic("it broke") }
		}) {
		}
		if last == nil {
			t.Error("the panic is lost")
		}
	})
}
