package declared

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// sqlWay reads feeds from a database. It connects for each read, so a new DSN in its file takes
// effect immediately.
type sqlWay struct {
	title  string
	driver string
	dsn    config.Secret
	now    func() time.Time
}

func (b *Block) openSQL(source *collector.Source, settings *collector.SourceSettings) (readFeed, error) {
	w := &sqlWay{
		title: b.definition.title(), driver: expand(b.definition.SQL.Driver, b.Values), dsn: b.Secrets[dsnKey],
		now: settings.Now,
	}
	if sqlDrivers[w.driver] == nil {
		return nil, fmt.Errorf("the driver %q doesn't exist", w.driver)
	}
	source.Account = b.account()
	source.Advise = (&advice.Provider{Name: w.title, Address: "the DSN", Default: "see the source's block"}).Advise
	return w.readFeed, nil
}

func (w *sqlWay) readFeed(info *collector.FeedInfo, f *feed) {
	reader := &sqlReader{sqlWay: w, feed: f}
	reader.query, reader.names = bindNames(expandColumns(f.Query, f.settings.Parameters), w.driver)
	if f.Filter.By != byInserted {
		info.Reader = reader
		info.Limits = collector.Limits{MaxRange: f.Filter.MaxRange, Retention: f.Filter.Retention}
		info.Probe = collector.Probe(reader, w.now)
		return
	}
	stream := &sqlStream{reader}
	info.Stream, info.Reader, info.Rules.ByArrival = stream, collector.SpanReader{Stream: stream}, true
	info.Probe = stream.probe
}

// sqlReader is a collector.RangeReader that reads the rows of a span of time. It is safe for
// concurrent use.
type sqlReader struct {
	*sqlWay
	*feed

	query string
	names []string // names of the placeholders
}

var errTooMany = errors.New("the query returns more rows than a read may have")

// rows runs the query with values for the placeholders.
func (r *sqlReader) rows(ctx context.Context, values map[string]any, each func(columns, values []string) error) error {
	ctx, stop := context.WithTimeout(ctx, sqlQueryTimeout)
	defer stop()
	dsn, err := r.dsn.Value(ctx)
	if err != nil {
		return advice.UnreadableSecret(err)
	}
	args := make([]any, len(r.names))
	for i, name := range r.names {
		args[i] = values[name]
	}
	var eachError error
	err = sqlDrivers[r.driver](ctx, sqlQuery{dsn, r.query, args, r.settings.Zone},
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
	return databaseError(r.title, err)
}

// Pages implements collector.RangeReader. A query ends before its pages are yielded: a query that
// waits for a commit would block the table's writer. A span with too many rows for that is read in
// halves.
func (r *sqlReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		for spans := []span{{from, to}}; len(spans) > 0; {
			asked := spans[0]
			spans = spans[1:]
			half := asked.from.Add(asked.to.Sub(asked.from) / 2).Truncate(max(r.Filter.Grain, time.Second))
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
// sqlRowsPerRead rows.
func (r *sqlReader) readSpan(ctx context.Context, asked span, bounded bool) ([]*collector.Page, error) {
	zone := r.settings.Zone
	wide := localSpan(r.Filter.widened(asked), zone)
	values := map[string]any{"from": wide.from.In(zone).Format(sqlTime), "to": wide.to.In(zone).Format(sqlTime)}
	p := &sqlPages{mapper: r.newMapper(), wanted: asked}
	err := r.rows(ctx, values, func(columns, values []string) error {
		p.add(columns, values)
		if bounded && p.rows > sqlRowsPerRead {
			return errTooMany
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p.all, nil
}

// sqlPages makes pages of rows.
type sqlPages struct {
	mapper *Mapper
	wanted span
	all    []*collector.Page
	asked  int // rows that the database returned
	rows   int // rows that are on the pages
}

func (p *sqlPages) add(columns, values []string) {
	p.asked++
	m := p.mapper.MapFields(columns, values)
	if m.Record == nil {
		m.put(p.page(), []byte(strings.Join(values, "\x00")), fmt.Sprintf("row %d", p.asked))
	} else if p.mapper.feed.Filter.contains(p.wanted, m.Record) {
		m.put(p.page(), nil, "")
	}
}

// page is the page for the next row.
func (p *sqlPages) page() *collector.Page {
	if p.rows%sqlRowsPerPage == 0 {
		p.all = append(p.all, new(collector.Page))
	}
	p.rows++
	return p.all[len(p.all)-1]
}
