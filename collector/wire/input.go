package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxValue is the longest row, in bytes.
const MaxValue = 4 << 20

// The errors for a body that isn't an answer.
var (
	ErrHTML  = errors.New("got HTML where call records were expected")
	ErrCut   = errors.New("the answer is cut")
	errEmpty = errors.New("the answer is empty")
)

// Input reads JSON in memory. It accepts invalid UTF-8 and repeated names; the reader of a row
// checks them. It is for one goroutine.
type Input struct {
	// JSON reads the values that Object and Array leave to their callbacks.
	JSON *jsontext.Decoder

	body []byte
	from int // the position in the body where JSON started
}

// NewInput returns an Input without a body.
func NewInput() *Input { return &Input{JSON: jsontext.NewDecoder(new(bytes.Buffer))} }

// lenient are the options for reading answers and rows.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// Document reads a body that is one object, as Object does. Its errors quote nothing of the body.
// The values are views of the body. Document overwrites the punctuation after an array.
func (in *Input) Document(body []byte, typeError string, member func(name string) error) error {
	in.body = body
	in.readFrom(0)
	err := in.Object(typeError, member)
	if err == nil {
		switch _, err = in.JSON.ReadToken(); {
		case errors.Is(err, io.EOF):
			return nil
		case err == nil:
			err = errors.New("trailing data after the JSON value")
		}
	}
	return in.fault(err)
}

// readFrom lets JSON read the body from byte at.
func (in *Input) readFrom(at int) {
	in.from = at
	in.JSON.Reset(bytes.NewBuffer(in.body[at:]), lenient...) // without a copy
}

// fault makes an error that quotes nothing of the answer.
func (in *Input) fault(err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, io.EOF):
		return errEmpty
	case !ok:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return cutAt(len(in.body))
	}
	return invalidAt(in.from + int(syntax.ByteOffset))
}

func cutAt(at int) error     { return fmt.Errorf("%w at byte %d", ErrCut, at) }
func invalidAt(at int) error { return fmt.Errorf("the answer isn't valid JSON at byte %d", at) }

// open reads the start of an object or array. The error is typeError if the value has another type.
func (in *Input) open(kind jsontext.Kind, typeError string) error {
	switch token, err := in.JSON.ReadToken(); {
	case err != nil:
		return err
	case token.Kind() != kind:
		return errors.New(typeError)
	}
	return nil
}

// Object reads an object and calls member for each name; member reads the value.
func (in *Input) Object(typeError string, member func(name string) error) error {
	if err := in.open('{', typeError); err != nil {
		return err
	}
	for {
		token, err := in.JSON.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() == '}' {
			return nil
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
}

// Array reads an array that is a member of the document. It calls element for each raw value, or
// for its replacement (Checked).
func (in *Input) Array(typeError string, element func(raw []byte) error) error {
	return in.elements(typeError, func(raw []byte) error { return element(Checked(raw)) })
}

// Link reads the link to the next page; null means that there is none. before is the link that was
// already read. The link's text is never changed.
func (in *Input) Link(before string) (string, error) {
	token, err := in.JSON.ReadToken()
	switch {
	case err != nil:
		return before, err
	case token.Kind() == 'n':
		return before, nil
	case token.Kind() != '"':
		return before, errors.New("the answer's next link isn't a string")
	}
	link := token.String()
	if before != "" && before != link {
		return before, errors.New("the answer has two next links")
	}
	return link, nil
}

// Lines reads a body in which each line is a row in JSON. It skips empty lines. It replaces a row
// that isn't valid JSON, or is longer than MaxValue, as Array does. If the last line has no line
// end and can't be read, the body was cut.
func Lines(body []byte, row func(raw []byte) error) error {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if begin := bytes.TrimLeft(body, " \t\r\n"); len(begin) > 0 && begin[0] == '<' {
		return ErrHTML
	}
	for line := range bytes.Lines(body) {
		raw := jsontext.Value(bytes.TrimSpace(line))
		if len(raw) == 0 {
			continue
		}
		if !isReadable(raw) {
			if line[len(line)-1] != '\n' {
				return cutAt(len(body))
			}
			raw = standIn(raw)
		}
		if err := row(raw); err != nil {
			return err
		}
	}
	return nil
}
