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

	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// writeDailyTotals adds what the page counts to the totals of its days.
func (p *pageCommit) writeDailyTotals() error {
	for _, date := range slices.SortedFunc(maps.Keys(p.change.Days),
		func(a, b daily.Date) int { return a.Compare(b.Time) }) {
		var was string
		var day daily.Counted
		begin := engine.Micros(date.Time)
		err := p.ledger.engine.ScanRow(
			`SELECT data FROM daily_totals WHERE feed = ? AND day = ?`, []any{p.id, begin}, &was)
		if err == nil {
			err = json.Unmarshal([]byte(was), &day)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the totals of a day: %w", err)
		}
		day.Add(p.change.Days[date])
		next, err := json.Marshal(day)
		if err != nil {
			return fmt.Errorf("write the totals of a day: %w", err)
		}
		if string(next) == was {
			continue
		}
		err = p.exec(`INSERT INTO daily_totals (feed, day, data) VALUES (?, ?, ?) ON CONFLICT (feed, day) DO UPDATE SET
			data = excluded.data`, p.id, begin, string(next))
		if err != nil {
			return err
		}
	}
	return nil
}

// DailyTotals returns what was counted on the days since a time, also of feeds that are no longer configured. It
// doesn't wait for commits.
func (l *Ledger) DailyTotals(ctx context.Context, from time.Time) ([]daily.Totals, error) {
	return readUnlocked(ctx, l, "the daily totals",
		`SELECT f.source, f.feed, t.day, t.data FROM daily_totals t JOIN feeds f ON f.id = t.feed
		WHERE t.day >= ? ORDER BY t.feed, t.day`, []any{engine.Micros(from)},
		func(t *daily.Totals) []any {
			return []any{&t.Source, &t.Feed, engine.Time(&t.Day.Time), asJSON{&t.Counted}}
		})
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
