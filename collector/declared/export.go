package declared

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

// formatKey is the parameter that chooses an export.
const formatKey = "format"

// validateExports reports exports that no source can choose, or whose total isn't known.
func (d *Definition) validateExports(r *config.Report, key string, f *Feed) {
	for _, of := range slices.Sorted(maps.Keys(f.Exports)) {
		e, at := f.Exports[of], key+".exports."+of
		r.Required(at+".path", strings.Join(e.Path, ""), "the path of the list")
		r.OneOf(at+".format", e.Format, rows.FormatJSONLines, rows.FormatCSV)
		if _, known := d.Parameters[formatKey].Values[of]; !known {
			r.Problemf(at, "isn't one of the values of the parameter %s", formatKey)
		}
	}
	counts := f.Next.Page != "" || f.Next.Offset != ""
	if len(f.Exports) > 0 && (f.Total == nil || !counts || f.Format != rows.FormatJSON) {
		r.Problemf(key+".exports", "need a feed of JSON with total, and next with page or offset")
	}
	if len(f.TotalQuery) > 0 && len(f.Exports) == 0 {
		r.Problemf(key+".total_query", "is for the total of exports; remove it")
	}
}

// export returns the feed that a source with these parameters reads, and the feed that gives its
// total; nil if the pages have the total.
func (f *Feed) export(parameters map[string][]string) (read, total *Feed) {
	e, is := f.Exports[strings.Join(parameters[formatKey], "")]
	if !is {
		return f, nil
	}
	own, listed := *f, *f
	own.Request.Path, own.Request.Headers, own.Format, own.Rows = e.Path, e.Headers, e.Format, nil
	listed.Request.Query = maps.Clone(f.Request.Query)
	maps.Copy(listed.Request.Query, f.TotalQuery)
	return &own, &listed
}
