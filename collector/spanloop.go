package collector

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// MaxTries is how often a command tries to read a piece.
const MaxTries = 6

// SpanLoop reads spans of time piece by piece for commands, which have no ledger for the work that is left.
type SpanLoop struct {
	// Read reads a piece. It may be called again for a part of one that failed.
	Read func(ctx context.Context, from, to time.Time) error
	// Longest is the longest piece; 0: the whole span.
	Longest time.Duration
	// Shortest is the shortest piece after failures; 0: pieces keep their length.
	Shortest time.Duration
	// MayPass says whether an error may pass by itself; nil: a piece is tried once.
	MayPass func(err error) bool
}

// Run reads a span, rounded outward to whole seconds. It returns the error of a piece that can't be read.
func (l *SpanLoop) Run(ctx context.Context, from, to time.Time) error {
	from, to = plan.ToWholeSeconds(from, to)
	for from.Before(to) {
		length := cmp.Or(l.Longest, to.Sub(from))
		err := retry(ctx, l.MayPass, func() error {
			end := plan.Earliest(from.Add(length), to)
			if err := l.Read(ctx, from, end); err != nil {
				if l.Shortest > 0 {
					length = max((end.Sub(from) / 2).Truncate(time.Second), l.Shortest)
				}
				return err
			}
			from = end
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// retry calls read until it succeeds, MaxTries times at the most, with growing pauses. It returns an error at once that
// can't pass by itself.
func retry(ctx context.Context, mayPass func(error) bool, read func() error) error {
	for tries := 1; ; tries++ {
		err := read()
		if err == nil || tries == MaxTries || ctx.Err() != nil || mayPass == nil || !mayPass(err) {
			return err
		}
		if !sleep(ctx, max(work.Poll.After(tries, rand.Float64()), httpclient.RetryAfter(err)), nil) {
			return ctx.Err()
		}
	}
}
