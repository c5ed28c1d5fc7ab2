package wire

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Fields are the properties of one row. Its methods read a property as the type that the provider
// documents; absent and null give the zero value. If a name is repeated, its first value counts. The
// first property with another type sets the row's problem, which the caller checks after it has read
// all properties. A text may be a view of the row and is valid only as long as the row. The zero
// value has no properties. Fields is for one goroutine.
type Fields struct {
	// Problem is the first problem found. It contains nothing of the value.
	Problem string

	members []member
	// last are the last members of the chains of a hash table, by their numbers from 1; 0 is none. Most
	// properties that a mapper asks for are absent.
	last [64]int
}

type member struct {
	name   string
	value  []byte
	before int // the member before it in its chain
}

// chain is the number of the chain with the members of that name.
func (f *Fields) chain(name string) int {
	if name == "" {
		return 0
	}
	return (2*len(name) + int(name[0]) + int(name[len(name)-1])) % len(f.last)
}

// Parse replaces the properties by the ones of a row, which must be a valid JSON object.
func (f *Fields) Parse(row []byte) {
	*f = Fields{members: f.members[:0]}
	Members(row, func(raw, value []byte) {
		name := nameOf(raw)
		last := &f.last[f.chain(name)]
		f.members = append(f.members, member{name, value, *last})
		*last = len(f.members)
	})
}

// nameOf decodes the raw name of a member. The result is a view of the raw name if possible.
func nameOf(raw []byte) string {
	name := view(raw[1 : len(raw)-1])
	if strings.IndexByte(name, '\\') >= 0 {
		return TextOf(raw)
	}
	return name
}

// Fail keeps the first problem. It must not contain anything of the value.
func (f *Fields) Fail(name, problem string) {
	if f.Problem == "" {
		f.Problem = name + " " + problem
	}
}

// Raw is the value of a property if it has the JSON type that begins with one of the bytes in
// starts; nil if it is absent, null, or of another type.
func (f *Fields) Raw(name, starts, want string) []byte {
	var value []byte
	for n := f.last[f.chain(name)]; n != 0; n = f.members[n-1].before {
		if m := &f.members[n-1]; m.name == name {
			value = m.value
		}
	}
	switch {
	case value == nil || value[0] == 'n':
		return nil
	case strings.IndexByte(starts, value[0]) < 0:
		f.Fail(name, "is "+TypeOf(value[0])+", must be "+want)
		return nil
	}
	return value
}

// NumberStarts are the bytes that can start a number.
const NumberStarts = "-0123456789"

// Text reads a string. The result is valid UTF-8 even if the answer isn't.
func (f *Fields) Text(name string) string {
	if value := f.Raw(name, `"`, "a string"); value != nil {
		return TextOf(value)
	}
	return ""
}

// ID reads a string that is compared byte by byte. A string that isn't UTF-8 is a problem: once
// repaired, it could equal another id.
func (f *Fields) ID(name string) string {
	id := f.Text(name)
	if strings.Contains(id, string(utf8.RuneError)) {
		f.Fail(name, "is not UTF-8")
		return ""
	}
	return id
}

// TextOf decodes a JSON string with its quotes. The result is valid UTF-8 even if the answer isn't.
// It is a view of the string unless the string has escapes or isn't UTF-8.
func TextOf(quoted []byte) string {
	if utf8.Valid(quoted) && bytes.IndexByte(quoted, '\\') < 0 {
		return view(quoted[1 : len(quoted)-1])
	}
	// the error says that something wasn't UTF-8; it has been replaced
	unquoted, _ := jsontext.AppendUnquote(nil, quoted)
	return string(unquoted)
}

// view is a string that shares the memory of the answer.
func view(piece []byte) string { return unsafe.String(unsafe.SliceData(piece), len(piece)) }

// Integer reads a 32-bit integer.
func (f *Fields) Integer(name string) cdr.Int {
	value := f.Raw(name, NumberStarts, "a number")
	if value == nil {
		return cdr.Int{}
	}
	n, err := strconv.ParseInt(view(value), 10, 32)
	if err != nil {
		f.Fail(name, "is not a 32-bit whole number")
		return cdr.Int{}
	}
	return cdr.KnownInt(n)
}

// Money reads a decimal number; given is false if the property is absent.
func (f *Fields) Money(name string) (amount cdr.Money, given bool) {
	text := view(f.Raw(name, NumberStarts, "a number"))
	if text == "" {
		return cdr.Money{}, false
	}
	amount, err := cdr.ParseMoney(text)
	if err != nil {
		f.Fail(name, "is "+err.Error()) // says what it must be
	}
	return amount, err == nil
}

// Bool reads a boolean.
func (f *Fields) Bool(name string) cdr.Bool {
	value := f.Raw(name, "tf", "a boolean")
	if value == nil {
		return cdr.Unsaid
	}
	return cdr.KnownBool(value[0] == 't')
}

// Instant reads an RFC 3339 time, in UTC. Graph writes the year 1 for a time that doesn't exist; it
// reads as zero. valid is false if the string isn't a time.
func (f *Fields) Instant(name string) (at time.Time, valid bool) {
	text := f.Text(name)
	if text == "" {
		return time.Time{}, true
	}
	at, err := time.Parse(time.RFC3339, text) // takes fractions of any length
	switch {
	case err != nil:
		return time.Time{}, false
	case at.Year() <= 1:
		return time.Time{}, true
	}
	return at.UTC(), true
}

// Start reads the start of a call, which a row must have.
func (f *Fields) Start(name string) time.Time {
	at, valid := f.Instant(name)
	switch {
	case !valid:
		f.Fail(name, "is not a date and time")
	case at.IsZero():
		f.Fail(name, "is missing")
	}
	return at
}
