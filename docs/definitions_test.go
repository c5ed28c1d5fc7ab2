package docs_test

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// marked is the block of code that follows a marker on a page.
func marked(t *testing.T, page, marker string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)<!-- " + marker + " -->\\s+```[a-z]+\n(.*?)\n *```").
		FindStringSubmatch(golden.Read(t, page))
	if found == nil {
		t.Fatalf("%s has no block behind %s", page, marker)
	}
	return "\n" + found[1] + "\n"
}

// tried is what a feed of a definition makes of rows.
func tried(t *testing.T, definition, name, rows string) iter.Seq2[int, rowmap.Result] {
	t.Helper()
	d, err := declared.Load("definition.yaml", []byte(definition))
	require.NoError(t, err)
	feed := d.Feeds[name]
	return declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(rows))
}

// TestDefinitionsTutorial: the definition of the tutorial is valid, the configuration names it, its rows become what
// the page says, and it keeps all laws.
func TestDefinitionsTutorial(t *testing.T) {
	const page = "first-definition.md"
	definition := marked(t, page, "definition")
	folder := t.TempDir()
	for name, content := range map[string]string{
		"acmetel.yaml": definition,
		"config.yaml":  marked(t, page, "configuration"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	c, providers, err := app.LoadConfig(app.Settings{ConfigFile: filepath.Join(folder, "config.yaml")}, false)
	require.NoError(t, err)
	if c.Sources[0].ProviderName != "acmetel" || providers[len(providers)-1].Name != "acmetel" {
		t.Errorf("the source is of %s", c.Sources[0].ProviderName)
	}
	var became []string
	for _, m := range tried(t, definition, "call_log", marked(t, page, "rows")) {
		switch {
		case m.Ignored:
			became = append(became, "ignored")
		case m.Record == nil:
			became = append(became, m.Invalid)
		case m.Record.Provisional:
			became = append(became, "not final")
		default:
			became = append(became, m.Record.Outcome.String()+" "+m.Record.Direction.String())
		}
	}
	if got, want := strings.Join(became, ", "), "answered outbound, busy inbound, not final, ignored"; got != want {
		t.Errorf("the rows became %s, want %s", got, want)
	}
	d, err := declared.Load("acmetel.yaml", []byte(definition+marked(t, page, "tests")))
	require.NoError(t, err)
	text := golden.Read(t, page)
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d})
	if err != nil || len(verdicts) < 15 {
		t.Fatalf("%d laws were judged: %v", len(verdicts), err)
	}
	for i, v := range verdicts {
		if v.State != laws.Held {
			t.Errorf("%s is %s: %s", v.Law, v.State, v.Detail)
		}
		line := fmt.Sprintf("%-8s  %-8s  held: %s\n", v.Feed, v.Law, v.Detail)
		if i < 3 && !strings.Contains(text, line) {
			t.Errorf("the page doesn't say %s", line)
		}
	}
}

// TestDefinitionsListEveryField: the page explains each field of a record.
func TestDefinitionsListEveryField(t *testing.T) {
	_, fields, _ := strings.Cut(golden.Read(t, "definitions.md"), "\n## Fields\n")
	fields, _, _ = strings.Cut(fields, "\n## ")
	for _, field := range reflect.VisibleFields(reflect.TypeFor[declared.Record]()) {
		if key := field.Tag.Get("yaml"); !strings.Contains(fields, "`"+key+"`") {
			t.Errorf("definitions.md doesn't explain the field %s; add it to the table under Fields", key)
		}
	}
}

// TestDefinitionsNameEveryKey: the page names each key that a definition may have.
func TestDefinitionsNameEveryKey(t *testing.T) {
	page, seen := golden.Read(t, "definitions.md"), make(map[reflect.Type]bool)
	var check func(of reflect.Type)
	check = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			check(of.Elem())
		case reflect.Struct:
			if seen[of] {
				return
			}
			seen[of] = true
			for field := range of.Fields() {
				key := field.Tag.Get("yaml")
				if !regexp.MustCompile(`\b` + key + "[`:]").MatchString(page) {
					t.Errorf("definitions.md doesn't name the key %s of %s", key, of)
				}
				check(field.Type)
			}
		default:
		}
	}
	check(reflect.TypeFor[declared.Definition]())
	if len(seen) < 20 {
		t.Errorf("keys of %d types were looked for", len(seen))
	}
}

// TestDefinitionOfVisits: the page's definition of a feed of visits is valid and counts one.
func TestDefinitionOfVisits(t *testing.T) {
	for _, m := range tried(t, marked(t, "definitions.md", "visits"), "queue_log", "1795428042|support|CONNECT|12\n") {
		if m.Record == nil || !m.Record.NoCall || len(m.Record.Visits) != 1 ||
			m.Record.Visits[0].Result != cdr.QueueAnswered {
			t.Errorf("a row became %+v", m)
		}
	}
}

// TestDefinitionOfLegs: the page's definition of calls with several rows is valid, and its rows are legs.
func TestDefinitionOfLegs(t *testing.T) {
	var became []string
	rows := "c1,l2,l1,2026-11-23T10:00:05Z,,2026-11-23T10:00:20Z,local,,,user,answered_elsewhere\n" +
		"c1,l1,,2026-11-23T10:00:00Z,2026-11-23T10:00:00Z,2026-11-23T10:01:00Z,in,fra-1,p7,queue,answered\n"
	for _, m := range tried(t, marked(t, "definitions.md", "legs"), "legs", rows) {
		r := m.Record
		if r == nil {
			t.Fatal(m.Invalid)
		}
		became = append(became, fmt.Sprintf("%s %s %s %t %t", r.CallKey, r.Party, r.Outcome, r.NoOutcome, r.Whole))
	}
	if got, want := strings.Join(became, ", "),
		"c1 person unknown true false, c1 machine answered false true"; got != want {
		t.Errorf("the rows became %s, want %s", got, want)
	}
}

// TestOtherDefinitions: other definitions of the pages are valid.
func TestOtherDefinitions(t *testing.T) {
	for name, page := range map[string]string{
		"inner legs": "definitions.md", "amended": "definitions.md", "table": "providers/asterisk.md",
		"queue table": "providers/asterisk.md",
	} {
		if _, err := declared.Load(name+".yaml", []byte(marked(t, page, name))); err != nil {
			t.Error(err)
		}
	}
}
