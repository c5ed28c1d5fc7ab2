package web

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// A limited log writes logBurst lines of each level at once, then one per logInterval.
const (
	logBurst    = 50
	logInterval = 10 * time.Second
)

// omittedKey is the attribute with the number of lines omitted before this one.
const omittedKey = "lines_omitted"

// LimitLog returns a logger that a flood of requests can't fill: it limits the lines of each level, and says how many it omitted.
// Nil discards.
func LimitLog(logger *slog.Logger) *slog.Logger {
	type quota struct {
		limit   *rate.Limiter
		omitted atomic.Int64
	}
	quotas := make(map[slog.Level]*quota)
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		quotas[level] = &quota{limit: rate.NewLimiter(rate.Every(logInterval), logBurst)}
	}
	return filterLog(logger, func(record slog.Record) (slog.Record, bool) {
		q := quotas[record.Level]
		if q == nil {
			return record, true
		}
		if !q.limit.Allow() {
			q.omitted.Add(1)
			return record, false
		}
		if n := q.omitted.Swap(0); n > 0 {
			record = record.Clone()
			record.AddAttrs(slog.Int64(omittedKey, n))
		}
		return record, true
	})
}

// logFilter is a slog.Handler that changes records or drops them.
type logFilter struct {
	slog.Handler

	change func(slog.Record) (changed slog.Record, keep bool)
}

func filterLog(logger *slog.Logger, change func(slog.Record) (slog.Record, bool)) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(logFilter{logger.Handler(), change})
}

// Handle implements slog.Handler.
func (f logFilter) Handle(ctx context.Context, record slog.Record) error {
	record, keep := f.change(record)
	if !keep || !f.Enabled(ctx, record.Level) {
		return nil
	}
	return f.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (f logFilter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logFilter{f.Handler.WithAttrs(attrs), f.change}
}

// WithGroup implements slog.Handler.
func (f logFilter) WithGroup(name string) slog.Handler {
	return logFilter{f.Handler.WithGroup(name), f.change}
}
