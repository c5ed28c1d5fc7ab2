package wavix

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// cellKind is how a value was written.
type cellKind uint8

const (
	noCell     cellKind = iota // absent, null, or an empty field of a CSV row
	textCell                   // a JSON string
	numberCell                 // a JSON number
	plainCell                  // a field of a CSV row, which may be either
	otherCell                  // anything else
)

// cell is one value of a row.
type cell struct {
	kind cellKind
	// repaired says that the text wasn't UTF-8.
	repaired bool
	// text is the content; of otherCell the type's name.
	text string
}

// fields are the values of one row. Its methods read a property as the type that the
// provider documents; absent and null are the zero value, and so is an empty string.
// The first value of another type is the row's problem, which a caller looks at when it
// has read all. Texts hold as long as the arena.
type fields struct {
	names   *names
	arena   *wire.Arena
	cells   [properties]cell
	seen    uint32
	problem string
	// isObject says that the row is a JSON object.
	isObject bool
}

func (f *fields) begin() {
	f.cells, f.seen, f.problem, f.isObject = [properties]cell{}, 0, "", false
}

// parse takes a JSON row, a valid object in the arena.
func (f *fields) parse(object []byte) {
	f.begin()
	f.isObject = true
	wire.Members(object, func(name, value []byte) {
		name = name[1 : len(name)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = f.arena.Unquote(name)
		}
		if p := f.names.find(name); p != unknownProperty {
			f.set(p, f.cellOf(value))
		}
	})
}

// set keeps a value.
func (f *fields) set(p property, c cell) {
	if f.seen&(1<<p) != 0 {
		// Whoever reads it may take either value: there is no right one.
		f.fail(p, "is given twice")
		return
	}
	f.seen |= 1 << p
	f.cells[p] = c
}

// cellOf reads a raw JSON value.
func (f *fields) cellOf(raw []byte) cell {
	switch raw[0] {
	case 'n':
		return cell{}
	case '"':
		return f.quoted(raw[1 : len(raw)-1])
	case '{', '[', 't', 'f':
		return cell{kind: otherCell, text: wire.TypeOf(raw[0])}
	}
	return cell{kind: numberCell, text: wire.View(raw)}
}

// quoted is the content of a JSON string, in valid UTF-8, and nothing if it is empty.
func (f *fields) quoted(content []byte) cell {
	if len(content) == 0 {
		return cell{}
	}
	text, repaired := f.arena.Text(content)
	return cell{kind: textCell, text: text, repaired: repaired}
}

// plain is a field of a CSV row, in valid UTF-8, and nothing if it is empty.
func plain(text string) cell {
	text = strings.TrimSpace(text)
	if text == "" {
		return cell{}
	}
	c := cell{kind: plainCell, repaired: !utf8.ValidString(text), text: text}
	if c.repaired {
		c.text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	return c
}

// fail keeps the first problem. It holds nothing of the value.
func (f *fields) fail(p property, problem string) {
	if f.problem == "" {
		f.problem = propertyNames[p] + " " + problem
	}
}
