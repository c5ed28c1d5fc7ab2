package msgraph

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// callFacts are the lines of testdata/callrecords.tsv, by type and property: `mapped`,
// `shown` (when a call is looked up, only), or why it isn't read.
func callFacts(t *testing.T) map[string]map[string]string {
	t.Helper()
	content, err := os.ReadFile("testdata/callrecords.tsv")
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(strings.TrimSpace(string(content)), "\n") // behind the header
	facts := map[string]map[string]string{}
	for line := range strings.Lines(lines) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 {
			t.Fatalf("a line of callrecords.tsv has %d cells: %s", len(cells), line)
		}
		if facts[cells[0]] == nil {
			facts[cells[0]] = map[string]string{}
		}
		facts[cells[0]][cells[1]] = cells[2]
	}
	return facts
}

// readBy is what of the code reads a type of Graph's. Several may share a struct.
var readBy = []struct {
	types  []string
	mapped reflect.Type
	shown  []fact
}{
	{[]string{"callRecord"}, reflect.TypeFor[callRecord](), nil},
	{[]string{"participantBase"}, reflect.TypeFor[participant](), nil},
	{[]string{"session"}, reflect.TypeFor[session](), nil},
	{[]string{"segment"}, reflect.TypeFor[segment](), nil},
	{[]string{"failureInfo"}, reflect.TypeFor[failure](), nil},
	{[]string{"endpoint", "participantEndpoint"}, reflect.TypeFor[endpoint](), nil},
	{[]string{"userAgent", "clientUserAgent", "serviceUserAgent"}, reflect.TypeFor[userAgent](), nil},
	{[]string{"userFeedback"}, reflect.TypeFor[feedback](), nil},
	{[]string{"userIdentity"}, reflect.TypeFor[identity](), nil},
	{[]string{"media"}, reflect.TypeFor[media](), nil},
	{[]string{"mediaStream"}, reflect.TypeFor[stream](), streamFacts},
	{[]string{"networkInfo"}, reflect.TypeFor[network](), networkFacts},
	{[]string{"deviceInfo"}, nil, deviceFacts},
}

// tagsOf are the names of a struct's members in JSON, but for those that all entities and
// identities have.
func tagsOf(typ reflect.Type) map[string]bool {
	tags := map[string]bool{}
	if typ == nil {
		return tags
	}
	for _, f := range reflect.VisibleFields(typ) {
		if tag := f.Tag.Get("json"); tag != "" && tag != "id" && tag != "displayName" && !strings.Contains(tag, "@") {
			tags[tag] = true
		}
	}
	return tags
}

// TestEveryCallRecordPropertyIsAccountedFor compares the table with the code, both ways:
// what is mapped, what is shown, and what isn't read.
func TestEveryCallRecordPropertyIsAccountedFor(t *testing.T) {
	facts := callFacts(t)
	for _, by := range readBy {
		mapped, shown := tagsOf(by.mapped), map[string]bool{}
		for _, f := range by.shown {
			shown[f.property] = true
		}
		var listed []string
		for _, typ := range by.types {
			for name, where := range facts[typ] {
				listed = append(listed, name)
				wantMapped, wantShown := where == "mapped", where == "shown"
				if mapped[name] != wantMapped || !wantMapped && shown[name] != wantShown {
					t.Errorf("%s.%s: the table says %q; mapped: %t, shown: %t", typ, name, where, mapped[name], shown[name])
				}
				if !wantMapped && !wantShown && !strings.HasPrefix(where, "not read: ") {
					t.Errorf("%s.%s isn't read, and the table doesn't say why", typ, name)
				}
			}
			delete(facts, typ)
		}
		maps.Copy(mapped, shown)
		for name := range mapped {
			if !slices.Contains(listed, name) {
				t.Errorf("%v: the code reads %s, the table hasn't got it", by.types, name)
			}
		}
	}
	for typ := range facts {
		t.Errorf("nothing reads %s", typ)
	}
}
