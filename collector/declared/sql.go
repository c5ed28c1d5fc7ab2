package declared

import (
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// SQL says how to read rows from a database.
type SQL struct {
	// Driver is mysql, postgres or sqlite; it may name a parameter in braces.
	Driver string `yaml:"driver"`
	// Query selects rows, unless a feed has its own. :from and :to are the ends of the span, :after
	// the last key and :limit the number of rows.
	Query string `yaml:"query"`
}

// The keys of every source with a database.
const (
	dsnKey          = "dsn"
	sqlTime         = "2006-01-02 15:04:05"
	sqlRowsPerPage  = 1000
	sqlRowsPerRead  = 10_000 // rows in memory while a span is read
	sqlQueryTimeout = time.Minute
)

// validateSQL reports what a feed from a database lacks.
func (d *Definition) validateSQL(r *config.Report, feed string, f *Feed) {
	key := "feeds." + feed
	at := key + ".query"
	if f.Query == d.SQL.Query {
		at = "sql.query"
	}
	if f.Query == "" {
		r.Problemf(key+".query", "is missing; set the statement that selects rows, here or under sql")
		return
	}
	want, spans := []string{"from", "to"}, "the ends of the span"
	if f.Filter.By == byInserted {
		want, spans = []string{"after", "limit"}, "the last key that was read and the number of rows"
		r.Required(key+".filter.key", f.Filter.Key, "the column with the number by which rows are inserted, such as id")
	}
	driver := d.SQL.Driver
	if sqlDrivers[driver] == nil {
		driver = "sqlite" // the source sets it
	}
	for _, found := range columnIn.FindAllStringSubmatch(f.Query, -1) {
		if d.Parameters[found[1]].Map != mapOfColumns {
			r.Problemf(at, "names %s, and %s isn't a parameter with map: %s", found[0], found[1], mapOfColumns)
		}
	}
	_, names := bindNames(f.Query, driver)
	for _, name := range want {
		if !slices.Contains(names, name) {
			r.Problemf(at, "doesn't have :%s; it must name :%s and :%s, %s", name, want[0], want[1], spans)
		}
	}
	for _, name := range names {
		if !slices.Contains(want, name) {
			r.Problemf(at, "names :%s, which by: %s doesn't have", name, f.Filter.By)
		}
	}
}

// validateDriver reports an unknown driver.
func (b *Block) validateDriver(r *config.Report) {
	sql := b.definition.SQL
	if sql == nil {
		return
	}
	key := "driver"
	if parameter := parameterIn.FindStringSubmatch(sql.Driver); parameter != nil {
		key = parameter[1]
	}
	if driver := expand(sql.Driver, b.Values); driver != "" || key == "driver" {
		r.OneOf(key, driver, slices.Sorted(maps.Keys(sqlDrivers))...)
	}
}

// localSpan is a span with one more hour on either side if clocks change near it: a local time then
// comes twice, or not at all. Rows outside the span are skipped.
func localSpan(s span, zone *time.Location) span {
	wide := span{s.from.Add(-time.Hour), s.to.Add(time.Hour)}
	_, before := wide.from.In(zone).Zone()
	_, after := wide.to.In(zone).Zone()
	if before == after {
		return s
	}
	return wide
}
