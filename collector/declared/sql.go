package declared

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/sql"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// openSQL prepares to read from a database.
func (b *Block) openSQL(source *collector.Source, settings *collector.SourceSettings) (feedOpener, error) {
	title, driver := b.definition.title(), language.Expand(b.definition.SQL.Driver, b.Values)
	if !slices.Contains(sql.Drivers(), driver) {
		return nil, fmt.Errorf("the driver %q doesn't exist", driver)
	}
	source.Account = b.account()
	source.Advise = (&advice.Provider{Name: title, Address: "the DSN", Default: "see the source's block"}).Advise
	return func(info *collector.FeedInfo, f *feed) {
		s := &sql.Settings{
			Title: title, Driver: driver, DSN: b.Secrets[dsnKey],
			Query: expandColumns(f.Query, f.settings.Parameters), Zone: f.settings.Zone, Grain: f.Filter.Grain,
			Key: f.Filter.Key, Overlap: f.Filter.Overlap.Keys, Lookback: f.Lookback,
			NewMapper: func() rowmap.Mapper { return f.newMapper() },
			Contains: func(from, to time.Time, mapped *rowmap.Result) bool {
				return f.Filter.Contains(from, to, mapped.Record)
			},
		}
		if f.Filter.By != web.ByInserted {
			reader := sql.New(s)
			info.Reader = reader
			info.Limits = collector.Limits{MaxRange: f.Filter.MaxRange, Retention: f.Filter.Retention}
			info.Probe = collector.Probe(reader, settings.Now)
			return
		}
		stream := sql.NewStream(s)
		info.Stream, info.Reader, info.Rules.ByArrival = stream, collector.SpanReader{Stream: stream}, true
		info.Probe = stream.Probe
	}, nil
}

var orderIn = regexp.MustCompile(`(?i)\bORDER\s+BY\b`)

const dsnKey = "dsn"

// validateSQL reports what a feed from a database lacks. whole is the report of the definition, which may have
// the feed's statement.
func (d *Definition) validateSQL(whole, r *config.Report, f *Feed) {
	statement := r
	if f.Query == d.SQL.Query {
		statement = whole.At("sql")
	}
	if f.Query == "" {
		r.Problemf("query", "is missing; set the statement that selects rows, here or under sql")
		return
	}
	f.refuseHTTP(r)
	want, spans := []string{"from", "to"}, "the ends of the span"
	if f.Filter.By == web.ByInserted {
		want, spans = []string{"after", "limit"}, "the last key that was read and the number of rows"
		if !orderIn.MatchString(f.Query) {
			statement.Problemf("query", "has no ORDER BY; end it with WHERE KEY > :after ORDER BY KEY LIMIT :limit")
		}
		r.Required("filter.key", f.Filter.Key, "the column with the number by which rows are inserted, such as id")
	}
	driver := d.SQL.Driver
	if !slices.Contains(sql.Drivers(), driver) {
		driver = "sqlite" // the source sets it
	}
	for _, found := range columnIn.FindAllStringSubmatch(f.Query, -1) {
		if d.Parameters[found[1]].Map != mapOfColumns {
			statement.Problemf("query", "names %s, and %s isn't a parameter with map: %s", found[0], found[1],
				mapOfColumns)
		}
	}
	if f.Filter.By != web.ByInserted && sql.IsLimited(f.Query, driver) {
		statement.Problemf("query", "has a LIMIT or FETCH, and rows beyond it would never be counted; remove it")
	}
	names := sql.Names(f.Query, driver)
	for _, name := range want {
		if !slices.Contains(names, name) {
			statement.Problemf("query", "doesn't have :%s; it must name :%s and :%s, %s", name, want[0], want[1], spans)
		}
	}
	for _, name := range names {
		if !slices.Contains(want, name) {
			statement.Problemf("query", "names :%s, which by: %s doesn't have", name, f.Filter.By)
		}
	}
}

// refuseHTTP reports keys that change nothing in a database.
func (f *Feed) refuseHTTP(r *config.Report) {
	r.Refuse([]string{"request", "rows", "format", "next", "total", "totals", "refused"}, "is for http only; remove it")
	filter := r.At("filter")
	filter.Refuse([]string{"min_age", "step", "margin"}, "is for http only; remove it")
	if f.Filter.By == web.ByInserted {
		filter.Refuse([]string{"grain", "max_range", "retention"}, "is for a filter by start or end; remove it")
	} else {
		filter.Refuse([]string{"key", "overlap"}, "is for a filter by insertion; remove it")
	}
}

// validateDriver reports an unknown driver.
func (b *Block) validateDriver(r *config.Report) {
	of := b.definition.SQL
	if of == nil {
		return
	}
	key := "driver"
	if parameter := language.ParameterIn.FindStringSubmatch(of.Driver); parameter != nil {
		key = parameter[1]
	}
	if driver := language.Expand(of.Driver, b.Values); driver != "" || key == "driver" {
		r.OneOf(key, driver, sql.Drivers()...)
	}
}
