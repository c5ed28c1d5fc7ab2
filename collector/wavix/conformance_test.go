//go:build conformance

package wavix

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// document is the part of the provider's specification that is looked at.
type document struct {
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Enum       []string          `json:"enum"`
	Properties map[string]schema `json:"properties"`
}

func readDocument(t *testing.T) document {
	t.Helper()
	folder := os.Getenv("SPECS")
	if folder == "" {
		t.Fatal("SPECS names no folder: run make conformance SPECS=DIR")
	}
	content, err := os.ReadFile(filepath.Join(folder, "wavix-2026.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestConformanceOfProperties compares testdata/properties.tsv with the specification, in both
// directions: names and types of a record, and those of the answer about one call.
func TestConformanceOfProperties(t *testing.T) {
	d := readDocument(t)
	want := map[string]string{}
	for _, name := range []string{"CDR", "CDRResponse"} {
		if len(d.Components.Schemas[name].Properties) == 0 {
			t.Fatalf("the specification has no %s", name)
		}
	}
	for name, s := range d.Components.Schemas["CDRResponse"].Properties {
		want[name] = typeFact(s)
	}
	for name, s := range d.Components.Schemas["CDR"].Properties {
		want[name] = typeFact(s)
	}
	got := map[string]string{}
	for _, fact := range readPropertyFacts(t) {
		got[fact.name] = fact.typ
	}
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if got[name] != want[name] {
			t.Errorf("%s: the table says %q, the specification %q", name, got[name], want[name])
		}
	}
}

// typeFact is a type of the specification as the table writes it.
func typeFact(s schema) string {
	if s.Ref != "" {
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	}
	switch typ := s.Type.(type) {
	case string:
		return typ
	case []any:
		text := ""
		for _, one := range typ {
			if one == "null" {
				text += "?"
			} else if name, ok := one.(string); ok {
				text = name + text
			}
		}
		return text
	}
	return ""
}

// TestConformanceOfDispositions: each that is specified has an outcome.
func TestConformanceOfDispositions(t *testing.T) {
	all := readDocument(t).Components.Schemas["CallDisposition"].Enum
	if len(all) == 0 {
		t.Fatal("the specification has no dispositions")
	}
	for _, disposition := range all {
		if _, known := outcomes[disposition]; !known && disposition != "all" {
			t.Errorf("%s has no outcome", disposition)
		}
	}
}

// TestConformanceOfActiveCalls: what decides whether a call is in progress is specified.
func TestConformanceOfActiveCalls(t *testing.T) {
	call := readDocument(t).Components.Schemas["Call"]
	for _, name := range []string{"id", "uuid", "direction", "event_type", "call_completed"} {
		if _, ok := call.Properties[name]; !ok {
			t.Errorf("a call has no %s", name)
		}
	}
	for _, event := range call.Properties["event_type"].Enum {
		if over := slices.Contains([]string{"completed", "busy", "cancelled", "rejected"},
			event); over != endEvents[event] {
			t.Errorf("%s ends a call: %t", event, endEvents[event])
		}
	}
}
