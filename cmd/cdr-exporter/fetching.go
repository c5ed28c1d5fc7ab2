package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// fetchingReader reads the records of a feed whose lists only name them, one by one.
type fetchingReader struct {
	collector.RangeReader

	fetcher collector.Fetcher
	// errors gets what is left out.
	errors io.Writer
}

// Read implements collector.RangeReader. Nothing is fetched while the list is read.
func (f *fetchingReader) Read(ctx context.Context, from, to time.Time, emit func(*collector.Batch) error) error {
	var named []collector.Work
	err := f.RangeReader.Read(ctx, from, to, func(b *collector.Batch) error {
		for _, w := range b.Work {
			w.Kind, w.Key = strings.Clone(w.Kind), strings.Clone(w.Key)
			named = append(named, w)
		}
		return emit(b)
	})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(named, max(1, f.fetcher.Parallel())) {
		if err := f.fetch(ctx, some, emit); err != nil {
			return err
		}
	}
	return nil
}

// fetch fetches some records at once and hands them on in their order.
func (f *fetchingReader) fetch(ctx context.Context, named []collector.Work, emit func(*collector.Batch) error) error {
	batches, missing := make([]*collector.Batch, len(named)), make([]error, len(named))
	group, ctx := errgroup.WithContext(ctx)
	for i := range named {
		group.Go(func() (err error) {
			batches[i], err = f.fetcher.Fetch(ctx, named[i:i+1])
			if errors.Is(err, collector.ErrNotYet) || errors.Is(err, collector.ErrGone) || errors.Is(err, collector.ErrStale) {
				missing[i], err = err, nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, b := range batches {
		switch {
		case missing[i] != nil:
			fmt.Fprintf(f.errors, "record %s: left out: %v\n", named[i].Key, missing[i])
		case b != nil:
			if err := emit(b); err != nil {
				return err
			}
		}
	}
	return nil
}
