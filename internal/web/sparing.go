package web

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// How much a Sparing logger writes of each level: so many lines at once, and then one
// after each interval.
const (
	sparingBurst    = 50
	sparingInterval = 10 * time.Second
)

// omittedKey is the attribute that says how many lines were left out before this one.
const omittedKey = "lines_left_out"

// Sparing is a logger that a flood of requests doesn't fill: of each level it writes a
// line only now and then, and says how many it left out.
func Sparing(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	quotas := make(map[slog.Level]*quota)
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		quotas[level] = &quota{limit: rate.NewLimiter(rate.Every(sparingInterval), sparingBurst)}
	}
	return slog.New(sparing{logger.Handler(), quotas})
}

// sparing is a slog.Handler with a quota for each level.
type sparing struct {
	slog.Handler

	quotas map[slog.Level]*quota
}

// quota is what may be written of one level.
type quota struct {
	limit *rate.Limiter
	// omitted are the lines that were left out since the last that was written.
	omitted atomic.Int64
}

// Handle implements slog.Handler.
func (s sparing) Handle(ctx context.Context, record slog.Record) error {
	q := s.quotas[record.Level]
	if q == nil {
		return s.Handler.Handle(ctx, record) // no level of ours
	}
	if !q.limit.Allow() {
		q.omitted.Add(1)
		return nil
	}
	if n := q.omitted.Swap(0); n > 0 {
		record = record.Clone()
		record.AddAttrs(slog.Int64(omittedKey, n))
	}
	return s.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (s sparing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sparing{s.Handler.WithAttrs(attrs), s.quotas}
}

// WithGroup implements slog.Handler.
func (s sparing) WithGroup(name string) slog.Handler {
	return sparing{s.Handler.WithGroup(name), s.quotas}
}
