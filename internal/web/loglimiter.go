package web

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A limited log writes logBurst lines of each level at once, then one per logInterval.
const (
	logBurst    = 50
	logInterval = 10 * time.Second
)

// LimitLog returns a logger that a flood of requests can't fill: it limits the lines of each level, and adds how many it omitted before
// a line as lines_omitted. Nil discards.
func LimitLog(logger *slog.Logger) *slog.Logger {
	var mu sync.Mutex
	limits, omitted := make(map[slog.Level]*rate.Limiter), make(map[slog.Level]int)
	return filterLog(logger, func(record slog.Record) (slog.Record, bool) {
		mu.Lock()
		defer mu.Unlock()
		level := record.Level
		if limits[level] == nil {
			limits[level] = rate.NewLimiter(rate.Every(logInterval), logBurst)
		}
		if !limits[level].Allow() {
			omitted[level]++
			return record, false
		}
		if omitted[level] > 0 {
			record = record.Clone()
			record.AddAttrs(slog.Int("lines_omitted", omitted[level]))
			omitted[level] = 0
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
