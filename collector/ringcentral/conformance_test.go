//go:build conformance

package ringcentral

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// schema is the part of OpenAPI that describes an answer.
type schema struct {
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// operation is what the specification says of an answer.
type operation struct {
	Responses map[string]struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

func readSpecification(t *testing.T) map[string]map[string]operation {
	t.Helper()
	folder := os.Getenv("SPECS")
	if folder == "" {
		t.Fatal("SPECS names no folder: run make conformance SPECS=DIR")
	}
	content, err := os.ReadFile(filepath.Join(folder, "ringcentral-call-log.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	return document.Paths
}

const (
	accountPath   = "/restapi/v1.0/account/{accountId}/"
	extensionPath = "/restapi/v1.0/account/{accountId}/extension/{extensionId}/"
)

// answerOf is the schema of a path's answer.
func answerOf(t *testing.T, paths map[string]map[string]operation, path string) schema {
	t.Helper()
	for _, response := range paths[path]["get"].Responses {
		if answer, ok := response.Content["application/json"]; ok {
			return answer.Schema
		}
	}
	t.Fatalf("the specification has no answer of %s", path)
	return schema{}
}

// walk calls use for each member of a schema.
func (s *schema) walk(path string, use func(path string, s schema)) {
	for name, inner := range s.Properties {
		member := strings.TrimPrefix(path+"."+name, ".")
		use(member, inner)
		inner.walk(member, use)
		if inner.Items != nil {
			inner.Items.walk(member+"[]", use)
		}
	}
}

var rowPaths = []string{
	accountPath + "call-log", extensionPath + "call-log", accountPath + "active-calls",
	extensionPath + "active-calls",
}

// TestConformanceOfRows: every member of a row and its legs is read, as the type that the
// specification gives it, or left out with a reason.
func TestConformanceOfRows(t *testing.T) {
	paths := readSpecification(t)
	read := readMembers()
	for _, path := range rowPaths {
		rows := answerOf(t, paths, path).Properties["records"].Items
		if rows == nil || len(rows.Properties) < 20 {
			t.Fatalf("%s has no rows", path)
		}
		seen := 0
		rows.walk("", func(member string, s schema) {
			seen++
			if isRead := slices.Contains(read, member); isRead == (leftOut[member] != "") {
				t.Errorf("%s: %s is read: %t, and left out because %q", path, member, isRead, leftOut[member])
			}
		})
		if seen < 60 {
			t.Errorf("%s: only %d members were compared", path, seen)
		}
	}
}

// TestConformanceOfTypes: a row made of the specification's types decodes, and one whose
// member has another type is malformed if the member is read.
func TestConformanceOfTypes(t *testing.T) {
	rows := answerOf(t, readSpecification(t), accountPath+"call-log").Properties["records"].Items
	read := readMembers()
	whole := example(*rows)
	if got, err := decodePage(t, accountLog(), pageOf("", encoded(t, whole))); err != nil || len(got.rows) != 1 {
		t.Fatalf("invalid %q, error %v", got.invalid, err)
	}
	rows.walk("", func(member string, s schema) {
		if !slices.Contains(read, member) {
			return
		}
		row := example(*rows).(map[string]any)
		set(row, strings.Split(member, "."), wrong(s))
		got, err := decodePage(t, accountLog(), pageOf("", encoded(t, row)))
		if err != nil || len(got.invalid) != 1 {
			t.Errorf("%s of another type: %d rows, invalid %q, error %v", member, len(got.rows), got.invalid, err)
		}
	})
}

// example is a value of a schema.
func example(s schema) any {
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Format == "date-time":
		return "2026-03-02T10:00:00.000Z"
	}
	switch s.Type {
	case "object":
		all := map[string]any{}
		for name, inner := range s.Properties {
			all[name] = example(inner)
			if strings.HasPrefix(name, "duration") {
				all[name] = 62 // none is longer than 31 days
			}
		}
		delete(all, "deleted")
		return all
	case "array":
		return []any{example(*s.Items)}
	case "integer":
		return 6226442501 // above 32 bits, as ids are
	case "number":
		return 0.137
	case "boolean":
		return true
	}
	return "x"
}

// wrong is a value of another type.
func wrong(s schema) any {
	if s.Type == "string" {
		return 5
	}
	return "x"
}

// set replaces a member; for an array, the first element's.
func set(row map[string]any, path []string, value any) {
	name := strings.TrimSuffix(path[0], "[]")
	switch inner := row[name].(type) {
	case map[string]any:
		if len(path) > 1 {
			set(inner, path[1:], value)
			return
		}
	case []any:
		if len(path) > 1 {
			set(inner[0].(map[string]any), path[1:], value)
			return
		}
	}
	row[name] = value
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestConformanceOfEnums: every value that the specification has is mapped.
func TestConformanceOfEnums(t *testing.T) {
	paths := readSpecification(t)
	known := map[string]func(string) bool{
		"result":         func(v string) bool { _, ok := results[folded(v)]; return ok },
		"legs[].result":  func(v string) bool { _, ok := results[folded(v)]; return ok },
		"reason":         func(v string) bool { _, ok := reasons[folded(v)]; return ok },
		"legs[].reason":  func(v string) bool { _, ok := reasons[folded(v)]; return ok },
		"action":         func(v string) bool { return callActions[folded(v)] || noCallActions[folded(v)] },
		"legs[].action":  func(v string) bool { return callActions[folded(v)] || noCallActions[folded(v)] },
		"legs[].legType": func(v string) bool { return legTypes[folded(v)] },
		"type":           func(v string) bool { return v == "Voice" || v == "Fax" },
		"direction":      func(v string) bool { return v == "Inbound" || v == "Outbound" },
	}
	for _, path := range rowPaths {
		compared := map[string]int{}
		answerOf(t, paths, path).Properties["records"].Items.walk("", func(member string, s schema) {
			if isKnown := known[member]; isKnown != nil {
				for _, value := range s.Enum {
					compared[member]++
					if !isKnown(value) {
						t.Errorf("%s: %s %q isn't mapped", path, member, value)
					}
				}
			}
		})
		if !slices.Equal(slices.Sorted(maps.Keys(compared)), slices.Sorted(maps.Keys(known))) {
			t.Errorf("%s: values of %v were compared", path, compared)
		}
	}
}

// TestConformanceOfRecordings: both members that are read are as documented.
func TestConformanceOfRecordings(t *testing.T) {
	s := answerOf(t, readSpecification(t), accountPath+"recording/{recordingId}")
	if s.Properties["contentType"].Type != "string" || s.Properties["duration"].Type != "integer" {
		t.Errorf("the members are %v", s.Properties)
	}
	if len(s.Properties) != 4 { // id and contentUri are known from the row
		t.Errorf("%d members", len(s.Properties))
	}
}
