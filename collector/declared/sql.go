package declared

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// SQL says how rows are read from a database.
type SQL struct {
	// Driver is mysql, postgres or sqlite; it may name a parameter in braces.
	Driver string `yaml:"driver"`
	// Query asks for rows, unless a feed has one of its own: :from and :to are the ends of the span, :after the last key and :limit the number of rows.
	Query string `yaml:"query"`
}

// The keys that every source of a database has.
const (
	dsnKey          = "dsn"
	defaultOverlap  = 1000
	sqlTime         = "2006-01-02 15:04:05"
	sqlRowsPerPage  = 1000
	sqlRowsPerRead  = 10_000 // what is in memory while a span is read
	sqlQueryTimeout = time.Minute
)

// validateSQL reports what a feed that is read from a database lacks.
func (d *Definition) validateSQL(r *config.Report, feed string, f *Feed) {
	key := "feeds." + feed
	query, at := f.Query, key+".query"
	if query == "" {
		query, at = d.SQL.Query, "sql.query"
	}
	if query == "" {
		r.Problemf(key+".query", "is missing; give the statement that asks for rows, here or under sql")
		return
	}
	want, spans := []string{"from", "to"}, "the ends of the span that is asked for"
	if f.Filter.By == byInserted {
		want, spans = []string{"after", "limit"}, "the last key that was read and the number of rows"
		r.Required(key+".filter.key", f.Filter.Key, "the column with the number by which rows are inserted, such as id")
	}
	driver := d.SQL.Driver
	if sqlDrivers[driver] == nil {
		driver = "sqlite" // the source says which
	}
	_, names := bindNames(query, driver)
	for _, name := range want {
		if !slices.Contains(names, name) {
			r.Problemf(at, "has no :%s; it must name :%s and :%s, %s", name, want[0], want[1], spans)
		}
	}
	for _, name := range names {
		if !slices.Contains(want, name) {
			r.Problemf(at, "names :%s, which isn't given for by: %s", name, f.Filter.By)
		}
	}
}

// validateDriver reports a driver that there isn't.
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

var (
	// escaped is a text of MySQL, in which a backslash takes the next character along.
	escaped = regexp.MustCompile(`^(?s:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")`)
	// dollarQuote begins a text of PostgreSQL, and ends it.
	dollarQuote = regexp.MustCompile(`^\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$`)
)

var nameIn = regexp.MustCompile(`^:(from|to|after|limit)\b`)

// bindNames puts a driver's placeholders in the place of :from, :to, :after and :limit, and returns the names in their order. What stands in quotes
// and comments stays.
func bindNames(query, driver string) (bound string, names []string) {
	var b strings.Builder
	for i := 0; i < len(query); {
		n := 1
		switch rest := query[i:]; {
		case driver == "mysql" && escaped.MatchString(rest):
			n = len(escaped.FindString(rest))
		case driver == "mysql" && rest[0] == '#':
			n = upTo(rest, "\n", 1)
		case driver == "postgres" && dollarQuote.MatchString(rest):
			tag := dollarQuote.FindString(rest)
			n = upTo(rest, tag, len(tag))
		case strings.ContainsRune("'\"`", rune(rest[0])):
			n = upTo(rest, rest[:1], 1)
		case strings.HasPrefix(rest, "--"):
			n = upTo(rest, "\n", 2)
		case strings.HasPrefix(rest, "/*"):
			n = upTo(rest, "*/", 2)
		case strings.HasPrefix(rest, "::"): // a cast of PostgreSQL
			n = 2
		case nameIn.MatchString(rest):
			name := nameIn.FindStringSubmatch(rest)[1]
			names = append(names, name)
			b.WriteString(sqlDrivers[driver].placeholder(len(names)))
			i += 1 + len(name)
			continue
		}
		b.WriteString(query[i : i+n])
		i += n
	}
	return b.String(), names
}

// upTo is the length of a text up to the first end behind its opening.
func upTo(text, end string, opening int) int {
	if at := strings.Index(text[opening:], end); at >= 0 {
		return opening + at + len(end)
	}
	return len(text)
}

// localSpan is a span with an hour more on either side where clocks are set near it: a local time comes twice then, or not at all. Rows outside the
// span are passed over.
func localSpan(s span, zone *time.Location) span {
	wide := span{s.from.Add(-time.Hour), s.to.Add(time.Hour)}
	_, before := wide.from.In(zone).Zone()
	_, after := wide.to.In(zone).Zone()
	if before == after {
		return s
	}
	return wide
}
