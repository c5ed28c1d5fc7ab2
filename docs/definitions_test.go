package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestDefinitionsTutorial: the definition of the tutorial is valid, the configuration names it, its rows become what
// the page says, and it keeps all laws.
func TestDefinitionsTutorial(t *testing.T) {
	text, err := os.ReadFile("first-definition.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(before, language string) string {
		found := regexp.MustCompile("(?s)" + before + "\\s+```" + language + "\n(.*?)\n *```").
			FindStringSubmatch(string(text))
		if found == nil {
			t.Fatalf("the page has no block behind %s", before)
		}
		return "\n" + found[1] + "\n"
	}
	definition := block("<!-- definition -->", "yaml")
	folder := t.TempDir()
	for name, content := range map[string]string{
		"acmetel.yaml": definition,
		"config.yaml":  block("<!-- configuration -->", "yaml"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, providers, err := app.LoadConfig(app.Settings{ConfigFile: filepath.Join(folder, "config.yaml")}, false)
	if err != nil {
		t.Fatal(err)
	}
	if c.Sources[0].ProviderName != "acmetel" || providers[len(providers)-1].Name != "acmetel" {
		t.Errorf("the source is of %s", c.Sources[0].ProviderName)
	}
	d, err := declared.Load("acmetel.yaml", []byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	feed, became := d.Feeds["call_log"], []string{}
	for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(block("<!-- rows -->", "json"))) {
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
	if d, err = declared.Load("acmetel.yaml", []byte(definition+block("<!-- tests -->", "yaml"))); err != nil {
		t.Fatal(err)
	}
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d})
	if err != nil || len(verdicts) < 15 {
		t.Fatalf("%d laws were judged: %v", len(verdicts), err)
	}
	for i, v := range verdicts {
		if v.State != laws.Held {
			t.Errorf("%s is %s: %s", v.Law, v.State, v.Detail)
		}
		line := fmt.Sprintf("%-8s  %-8s  held: %s\n", v.Feed, v.Law, v.Detail)
		if i < 3 && !strings.Contains(string(text), line) {
			t.Errorf("the page doesn't say %s", line)
		}
	}
}

// TestDefinitionOfVisits: the page's definition of a feed of visits is valid and counts one.
func TestDefinitionOfVisits(t *testing.T) {
	text, err := os.ReadFile("definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)<!-- visits -->\\s+```yaml\n(.*?)```").FindStringSubmatch(string(text))
	if found == nil {
		t.Fatal("the page has no definition of visits")
	}
	d, err := declared.Load("acmequeues.yaml", []byte(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	feed := d.Feeds["queue_log"]
	for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).
		Try([]byte("1795428042|support|CONNECT|12\n")) {
		if m.Record == nil || !m.Record.NoCall || len(m.Record.Visits) != 1 ||
			m.Record.Visits[0].Result != cdr.QueueAnswered {
			t.Errorf("a row became %+v", m)
		}
	}
}

// TestDefinitionOfLegs: the page's definition of calls with several rows is valid, and its rows are legs.
func TestDefinitionOfLegs(t *testing.T) {
	text, err := os.ReadFile("definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)<!-- legs -->\\s+```yaml\n(.*?)```").FindStringSubmatch(string(text))
	if found == nil {
		t.Fatal("the page has no definition of legs")
	}
	d, err := declared.Load("acmelegs.yaml", []byte(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	feed, became := d.Feeds["legs"], []string{}
	rows := "c1,l2,l1,2026-11-23T10:00:05Z,,2026-11-23T10:00:20Z,local,,,user,answered_elsewhere\n" +
		"c1,l1,,2026-11-23T10:00:00Z,2026-11-23T10:00:00Z,2026-11-23T10:01:00Z,in,fra-1,p7,queue,answered\n"
	for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(rows)) {
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

// TestOtherDefinitions: the page's other definitions are valid.
func TestOtherDefinitions(t *testing.T) {
	text, err := os.ReadFile("definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"inner legs", "amended"} {
		found := regexp.MustCompile("(?s)<!-- " + name + " -->\\s+```yaml\n(.*?)```").FindStringSubmatch(string(text))
		if found == nil {
			t.Fatalf("the page has no definition of %s", name)
		}
		if _, err := declared.Load(name+".yaml", []byte(found[1])); err != nil {
			t.Errorf("%v", err)
		}
	}
}
