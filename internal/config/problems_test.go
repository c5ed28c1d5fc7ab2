package config_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// valid is the end of a file whose problems are above it.
const valid = "sources:\n- {name: a, other: {api_key: k}}\n"

// source is a valid source of acme, apart from what follows in its block.
const source = "sources:\n- name: a\n  acme:\n    tenant_id: t\n    client_secret: s\n    calls:\n"

// problemCase is a file, and its problems, one a line, without "c.yaml:".
type problemCase struct{ name, yaml, want string }

var heading = regexp.MustCompile(`(?m)^-- (.+) --\n`)

// problemCases reads testdata/problems.txt, whose beginning describes it.
func problemCases(t *testing.T) (all []problemCase) {
	t.Helper()
	text, err := os.ReadFile("testdata/problems.txt")
	require.NoError(t, err)
	names, bodies := heading.FindAllStringSubmatch(string(text), -1), heading.Split(string(text), -1)[1:]
	for i, body := range bodies {
		yaml, want, _ := strings.Cut("\n"+body, "\n=> ")
		yaml = strings.NewReplacer("VALID\n", valid, "ACME\n", source).Replace(strings.TrimPrefix(yaml+"\n", "\n"))
		want = strings.TrimSuffix(strings.ReplaceAll(want, "\n=> ", "\n"), "\n")
		all = append(all, problemCase{names[i][1], yaml, want})
	}
	return all
}

func TestProblems(t *testing.T) {
	const noDuration = `metrics.zero_for: must be a duration such as 30s, 5m, 24h or 2d, is "`
	all := append(problemCases(t), []problemCase{
		{"not UTF-8", "a: 1\nb: \xff\n", "2: cannot be parsed: invalid leading UTF-8 octet"},
		{"control character", "a: 1\nb: 2\nc: \x01\n", "3: cannot be parsed: control characters are not allowed"},
		{"too many merges", bomb(9) + valid, "1: storage: document contains excessive aliasing"},
		{
			"a long text is cut", "metrics: {zero_for: " + strings.Repeat("x", 100) + "}\n" + valid,
			"1: " + noDuration + strings.Repeat("x", 60) + "…\"",
		},
	}...)
	schema, with := compileSchema(t, config.Schema(options().Providers)), options()
	with.Define = func([]string) (map[string]func() any, error) { return nil, nil }
	for _, tt := range all {
		t.Run(tt.name, func(t *testing.T) {
			checkSchema(t, schema, tt.yaml, tt.want)
			c, err := config.Parse("c.yaml", []byte(tt.yaml), with)
			if tt.want == "" {
				if err != nil {
					t.Fatalf("unexpected problems:\n%v", err)
				}
				return
			}
			if c != nil || !errors.As(err, new(config.Problems)) {
				t.Errorf("got the configuration %v and a %T", c, err)
			}
			if want := "c.yaml:" + strings.ReplaceAll(tt.want, "\n", "\nc.yaml:"); fmt.Sprint(err) != want {
				t.Errorf("problems:\n%v\nwant:\n%s", err, want)
			}
			if strings.Contains(fmt.Sprint(err), "hunter") {
				t.Error("a secret is in the problems")
			}
		})
	}
}

// bomb is a mapping whose merges multiply with each level.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("storage:\n  <<:\n  - &a0 {path: data}\n")
	for i := range levels {
		alias := fmt.Sprintf("*a%d", i)
		fmt.Fprintf(&b, "  - &a%d {<<: [%s]}\n", i+1, strings.Join(slices.Repeat([]string{alias}, 10), ", "))
	}
	return b.String()
}

// TestLineInALongFile: the line of what can't be parsed is found anywhere in a long file, also
// below a list over many lines.
func TestLineInALongFile(t *testing.T) {
	lines := []string{"storage: {path: data}", "sources: ["}
	for i := range 50 {
		lines = append(lines, fmt.Sprintf("  {name: s%d, other: {api_key: k}},", i))
	}
	lines = append(lines, "]")
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("key%d: v", i))
	}
	for _, broken := range []string{"text: 'without an end", "\ta: b", "a: ]"} {
		for _, at := range []int{1, 60, 64, 65, 128, 400, len(lines)} {
			text := strings.Join(slices.Insert(slices.Clone(lines), at-1, broken), "\n") + "\n"
			_, err := config.Parse("c.yaml", []byte(text), config.Options{})
			if want := fmt.Sprintf("c.yaml:%d: cannot be parsed", at); err == nil ||
				!strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q on line %d: got %v", broken, at, err)
			}
		}
	}
}
