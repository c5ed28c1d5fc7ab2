//go:build conformance

package sim

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph/schematest"
)

// TestConformanceOfCallRecords compares testdata/callrecords.tsv, which the simulator's
// records are checked with, with the schema of v1.0 in the folder SPECS.
func TestConformanceOfCallRecords(t *testing.T) {
	document := schematest.Read(t)
	theirs := schema{}
	for _, enum := range document.Enums {
		var members []string
		for _, m := range enum.Members {
			members = append(members, m.Name)
		}
		theirs[enum.Name] = map[string]string{"@members": strings.Join(members, " ")}
	}
	for _, kind := range append(document.Complex, document.Entities...) {
		theirs[kind.Name] = map[string]string{}
		if kind.Base == "graph.entity" {
			theirs[kind.Name]["id"] = "String"
		} else if kind.Base != "" {
			theirs[kind.Name]["@base"] = bare(kind.Base)
		}
		for _, p := range kind.Properties {
			theirs[kind.Name][p.Name] = bare(p.Type)
		}
		for _, p := range kind.Navigation {
			theirs[kind.Name][p.Name] = bare(p.Type)
		}
	}
	for kind, properties := range readSchema(t) {
		if kind == "type" {
			continue // the heading
		}
		for name, of := range properties {
			if got := theirs[kind][name]; got != of {
				t.Errorf("%s.%s is %q in the schema, the table says %q", kind, name, got, of)
			}
		}
		for name := range theirs[kind] {
			if properties[name] == "" {
				t.Errorf("the table lacks %s.%s", kind, name)
			}
		}
	}
}

// bare is a type's name without its namespace, and what a collection is of.
func bare(name string) string {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "Collection("), ")")
	return name[strings.LastIndexByte(name, '.')+1:]
}
