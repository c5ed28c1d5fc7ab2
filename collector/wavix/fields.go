package wavix

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
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
	arena   *arena
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
	members(object, func(name, value []byte) {
		name = name[1 : len(name)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = f.unquote(name)
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
	case '{':
		return cell{kind: otherCell, text: "an object"}
	case '[':
		return cell{kind: otherCell, text: "an array"}
	case 't', 'f':
		return cell{kind: otherCell, text: "a boolean"}
	}
	return cell{kind: numberCell, text: view(raw)}
}

// quoted is the content of a JSON string, in valid UTF-8, and nothing if it is empty.
func (f *fields) quoted(content []byte) cell {
	if len(content) == 0 {
		return cell{}
	}
	c := cell{kind: textCell, repaired: !utf8.Valid(content)}
	if c.repaired || bytes.IndexByte(content, '\\') >= 0 {
		content = f.unquote(content)
	}
	c.text = view(content)
	return c
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

func (f *fields) unquote(content []byte) []byte {
	// The text is never longer than its JSON, but for bytes that aren't UTF-8, which
	// become three.
	f.arena.reserve(3 * len(content))
	begin := len(f.arena.block)
	quoted := append(append([]byte{'"'}, content...), '"')
	// The error says that something wasn't UTF-8; it has been replaced.
	f.arena.block, _ = jsontext.AppendUnquote(f.arena.block, quoted)
	return f.arena.block[begin:len(f.arena.block):len(f.arena.block)]
}

// fail keeps the first problem. It holds nothing of the value.
func (f *fields) fail(p property, problem string) {
	if f.problem == "" {
		f.problem = propertyNames[p] + " " + problem
	}
}
