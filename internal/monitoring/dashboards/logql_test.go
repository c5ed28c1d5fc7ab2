package dashboards

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// variable is a variable in a query, maybe with its format.
var variable = regexp.MustCompile(`\$\{(\w+)(?::\w+)?\}|\$(\w+)`)

// The exporter's log records are written there.
var otlpSource = filepath.Join("..", "..", "..", "exporters", "otlp")

// attributes are the names that Loki gives to what a log record carries: the keys in
// the source of exporters/otlp, with underscores for dots.
func attributes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(otlpSource, "*.go"))
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if name, ok := attributeKey(n); ok {
				names = append(names, strings.ReplaceAll(name, ".", "_"))
			}
			return true
		})
	}
	if len(names) < 30 {
		t.Fatalf("only %d attributes were found: %v", len(names), names)
	}
	return names
}

// dotted is how a key looks, such as cdr.call.id.
var dotted = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)+$`)

// attributeKey is the key that a string in the source may be.
func attributeKey(n ast.Node) (string, bool) {
	text, ok := n.(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return "", false
	}
	name, err := strconv.Unquote(text.Value)
	return name, err == nil && dotted.MatchString(name)
}

// recordFields are the fields of a log record that Loki keeps beside its attributes,
// under its own names, if our documentation says that records have them.
func recordFields(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "otlp.md"))
	require.NoError(t, err)
	var names []string
	for field, name := range map[string]string{"TraceId": "trace_id"} {
		if strings.Contains(string(text), "\n| "+field+" |") {
			names = append(names, name)
		}
	}
	return names
}

var (
	logText  = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")
	logWord  = regexp.MustCompile(`[A-Za-z_]\w*`)
	logWords = []string{"sum", "by", "count_over_time", "and", "or"}
)

// namesIn are the names in LogQL, without its own words and what is quoted.
func namesIn(expr string) []string {
	expr = variable.ReplaceAllString(logText.ReplaceAllString(expr, ""), "")
	return slices.DeleteFunc(logWord.FindAllString(expr, -1),
		func(name string) bool { return slices.Contains(logWords, name) })
}

// TestLogNames: every name in LogQL is an attribute of our log records.
func TestLogNames(t *testing.T) {
	known := slices.Concat(attributes(t), recordFields(t))
	found := 0
	for _, target := range targets(t) {
		if !target.Log {
			continue
		}
		for _, name := range namesIn(target.Expr) {
			found++
			if !slices.Contains(known, name) {
				t.Errorf("%s: no log record has %s", target.Panel, name)
			}
		}
	}
	for _, c := range slices.Concat(columnsOfCalls, columnsOfSessions) {
		if !slices.Contains(known, c.attribute) {
			t.Errorf("the column %s: no log record has %s", c.title, c.attribute)
		}
	}
	if found < 30 {
		t.Errorf("only %d names were found", found)
	}
}

// TestDrillDownsUseTheTable: what a label of a metric fills in, when a link leads to Calls, narrows
// the attribute that the table of labels names.
func TestDrillDownsUseTheTable(t *testing.T) {
	query := found()
	for _, label := range callsVariables() {
		attribute := logName(label)
		if attribute == "" {
			if label != "number" && label != "line" && label != "call_id" && label != "trace_id" {
				t.Errorf("the variable %s is a label without an attribute", label)
			}
			continue
		}
		if !regexp.MustCompile(attribute + "=~[\"`]\\$" + label + "[\"`]").MatchString(query) {
			t.Errorf("%s doesn't narrow %s: %s", label, attribute, query)
		}
	}
}

// TestLogVariables: what LogQL narrows by can be chosen, and what can be chosen
// narrows.
func TestLogVariables(t *testing.T) {
	var board Built
	for _, d := range built(t) {
		if d.File == "calls.json" {
			board = d
		}
	}
	all := ""
	for _, target := range targets(t) {
		if target.Log {
			all += target.Expr + "\n"
		}
	}
	var used []string
	for _, found := range variable.FindAllStringSubmatch(all, -1) {
		used = append(used, found[1]+found[2])
	}
	var offered []string
	for _, v := range board.Templating.List {
		offered = append(offered, v.Name)
		if !strings.HasSuffix(v.Name, "_datasource") && !slices.Contains(used, v.Name) {
			t.Errorf("the variable %s narrows nothing", v.Name)
		}
	}
	for _, name := range used {
		if !strings.HasPrefix(name, "__") && !slices.Contains(offered, name) {
			t.Errorf("the variable %s can't be chosen", name)
		}
	}
}

// TestLinksLeadToVariables: a link to another dashboard fills in variables that it has, and
// carries those that its own dashboard has, and the time.
func TestLinksLeadToVariables(t *testing.T) {
	parameter := regexp.MustCompile(`[?&](?:var-(\w+)=|\$\{(\w+):queryparam\})`)
	offered := map[string][]string{}
	for _, d := range built(t) {
		for _, v := range d.Templating.List {
			offered[d.File] = append(offered[d.File], v.Name)
		}
	}
	links := map[string]int{}
	for _, d := range built(t) {
		for _, url := range urlsTo(t, &d, "/d/") {
			board, _, _ := strings.Cut(strings.TrimPrefix(url, "/d/"+uid("")), "?")
			links[board]++
			if !strings.HasSuffix(url, "&${__url_time_range}") {
				t.Errorf("%s: the link doesn't keep the time: %s", d.File, url)
			}
			seen := map[string]bool{}
			for _, p := range parameter.FindAllStringSubmatch(url, -1) {
				if seen[p[1]+p[2]] {
					t.Errorf("%s: %s is there twice: %s", d.File, p[1]+p[2], url)
				}
				seen[p[1]+p[2]] = true
				if !slices.Contains(offered[board+".json"], p[1]+p[2]) {
					t.Errorf("%s: %s has no variable %s: %s", d.File, board, p[1]+p[2], url)
				}
				if p[2] != "" && !slices.Contains(offered[d.File], p[2]) {
					t.Errorf("%s has no variable %s: %s", d.File, p[2], url)
				}
			}
		}
	}
	if links["calls"] < 10 || links["trunks"] < 3 {
		t.Errorf("too few links lead to dashboards: %v", links)
	}
}

// urlsTo are the links of a dashboard that lead somewhere.
func urlsTo(t *testing.T, d *Built, to string) []string {
	t.Helper()
	text, err := d.JSON()
	require.NoError(t, err)
	var tree any
	require.NoError(t, json.Unmarshal(text, &tree))
	var urls []string
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, child := range node {
				walk(child)
			}
		case map[string]any:
			if url, ok := node["url"].(string); ok && strings.HasPrefix(url, to) {
				urls = append(urls, url)
			}
			for _, child := range node {
				walk(child)
			}
		}
	}
	walk(tree)
	return urls
}
