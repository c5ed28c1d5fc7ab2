package web

import (
	"cmp"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// List is a list of rows over HTTP: how to request it, how its pages follow, and when it is complete.
// Of other sources it has Rows, Format, Columns and Filter.
type List struct {
	Request Request `yaml:"request"`
	Filter  Filter  `yaml:"filter"`
	Next    Next    `yaml:"next"`
	// For has values by name: the list is read with each of them, or with each combination.
	For map[string]language.Texts `yaml:"for"`
	// Snapshot: the rows are calls in progress.
	Snapshot bool `yaml:"snapshot"`
	// Complete is total if a read is complete once it has as many rows as Total says, whatever Next
	// says.
	Complete string `yaml:"complete"`
	// MaxRows is the most rows that the provider returns for a span; 0 means no limit.
	MaxRows int `yaml:"max_rows"`
	// Total is the path of the provider's own count for a request.
	Total language.Path `yaml:"total"`
	// Totals is the provider's list of totals by day.
	Totals *Totals `yaml:"totals"`
	// Exports are other lists of the same rows, by the value of the source's parameter format.
	Exports map[string]Export `yaml:"exports"`
	// TotalQuery is what the request has in its query if only the total is wanted.
	TotalQuery map[string]string `yaml:"total_query" text:"plain"`
	// Refused is true for an answer that says that the request failed, whatever its status is.
	Refused *language.Condition `yaml:"refused"`
	// Empty is true for an answer without Rows that is a list without rows.
	Empty *language.Condition `yaml:"empty"`
	// Rows is the path of the array of rows in a page; if empty, the page is the array.
	Rows    language.RowsPath `yaml:"rows"`
	Format  string            `yaml:"format"`
	Columns []string          `yaml:"columns"`
	// Names are lists that give names for ids, by the name of the list.
	Names map[string]*NameList `yaml:"names"`
	// Recording says how to request what the provider knows of a recording.
	Recording *Recording `yaml:"recording"`

	lists   map[string]bool // parameters that are lists
	secrets map[string]bool // parameters that are secrets
}

// completeTotal is the word for a read that is complete when it has as many rows as the total.
const completeTotal = "total"

// SetParameters says which parameters of the definition are lists, and which are secrets.
func (l *List) SetParameters(lists, secrets map[string]bool) { l.lists, l.secrets = lists, secrets }

// SetDefaults implements config.Defaulter.
func (l *List) SetDefaults() {
	l.Format, l.Filter.Grain, l.Filter.Overlap = rows.FormatJSON, time.Second, defaultOverlap
}

// Validate implements config.Validator.
func (l *List) Validate(r *config.Report) {
	r.OneOf("format", l.Format, rows.FormatJSON, rows.FormatJSONLines, rows.FormatCSV)
	if l.Format != rows.FormatJSON {
		r.Refuse([]string{"rows", "total", "next.url", "next.token"},
			"is a path in a JSON page, and an answer of format %s only has rows; remove it", l.Format)
		r.Refuse([]string{"empty"}, "is a condition on a page of JSON, and the feed has another format; remove it")
	}
	if l.Format != rows.FormatCSV {
		r.Refuse([]string{"columns"}, "only works with format: csv")
	}
	if l.Totals != nil && (l.Filter.By == ByInserted || l.Total != nil) {
		r.Problemf("totals", "only works with a filter by start or end and without total")
	}
	r.OneOf("complete", cmp.Or(l.Complete, completeTotal), completeTotal)
	if l.Complete != "" && l.Total == nil {
		r.Problemf("complete", "needs total, the path of the provider's count for the request; add it")
	}
	r.AtLeast("max_rows", int64(l.MaxRows), 0)
	if l.Next.In == inBody && l.Request.Method != http.MethodPost {
		r.Problemf("next.in", "is body, and the request has none; set method: POST in it")
	}
	if l.Snapshot {
		l.validateSnapshot(r)
	}
	l.validateExports(r)
}

// counted says whether the list has numbers of pages or rows, so that rows that come in push others
// to the next page.
func (l *List) counted() bool { return l.Next.Page != "" || l.Next.Offset != "" }
