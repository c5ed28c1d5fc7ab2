// Package schematest reads Microsoft's schema of call records, for conformance tests.
package schematest

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
)

// Schema is the part of a CSDL document that the tests compare.
type Schema struct {
	Enums    []Enum `xml:"EnumType"`
	Complex  []Type `xml:"ComplexType"`
	Entities []Type `xml:"EntityType"`
}

// Enum is an enumeration.
type Enum struct {
	Name    string `xml:"Name,attr"`
	Members []struct {
		Name string `xml:"Name,attr"`
	} `xml:"Member"`
}

// Type is a type with properties.
type Type struct {
	Name       string     `xml:"Name,attr"`
	Base       string     `xml:"BaseType,attr"`
	Properties []Property `xml:"Property"`
	Navigation []Property `xml:"NavigationProperty"`
}

// Property is a property of a type.
type Property struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
}

// Read reads the schema of v1.0 from the folder that the environment variable SPECS names.
func Read(t testing.TB) Schema {
	t.Helper()
	folder := os.Getenv("SPECS")
	if folder == "" {
		t.Fatal("SPECS isn't set: run make conformance SPECS=DIR")
	}
	content, err := os.ReadFile(filepath.Join(folder, "msgraph-callrecords-v1.0.csdl"))
	if err != nil {
		t.Fatal(err)
	}
	var document Schema
	if err := xml.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	return document
}
