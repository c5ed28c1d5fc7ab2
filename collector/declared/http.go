package declared

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// HTTP says how to send requests to a provider. Its texts may name parameters in braces.
type HTTP struct {
	BaseURL           string            `yaml:"base_url" text:"plain"`
	Headers           map[string]string `yaml:"headers"  text:"secret"`
	Auth              access.Auth       `yaml:"auth"`
	RequestsPerMinute int               `yaml:"requests_per_minute"`
	Limit             *access.Limit     `yaml:"limit"`
	// RequestID is the header of an answer with an id to quote to the provider's support.
	RequestID string `yaml:"request_id"`
	// Errors explain refused answers.
	Errors Refusals `yaml:"errors"`
}

// describeErrors says what errors of a client repeat from refused answers.
func (h *HTTP) describeErrors(s *httpclient.Settings, title string) {
	if h.RequestID != "" {
		s.RequestIDHeaders = []string{h.RequestID}
	}
	if h.Errors.Code.IsSet() || h.Errors.Name.IsSet() {
		s.Quote = func(answer []byte) string { return h.Errors.quote(title, answer) }
	}
}

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

// validateAuth reports choices that can't be made by a source's parameters.
func (d *Definition) validateAuth(r *config.Report) {
	all := d.HTTP.Auth.Choices
	if d.HTTP.Auth.When != nil {
		r.Problemf("http.auth.when", "chooses one of a list; make auth a list")
	}
	for i, a := range all {
		key := fmt.Sprintf("http.auth[%d]", i)
		switch {
		case a.OAuth2 != nil:
			r.Problemf(key+".oauth2", "can't be one of several; remove the others")
		case a.When == nil && i < len(all)-1:
			r.Problemf(key, "has no when, so the ones after it are never used; add when, or put it last")
		case a.When != nil && !a.When.OnlyParameters():
			r.Problemf(key+".when", "must compare the source's parameters, such as {parameter.auth: query}")
		}
	}
}
