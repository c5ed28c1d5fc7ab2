package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// The rules of counting.md and the guarantees of testing.md are numbered from 1 to these.
const (
	rules      = 38
	guarantees = 9
)

// struckRules no longer hold; their numbers stay.
var struckRules = []int{11}

var (
	ruleInName = regexp.MustCompile(`^TestRule(\d\d)`)
	ruleInDoc  = regexp.MustCompile(`counting\.md ([\d, ]+)`)
	guarantee  = regexp.MustCompile(`guarantees? ([\d, ]+)`)
	number     = regexp.MustCompile(`\d+`)
)

// holders maps a rule's or guarantee's number to the tests that say, by name or in their comment, that they hold it.
type holders map[int][]string

func (h holders) add(list, test string) {
	for _, digits := range number.FindAllString(list, -1) {
		n, _ := strconv.Atoi(digits) // the expression matches digits only
		if !slices.Contains(h[n], test) {
			h[n] = append(h[n], test)
		}
	}
}

// table lists each number with its tests, and reports those without one.
func (h holders) table(t *testing.T, title string, last int) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | tests |\n| ---: | --- |\n", title)
	for n := 1; n <= last; n++ {
		if title == "rule" && slices.Contains(struckRules, n) && len(h[n]) == 0 {
			continue
		}
		if len(h[n]) == 0 {
			t.Errorf("no test says that it holds %s %d", title, n)
		}
		slices.Sort(h[n])
		fmt.Fprintf(&b, "| %d | `%s` |\n", n, strings.Join(h[n], "`, `"))
	}
	for n := range maps.Keys(h) {
		if n < 1 || n > last {
			t.Errorf("%v hold %s %d, which doesn't exist", h[n], title, n)
		}
	}
	return b.String()
}

// findHolders reads the tests of the whole module.
func findHolders(t *testing.T) (byRule, byGuarantee holders) {
	t.Helper()
	byRule, byGuarantee = make(holders), make(holders)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && len(entry.Name()) > 2 && entry.Name()[0] == '.' {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			name := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../")) + "." + f.Name.Name
			doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
			if m := ruleInName.FindStringSubmatch(f.Name.Name); m != nil {
				byRule.add(m[1], name)
			}
			for _, m := range ruleInDoc.FindAllStringSubmatch(doc, -1) {
				byRule.add(m[1], name)
			}
			for _, m := range guarantee.FindAllStringSubmatch(doc, -1) {
				byGuarantee.add(m[1], name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	return byRule, byGuarantee
}

// TestNamedTestsAreThere: each test that a page names is there, in the package that it names.
func TestNamedTestsAreThere(t *testing.T) {
	packages := make(map[string][]string) // by the name of a test
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
			folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
			packages[found[1]] = append(packages[found[1]], folder)
		}
		return err
	})
	require.NoError(t, err)
	named := regexp.MustCompile("`(?:([a-z0-9_/-]+)\\.)?((?:Test|Fuzz)\\w+)`")
	for _, page := range pages(t) {
		for _, found := range named.FindAllStringSubmatch(page.text, -1) {
			switch in := packages[found[2]]; {
			case len(in) == 0:
				t.Errorf("%s names %s, which isn't there", page.path, found[0])
			case found[1] != "" && !slices.Contains(in, found[1]):
				t.Errorf("%s names %s, which is in %s", page.path, found[0], strings.Join(in, ", "))
			}
		}
	}
}

// TestEveryRuleHasATest: testing.md lists, for each rule of counting and each guarantee, the tests
// that hold it, as the tests themselves say; -update rewrites the lists.
func TestEveryRuleHasATest(t *testing.T) {
	byRule, byGuarantee := findHolders(t)
	text := golden.Read(t, "testing.md")
	const marker = "<!-- the lists below are written by `go test ./docs -run TestEveryRuleHasATest -update` -->\n"
	head, _, found := strings.Cut(text, marker)
	if !found {
		t.Fatalf("testing.md has no line %q", marker)
	}
	head = withMutants(t, head)
	want := head + marker + "\n## Tests of the rules\n\n" + byRule.table(t, "rule", rules) +
		"\n## Tests of the guarantees\n\n" + byGuarantee.table(t, "guarantee", guarantees)
	golden.File(t, "testing.md", []byte(want))
}

// withMutants writes the table of mutants between its markers.
func withMutants(t *testing.T, page string) string {
	t.Helper()
	text := golden.Read(t, filepath.Join("..", "tools", "mutants", "mutants.yaml"))
	var all []struct{ Name, Package, Test string }
	require.NoError(t, yaml.Unmarshal([]byte(text), &all))
	const begin, end = "<!-- mutants -->\n", "<!-- end of mutants -->\n"
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("testing.md lacks %q or %q", begin, end)
	}
	table := "| defect | found by |\n| --- | --- |\n"
	for _, m := range all {
		table += fmt.Sprintf("| %s | `%s.%s` |\n", m.Name, m.Package, m.Test)
	}
	return before + begin + table + end + after
}
