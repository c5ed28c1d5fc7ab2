//go:build conformance

package msgraph

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph/schematest"
)

// TestConformanceOfProperties compares testdata/properties.tsv with the schema of
// v1.0 in the folder SPECS: names and types, both ways.
func TestConformanceOfProperties(t *testing.T) {
	schema, document := map[string]map[string]string{}, schematest.Read(t)
	for _, typ := range document.Complex {
		schema[typ.Name] = map[string]string{}
		for _, p := range typ.Properties {
			schema[typ.Name][p.Name] = typeFact(p.Type)
		}
	}
	table := map[string]map[string]string{}
	for _, fact := range readPropertyFacts(t) {
		if table[fact.rowType] == nil {
			table[fact.rowType] = map[string]string{}
		}
		if fact.since == "v1.0" {
			table[fact.rowType][fact.name] = fact.typ
		} else if _, exists := schema[fact.rowType][fact.name]; exists {
			t.Errorf("%s.%s is in the schema of v1.0, the table says %s", fact.rowType, fact.name, fact.since)
		}
	}
	if len(table) != 2 {
		t.Errorf("the table has %d row types, want 2", len(table))
	}
	for rowType, properties := range table {
		if len(schema[rowType]) == 0 {
			t.Errorf("the schema has no row type %s", rowType)
		}
		all := maps.Clone(properties)
		maps.Copy(all, schema[rowType])
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if got, want := properties[name], schema[rowType][name]; got != want {
				t.Errorf("%s.%s: the table says %q, the schema %q", rowType, name, got, want)
			}
		}
	}
}

// typeFact is a type of the schema as the table writes it.
func typeFact(typ string) string {
	switch {
	case strings.HasPrefix(typ, "Edm."):
		return typ
	case strings.HasPrefix(typ, "Collection("):
		return "collection"
	}
	return "enum"
}
