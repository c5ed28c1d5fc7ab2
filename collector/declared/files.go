package declared

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Files says how records that another program writes to files are read.
type Files struct {
	// Read is lines for files that grow, or whole for files that are written once.
	Read   string `yaml:"read"`
	Format string `yaml:"format"`
	// Columns are the names of a row's values; without them the first line has the names.
	Columns []string `yaml:"columns"`
	// Widths are the numbers of values that a row may have; empty: any.
	Widths    []int  `yaml:"widths"`
	Separator string `yaml:"separator"`
	// Pattern is of format: pattern.
	Pattern *linePattern `yaml:"pattern"`
	// Skip is the number of lines after the names that aren't rows.
	Skip int `yaml:"skip"`
	// Quiet is how long a whole file, or one that was renamed, must rest for it to be complete.
	Quiet time.Duration `yaml:"quiet"`
}

// The ways to read files.
const (
	readLines = "lines"
	readWhole = "whole"
)

const (
	comma        = ","
	defaultQuiet = 10 * time.Second
)

// SetDefaults implements config.Defaulter.
func (f *Files) SetDefaults() { f.Separator, f.Quiet = comma, defaultQuiet }

// Validate implements config.Validator.
func (f *Files) Validate(r *config.Report) {
	r.OneOf("read", f.Read, readLines, readWhole)
	switch f.Read {
	case readLines:
		r.OneOf("format", f.Format, formatCSV, formatJSONLines, formatPattern)
	case readWhole:
		r.OneOf("format", f.Format, formatCSV, formatJSON, formatPattern, formatXML)
	}
	if isPattern := f.Format == formatPattern; isPattern && f.Pattern == nil {
		r.Problemf("pattern", "is missing; give a regular expression (RE2) of a line, whose named groups are "+
			"the values: ^(?P<start>\\S+) (?P<caller>\\S+)")
	} else if !isPattern && r.Given("pattern") {
		r.Problemf("pattern", "is for format: pattern only; leave it out")
	}
	if f.Format != formatCSV {
		for _, key := range []string{"columns", "widths", "separator", "skip"} {
			if r.Given(key) {
				r.Problemf(key, "is for format: csv only; leave it out")
			}
		}
	}
	if len(f.Separator) != 1 || f.Separator == `"` || f.Separator == "\n" || f.Separator == "\r" {
		r.Problemf("separator", "must be one character of ASCII, such as |")
	}
	r.AtLeast("skip", int64(f.Skip), 0)
	r.DurationAtLeast("quiet", f.Quiet, time.Second)
	for _, width := range f.Widths {
		if width < 1 {
			r.Problemf("widths", "has %d; each is a number of values, at least 1", width)
		}
	}
}

// allows says whether a row may have this number of values.
func (f *Files) allows(width int) bool { return len(f.Widths) == 0 || slices.Contains(f.Widths, width) }

// settle gives feeds what the definition has for all: what its parameters are, the statement of
// SQL, and files, with their format and names as other rows have them.
func (d *Definition) settle() {
	lists, secrets := make(map[string]bool), make(map[string]bool)
	for name, p := range d.Parameters {
		lists[name], secrets[name] = p.List, p.Secret
	}
	for name, feed := range d.Feeds {
		if feed.files = cmp.Or(feed.Files, d.Files); feed.files != nil {
			feed.Format, feed.Columns = feed.files.Format, feed.files.Columns
		}
		feed.xml = feed.files != nil && feed.files.Format == formatXML || feed.Files == nil && d.Push != nil &&
			d.Push.Format == formatXML
		if d.SQL != nil {
			feed.Query = cmp.Or(feed.Query, d.SQL.Query)
		}
		feed.lists, feed.secrets = maps.Clone(lists), secrets
		for name, p := range feed.Parameters {
			feed.lists[name] = p.List
		}
		d.Feeds[name] = feed
	}
}

// csv says how rows of CSV are written: those of files, or of an answer.
func (f *Feed) csv() *Files {
	return cmp.Or(f.files, &Files{Format: formatCSV, Columns: f.Columns, Separator: comma})
}

// withColumns are the files of a source that names the values of a row.
func (f *Files) withColumns(names []string) *Files {
	with := *f
	with.Columns, with.Widths = names, nil
	return &with
}

// SetColumns names the values of a row as Columns of a source's block does, and returns false where a source can't.
func (f *Feed) SetColumns(names []string) bool {
	if f.files == nil || f.Files != nil || f.files.Format != formatCSV {
		return false
	}
	f.files = f.files.withColumns(names)
	return true
}

// validateFiles reports what a feed of files can't have.
func (d *Definition) validateFiles(r *config.Report, feed string, f *Feed) {
	for _, key := range []string{"request", "filter", "next", "total"} {
		if key = "feeds." + feed + "." + key; r.Given(key) {
			r.Problemf(key, "is for http only; files are read as they are written, so leave it out")
		}
	}
	if f.Final != nil {
		r.Problemf("feeds."+feed+".final",
			"needs a provider that can be asked again; rows of files are final, so leave it out")
	}
	if f.files.Format != formatJSON && f.files.Format != formatXML && f.Rows != nil {
		r.Problemf("feeds."+feed+".rows", "is for files of format: json or xml only; leave it out")
	}
}
