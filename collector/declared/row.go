package declared

import (
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// row is one row of an answer, a file or a table. It decodes only the values at paths in use. It is
// for one goroutine, and its texts are valid until the next row.
type row struct {
	members []member // members of a JSON object
	columns []string // names of a row of columns
	fields  []string // its values; a row may have fewer
	// each are the values of the feed's `for` in the request that returned the row.
	each map[string]string
	// parameters are the source's, each a list or one text.
	parameters map[string][]string
	lists      map[string]bool  // names of the list parameters
	zone       *time.Location   // for times without a zone
	now        func() time.Time // for times without a year
	// percent says that texts are percent-decoded.
	percent bool
	// names are the lists of the feed's `names`: names by id.
	names map[string]map[string]string
	bound map[*pattern][]*regexp.Regexp
	nets  map[string][]network // by parameter
	// machine and environment are for expressions.
	machine     vm.VM
	environment map[string]any
}

type member struct {
	name  string
	value []byte
}

// setJSON sets a row of valid JSON. It returns whether the row is an object.
func (r *row) setJSON(raw []byte) bool {
	r.members, r.columns, r.fields = r.members[:0], nil, nil
	if raw[0] != '{' {
		return false
	}
	wire.Members(raw, func(name, value []byte) {
		r.members = append(r.members, member{wire.TextOf(name), value})
	})
	return true
}

// setFields sets a row of columns.
func (r *row) setFields(columns, fields []string) {
	r.members, r.columns, r.fields = r.members[:0], columns, fields
}

// wildcards are a pattern with each value of its parameter.
func (r *row) wildcards(p *pattern) []*regexp.Regexp {
	matchers, known := r.bound[p]
	if !known {
		for _, value := range r.parameters[p.parameter] {
			matchers = append(matchers, wildcard(strings.ReplaceAll(p.text, "{"+p.parameter+"}", value)))
		}
		if r.bound == nil {
			r.bound = make(map[*pattern][]*regexp.Regexp)
		}
		r.bound[p] = matchers
	}
	return matchers
}

// form is the kind of value at a path.
type form uint8

const (
	missing form = iota // no value, null, or empty text
	single              // a text, a number or a truth value
	nested              // an object or an array
)

// text is the value at a path as the row writes it.
func (r *row) text(p path) (string, form) {
	if name, is := p.parameterName(); is {
		text := strings.Join(r.parameters[name], ",")
		return text, formOf(text)
	}
	text, is := "", missing
	if value, of := r.each[p[len(p)-1]]; of && len(p) == 2 && p[0] == forKey {
		return value, formOf(value)
	}
	if r.columns != nil {
		if i := slices.Index(r.columns, p[0]); i >= 0 && i < len(r.fields) && len(p) == 1 {
			text = bare(r.fields[i], r.percent)
			is = formOf(text)
			if len(r.columns) == 1 && !r.percent {
				text = r.fields[i] // a row of one column is a line, whose positions matter
			}
		}
		return text, is
	}
	if text, is = textOf(r.raw(p)); is == single {
		text = bare(text, r.percent)
		is = formOf(text)
	}
	return text, is
}

// bare is a text without blanks around it: padded columns, and rows that people edit, have them. It
// is percent-decoded first if percent is set.
func bare(text string, percent bool) string {
	if percent {
		text = percentDecoded(text)
	}
	return strings.TrimSpace(text)
}

func formOf(text string) form {
	if text == "" {
		return missing
	}
	return single
}

// raw is the JSON value at a path, or nil.
func (r *row) raw(p path) (value []byte) {
	if i := slices.IndexFunc(r.members, func(m member) bool { return m.name == p[0] }); i >= 0 {
		value = r.members[i].value
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

func textOf(value []byte) (string, form) {
	if value == nil {
		return "", missing
	}
	switch value[0] {
	case 'n':
		return "", missing
	case '"':
		text := wire.TextOf(value)
		return text, formOf(text)
	case '{', '[':
		return "", nested
	}
	return string(value), single
}

var percentIn = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// percentDecoded decodes a text; a % without two hexadecimal digits stays.
func percentDecoded(text string) string {
	return percentIn.ReplaceAllStringFunc(text, func(found string) string {
		decoded, _ := hex.DecodeString(found[1:]) // two digits
		return string(decoded)
	})
}

// forKey begins the paths of values of the feed's `for`.
const forKey = "for"

// path leads to a value of a row: names of members, numbers of elements, or the name of a column.
// It is compiled once.
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

// segmentIn matches a segment of a path with the dot before it. A name with dots, brackets, blanks
// or quotes is written ["…"], without a dot.
var segmentIn = regexp.MustCompile(`(?s)^(?:\.?\["(.+?)"\]|\.([^.\[\]"' \t\n{}]+))`)

func parsePath(text string) (p path, err error) {
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

// parameterName is the name of the source's parameter that a path leads to.
func (p path) parameterName() (name string, is bool) {
	if len(p) == 2 && p[0] == "parameter" {
		return p[1], true
	}
	return "", false
}

// texts is a list of texts, or a single text without a list.
type texts []string

// DecodeNode implements config.NodeDecoder.
func (t *texts) DecodeNode(n *config.Node) {
	if n.IsText() {
		*t = make([]string, 1)
		n.Decode(&(*t)[0])
	} else {
		n.Decode((*[]string)(t))
	}
}
