package config

import (
	"fmt"
	"slices"
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
