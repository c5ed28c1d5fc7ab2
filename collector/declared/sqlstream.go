package declared

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
)

// sqlStream reads rows by a number that grows with each that is inserted. It implements collector.StreamReader. Numbers become visible out of
// order, so the last of them are asked for again.
type sqlStream struct {
	*sqlReader

	lookback time.Duration
}

// Pages implements collector.StreamReader.
func (s *sqlStream) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		position, err := decodeSQLPosition(from.Position)
		if err != nil {
			yield(nil, err)
			return
		}
		after := position.after(s.feed.Filter.Overlap, from.Now.Add(-s.lookback))
		for more := true; more; {
			var page *collector.Page
			if page, after, err = s.readPage(ctx, after); err != nil {
				yield(nil, err)
				return
			}
			rows := len(page.Records) + len(page.Invalid) + len(page.Ignored)
			position.reach(after, from.Now, s.lookback)
			page.Position = &collector.Position{Plan: position.encode()}
			more = rows == sqlRowsPerPage
			if rows > 0 && !yield(page, nil) {
				return
			}
		}
	}
}

// readPage reads the next rows behind a key. last is the key of the last of them.
func (s *sqlStream) readPage(ctx context.Context, after int64) (page *collector.Page, last int64, err error) {
	p := &sqlPages{mapper: NewMapper(s.feed, s.settings)}
	last = after
	err = s.rows(ctx, map[string]any{"after": after, "limit": int64(sqlRowsPerPage)}, func(columns, values []string) error {
		key, err := s.keyOf(columns, values)
		switch {
		case err != nil:
			return err
		case key <= last || p.rows == sqlRowsPerPage:
			return &advice.Error{
				What: "the query doesn't give its rows in the order of " + s.feed.Filter.Key + " behind :after, so some would be passed over",
				Todo: "end it with WHERE KEY > :after ORDER BY KEY LIMIT :limit, with one row of each KEY",
			}
		}
		last = key
		p.add(columns, values, func(Mapped) bool { return true })
		return nil
	})
	if len(p.all) == 0 {
		return new(collector.Page), after, err
	}
	return p.all[0], last, err
}

func (s *sqlStream) keyOf(columns, values []string) (int64, error) {
	name := s.feed.Filter.Key
	if i := slices.Index(columns, name); i >= 0 {
		if key, err := strconv.ParseInt(values[i], 10, 64); err == nil {
			return key, nil
		}
	}
	return 0, &advice.Error{What: "the query gives no whole number in the column " + name, Todo: "name the column in filter.key and in the query"}
}

// probe asks for one row.
func (s *sqlStream) probe(ctx context.Context) (rows int, err error) {
	err = s.rows(ctx, map[string]any{"after": int64(beforeFirst), "limit": int64(1)}, func(columns, values []string) error {
		rows++
		_, err := s.keyOf(columns, values)
		return err
	})
	return rows, err
}
