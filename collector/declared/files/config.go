package files

import (
	"path/filepath"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Config says how records that another program writes to files are read.
type Config struct {
	// Read is lines for files that grow, or whole for files that are written once.
	Read string `yaml:"read"`
	rows.Layout
	// Quiet is how long a whole file, or one that was renamed, must rest for it to be complete.
	Quiet time.Duration `yaml:"quiet"`
}

// WithColumns is the same with other names for the values of a row.
func (c *Config) WithColumns(names []string) *Config {
	with := *c
	with.Layout = c.Layout.WithColumns(names)
	return &with
}

// The ways to read files.
const (
	ReadLines = "lines"
	ReadWhole = "whole"
)

const defaultQuiet = 10 * time.Second

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() { c.Separator, c.Quiet = rows.Comma, defaultQuiet }

// Validate implements config.Validator.
func (c *Config) Validate(r *config.Report) {
	r.OneOf("read", c.Read, ReadLines, ReadWhole)
	switch c.Read {
	case ReadLines:
		r.OneOf("format", c.Format, rows.FormatCSV, rows.FormatJSONLines, rows.FormatPattern)
	case ReadWhole:
		r.OneOf("format", c.Format, rows.FormatCSV, rows.FormatJSON, rows.FormatPattern, rows.FormatXML)
	}
	if c.Format != rows.FormatPattern {
		r.Refuse([]string{"pattern"}, "is for format: pattern only; leave it out")
	} else if c.Pattern == nil {
		r.Problemf("pattern", "is missing; give a regular expression (RE2) of a line, whose named groups are "+
			"the values: ^(?P<start>\\S+) (?P<caller>\\S+)")
	}
	if c.Format != rows.FormatCSV {
		r.Refuse([]string{"columns", "widths", "separator", "quotes", "titles", "skip"},
			"is for format: csv only; leave it out")
	}
	if len(c.Separator) != 1 || c.Separator == `"` || c.Separator == "\n" || c.Separator == "\r" {
		r.Problemf("separator", "must be one character of ASCII, such as |")
	}
	r.AtLeast("skip", int64(c.Skip), 0)
	r.AtLeast("titles", int64(c.Titles), 0)
	if c.Titles > 0 && (c.Read == ReadLines || c.Columns != nil) {
		r.Problemf("titles", "are lines before the names in files with read: whole, without columns; leave it out")
	}
	r.DurationAtLeast("quiet", c.Quiet, time.Second)
	for _, width := range c.Widths {
		if width < 1 {
			r.Problemf("widths", "has %d; each is a number of values, at least 1", width)
		}
	}
}

// Patterns are names of files with *, relative to the folder of the configuration: a list, or one text.
type Patterns []string

// DecodeNode implements config.NodeDecoder.
func (p *Patterns) DecodeNode(n *config.Node) {
	var names []string
	if n.IsText() {
		names = make([]string, 1)
		n.Decode(&names[0])
	} else {
		n.Decode(&names)
	}
	for _, text := range names {
		if text == "" {
			n.Problemf("has an empty pattern; give the names of files, such as /var/log/asterisk/cdr-csv/Master.csv*")
			continue
		}
		if _, err := filepath.Match(text, ""); err != nil {
			n.Problemf("has a pattern that can't be read; * stands for anything, ? for one character, [a-z] " +
				"for one of these")
			continue
		}
		*p = append(*p, n.Resolve(text))
	}
}
