package rows

import "slices"

// The formats of rows.
const (
	FormatJSON      = "json"
	FormatJSONLines = "jsonl"
	FormatCSV       = "csv"
	FormatPattern   = "pattern"
	FormatXML       = "xml"
)

// Comma is the separator of CSV unless a definition has another one.
const Comma = ","

// Layout says how rows are written.
type Layout struct {
	Format string `yaml:"format"`
	// Columns are the names of a row's values; without them the first line has the names.
	Columns []string `yaml:"columns"`
	// Widths are the numbers of values that a row may have; empty: any.
	Widths    []int  `yaml:"widths"`
	Separator string `yaml:"separator"`
	// Quotes says whether values may be quoted; nil: if the separator is the comma.
	Quotes *bool `yaml:"quotes"`
	// Pattern is of format: pattern.
	Pattern *LinePattern `yaml:"pattern"`
	// Titles is the number of lines before the names, of files that are read as a whole.
	Titles int `yaml:"titles"`
	// Skip is the number of lines after the names, wherever these are, that aren't rows.
	Skip int `yaml:"skip"`
}

// HasQuotes says whether values may be quoted.
func (l *Layout) HasQuotes() bool {
	if l.Quotes != nil {
		return *l.Quotes
	}
	return l.Separator == Comma
}

// allows says whether a row may have this number of values.
func (l *Layout) allows(width int) bool {
	return len(l.Widths) == 0 || slices.Contains(l.Widths, width)
}

// WithColumns is the layout with other names for the values of a row.
func (l *Layout) WithColumns(names []string) Layout {
	with := *l
	with.Columns, with.Widths = names, nil
	return with
}
