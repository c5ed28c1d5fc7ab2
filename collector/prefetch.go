package collector

import (
	"context"
	"iter"
)

// Prefetch yields the pages of a reader while the reader decodes the next one in another goroutine. The reader may use a page's memory again
// only when it is asked for the page after the next. When the consumer stops, the reader's context ends.
func Prefetch(ctx context.Context, read func(context.Context) iter.Seq2[*Page, error]) iter.Seq2[*Page, error] {
	type made struct {
		page *Page
		err  error
	}
	return func(yield func(*Page, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan made)
		go func() {
			defer close(pages)
			err := catchPanic(ctx, func(ctx context.Context) error {
				for page, err := range read(ctx) {
					pages <- made{page, err}
				}
				return nil
			})
			if err != nil {
				pages <- made{err: err}
			}
		}()
		defer func() {
			cancel()
			for range pages { // until the reader has ended
			}
		}()
		for m := range pages {
			if !yield(m.page, m.err) {
				return
			}
		}
	}
}
