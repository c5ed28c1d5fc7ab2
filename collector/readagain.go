package collector

import (
	"context"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

const (
	// againPiece is how much of a span is read again at once, between two polls, so that new calls don't wait for a whole day.
	againPiece = 6 * time.Hour
	// againTries is how often a piece is tried.
	againTries = 10
)

// readAgain are spans of time that are read once more beside the read plan. They aren't kept over a restart.
type readAgain struct {
	mu    sync.Mutex // guards spans
	spans []plan.Span
	tries int // of the first piece; only the loop's goroutine uses it
}

// ReadAgain has a span of time read once more, piece by piece after polls that succeed: an audit found records of it that aren't counted. Each record
// counts once however often it is read (counting.md 14).
func (l *Loop) ReadAgain(from, to time.Time) {
	l.again.mu.Lock()
	l.again.spans = append(l.again.spans, plan.Span{From: from, To: l.settings.Info.Limits.ReadTo(to, time.Now())})
	l.again.mu.Unlock()
	l.Wake()
}

// next is the next piece that is to be read again.
func (a *readAgain) next(longest time.Duration) (piece plan.Span, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.spans) == 0 {
		return plan.Span{}, false
	}
	piece = a.spans[0]
	if end := piece.From.Add(longest); end.Before(piece.To) {
		piece.To = end
	}
	return piece, true
}

// done takes a piece off.
func (a *readAgain) done(piece plan.Span) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tries, a.spans[0].From = 0, piece.To; !a.spans[0].From.Before(a.spans[0].To) {
		a.spans = a.spans[1:]
	}
}

// readPieceAgain reads a piece of what is to be read again. That it can't be read is no failure of the feed.
func (l *Loop) readPieceAgain(ctx context.Context) {
	info := l.settings.Info
	longest := max(againPiece, info.Limits.Grain)
	if limit := info.Limits.MaxRange; limit > 0 {
		longest = min(longest, limit)
	}
	piece, there := l.again.next(longest)
	if !there || l.settings.Paused() != nil {
		return
	}
	found := 0
	driver := Driver{Reader: info.Reader, Commit: func(ctx context.Context, page *Page) error {
		result, err := l.commit(ctx, page)
		found += result.New + result.Queued
		return err
	}}
	err := driver.Read(ctx, piece.From, piece.To)
	switch {
	case err == nil:
		l.settings.Logger.Info("a span in which records were missing was read again", "span", piece.String(), "found", found)
		l.again.done(piece)
	case ctx.Err() != nil:
	default:
		if l.again.tries++; l.again.tries == againTries {
			l.settings.Logger.Warn("a span in which records were missing couldn't be read again: the next audit that misses them has it tried anew", "span", piece.String(), "error", err.Error())
			l.again.done(piece)
		}
	}
}
