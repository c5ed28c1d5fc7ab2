package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one problem of a configuration. It never contains a secret.
type Problem struct {
	// File is the file name that [Load] got, or "environment".
	File string
	// Line counts from 1; it is 0 without a line, for example if the file can't be read.
	Line int
	// Path is the key, such as sources[1].msgraph.pstn.interval; empty for the file as a whole.
	Path string
	// Message says what is wrong and what would be right.
	Message string
}

// String formats the problem as FILE:LINE: key.path: message.
func (p Problem) String() string {
	text := p.File
	if p.Line > 0 {
		text += ":" + strconv.Itoa(p.Line)
	}
	if p.Path != "" {
		text += ": " + p.Path
	}
	return text + ": " + p.Message
}

// Problems are all problems of a configuration, by line. It is never empty when it is returned as
// an error.
type Problems []Problem

// Error joins the problems, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// asError sorts the problems by line and removes repetitions. It returns nil without problems.
func (p Problems) asError() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return a.Line - b.Line })
	var unique Problems
	for _, problem := range p {
		if !slices.Contains(unique, problem) {
			unique = append(unique, problem)
		}
	}
	return unique
}

// joinPath appends a key, an index or a further path to a path.
func joinPath(path, key string) string {
	if path == "" || key == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}

// KeyPath is the path of a key that the user chose, such as a header's name, within a mapping: an
// argument for [Report.Problemf].
func KeyPath(path, key string) string { return joinPath(path, segment(key)) }

// simpleKey matches a key that needs no quotes in a path.
var simpleKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,60}$`)

// segment writes a key as a part of a path. It quotes the key unless it is simple, so that a path
// is one line and never ambiguous.
func segment(key string) string {
	if simpleKey.MatchString(key) {
		return key
	}
	return "[" + shorten(key) + "]"
}

// indexed writes the path of an element of a list.
func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// shorten quotes a text and cuts it to a length that fits into a message.
func shorten(text string) string {
	const maxShown = 60
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return strconv.Quote(text)
}
