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
)

// habit is a way of writing that makes people read a sentence twice.
type habit struct {
	name string
	is   *regexp.Regexp
	// bad has the habit, and good says the same without it.
	bad, good string
}

var habits = []habit{
	{
		"what, as a subject", regexp.MustCompile(`^(?:What|Whatever|Whoever) \w+ [^?]*[.]?$`),
		"What is older isn't read.", "Older calls aren't read.",
	},
	{
		"of, as a beginning", regexp.MustCompile(`^Of (?:the|a|an|these|all|each|\d+) `),
		"Of the rows two fail.", "Two rows fail.",
	},
	{
		"is no", regexp.MustCompile(`\b(?:is|are) no (?:call|row|record|reason|error|part|leg|defect)s?\b`),
		"Such a row is no call.", "Such a row isn't a call.",
	},
	{
		"an old word",
		regexp.MustCompile(`(?i)\b(?:thereby|therein|henceforth|whence|lest|anew|needn't|wherein|whereof)\b`),
		"The ledger begins anew.", "The ledger starts empty.",
	},
	{
		"from when on", regexp.MustCompile(`\bfrom when on\b`),
		"It is from when on calls are late.", "Later calls are late.",
	},
	{
		"is to be", regexp.MustCompile(`\b(?:is|are) to (?:be|have) \w+ed\b`),
		"The row is to be counted.", "The row must be counted.",
	},
}

// longest is the most words of a sentence.
const longest = 45

// faultOf is what is wrong with a sentence; empty: nothing.
func faultOf(sentence string) string {
	for _, h := range habits {
		if h.is.MatchString(sentence) {
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
		if err != nil {
			t.Fatal(err)
		}
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
	if err != nil {
		t.Fatal(err)
	}
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

// TestHabits: each habit is found in its example, and not in the plain one.
func TestHabits(t *testing.T) {
	for _, h := range append(habits, habit{name: "46 words", bad: strings.Repeat("word ", 46), good: "Few words."}) {
		if got := faultOf(h.bad); got != h.name {
			t.Errorf("%q has the habit %q, want %q", h.bad, got, h.name)
		}
		if got := faultOf(h.good); got != "" {
			t.Errorf("%q has the habit %q", h.good, got)
		}
	}
}
