package rows

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of XML. It is read as a stream, so that only a row is in memory.
const (
	xmlDepth = 32       // nested elements
	xmlValue = 1 << 20  // bytes of a value; a row with a longer value is set aside
	xmlRow   = 16 << 20 // bytes of a row, or between rows; more ends the read
)

// XMLError says why an XML document can't be read. It quotes nothing of it.
type XMLError string

func (e XMLError) Error() string { return string(e) }

// ReadXML yields the rows of a document as JSON objects: the elements at the end of a path, at any
// depth; without a path the root. An error comes last; it is an XMLError unless reading failed.
func ReadXML(in io.Reader, at []string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		x, err := newXMLReader(in)
		if err != nil {
			yield(Row{}, err)
			return
		}
		x.readRows(at, func(row Row, _ int64, err error) bool { return yield(row, err) })
	}
}

// XMLElements are the texts of the elements that ReadXML reads as rows, in UTF-8.
func XMLElements(text []byte, at []string) (all []string, err error) {
	x, err := newXMLReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	x.text.keeps = true
	x.readRows(at, func(_ Row, begin int64, failed error) bool {
		if err = failed; err == nil {
			all = append(all, string(x.text.kept[begin:x.InputOffset()]))
		}
		return err == nil
	})
	return all, err
}

// readRows yields the rows, and where each begins. An error comes last.
func (x *xmlReader) readRows(at []string, yield func(row Row, begin int64, err error) bool) {
	var names []string
	elements, rows := 0, 0
	for {
		begin := x.InputOffset()
		token, err := x.Token()
		if err != nil {
			if err = x.problem(err); err == nil && elements == 0 {
				err = XMLError("it isn't XML")
			} else if err == nil && elements > 1 && rows == 0 {
				err = XMLError("it doesn't have the element " + strings.Join(at, "."))
			}
			if err != nil {
				yield(Row{}, 0, err)
			}
			return
		}
		x.text.left = xmlRow
		switch t := token.(type) {
		case xml.Directive: // a DTD
			yield(Row{}, 0, XMLError("it has a DTD, which isn't supported"))
			return
		case xml.EndElement:
			names = names[:len(names)-1]
		case xml.StartElement:
			elements++
			if names = append(names, t.Name.Local); len(names) > xmlDepth {
				yield(Row{}, 0, errXMLDepth)
				return
			}
			if len(at) > len(names) || !slices.Equal(names[len(names)-len(at):], at) {
				continue
			}
			row, err := x.row(&t, len(names))
			if err = x.problem(err); !yield(row, begin, err) || err != nil {
				return
			}
			rows++
			names = names[:len(names)-1]
		}
	}
}

const xmlLongValue = "it has a value longer than 1 MiB"

const errXMLDepth = XMLError("it has elements more than 32 deep")

// xmlReader reads elements.
type xmlReader struct {
	*xml.Decoder

	text *xmlText
}

func newXMLReader(in io.Reader) (*xmlReader, error) {
	text := &xmlText{in: bufio.NewReaderSize(in, 64<<10), left: xmlRow}
	begin, err := text.in.Peek(256)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if found := encodingIn.FindSubmatch(begin); found != nil {
		switch encoding := strings.ToLower(string(found[1])); encoding {
		case "utf-8", "utf8", "us-ascii", "ascii": // Python writes the name that it was given
		case "iso-8859-1", "latin-1", "latin1":
			text.latin = true
		default:
			return nil, XMLError("its encoding must be UTF-8 or ISO-8859-1")
		}
	}
	d := xml.NewDecoder(text)
	// xmlText converts a document to UTF-8.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return &xmlReader{d, text}, nil
}

var encodingIn = regexp.MustCompile(`^(?:\xef\xbb\xbf)?\s*<\?xml\s[^>]*encoding\s*=\s*["']([^"']*)`)

// problem is an error of the decoder without its text, which may quote the document; nil at the
// end.
func (x *xmlReader) problem(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	if _, known := errors.AsType[XMLError](err); known {
		return err
	}
	if x.text.failed != nil {
		return x.text.failed
	}
	line, _ := x.InputPos()
	return XMLError(fmt.Sprintf("it isn't valid XML, at line %d", line))
}

// row reads an element as a row. A value that is too long becomes the row's problem.
func (x *xmlReader) row(start *xml.StartElement, depth int) (r Row, err error) {
	e := xmlElement{}
	e.addAttributes("", start, &r.Problem)
	text, err := x.content(&e, depth, &r.Problem)
	if err != nil {
		return r, err
	}
	if text != "" {
		e.add("#text", Quoted(text))
	}
	r.Raw = e.json()
	return r, nil
}

// content reads an element's content up to its end: other elements, which it adds to the element,
// or text.
func (x *xmlReader) content(e *xmlElement, depth int, problem *string) (string, error) {
	var text strings.Builder
	for {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			if text.Len()+len(t) > xmlValue {
				*problem = xmlLongValue
				continue
			}
			text.Write(t)
		case xml.Directive:
			return "", XMLError("it has a DTD, which isn't supported")
		case xml.EndElement:
			return strings.TrimSpace(text.String()), nil
		case xml.StartElement:
			if depth == xmlDepth {
				return "", errXMLDepth
			}
			start, child := t, xmlElement{}
			inner, err := x.content(&child, depth+1, problem)
			if err != nil {
				return "", err
			}
			value := Quoted(inner)
			if len(child.names) > 0 {
				value = child.json()
			}
			e.add(start.Name.Local, value)
			e.addAttributes(start.Name.Local, &start, problem)
		}
	}
}

// xmlElement is an element with others in it, as a JSON object.
type xmlElement struct {
	names  []string
	values map[string][][]byte
}

func (e *xmlElement) add(name string, value []byte) {
	if e.values == nil {
		e.values = make(map[string][][]byte)
	}
	if e.values[name] == nil {
		e.names = append(e.names, name)
	}
	e.values[name] = append(e.values[name], value)
}

// addAttributes adds the attributes of the element that was added last, as NAME@ATTRIBUTE. If an
// element comes several times, its attributes have the same indexes as its values.
func (e *xmlElement) addAttributes(name string, start *xml.StartElement, problem *string) {
	for _, a := range start.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		if len(a.Value) > xmlValue {
			*problem, a.Value = xmlLongValue, ""
		}
		key := name + "@" + a.Name.Local
		for len(e.values[key])+1 < len(e.values[name]) {
			e.add(key, []byte("null"))
		}
		e.add(key, Quoted(strings.TrimSpace(a.Value)))
	}
}

func (e *xmlElement) json() []byte {
	members, comma := make([][]byte, len(e.names)), []byte{','}
	for i, name := range e.names {
		values := e.values[name]
		value := values[0]
		if element, _, _ := strings.Cut(name, "@"); len(values) > 1 || len(e.values[element]) > 1 {
			value = slices.Concat([]byte{'['}, bytes.Join(values, comma), []byte{']'})
		}
		members[i] = slices.Concat(Quoted(name), []byte{':'}, value)
	}
	return slices.Concat([]byte{'{'}, bytes.Join(members, comma), []byte{'}'})
}

// Quoted is a text as JSON.
func Quoted(text string) []byte {
	b, _ := jsontext.AppendQuote(nil, text) // invalid UTF-8 is replaced, and xmlText has none
	return b
}

// xmlText reads a document as UTF-8, without characters that XML doesn't allow: a wrong byte, a
// control character or an ampersand that isn't escaped in one value doesn't cost the row.
type xmlText struct {
	in      *bufio.Reader
	latin   bool
	cdata   bool   // in a CDATA section, where an ampersand is text
	left    int    // bytes left before the row must end
	pending []byte // rest of the character read last
	failed  error  // read error
	keeps   bool   // what is read stays in kept
	kept    []byte
}

// Read implements io.Reader. The decoder reads byte by byte.
func (t *xmlText) Read(p []byte) (n int, err error) {
	for ; n < len(p) && err == nil; n++ {
		if p[n], err = t.ReadByte(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// ReadByte implements io.ByteReader.
func (t *xmlText) ReadByte() (byte, error) {
	b, err := t.readByte()
	if t.keeps && err == nil {
		t.kept = append(t.kept, b)
	}
	return b, err
}

func (t *xmlText) readByte() (byte, error) {
	if len(t.pending) == 0 {
		if t.left--; t.left < 0 {
			return 0, XMLError("it has a row, or a piece between rows, of more than 16 MiB")
		}
		c, err := t.readRune()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.failed = err
			}
			return 0, err
		}
		if c == '<' || c == ']' || c == '&' {
			c = t.mended(c)
		}
		if c < utf8.RuneSelf {
			return byte(c), nil
		}
		t.pending = utf8.AppendRune(t.pending[:0], c)
	}
	b := t.pending[0]
	t.pending = t.pending[1:]
	return b, nil
}

var (
	reference = regexp.MustCompile(`^(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);`)
	// .NET writes control characters so.
	controlReference = regexp.MustCompile(`^#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8b-cB-Ce-fE-F]|1[0-9a-fA-F]));`)
)

// mended is the character that was read last. If it is an ampersand without a reference, the rest of &amp; is pending.
func (t *xmlText) mended(c rune) rune {
	ahead, _ := t.in.Peek(16) // an error comes again
	switch {
	case c == '<':
		t.cdata = t.cdata || bytes.HasPrefix(ahead, []byte("![CDATA["))
	case c == ']':
		t.cdata = t.cdata && !bytes.HasPrefix(ahead, []byte("]>"))
	case t.cdata || c != '&':
	case controlReference.Match(ahead):
		_, _ = t.in.Discard(bytes.IndexByte(ahead, ';') + 1)
		return utf8.RuneError
	case !reference.Match(ahead):
		t.pending = append(t.pending[:0], "amp;"...)
	}
	return c
}

func (t *xmlText) readRune() (c rune, err error) {
	if t.latin {
		var b byte
		b, err = t.in.ReadByte()
		c = rune(b)
	} else {
		c, _, err = t.in.ReadRune()
	}
	if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
		c = utf8.RuneError
	}
	return c, err
}
