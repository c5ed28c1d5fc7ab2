package declared

import (
	"errors"
	"strings"
)

// path leads to a value of a row: names of members, numbers of elements, or the name of a column. It is compiled once.
type path []string

var errPath = errors.New(`must be a path such as a.b, items.0.x or ["Call outcome"]`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *path) UnmarshalText(text []byte) (err error) {
	*p, err = parsePath(string(text))
	return err
}

// rowsPath leads to the array of rows of a page; `.` is the page itself.
type rowsPath path

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *rowsPath) UnmarshalText(text []byte) error {
	if string(text) == "." {
		*p = rowsPath{}
		return nil
	}
	return (*path)(p).UnmarshalText(text)
}

// parsePath reads a path. A name with dots, brackets, blanks or quotes is written ["…"].
func parsePath(text string) (path, error) {
	var p path
	for rest := text; ; {
		name, after, err := nextSegment(rest)
		if err != nil {
			return nil, err
		}
		p = append(p, name)
		switch {
		case after == "":
			return p, nil
		case after[0] == '.':
			rest = after[1:]
		case after[0] == '[':
			rest = after
		default:
			return nil, errPath
		}
	}
}

func nextSegment(text string) (name, rest string, err error) {
	if quoted, found := strings.CutPrefix(text, `["`); found {
		name, rest, found = strings.Cut(quoted, `"]`)
		if !found || name == "" {
			return "", "", errPath
		}
		return name, rest, nil
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	if name = text[:end]; name == "" || strings.ContainsAny(name, "]\"' \t\n{}") {
		return "", "", errPath
	}
	return name, text[end:], nil
}

// parameterName is the name of the source's parameter that a path leads to.
func (p path) parameterName() (name string, is bool) {
	if len(p) == 2 && p[0] == "parameter" {
		return p[1], true
	}
	return "", false
}
