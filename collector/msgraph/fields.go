package msgraph

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxProperties is the most that a row type may have here: seen is a word of bits.
const maxProperties = 64

// fields are the properties of one row. Its methods read a property as the type that
// the schema gives it; absent and null are the zero value. The first property of
// another type is the row's problem, which a caller looks at when it has read all.
// Values hold as long as the arena.
type fields struct {
	properties *propertyNames
	arena      *wire.Arena
	values     [maxProperties][]byte
	seen       uint64
	problem    string
	ids        []string // backing of lists, until the next page
}

// parse takes a row, a valid JSON object in the arena.
func (f *fields) parse(row []byte) {
	clear(f.values[:len(f.properties.names)])
	f.seen, f.problem = 0, ""
	wire.Members(row, f.member)
}

func (f *fields) member(name, value []byte) {
	name = name[1 : len(name)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = f.arena.Unquote(name)
	}
	p := f.properties.find(name)
	if p == unknownProperty {
		return
	}
	if f.seen&(1<<p) != 0 {
		// Whoever reads it may take either value: there is no right one.
		f.fail(p, "is given twice")
		return
	}
	f.seen |= 1 << p
	if value[0] != 'n' {
		f.values[p] = value
	}
}

// fail keeps the first problem. It holds nothing of the value.
func (f *fields) fail(p property, problem string) {
	if f.problem == "" {
		f.problem = f.properties.names[p] + " " + problem
	}
}

// raw is the value of a property if it has the JSON type that begins with one of the
// bytes in starts; nil if it is absent, null, or of another type.
func (f *fields) raw(p property, starts, want string) []byte {
	value := f.values[p]
	if value != nil && strings.IndexByte(starts, value[0]) < 0 {
		f.fail(p, "is "+wire.TypeOf(value[0])+", must be "+want)
		return nil
	}
	return value
}

const numberStarts = "-0123456789"

// text reads an Edm.String.
func (f *fields) text(p property) string {
	value := f.raw(p, `"`, "a string")
	if value == nil {
		return ""
	}
	return f.unquoted(value)
}

// unquoted is the content of a JSON string, valid UTF-8 also where the answer isn't.
func (f *fields) unquoted(quoted []byte) string {
	text, _ := f.arena.Text(quoted[1 : len(quoted)-1])
	return text
}

// integer reads an Edm.Int32.
func (f *fields) integer(p property) cdr.Int {
	value := f.raw(p, numberStarts, "a number")
	if value == nil {
		return cdr.Int{}
	}
	n, err := strconv.ParseInt(wire.View(value), 10, 32)
	if err != nil {
		f.fail(p, "is not a 32-bit whole number")
		return cdr.Int{}
	}
	return cdr.KnownInt(n)
}

// seconds reads an Edm.Int32 that is a duration in seconds.
func (f *fields) seconds(p property) time.Duration {
	n := f.integer(p).Value
	if n < 0 {
		f.fail(p, "is negative")
		return 0
	}
	return time.Duration(n) * time.Second
}

// money reads an Edm.Decimal, and says whether it was given.
func (f *fields) money(p property) (amount cdr.Money, given bool) {
	value := f.raw(p, numberStarts, "a number")
	if value == nil {
		return cdr.Money{}, false
	}
	amount, err := cdr.ParseMoney(wire.View(value))
	if err != nil {
		f.fail(p, "is "+err.Error()) // says what it must be
		return cdr.Money{}, false
	}
	return amount, true
}

// truth reads an Edm.Boolean.
func (f *fields) truth(p property) cdr.Bool {
	value := f.raw(p, "tf", "a boolean")
	if value == nil {
		return cdr.Unsaid
	}
	return cdr.KnownBool(value[0] == 't')
}

// instant reads an Edm.DateTimeOffset, in UTC. The year 1 stands for a time that
// isn't there, and reads as zero. valid is false for a string that is no time.
func (f *fields) instant(p property) (at time.Time, valid bool) {
	text := f.text(p)
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

// idsOf reads a collection of objects with an id: administrativeUnitInfos.
func (f *fields) idsOf(p property) []string {
	value := f.raw(p, "[", "an array")
	if value == nil {
		return nil
	}
	begin := len(f.ids)
	wire.Elements(value, func(object []byte) {
		if object[0] != '{' {
			f.fail(p, "holds something that is no object")
			return
		}
		wire.Members(object, func(name, id []byte) {
			switch {
			case string(name) != `"id"` || id[0] == 'n':
			case id[0] != '"':
				f.fail(p, "holds an id that is no string")
			default:
				f.ids = append(f.ids, f.unquoted(id))
			}
		})
	})
	return f.ids[begin:len(f.ids):len(f.ids)]
}
