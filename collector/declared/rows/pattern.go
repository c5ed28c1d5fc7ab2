package rows

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// LinePattern is a regular expression (RE2) for a line; its named groups are the values.
type LinePattern struct {
	*regexp.Regexp

	columns []string // the names of its groups, each once
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *LinePattern) UnmarshalText(text []byte) (err error) {
	if p.Regexp, err = regexp.Compile(string(text)); err != nil {
		return fmt.Errorf("isn't a valid regular expression (RE2): %w", err)
	}
	for _, name := range p.SubexpNames() {
		if name != "" && !slices.Contains(p.columns, name) {
			p.columns = append(p.columns, name)
		}
	}
	if len(p.columns) == 0 {
		return errors.New("must have named groups, such as ^(?P<start>\\S+); these are the values of a row")
	}
	return nil
}

// fields are the values of a line. If several groups have one name, the first that matches
// something counts.
func (p *LinePattern) fields(line string) (columns, fields []string, problem string) {
	groups := p.FindStringSubmatch(line)
	if groups == nil {
		return nil, nil, "the pattern doesn't match the line"
	}
	fields = make([]string, len(p.columns))
	for i, name := range p.SubexpNames() {
		if at := slices.Index(p.columns, name); at >= 0 && fields[at] == "" {
			fields[at] = groups[i]
		}
	}
	return p.columns, fields, ""
}
