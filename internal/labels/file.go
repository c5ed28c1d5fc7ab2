package labels

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	// mostValues limits the distinct values of a label: each may be a series.
	mostValues = 1000
	// longestValue limits a value, in bytes.
	longestValue = 128
)

// Load reads the files of labels. Its error is config.Problems, with file names and line numbers
// but none of the files' content.
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
	// A file that changed less than fresh ago may still be being written. Settled checks it every
	// settlePause, and accepts it after mostLooks checks.
	fresh       = 5 * time.Second
	settlePause = time.Second
	mostLooks   = 30
)

// Settled waits until two checks find the same files, if one has just changed: half a table may be
// a valid table too. It returns their stamp.
func Settled(all []config.Label) (stamp string) {
	stamp = Stamp(all)
	for range mostLooks {
		isFresh := func(l config.Label) bool {
			info, err := os.Stat(string(l.File))
			return err == nil && time.Since(info.ModTime()).Abs() < fresh //nolint:forbidigo // as the file system
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
	lines    map[string]int  // by key
	distinct map[string]bool // values
	problems config.Problems
}

func (t *table) problem(line int, format string, args ...any) {
	if len(t.problems) < 10 { // don't fill the screen for a file with an error on each line
		t.problems = append(t.problems, config.Problem{
			File: string(t.config.File), Line: line,
			Message: fmt.Sprintf(format, args...),
		})
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
	t.distinct = make(map[string]bool)
	for ; !errors.Is(err, io.EOF); row, err = rows.Read() {
		if err != nil {
			t.problem(lineOf(err), "isn't a CSV row with the same number of values as the first one: put "+
				"values with commas or quotes in quotes")
			return
		}
		line, _ := rows.FieldPos(0)
		t.add(line, c.keyOf(row), strings.TrimSpace(row[c.value]))
	}
}

// lineOf is the line that a CSV reader's error names.
func lineOf(err error) int {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return bad.Line
	}
	return 0
}

// columns are the positions of a row's key and value.
type columns struct {
	key, value int
	// prefix is the column with the length of the key's prefix; below 0 if the key includes it.
	prefix int
	// named says that the first row has the columns' names.
	named bool
}

func (c columns) keyOf(row []string) string {
	if c.prefix < 0 {
		return row[c.key]
	}
	return strings.TrimSpace(row[c.key]) + "/" + strings.TrimSpace(row[c.prefix])
}

// columns finds the columns by the first row. That is a header or, for subnets, a row of
// Microsoft's building file.
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
	switch {
	case at < 0 && slices.ContainsFunc(names, isContent):
		t.problem(1, "has no column %s, and its first line isn't one of names: write the columns' names there", name)
	case at < 0:
		t.problem(1, "has no column %s; it has %s: name the right one in `column` (for keys) or `value`", name,
			strings.Join(names, ", "))
	}
	return at
}

// isContent says whether a text of the first line is a user or a number rather than a column's
// name: the file has no header.
func isContent(text string) bool { return strings.Contains(text, "@") || content.MatchString(text) }

var content = regexp.MustCompile(`[0-9](?:[ .()/-]*[0-9]){2}`)

// add adds a row. It ignores a row without a key or a value.
func (t *table) add(line int, key, value string) {
	if !utf8.ValidString(key) { // it would match nobody
		t.problem(line, "the key isn't UTF-8; save the file as UTF-8")
		return
	}
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
		t.problem(line, "the key isn't a network; write it as 192.0.2.0/24 or 2001:db8::/48")
		return
	}
	t.label.values[key], t.lines[key] = value, line
	if !t.distinct[value] && len(t.distinct) == mostValues {
		t.problem(line, "has more than %d distinct values in column %s: each may be a series; take a coarser column",
			mostValues, t.config.Value)
	}
	t.distinct[value] = true
	t.label.longest = max(t.label.longest, len(key))
}

// checkValue returns why a text can't be a label's value, or an empty string.
func checkValue(value string) string {
	switch {
	case len(value) > longestValue:
		return fmt.Sprintf("is longer than %d bytes; shorten it", longestValue)
	case !utf8.ValidString(value):
		return "isn't UTF-8; save the file as UTF-8"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "has a line break or another control character; remove it"
	}
	return ""
}
