package msgraph

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// fields are the properties of one row. The methods read a property as the type that the schema documents; absent and null are the zero
// value. The first property of another type is the problem of the row, to be looked at when all of it has been read. What they return holds as
// long as the arena.
type fields struct {
	arena   *wire.Arena
	members []member
	problem string
}

// member is a property with its value in JSON.
type member struct{ name, value []byte }

// parse reads a row, a valid JSON object in the arena.
func (f *fields) parse(row []byte) {
	f.members, f.problem = f.members[:0], ""
	wire.Members(row, func(name, value []byte) {
		name = name[1 : len(name)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = f.arena.Unquote(name)
		}
		f.members = append(f.members, member{name, value})
	})
}

// fail keeps the first problem. It must not hold anything of the value.
func (f *fields) fail(name, problem string) {
	if f.problem == "" {
		f.problem = name + " " + problem
	}
}

// raw is the value of a property if it has the JSON type that begins with one of the bytes in starts; nil if it is absent, null, or of another
// type. A scan of the few members is as fast as a map.
func (f *fields) raw(name, starts, want string) []byte {
	for i := range f.members {
		if string(f.members[i].name) != name {
			continue
		}
		value := f.members[i].value
		switch {
		case value[0] == 'n':
			return nil
		case strings.IndexByte(starts, value[0]) < 0:
			f.fail(name, "is "+wire.TypeOf(value[0])+", must be "+want)
			return nil
		}
		return value
	}
	return nil
}

const numberStarts = "-0123456789"

// text reads an Edm.String. The result is valid UTF-8 even if the answer isn't.
func (f *fields) text(name string) string {
	text, _ := f.checkedText(name)
	return text
}

// checkedText reads an Edm.String and says whether it wasn't valid UTF-8.
func (f *fields) checkedText(name string) (text string, repaired bool) {
	value := f.raw(name, `"`, "a string")
	if value == nil {
		return "", false
	}
	return f.arena.Text(value[1 : len(value)-1])
}

// integer reads an Edm.Int32.
func (f *fields) integer(name string) cdr.Int {
	value := f.raw(name, numberStarts, "a number")
	if value == nil {
		return cdr.Int{}
	}
	n, err := strconv.ParseInt(wire.View(value), 10, 32)
	if err != nil {
		f.fail(name, "is not a 32-bit whole number")
		return cdr.Int{}
	}
	return cdr.KnownInt(n)
}

// money reads an Edm.Decimal, and says whether it was given.
func (f *fields) money(name string) (amount cdr.Money, given bool) {
	value := f.raw(name, numberStarts, "a number")
	if value == nil {
		return cdr.Money{}, false
	}
	amount, err := cdr.ParseMoney(wire.View(value))
	if err != nil {
		f.fail(name, "is "+err.Error()) // says what it must be
		return cdr.Money{}, false
	}
	return amount, true
}

// boolean reads an Edm.Boolean.
func (f *fields) boolean(name string) cdr.Bool {
	value := f.raw(name, "tf", "a boolean")
	if value == nil {
		return cdr.Unsaid
	}
	return cdr.KnownBool(value[0] == 't')
}

// instant reads an Edm.DateTimeOffset, in UTC. Graph writes the year 1 for a time that doesn't exist; it reads as zero. valid is false for a
// string that is no time.
func (f *fields) instant(name string) (at time.Time, valid bool) {
	text := f.text(name)
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
