package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong in a configuration, worded so that a person
// can put it right. It never holds the content of a secret.
type Problem struct {
	// File is the file as it was named to [Load], or "environment".
	File string
	// Line counts from 1; 0 when the problem has no line, as with a file that
	// cannot be read.
	Line int
	// Path is the key, such as sources[1].msgraph.pstn.interval; empty for the
	// file as a whole.
	Path string
	// Message says what is wrong and what would be right.
	Message string
}

// String formats the problem as FILE:LINE: key.path: message.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is everything that is wrong in a configuration, in the order of its
// lines. [Load], [Parse], [Unmarshal] and [Config.CheckFiles] return it as their
// error; it is never empty then.
type Problems []Problem

// Error joins the problems, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// asError sorts the problems by line, drops repetitions and returns them as an
// error, nil if there is none.
func (p Problems) asError() error {
	if len(p) == 0 {
		return nil
	}
	sorted := slices.Clone(p)
	slices.SortStableFunc(sorted, func(a, b Problem) int { return a.Line - b.Line })
	var unique Problems
	for _, problem := range sorted {
		if !slices.Contains(unique, problem) {
			unique = append(unique, problem)
		}
	}
	return unique
}

// maxShown is how much of a text from the file is repeated in a problem.
const maxShown = 60

// joinPath puts a key, an index or a further path behind a path.
func joinPath(path, key string) string {
	if path == "" || key == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}

// segment writes a key as a part of a path. Keys with other characters than
// letters, digits, _ and - are quoted, so that a path is always one line and
// never ambiguous.
func segment(key string) string {
	simple := key != ""
	for _, c := range key {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		simple = simple && (letter || c >= '0' && c <= '9' || c == '_' || c == '-')
	}
	if simple && len(key) <= maxShown {
		return key
	}
	return "[" + shorten(key) + "]"
}

// indexed writes the path of an element of a list.
func indexed(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// parentPath cuts the last key or index off a path; ok is false at its beginning.
func parentPath(path string) (parent string, ok bool) {
	if path == "" {
		return "", false
	}
	if strings.HasSuffix(path, `"]`) {
		if i := strings.LastIndex(path, `["`); i >= 0 {
			return path[:i], true
		}
	}
	return path[:max(0, strings.LastIndexAny(path, ".["))], true
}

// shorten quotes a text and cuts it to a length that fits into a message.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return strconv.Quote(text)
}
