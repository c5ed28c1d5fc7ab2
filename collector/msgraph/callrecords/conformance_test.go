//go:build conformance

package callrecords

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph/schematest"
)

// TestConformanceOfCallRecords compares testdata/callrecords.tsv with the schema of v1.0 in
// the folder SPECS: the types that a call record is made of, and their properties, both ways.
func TestConformanceOfCallRecords(t *testing.T) {
	document, table := schematest.Read(t), callFacts(t)
	seen := map[string]bool{}
	for _, typ := range slices.Concat(document.Complex, document.Entities) {
		listed, ok := table[typ.Name]
		if !ok {
			continue
		}
		seen[typ.Name] = true
		names := map[string]bool{}
		for _, p := range slices.Concat(typ.Properties, typ.Navigation) {
			names[p.Name] = true
			if listed[p.Name] == "" {
				t.Errorf("%s.%s is in the schema, the table hasn't got it", typ.Name, p.Name)
			}
		}
		for name := range listed {
			if !names[name] {
				t.Errorf("%s.%s is in the table, the schema hasn't got it", typ.Name, name)
			}
		}
	}
	for name := range table {
		if !seen[name] {
			t.Errorf("the schema has no type %s", name)
		}
	}
}
