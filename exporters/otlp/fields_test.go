package otlp

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// TestEveryFieldIsAnAttribute: the log record of a call has the fields of its record, and docs/otlp.md lists them.
func TestEveryFieldIsAnAttribute(t *testing.T) {
	attributes := func(r *cdr.Record) string { return string(appendAttributes(nil, r, fullEvent())) }
	page := golden.Read(t, filepath.Join("..", "..", "docs", "otlp.md"))
	cdrtest.EveryField(t, "appendAttributes in exporters/otlp/attributes.go", map[string]string{
		"the event says which record and version it is": "ID AltIDs Synthetic Twin Version",
		"such a record has no log record of a call":     "Provisional NoCall",
		"makes calls of legs": "CallKey Parent Whole Party NoOutcome Channel Ringing " +
			"ListsLegs Second",
		"is for metrics":             "Talk Connected Streams Ratings Settled",
		"has log records of its own": "Visits Sessions Legs",
		"only labels are made of it": "Class NoClass ProviderLabels",
		"is for explain":             "Origins",
	}, func(set cdrtest.SetField) bool {
		r := cdrtest.Call("a")
		set(r, 1)
		for _, kv := range encode(t, r, fullEvent()).GetAttributes() {
			if key := kv.GetKey(); !strings.Contains(page, "`"+key+"`") && !strings.HasPrefix(key, "cdr.msgraph.") &&
				!strings.HasPrefix(key, "cdr.label.") {
				t.Errorf("docs/otlp.md doesn't list %s", key)
			}
		}
		return cdrtest.Shows(attributes)(set) || cdrtest.Shows(attributes, cdrtest.Outcome(cdr.Failed))(set)
	})
}
