package labels

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
		if l.key == config.LabelBySubnet {
			s.places = append(s.places, l)
		} else {
			s.labels = append(s.labels, l)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	slices.SortFunc(s.labels, byName)
	slices.SortFunc(s.places, byName)
	return s, nil
}

const (
	// A file that changed within fresh may still be being written. Settled looks at it every
	// settlePause, and takes it as it is after mostLooks looks.
	fresh       = 5 * time.Second
	settlePause = time.Second
	mostLooks   = 30
)

// Settled waits until the files are the same at two looks if one has just changed: half a table may be a table too. It returns their stamp.
func Settled(all []config.Label) (stamp string) {
	stamp = Stamp(all)
	for range mostLooks {
		isFresh := func(l config.Label) bool {
			info, err := os.Stat(string(l.File))
			return err == nil && time.Since(info.ModTime()).Abs() < fresh
		}
		if !slices.ContainsFunc(all, isFresh) {
			break
		}
		<-time.After(settlePause)
		before := stamp
		if stamp = Stamp(all); stamp == before {
			break
		}
	}
	return stamp
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
	if strings.EqualFold(filepath.Ext(string(t.config.File)), ".tsv") {
		rows.Comma = '\t'
	}
	row, err := rows.Read()
	if err != nil {
		t.problem(1, "has no header line; name the columns in the first line")
		return
	}
	c, ok := t.columns(row)
	if !ok {
		return
	}
	if c.named {
		row, err = rows.Read()
	}
	t.label.values, t.lines = make(map[string]string), make(map[string]int)
	distinct := make(map[string]bool)
	for ; !errors.Is(err, io.EOF); row, err = rows.Read() {
		if err != nil {
			t.problem(lineOf(err), "is no CSV row with as many values as the first one: put values that hold commas or quotes in quotes")
			return
		}
		line, _ := rows.FieldPos(0)
		if t.add(line, c.keyOf(row), strings.TrimSpace(row[c.value])); len(distinct) <= mostValues {
			distinct[strings.TrimSpace(row[c.value])] = true
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

// columns are where a row has its key and its value.
type columns struct {
	key, value int
	// prefix has the length of the key's prefix; below 0: the key says it itself.
	prefix int
	// named says that the first row has their names.
	named bool
}

func (c columns) keyOf(row []string) string {
	if c.prefix < 0 {
		return row[c.key]
	}
	return strings.TrimSpace(row[c.key]) + "/" + strings.TrimSpace(row[c.prefix])
}

// columns finds the columns by the first row: a header or, of subnets, a row of Microsoft's building file.
func (t *table) columns(first []string) (c columns, ok bool) {
	c = columns{prefix: -1, named: true}
	if t.config.Key == config.LabelBySubnet && isBuilding(first) {
		names := buildingColumns[:min(len(buildingColumns), len(first))]
		c.prefix, c.value, c.named = buildingRange, t.column(names, t.config.Value), false
	} else {
		c.key, c.value = t.column(first, t.config.Column), t.column(first, t.config.Value)
	}
	return c, c.key >= 0 && c.value >= 0
}

// column finds a column by its name.
func (t *table) column(names []string, name string) int {
	at := slices.IndexFunc(names, func(n string) bool { return strings.TrimSpace(n) == name })
	if at < 0 {
		t.problem(1, "has no column %s; it has %s: say with `column` (of the keys) or `value` which one it is", name, strings.Join(names, ", "))
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
	if t.config.Key == config.LabelBySubnet && !t.label.addNetwork(key) {
		t.problem(line, "the key is no network; write it as 192.0.2.0/24 or 2001:db8::/48")
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
