// Package docs_test holds what is shown to users against what is so: links lead
// somewhere, blocks of YAML are valid, every key of the configuration is
// described with its default, and figures are those that were measured.
package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// page is one file that a user reads.
type page struct {
	path string // from this folder
	text string
}

// pages are the README, the CHANGELOG and everything in this folder.
func pages(t *testing.T) []page {
	t.Helper()
	paths := []string{"../README.md", "../CHANGELOG.md", "../CONTRIBUTING.md"}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	require.NoError(t, err)
	all := make([]page, len(paths))
	for i, path := range paths {
		text := golden.Read(t, path)
		all[i] = page{path: path, text: text}
	}
	return all
}

// block is a fenced block of code.
type block struct {
	language, text string
	line           int
}

// blocks are the fenced blocks of a page, and the rest of its text.
func (p page) blocks() (all []block, prose string, err error) {
	var rest strings.Builder
	var open *block
	for i, line := range strings.Split(p.text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: fence, line: i + 1}
		case isFence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		default:
			rest.WriteString(line + "\n")
		}
	}
	if open != nil {
		return nil, "", fmt.Errorf("%s:%d: the block has no end", p.path, open.line)
	}
	return all, rest.String(), nil
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code    = regexp.MustCompile("`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// TestLinksLeadSomewhere: a relative link names a file that is there, and a
// fragment a heading in it.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, p := range pages(t) {
		_, prose, err := p.blocks()
		if err != nil {
			t.Error(err)
		}
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(prose, ""), -1) {
			target, err := url.Parse(found[1])
			switch {
			case err != nil:
				t.Errorf("%s: the link %s is no URL", p.path, found[1])
			case target.Scheme == "https":
			case target.Scheme != "" || target.Host != "":
				t.Errorf("%s: the link %s is neither relative nor https", p.path, found[1])
			default:
				if err := p.follow(target); err != nil {
					t.Errorf("%s: the link %s: %v", p.path, found[1], err)
				}
			}
		}
	}
}

// TestEveryPageIsListed: README.md of this folder links to every page; runbooks and decisions are
// listed by their folders.
func TestEveryPageIsListed(t *testing.T) {
	list := golden.Read(t, "README.md")
	for _, p := range pages(t) {
		switch folder := filepath.Dir(p.path); {
		case folder != "." && folder != "providers", p.path == "README.md":
		case !strings.Contains(list, "]("+filepath.ToSlash(p.path)+")"):
			t.Errorf("README.md doesn't list %s", p.path)
		}
	}
}

// follow finds what a relative link leads to.
func (p page) follow(target *url.URL) error {
	text := p.text
	if target.Path != "" {
		path := filepath.Join(filepath.Dir(p.path), filepath.FromSlash(target.Path))
		content, err := os.ReadFile(path)
		if info, e := os.Stat(path); e == nil && info.IsDir() {
			err = nil
		}
		if err != nil {
			return err
		}
		text = string(content)
	}
	if target.Fragment != "" && !slices.Contains(slugs(text), target.Fragment) {
		return errors.New("there is no such heading")
	}
	return nil
}

// slugs are the fragments of a page's headings, as forges make them.
func slugs(text string) []string {
	var all []string
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		plain := noSlug.ReplaceAllString(strings.ToLower(strings.ReplaceAll(found[1], "`", "")), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

// TestYAMLBlocksAreValid decodes every block that says that it is YAML.
func TestYAMLBlocksAreValid(t *testing.T) {
	seen := 0
	for _, p := range pages(t) {
		blocks, _, err := p.blocks()
		if err != nil {
			t.Error(err)
		}
		for _, b := range blocks {
			if b.language == "" {
				t.Errorf("%s:%d: the block doesn't say what it is", p.path, b.line)
			}
			if b.language != "yaml" {
				continue
			}
			seen++
			decoder := yaml.NewDecoder(bytes.NewReader([]byte(b.text)))
			for {
				var document map[string]any
				if err = decoder.Decode(&document); err != nil {
					break
				}
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s:%d: %v", p.path, b.line, err)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d blocks of YAML were found: this shows nothing", seen)
	}
}

// TestFigures compares the figures that pages show with those that tests of the code
// wrote; -update copies them.
func TestFigures(t *testing.T) {
	for _, shown := range []struct{ page, name, file string }{
		{"counting.md", "plan figures", "../collector/testdata/plan-figures.txt"},
	} {
		t.Run(shown.name, func(t *testing.T) {
			figures := golden.Read(t, shown.file)
			text := golden.Read(t, shown.page)
			want, err := withFigures(text, shown.name, figures)
			if err != nil {
				t.Fatalf("%s: %v", shown.page, err)
			}
			golden.File(t, shown.page, []byte(want))
		})
	}
}

// withFigures puts figures between the markers `<!-- NAME -->` and `<!-- end of NAME -->`.
func withFigures(text, name, figures string) (string, error) {
	begin, end := "<!-- "+name+" -->\n\n```text\n", "```\n\n<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("there is no place for the %s", name)
	}
	return before + begin + figures + end + after, nil
}

// TestErrorTextsAreReal: what the tables headed "what you see" quote is a text of
// the program's. A piece of a quotation between … and colons is looked for if it
// is long enough to say something.
func TestErrorTextsAreReal(t *testing.T) {
	const longEnough = 20
	source := sources(t)
	// as collector/advice writes them
	anyProvider := strings.NewReplacer("RingCentral", "PROVIDER", "Wavix", "PROVIDER", "Graph", "PROVIDER")
	quoted := regexp.MustCompile("(?m)^\\| `([^`]+)`")
	checked := 0
	for _, p := range pages(t) {
		_, tables, found := strings.Cut(p.text, "| what you see |")
		if !found {
			continue
		}
		tables, _, _ = strings.Cut(tables, "\n\n")
		for _, text := range quoted.FindAllStringSubmatch(tables, -1) {
			for _, piece := range regexp.MustCompile(`…|: |\(|\)`).Split(text[1], -1) {
				if piece = strings.TrimSpace(piece); len(piece) < longEnough {
					continue
				}
				checked++
				if !strings.Contains(source, piece) && !strings.Contains(source, anyProvider.Replace(piece)) {
					t.Errorf("%s quotes %q, which the program doesn't say", p.path, piece)
				}
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d quotations were found: this shows nothing", checked)
	}
}

// sources is the text of the program, tests aside.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, room := range []string{"../cmd", "../collector", "../exporters", "../internal"} {
		err := filepath.WalkDir(room, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !slices.Contains([]string{".go", ".yaml"}, filepath.Ext(path)) ||
				strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		require.NoError(t, err)
	}
	return regexp.MustCompile(`" ?\+\n\s*"`).ReplaceAllString(all.String(), "") // a text may stand on two lines
}

// TestFieldsOfGraphAreListed: every attribute that a property of Graph's goes to
// is named where the docs list them.
func TestFieldsOfGraphAreListed(t *testing.T) {
	table := golden.Read(t, "../collector/msgraph/testdata/properties.tsv")
	text := golden.Read(t, "providers/msgraph.md")
	names := regexp.MustCompile(`\tcdr\.msgraph\.([a-z0-9_]+)\t`).FindAllStringSubmatch(table, -1)
	for _, name := range names {
		if !strings.Contains(text, "`"+name[1]+"`") {
			t.Errorf("providers/msgraph.md doesn't list %s", name[1])
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d attributes were found: this shows nothing", len(names))
	}
}
