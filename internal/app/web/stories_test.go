package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// TestStories: each level, each state, and each text of which a verdict is made is on the page of some story.
func TestStories(t *testing.T) {
	var shown strings.Builder // levels and states as attributes, then the text of the page
	for _, s := range stories.All() {
		body, _ := statusPage(t, s.Backend)
		eachElement(t, body, func(node *html.Node) {
			switch {
			case attribute(node, "id") == "verdict":
				shown.WriteString("\nLevel=" + attribute(node, "data-level") + "\n")
			case attribute(node, "data-field") == "state":
				shown.WriteString("\nState=" + attribute(node, "data-state") + "\n")
			case attribute(node, "data-state") != "":
				shown.WriteString("\nOTLPState=" + attribute(node, "data-state") + "\n")
			case node.Data == "main":
				shown.WriteString(textOf(node))
			}
		})
	}
	wanted := append(verdictTexts(t, "verdict.go"), verdictTexts(t, "premiumcalls.go")...)
	for _, file := range []string{"verdict.go", "status.go"} {
		wanted = append(wanted, constants(t, file, "Level", "State", "OTLPState")...)
	}
	if len(wanted) < 50 {
		t.Errorf("found only %d texts and constants: %q", len(wanted), wanted)
	}
	for _, text := range wanted {
		pattern := regexp.MustCompile(`%[ds]`).ReplaceAllString(regexp.QuoteMeta(text), `.+`)
		if !regexp.MustCompile(pattern).MatchString(shown.String()) {
			t.Errorf("no story shows %q", text)
		}
	}
}

// verdictTexts are the texts in a file of the package: its strings with a space.
func verdictTexts(t *testing.T, file string) (all []string) {
	t.Helper()
	ast.Inspect(parsed(t, file), func(node ast.Node) bool {
		if field, ok := node.(*ast.Field); ok && field.Tag != nil {
			return false
		}
		if lit, ok := node.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(strings.TrimSpace(text), " ") {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// constants are the constants of these types in a file of the package, each as TYPE=VALUE.
func constants(t *testing.T, file string, types ...string) (all []string) {
	t.Helper()
	ast.Inspect(parsed(t, file), func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, name := range types {
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == name {
				value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				all = append(all, name+"="+value+"\n")
			}
		}
		return true
	})
	return all
}

func parsed(t *testing.T, file string) *ast.File {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	return tree
}
