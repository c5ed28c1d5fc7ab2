package docs_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// habits are ways of writing that make people read a sentence twice. Only a sentence that has one of the words is
// looked at closely: an expression takes long, and there are many sentences.
var habits = []struct {
	name  string
	words []string
	is    *regexp.Regexp
}{
	{
		"what, as a subject",
		[]string{"What", "Whoever"},
		regexp.MustCompile(`^(?:What|Whatever|Whoever) \w+ [^?]*[.]?$`),
	},
	{"of, as a beginning", []string{"Of "}, regexp.MustCompile(`^Of (?:the|a|an|these|all|each|\d+) `)},
	{
		"is no",
		[]string{"is no ", "are no "},
		regexp.MustCompile(`\b(?:is|are) no (?:call|row|record|reason|error|part|leg|defect)s?\b`),
	},
	{
		"an old word",
		[]string{"hereby", "herein", "hereof", "hence", "enceforth", "lest ", "Lest ", "anew", "eedn't"},
		regexp.MustCompile(`(?i)\b(?:thereby|therein|henceforth|whence|lest|anew|needn't|wherein|whereof)\b`),
	},
	{"from when on", []string{"from when on"}, regexp.MustCompile(`\bfrom when on\b`)},
	{"is to be", []string{" to be ", " to have "}, regexp.MustCompile(`\b(?:is|are) to (?:be|have) \w+ed\b`)},
}

// longest is the most words of a sentence.
const longest = 45

// faultOf is what is wrong with a sentence; empty: nothing.
func faultOf(sentence string) string {
	for _, h := range habits {
		has := func(word string) bool { return strings.Contains(sentence, word) }
		if slices.ContainsFunc(h.words, has) && h.is.MatchString(sentence) {
			return h.name
		}
	}
	if n := len(strings.Fields(sentence)); n > longest {
		return fmt.Sprintf("%d words", n)
	}
	return ""
}

// perLines is how many faults are accepted in 10,000 lines. The pages that people read first have none.
const perLines = 4

var faultless = []string{"../README.md", "counting.md", "definitions.md", "first-definition.md"}

// TestProse: pages and comments are written in plain sentences.
func TestProse(t *testing.T) {
	lines, faults := 0, []string(nil)
	note := func(path, paragraph string) {
		for sentence := range sentences(paragraph) {
			fault := faultOf(sentence)
			if fault == "" {
				continue
			}
			text := fmt.Sprintf("%s: %s: %s", path, fault, sentence)
			if slices.Contains(faultless, path) {
				t.Error(text)
			}
			faults = append(faults, text)
		}
	}
	for _, p := range pages(t) {
		_, prose, err := p.blocks()
		require.NoError(t, err)
		lines += strings.Count(p.text, "\n")
		for paragraph := range strings.SplitSeq(notProse.ReplaceAllString(prose, ""), "\n\n") {
			note(p.path, paragraph)
		}
	}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || len(entry.Name()) > 2 && entry.Name()[0] == '.'):
			return fs.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines += strings.Count(string(source), "\n")
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, comment := range file.Comments {
			for paragraph := range strings.SplitSeq(comment.Text(), "\n\n") {
				note(path, paragraph)
			}
		}
		return nil
	})
	require.NoError(t, err)
	if most := perLines * lines / 10_000; len(faults) > most || lines < 10_000 {
		t.Errorf("%d sentences in %d lines aren't plain, more than %d:\n%s", len(faults), lines, most,
			strings.Join(faults, "\n"))
	}
}

// notProse are the rows of tables, and headings.
var notProse = regexp.MustCompile(`(?m)^\s*(?:\||#).*$`)

// sentenceEnd ends a sentence or an item of a list.
var sentenceEnd = regexp.MustCompile(`[.?!:]\s+|\n\s*(?:[-*]|\d+\.) `)

// sentences splits a paragraph.
func sentences(paragraph string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		rest := paragraph
		for rest != "" {
			end := len(rest)
			next := end
			if at := sentenceEnd.FindStringIndex(rest); at != nil {
				end, next = at[0]+1, at[1]
			}
			if !yield(strings.Join(strings.Fields(rest[:end]), " ")) {
				return
			}
			rest = rest[next:]
		}
	}
}
