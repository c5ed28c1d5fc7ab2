//go:build conformance

package callrecords

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// csdl is the part of the provider's schema that describes call records.
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

// TestConformanceOfCallRecords compares testdata/callrecords.tsv with the schema of v1.0 in
// the folder SPECS: the types that a call record is made of, and their properties, both ways.
func TestConformanceOfCallRecords(t *testing.T) {
	document, table := readSchema(t), callFacts(t)
	seen := map[string]bool{}
	for _, typ := range slices.Concat(document.Types, document.Entities) {
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
