package sql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/position"
)

// Stream reads rows by a number that grows with each insertion. It implements
// collector.StreamReader. Numbers become visible out of order, so it reads the last of them again.
type Stream struct{ *Reader }

// Pages implements collector.StreamReader.
func (s *Stream) Pages(ctx context.Context, from collector.StreamPosition) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		stored, err := position.Parse[mark](from.Resume, form)
		if err != nil {
			yield(nil, err)
			return
		}
		read := marks(stored)
		last := from.Now // the watermark stands still while the exporter is down
		if from.Watermark.Before(last) {
			last = from.Watermark
		}
		reached, after := read.reached(), read.after(s.Overlap, last.Add(-s.Lookback))
		for more := true; more; {
			var page *collector.Page
			if page, after, err = s.readPage(ctx, after, rowsPerPage); err != nil {
				yield(nil, err)
				return
			}
			rows := rowsOf(page)
			read = read.reach(after, from.Now, s.Lookback)
			page.Position = &collector.Position{Resume: position.Append(nil, form, read)}
			more = rows == rowsPerPage
			if rows > 0 && !yield(page, nil) {
				return
			}
		}
		if len(stored) > 0 {
			err = s.findReused(ctx, stored[0], from.Now)
		}
		if err == nil && after <= reached {
			err = s.findReached(ctx, reached)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// farthestZone is how far ahead times are in a zone that isn't the source's.
const farthestZone = 15 * time.Hour

// findReused returns an error if a row that was read starts later than it was read: the table numbers its rows from the
// beginning again, and has grown past the rows that were read.
func (s *Stream) findReused(ctx context.Context, m mark, now time.Time) error {
	page, key, err := s.readPage(ctx, m.Key-1, 1)
	if err != nil || key != m.Key || len(page.Records) == 0 {
		return err
	}
	at, start := time.Unix(m.At, 0).UTC(), page.Records[0].Start
	if start.Before(at.Add(farthestZone)) || start.After(now) { // the table's clock may be ahead
		return nil
	}
	return &advice.Error{
		What: fmt.Sprintf("the row with %s %d was read on %s and now starts later than that, so its number was used "+
			"again and new rows with lower numbers may be skipped", s.Key, m.Key, at.Format(time.DateOnly)),
		Todo: "if the table was emptied and its numbers started again, rename the source and set a history that goes " +
			"back to then; if the clock of the exporter or of the table's system was wrong then, nothing: the error " +
			"ends once newer rows are older than lookback",
	}
}

// lastFirst is the highest number with which a table may begin: in a cluster each node numbers its
// rows in steps of the number of nodes, from another number on.
const lastFirst = 9

// findReached returns an error if the row read last no longer exists and one of the first rows does.
// An emptied table numbers its rows from the beginning again, and the reader would silently skip
// them. A table whose rows are deleted after use has no first rows.
func (s *Stream) findReached(ctx context.Context, reached int64) error {
	if page, _, err := s.readPage(ctx, reached-1, 1); rowsOf(page) > 0 || err != nil {
		return err
	}
	page, first, err := s.readPage(ctx, beforeFirst, 1)
	if rowsOf(page) == 0 || first > lastFirst || err != nil {
		return err
	}
	return &advice.Error{
		What: fmt.Sprintf("the row with %s %d, which was read last, no longer exists, but row %d does, so new "+
			"rows with lower numbers may be skipped",
			s.Key, reached, first),
		Todo: "if the table was emptied and its numbers started again, rename the source and set a history " +
			"that goes back to then; if only that row was deleted, or a replica lacks it that lags, nothing: the " +
			"next new row clears this error",
	}
}

// readPage reads the next rows after a key, at most some. last is the key of the last row.
func (s *Stream) readPage(ctx context.Context, after, most int64) (page *collector.Page, last int64, err error) {
	p := s.newPages(span{})
	last = after
	err = s.rows(ctx, map[string]string{"after": fmt.Sprint(after), "limit": fmt.Sprint(most)},
		func(columns, values []string) error {
			key, err := s.keyOf(columns, values)
			switch {
			case err != nil:
				return err
			case key <= last || int64(p.rows) == most:
				return &advice.Error{
					What: "the query doesn't return its rows in the order of " + s.Key +
						" after :after, so some would be skipped",
					Todo: "end it with WHERE KEY > :after ORDER BY KEY LIMIT :limit, with one row for each KEY",
				}
			}
			last = key
			p.add(columns, values)
			return nil
		})
	if len(p.all) == 0 {
		return new(collector.Page), after, err
	}
	return p.all[0], last, err
}

func (s *Stream) keyOf(columns, values []string) (int64, error) {
	name := s.Key
	if i := slices.Index(columns, name); i >= 0 {
		key, err := strconv.ParseInt(values[i], 10, 64)
		if err == nil {
			return key, nil
		}
		if errors.Is(err, strconv.ErrRange) {
			return 0, &advice.Error{
				What: fmt.Sprintf("the column %s has the number %s, and a key is at most 9223372036854775807",
					name, values[i]),
				Todo: "filter by start, or by a column with smaller numbers",
			}
		}
	}
	return 0, &advice.Error{
		What: "the query returns no whole number in the column " + name,
		Todo: "name the column in filter.key and in the query",
	}
}

// probeRows are the rows of a probe: the first one alone may be a bad one.
const probeRows = 100

// Probe reads one row, and more only if it can't be read.
func (s *Stream) Probe(ctx context.Context) (rows int, err error) {
	page, _, err := s.readPage(ctx, beforeFirst, 1)
	if err == nil && len(page.Invalid) > 0 {
		page, _, err = s.readPage(ctx, beforeFirst, probeRows)
	}
	if err == nil && len(page.Invalid) > 0 && len(page.Records)+len(page.Ignored) == 0 {
		err = advice.NoneReadable(len(page.Invalid), page.Invalid[0].Problem)
	}
	return rowsOf(page), err
}

func rowsOf(page *collector.Page) int {
	return len(page.Records) + len(page.Invalid) + len(page.Ignored)
}

// beforeFirst is the key before the first row, so that a row 0 is read.
const beforeFirst = -1

// marks are how far a table was read, and when. A row is read again only during its lookback:
// some days later the ledger forgets that it was counted, and in a table with few rows the last
// rows stay the same for weeks.
type marks []mark

// mark says that at an instant all rows up to a key had been read. It is stored in this form.
type mark struct {
	At  int64 // Unix time
	Key int64
}

// reached is the highest key.
func (p marks) reached() int64 {
	if len(p) == 0 {
		return beforeFirst
	}
	return p[len(p)-1].Key
}

// after is the key after which rows are read. It lies overlap keys back, so that these are read
// again, except keys that were read before an instant.
func (p marks) after(overlap int64, readBefore time.Time) int64 {
	after := max(p.reached()-overlap, beforeFirst)
	for _, m := range p {
		if m.At <= readBefore.Unix() {
			after = max(after, m.Key)
		}
	}
	return after
}

// reach records that all rows up to a key have been read now. Marks are at least an eighth of the
// lookback apart, so there are few of them.
func (p marks) reach(key int64, now time.Time, lookback time.Duration) marks {
	if key <= p.reached() {
		return p
	}
	n := len(p)
	if n >= 2 && time.Duration(now.Unix()-p[n-2].At)*time.Second < lookback/8 {
		p = p[:n-1]
	}
	p = append(p, mark{now.Unix(), key})
	for len(p) >= 2 && p[1].At <= now.Add(-lookback).Unix() {
		p = p[1:] // the next mark covers it
	}
	return p
}

// form is the first byte of a stored position; no earlier form has it.
const form = 3
