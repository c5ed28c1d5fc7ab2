package sql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Config says how to read rows from a database.
type Config struct {
	// Driver is mysql, postgres or sqlite; it may name a parameter in braces.
	Driver string `yaml:"driver" text:"plain"`
	// Query selects rows, unless a feed has its own. :from and :to are the ends of the span, :after
	// the last key and :limit the number of rows.
	Query string `yaml:"query"`
}

const (
	timeLiteral  = "'2006-01-02 15:04:05'"
	rowsPerPage  = 1000
	rowsPerRead  = 10_000 // rows in memory while a span is read
	queryTimeout = time.Minute
)

// Settings are what a reader needs. It connects for each read, so a new DSN in its file takes effect
// immediately.
type Settings struct {
	// Title names the provider in messages.
	Title  string
	Driver string
	DSN    config.Secret
	// Query has :from and :to, or :after and :limit.
	Query string
	// Zone is the zone of times without one.
	Zone *time.Location
	// Grain is the length of the shortest span.
	Grain time.Duration
	// Key is the column with the number by which rows are inserted; Overlap is the number of keys that
	// are read again, during Lookback.
	Key       string
	Overlap   int64
	Lookback  time.Duration
	NewMapper func() rowmap.Mapper
	// Contains says whether a span has a record; zero times mean that each does.
	Contains func(from, to time.Time, mapped *rowmap.Result) bool
}

// Reader is a collector.RangeReader that reads the rows of a span of time. It is safe for
// concurrent use.
type Reader struct {
	Settings
}

// New makes a reader of spans. It doesn't connect.
func New(s *Settings) *Reader { return &Reader{*s} }

// NewStream makes a reader by key. It doesn't connect.
func NewStream(s *Settings) *Stream { return &Stream{New(s)} }

// Drivers are the names of the drivers.
func Drivers() []string { return slices.Sorted(maps.Keys(drivers)) }

// Names are the placeholders of a query, in order.
func Names(query, driver string) (names []string) {
	bindNames(query, driver, func(name string) string {
		names = append(names, name)
		return ""
	})
	return names
}

var errTooMany = errors.New("the query returns more rows than a read may have")

// rows runs the query with values for the placeholders, as literals: a number, or a time as text, which has nothing to
// escape. If the driver of MySQL sent values apart from the query, the server would print numbers in another form.
func (r *Reader) rows(ctx context.Context, values map[string]string, each func(columns, values []string) error) error {
	ctx, stop := context.WithTimeout(ctx, queryTimeout)
	defer stop()
	dsn, err := r.DSN.Value(ctx)
	if err != nil {
		return advice.UnreadableSecret(err)
	}
	var eachError error
	text := bindNames(r.Query, r.Driver, func(name string) string { return " " + values[name] + " " })
	err = drivers[r.Driver](ctx, query{dsn: dsn, text: text, zone: r.Zone},
		func(columns, values []string) error {
			if eachError = each(columns, values); eachError != nil {
				stop() // otherwise MySQL's driver reads the remaining rows
			}
			return eachError
		})
	if eachError != nil || err == nil {
		return eachError
	}
	if _, known := errors.AsType[*advice.Error](err); known {
		return err
	}
	return databaseError(r.Title, err)
}

// Pages implements collector.RangeReader. A query ends before its pages are yielded: a query that
// waits for a commit would block the table's writer. A span with too many rows for that is read in
// halves.
func (r *Reader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		for spans := []span{{from, to}}; len(spans) > 0; {
			asked := spans[0]
			spans = spans[1:]
			half := asked.from.Add(asked.to.Sub(asked.from) / 2).Truncate(max(r.Grain, time.Second))
			mayHalve := half.After(asked.from)
			pages, err := r.readSpan(ctx, asked, mayHalve)
			switch {
			case errors.Is(err, errTooMany):
				spans = append([]span{{asked.from, half}, {half, asked.to}}, spans...)
			case err != nil:
				yield(nil, err)
				return
			}
			for _, page := range pages {
				if !yield(page, nil) {
					return
				}
			}
		}
	}
}

// readSpan reads the rows of a span. With bounded it returns errTooMany, and no page, for more than
// rowsPerRead rows.
func (r *Reader) readSpan(ctx context.Context, asked span, bounded bool) ([]*collector.Page, error) {
	grains := span{asked.from.Truncate(r.Grain), asked.to.Add(r.Grain - 1).Truncate(r.Grain)}
	wide := grains.withClockChange(r.Zone)
	values := map[string]string{
		"from": wide.from.In(r.Zone).Format(timeLiteral), "to": wide.to.In(r.Zone).Format(timeLiteral),
	}
	p := r.newPages(asked)
	err := r.rows(ctx, values, func(columns, values []string) error {
		p.add(columns, values)
		if bounded && p.rows > rowsPerRead {
			return errTooMany
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p.all, nil
}

// pages makes pages of the rows of a span.
type pages struct {
	*Reader
	span

	mapper rowmap.Mapper
	all    []*collector.Page
	asked  int // rows that the database returned
	rows   int // rows that are on the pages
}

func (r *Reader) newPages(asked span) *pages {
	return &pages{Reader: r, span: asked, mapper: r.NewMapper()}
}

func (p *pages) add(columns, values []string) {
	p.asked++
	mapped := p.mapper.Map(&rows.Row{Columns: columns, Fields: values})
	if mapped.Record != nil && !p.Contains(p.from, p.to, &mapped) {
		return
	}
	if p.rows == len(p.all)*rowsPerPage {
		p.all = append(p.all, new(collector.Page))
	}
	p.rows++
	var raw []byte
	if mapped.Record == nil {
		raw = []byte(strings.Join(values, "\x00"))
	}
	mapped.Put(p.all[len(p.all)-1], raw, fmt.Sprintf("row %d", p.asked))
}

// span is a range of time.
type span struct{ from, to time.Time }

// withClockChange is the span with one more hour on either side if clocks change near it: a local time then
// comes twice, or not at all. Rows outside the span are skipped.
func (s span) withClockChange(zone *time.Location) span {
	wide := span{s.from.Add(-time.Hour), s.to.Add(time.Hour)}
	_, before := wide.from.In(zone).Zone()
	_, after := wide.to.In(zone).Zone()
	if before == after {
		return s
	}
	return wide
}
