package labels

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	// mostValues is how many distinct values a label has at most: each may be a series.
	mostValues = 1000
	// longestValue bounds a value, in bytes.
	longestValue = 128
)

// Load reads the files of labels. An error is config.Problems, with the files' lines, and without what the files say.
func Load(all []config.Label) (*Set, error) {
	s := &Set{}
	var problems config.Problems
	for i := range all {
		c := &all[i]
		l := label{name: c.Name, key: c.Key}
		if c.File != "" {
			t := table{config: c, label: &l}
			if t.read(); len(t.problems) > 0 {
				problems = append(problems, t.problems...)
				continue
			}
		}
		s.labels = append(s.labels, l)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	slices.SortFunc(s.labels, byName)
	return s, nil
}

// Stamp is a text that changes when one of the files does.
func Stamp(all []config.Label) string {
	var stamp strings.Builder
	for i := range all {
		if info, err := os.Stat(string(all[i].File)); err == nil {
			fmt.Fprintln(&stamp, info.ModTime().UnixNano(), info.Size())
		}
	}
	return stamp.String()
}

// table reads one file.
type table struct {
	config   *config.Label
	label    *label
	lines    map[string]int // of each key
	problems config.Problems
}

func (t *table) problem(line int, format string, args ...any) {
	if len(t.problems) < 10 { // a file with a mistake on each line needn't fill the screen
		t.problems = append(t.problems, config.Problem{File: string(t.config.File), Line: line, Message: fmt.Sprintf(format, args...)})
	}
}

func (t *table) read() {
	text, err := os.ReadFile(string(t.config.File))
	if err != nil {
		t.problem(0, "can't be read: %v", err)
		return
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	header, err := rows.Read()
	if err != nil {
		t.problem(1, "has no header line; name the columns in the first line")
		return
	}
	key, value := t.column(header, t.config.Column), t.column(header, t.config.Value)
	if key < 0 || value < 0 {
		return
	}
	t.label.values, t.lines = make(map[string]string), make(map[string]int)
	distinct := make(map[string]bool)
	for {
		row, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			t.problem(lineOf(err), "is no CSV row with as many values as the header: put values that hold commas or quotes in quotes")
			return
		}
		line, _ := rows.FieldPos(0)
		if t.add(line, row[key], strings.TrimSpace(row[value])); len(distinct) <= mostValues {
			distinct[strings.TrimSpace(row[value])] = true
			if len(distinct) > mostValues {
				t.problem(line, "has more than %d distinct values in column %s: each may be a series; take a coarser column", mostValues, t.config.Value)
			}
		}
	}
}

// lineOf is the line that a CSV reader complains of.
func lineOf(err error) int {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return bad.Line
	}
	return 0
}

// column finds a column of the header.
func (t *table) column(header []string, name string) int {
	at := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == name })
	if at < 0 {
		t.problem(1, "has no column %s; name it in the first line, or say which one it is with `column` (of the keys) or `value`", name)
	}
	return at
}

// add adds a row. A row without a key or a value says nothing.
func (t *table) add(line int, key, value string) {
	key = normalise(t.config.Key, key)
	if key == "" || value == "" {
		return
	}
	if problem := checkValue(value); problem != "" {
		t.problem(line, "the value in column %s %s", t.config.Value, problem)
		return
	}
	if was, twice := t.label.values[key]; twice && was != value {
		t.problem(line, "has the key of line %d with another value; keep one of them", t.lines[key])
		return
	}
	t.label.values[key], t.lines[key] = value, line
	t.label.longest = max(t.label.longest, len(key))
}

// checkValue says what keeps a text from being a label's value; empty if nothing does.
func checkValue(value string) string {
	switch {
	case len(value) > longestValue:
		return fmt.Sprintf("is longer than %d bytes; shorten it", longestValue)
	case !utf8.ValidString(value):
		return "isn't UTF-8; save the file as UTF-8"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "has a line break or another control character; take it out"
	}
	return ""
}
