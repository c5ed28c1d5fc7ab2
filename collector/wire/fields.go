package wire

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Fields are the properties of one row. The methods read a property as the type that the provider documents; absent and null are the zero
// value. The first property of another type is the problem of the row, to be looked at when all of it has been read. What they return holds as
// long as the arena. The zero value has no properties; it is for one goroutine.
type Fields struct {
	// Problem is the first one, without anything of the value.
	Problem string
	// Fold makes the spellings of a name one; a row that has two of them then has a problem. Nil: of a name that is given twice the first
	// value counts.
	Fold func(name string) string

	arena   Arena
	members []member
}

// member is a property with its value in JSON.
type member struct{ name, value []byte }

// Parse takes the properties of a row, a valid JSON object, in place of those of the row before.
func (f *Fields) Parse(row []byte) {
	f.Clear()
	Members(row, func(name, value []byte) {
		name = name[1 : len(name)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = f.arena.Unquote(name)
		}
		f.Set(name, value)
	})
}

// Set gives the row one more property, whose value is valid JSON.
func (f *Fields) Set(name, value []byte) {
	if f.Fold != nil {
		name = []byte(f.Fold(string(name)))
		if slices.ContainsFunc(f.members, func(m member) bool { return bytes.Equal(m.name, name) }) {
			f.Problem = cmp.Or(f.Problem, "a member is given twice") // there is no right one of two values
		}
	}
	f.members = append(f.members, member{name, value})
}

// Clear lets go of the properties, not of what was read of them.
func (f *Fields) Clear() { f.members, f.Problem = f.members[:0], "" }

// Reset lets go of the properties, and of what was read of all rows.
func (f *Fields) Reset() {
	f.Clear()
	f.arena.Reset()
}

// Fail keeps the first problem. It must not hold anything of the value.
func (f *Fields) Fail(name, problem string) {
	if f.Problem == "" {
		f.Problem = name + " " + problem
	}
}

// Raw is the value of a property if it has the JSON type that begins with one of the bytes in starts; nil if it is absent, null, or of another
// type. A scan of the few members is as fast as a map.
func (f *Fields) Raw(name, starts, want string) []byte {
	key := name
	if f.Fold != nil {
		key = f.Fold(name)
	}
	for i := range f.members {
		if string(f.members[i].name) != key {
			continue
		}
		value := f.members[i].value
		switch {
		case value[0] == 'n':
			return nil
		case strings.IndexByte(starts, value[0]) < 0:
			f.Fail(name, "is "+TypeOf(value[0])+", must be "+want)
			return nil
		}
		return value
	}
	return nil
}

// NumberStarts are the bytes that a number begins with.
const NumberStarts = "-0123456789"

// Text reads a string. The result is valid UTF-8 even if the answer isn't.
func (f *Fields) Text(name string) string {
	text, _ := f.CheckedText(name)
	return text
}

// CheckedText reads a string and says whether it wasn't valid UTF-8.
func (f *Fields) CheckedText(name string) (text string, repaired bool) {
	value := f.Raw(name, `"`, "a string")
	if value == nil {
		return "", false
	}
	return f.arena.Text(value[1 : len(value)-1])
}

// Integer reads a whole number of 32 bits.
func (f *Fields) Integer(name string) cdr.Int {
	value := f.Raw(name, NumberStarts, "a number")
	if value == nil {
		return cdr.Int{}
	}
	n, err := strconv.ParseInt(View(value), 10, 32)
	if err != nil {
		f.Fail(name, "is not a 32-bit whole number")
		return cdr.Int{}
	}
	return cdr.KnownInt(n)
}

// Money reads a decimal number, and says whether it was given.
func (f *Fields) Money(name string) (amount cdr.Money, given bool) {
	value := f.Raw(name, NumberStarts, "a number")
	if value == nil {
		return cdr.Money{}, false
	}
	amount, err := cdr.ParseMoney(View(value))
	if err != nil {
		f.Fail(name, "is "+err.Error()) // says what it must be
		return cdr.Money{}, false
	}
	return amount, true
}

// Bool reads a boolean.
func (f *Fields) Bool(name string) cdr.Bool {
	value := f.Raw(name, "tf", "a boolean")
	if value == nil {
		return cdr.Unsaid
	}
	return cdr.KnownBool(value[0] == 't')
}

// Instant reads a time of RFC 3339, in UTC. Graph writes the year 1 for a time that doesn't exist; it reads as zero. valid is false for a
// string that is no time.
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
