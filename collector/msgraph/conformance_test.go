//go:build conformance

package msgraph

import (
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// csdl is the part of the provider's schema that describes the row types.
type csdl struct {
	Types    []csdlType `xml:"ComplexType"`
	Entities []csdlType `xml:"EntityType"`
}

type csdlType struct {
	Name       string         `xml:"Name,attr"`
	Properties []csdlProperty `xml:"Property"`
	Navigation []csdlProperty `xml:"NavigationProperty"`
}

type csdlProperty struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
}

func readSchema(t *testing.T) csdl {
	t.Helper()
	folder := os.Getenv("SPECS")
	if folder == "" {
		t.Fatal("SPECS names no folder: run make conformance SPECS=DIR")
	}
	content, err := os.ReadFile(filepath.Join(folder, "msgraph-callrecords-v1.0.csdl"))
	if err != nil {
		t.Fatal(err)
	}
	var document csdl
	if err := xml.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// TestConformanceOfProperties compares testdata/properties.tsv with the schema of
// v1.0 in the folder SPECS: names and types, both ways.
func TestConformanceOfProperties(t *testing.T) {
	schema, document := map[string]map[string]string{}, readSchema(t)
	for _, typ := range document.Types {
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
