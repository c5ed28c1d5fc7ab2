package history

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// fetch fetches what a list has named and the piece hasn't had yet, some at once, and
// counts it. It says how much that is; what the provider doesn't have is noted.
func (r *reading) fetch(ctx context.Context, named []collector.Work) (found int, err error) {
	fresh := named[:0]
	for _, w := range named {
		id := nameOf{w.Key, w.Version}
		if !r.named[id] {
			r.named[id] = true
			fresh = append(fresh, w)
		}
	}
	for some := range slices.Chunk(fresh, max(1, r.feed.Info.Fetcher.Parallel())) {
		if err := r.fetchSome(ctx, some); err != nil {
			return 0, err
		}
	}
	return len(fresh), nil
}

// nameOf is what is fetched: another version is another thing.
type nameOf struct {
	key     string
	version int64
}

// fetchSome fetches some at once and counts them in their order.
func (r *reading) fetchSome(ctx context.Context, some []collector.Work) error {
	batches, missing := make([]*collector.Batch, len(some)), make([]error, len(some))
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range some {
		group.Go(func() (err error) {
			batches[i], err = r.feed.Info.Fetcher.Fetch(groupCtx, some[i:i+1])
			if isMissing(err) {
				missing[i], err = err, nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, b := range batches {
		switch key := some[i].Key; {
		case missing[i] != nil:
			r.missing[key] = true
			r.note("record %s: left out: %v", key, missing[i])
		case b != nil:
			if len(b.Work) > 0 {
				r.unsettled[key] = true
			}
			if _, err := r.commit(ctx, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// isMissing says whether an error is of one record alone.
func isMissing(err error) bool {
	if errors.Is(err, collector.ErrNotYet) || errors.Is(err, collector.ErrGone) || errors.Is(err, collector.ErrStale) {
		return true
	}
	kind := httpclient.KindOf(err)
	return kind == httpclient.KindBadRequest || kind == httpclient.KindNotFound || kind == httpclient.KindGone
}
