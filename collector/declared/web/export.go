package web

import (
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Export is another list of a feed's rows, in another format. It takes the query of the feed's
// request, and the total of the feed's own list.
type Export struct {
	Path    language.Texts    `yaml:"path"    text:"plain"`
	Headers map[string]string `yaml:"headers" text:"plain"`
	Format  string            `yaml:"format"`
}

// FormatKey is the parameter that chooses an export.
const FormatKey = "format"

// validateExports reports exports without a total, or in another format.
func (l *List) validateExports(r *config.Report) {
	for _, of := range slices.Sorted(maps.Keys(l.Exports)) {
		e, at := l.Exports[of], "exports."+of
		r.Required(at+".path", strings.Join(e.Path, ""), "the path of the list")
		r.OneOf(at+".format", e.Format, rows.FormatJSONLines, rows.FormatCSV)
	}
	if len(l.Exports) > 0 && (l.Total == nil || !l.counted() || l.Format != rows.FormatJSON) {
		r.Problemf("exports", "need a feed of JSON with total, and next with page or offset")
	}
	if len(l.TotalQuery) > 0 && len(l.Exports) == 0 {
		r.Problemf("total_query", "is for the total of exports; remove it")
	}
}

// Chosen returns the list that a source with these parameters reads, and the list that gives its total;
// nil if the pages have the total.
func (l *List) Chosen(parameters map[string][]string) (read, total *List) {
	e, is := l.Exports[strings.Join(parameters[FormatKey], "")]
	if !is {
		return l, nil
	}
	own, listed := *l, *l
	own.Request.Path, own.Request.Headers, own.Format, own.Rows = e.Path, e.Headers, e.Format, nil
	listed.Request.Query = make(map[string]string)
	maps.Copy(listed.Request.Query, l.Request.Query)
	maps.Copy(listed.Request.Query, l.TotalQuery)
	return &own, &listed
}
