package language

import (
	"bytes"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"
	"github.com/expr-lang/expr/vm"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Row is one row of an answer, a file or a table. It decodes only the values at paths in use. It is
// for one goroutine, and its texts are valid until the next row.
type Row struct {
	Members []Member // members of a JSON object
	columns []string // names of a row of columns
	fields  []string // its values; a row may have fewer
	// Each are the values of the feed's `for` in the request that returned the row.
	Each map[string]string
	// Parameters are the source's, each a list or one text.
	Parameters map[string][]string
	Lists      map[string]bool  // names of the list parameters
	Zone       *time.Location   // for times without a zone
	Now        func() time.Time // for times without a year
	// Percent says that texts are percent-decoded.
	Percent bool
	// Missings are the texts that mean a missing value.
	Missings []string
	// Names are the lists of the feed's `names`: names by id.
	Names map[string]map[string]string
	bound map[*pattern][]*regexp.Regexp
	nets  map[string][]network // by parameter
	// Tried, unless it is nil, gets each expression and comparison, and whether it ever had a result.
	Tried map[string]bool
	// machine and environment are for expressions.
	machine     vm.VM
	environment map[string]any
}

// note notes whether an expression or comparison has a result.
func (r *Row) note(text string, has bool) {
	if r.Tried != nil {
		r.Tried[text] = r.Tried[text] || has
	}
}

// Member is a member of a JSON object.
type Member struct {
	Name  string
	Value []byte
}

// SetJSON sets a row of valid JSON. It returns whether the row is an object.
func (r *Row) SetJSON(raw []byte) bool {
	r.Members, r.columns, r.fields = r.Members[:0], nil, nil
	if raw[0] != '{' {
		return false
	}
	wire.Members(raw, func(name, value []byte) {
		r.Members = append(r.Members, Member{wire.TextOf(name), value})
	})
	return true
}

// SetFields sets a row of columns.
func (r *Row) SetFields(columns, fields []string) {
	r.Members, r.columns, r.fields = r.Members[:0], columns, fields
}

// wildcards are a pattern with each value of its parameter.
func (r *Row) wildcards(p *pattern) []*regexp.Regexp {
	matchers, known := r.bound[p]
	if !known {
		for _, value := range r.Parameters[p.parameter] {
			matchers = append(matchers, wildcard("", strings.ReplaceAll(p.text, "{"+p.parameter+"}", value)))
		}
		if r.bound == nil {
			r.bound = make(map[*pattern][]*regexp.Regexp)
		}
		r.bound[p] = matchers
	}
	return matchers
}

// Form is the kind of value at a path.
type Form uint8

// The kinds of values.
const (
	Missing Form = iota // no value, null, or empty text; of a row also an empty object or array
	Single              // a text, a number or a truth value
	nested              // an object or an array
)

// Text is the value at a path as the row writes it.
func (r *Row) Text(p Path) (string, Form) {
	if name, is := p.ParameterName(); is {
		text := strings.Join(r.Parameters[name], ",")
		return text, formOf(text)
	}
	text, is := "", Missing
	if value, of := r.Each[p[len(p)-1]]; of && len(p) == 2 && p[0] == ForKey {
		return value, formOf(value)
	}
	if r.columns != nil {
		if i := slices.Index(r.columns, p[0]); i >= 0 && i < len(r.fields) && len(p) == 1 {
			text, is = r.bare(r.fields[i])
			if len(r.columns) == 1 && !r.Percent {
				text = r.fields[i] // a row of one column is a line, whose positions matter
			}
		}
		return text, is
	}
	raw := r.Raw(p)
	switch text, is = TextOf(raw); {
	case is == Single:
		text, is = r.bare(text)
	case is == nested && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0:
		is = Missing // PHP, and programs that make JSON of XML, write an empty value as [] or {}
	}
	return text, is
}

// bare is a text without blanks around it: padded columns, and rows that people edit, have them. It
// is percent-decoded first if Percent is set.
func (r *Row) bare(text string) (string, Form) {
	if r.Percent {
		text = percentDecoded(text)
	}
	if text = strings.TrimSpace(text); slices.Contains(r.Missings, text) {
		text = ""
	}
	return text, formOf(text)
}

func formOf(text string) Form {
	if text == "" {
		return Missing
	}
	return Single
}

// Raw is the JSON value at a path, or nil.
func (r *Row) Raw(p Path) (value []byte) {
	if i := slices.IndexFunc(r.Members, func(m Member) bool { return m.Name == p[0] }); i >= 0 {
		value = r.Members[i].Value
	}
	for _, segment := range p[1:] {
		value = child(value, segment)
	}
	return value
}

// child is a member of an object, or an element of an array by its number, or nil.
func child(value []byte, segment string) (found []byte) {
	switch {
	case value == nil:
	case value[0] == '{':
		return wire.Member(value, segment)
	case value[0] == '[':
		at, err := strconv.Atoi(segment)
		if err != nil {
			return nil
		}
		wire.Elements(value, func(element []byte) {
			if at--; at == -1 {
				found = element
			}
		})
	}
	return found
}

// TextOf is a JSON value as a text.
func TextOf(value []byte) (string, Form) {
	if value == nil {
		return "", Missing
	}
	switch value[0] {
	case 'n':
		return "", Missing
	case '"':
		text := wire.TextOf(value)
		return text, formOf(text)
	case '{', '[':
		return "", nested
	}
	return whole(withoutExponent(string(value))), Single
}

// whole is a number without a fraction of zero, which programs write that keep all numbers as floats: 17.0 is 17.
func whole(number string) string {
	if before, fraction, found := strings.Cut(number, "."); found && strings.Trim(fraction, "0") == "" {
		return before
	}
	return number
}

// withoutExponent is a number in digits: 1.5E3 is 1500. Numbers of more than some 40 digits keep their
// exponent, and so does what isn't a number.
func withoutExponent(number string) string {
	if !strings.ContainsAny(number, "eE") {
		return number
	}
	d, _, err := apd.NewFromString(number)
	if err != nil || max(d.Exponent, -d.Exponent) > 40 {
		return number
	}
	return d.Text('f')
}

var percentIn = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// percentDecoded decodes a text; a % without two hexadecimal digits stays.
func percentDecoded(text string) string {
	return percentIn.ReplaceAllStringFunc(text, func(found string) string {
		decoded, _ := hex.DecodeString(found[1:]) // two digits
		return string(decoded)
	})
}

// ForKey begins the paths of values of the feed's `for`.
const ForKey = "for"

// Path leads to a value of a row: names of members, numbers of elements, or the name of a column.
// It is compiled once.
type Path []string

var errPath = errors.New(`must be a path such as a.b or items.0.x; ` +
	`a name with blanks or other signs is written '["Call outcome"]', with both pairs of quotes`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Path) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePath(string(text))
	return err
}

// RowsPath leads to the array of rows of a page; `.` is the page itself.
type RowsPath Path

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *RowsPath) UnmarshalText(text []byte) error {
	if string(text) == "." {
		*p = RowsPath{}
		return nil
	}
	return (*Path)(p).UnmarshalText(text)
}

// segmentIn matches a segment of a path with the dot before it. A name with dots, brackets, blanks
// or quotes is written ["…"], without a dot.
var segmentIn = regexp.MustCompile(`(?s)^(?:\.?\["(.+?)"\]|\.([^.\[\]"' \t\n{}]+))`)

// ParsePath reads a path: a.b, items.0.x or ["Call outcome"].
func ParsePath(text string) (p Path, err error) {
	for rest := "." + text; rest != ""; {
		found := segmentIn.FindStringSubmatch(rest)
		if found == nil {
			return nil, errPath
		}
		p = append(p, found[1]+found[2])
		rest = rest[len(found[0]):]
	}
	return p, nil
}

// ParameterName is the name of the source's parameter that a path leads to.
func (p Path) ParameterName() (name string, is bool) {
	if len(p) == 2 && p[0] == "parameter" {
		return p[1], true
	}
	return "", false
}

// Texts is a list of texts, or a single text without a list.
type Texts []string

// DecodeNode implements config.NodeDecoder.
func (t *Texts) DecodeNode(n *config.Node) {
	if n.IsText() {
		*t = make([]string, 1)
		n.Decode(&(*t)[0])
	} else {
		n.Decode((*[]string)(t))
	}
}
