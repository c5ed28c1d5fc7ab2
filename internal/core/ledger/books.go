package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// DayBook is what was counted of a feed's records that start within a day of UTC.
type DayBook struct {
	counting.Book

	Source, Feed string
	// Day is when the day begins.
	Day time.Time
}

// writeBooks adds what the page counts to the books of its days.
func (p *pageCommit) writeBooks() error {
	for _, second := range slices.Sorted(maps.Keys(p.change.Books)) {
		var was string
		var book counting.Book
		day := engine.Micros(time.Unix(second, 0))
		err := p.ledger.engine.ScanRow(`SELECT data FROM books WHERE feed = ? AND day = ?`, []any{p.id, day}, &was)
		if err == nil {
			err = json.Unmarshal([]byte(was), &book)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the books of a day: %w", err)
		}
		book.Add(p.change.Books[second])
		next, err := json.Marshal(book)
		if err != nil {
			return fmt.Errorf("write the books of a day: %w", err)
		}
		if string(next) == was {
			continue
		}
		err = p.exec(`INSERT INTO books (feed, day, data) VALUES (?, ?, ?) ON CONFLICT (feed, day) DO UPDATE SET
			data = excluded.data`, p.id, day, string(next))
		if err != nil {
			return err
		}
	}
	return nil
}

// Books returns the books of the days since a time, also for feeds that are no longer configured. It
// doesn't wait for commits.
func (l *Ledger) Books(ctx context.Context, from time.Time) ([]DayBook, error) {
	return readBeside(ctx, l, "the books",
		`SELECT f.source, f.feed, b.day, b.data FROM books b JOIN feeds f ON f.id = b.feed
		WHERE b.day >= ? ORDER BY b.feed, b.day`, []any{engine.Micros(from)},
		func(b *DayBook) []any { return []any{&b.Source, &b.Feed, engine.Time(&b.Day), asJSON{&b.Book}} })
}

// asJSON scans a text into a value that it is the JSON of.
type asJSON struct{ into any }

func (a asJSON) Scan(value any) error {
	text, is := value.(string)
	if !is {
		return fmt.Errorf("%T where JSON was expected", value)
	}
	return json.Unmarshal([]byte(text), a.into)
}
