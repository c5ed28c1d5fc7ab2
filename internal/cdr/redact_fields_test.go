package cdr_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
)

// TestEveryTextIsRedacted: redaction that drops everything leaves no text in a record, except in fields that aren't
// personal.
func TestEveryTextIsRedacted(t *testing.T) {
	cdrtest.EveryField(t, "Redactor.Redact in internal/cdr/redact.go", map[string]string{
		"the ledger knows records and legs by it": "ID AltIDs Synthetic CallKey Parent Channel",
		"isn't personal": "CallType Trunk Reason Charges Country MediaLocation SignalLocation Class",
		"numbers, names and addresses in it are hidden":  "CallID ReasonPhrase",
		"has plain texts beside what is redacted":        "Legs Sessions Extra",
		"has ids and words, nothing personal":            "Recordings Visits",
		"metrics are made of it, and it isn't in a log":  "Second Streams Ratings",
		"the operator chose what to show":                "ProviderLabels Labels",
		"noteOrigin leaves out values that are personal": "Origins",
	}, func(set cdrtest.SetField) bool {
		r := new(cdr.Record)
		set(r, 1)
		cdr.NewRedactor(cdr.Policy{}, nil).Redact(r)
		text, err := json.Marshal(r)
		return err == nil && !strings.Contains(string(text), "text1")
	})
}
