package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxValue is how long a row may be, in bytes.
const MaxValue = 4 << 20

// What comes in place of an answer.
var (
	ErrHTML  = errors.New("got HTML where call records were expected")
	ErrCut   = errors.New("the answer is cut")
	errEmpty = errors.New("the answer is empty")
)

// Input reads JSON that is in memory. Invalid UTF-8 and repeated names are no fault of an
// answer: a row sees to its own. It is for one goroutine.
type Input struct {
	// JSON reads what Object and Array leave to whom they call.
	JSON *jsontext.Decoder

	body []byte
	from int // where what JSON reads begins in the body
}

// NewInput returns an Input that reads nothing yet.
func NewInput() *Input { return &Input{JSON: jsontext.NewDecoder(new(bytes.Buffer))} }

// lenient is how answers and rows are read.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// Document reads a body that is one object, as Object does. Its errors quote nothing of the body. The values that it gives are views of the body.
// Document overwrites the punctuation behind an array.
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

// readFrom has JSON read the body from that byte on.
func (in *Input) readFrom(at int) {
	in.from = at
	in.JSON.Reset(bytes.NewBuffer(in.body[at:]), lenient...) // which is read in place
}

// fault is an error that quotes nothing of the answer.
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
func invalidAt(at int) error { return fmt.Errorf("the answer is no valid JSON at byte %d", at) }

// open reads the beginning of an object or array. typeError is the error if it is another value.
func (in *Input) open(kind jsontext.Kind, typeError string) error {
	switch token, err := in.JSON.ReadToken(); {
	case err != nil:
		return err
	case token.Kind() != kind:
		return errors.New(typeError)
	}
	return nil
}

// Object reads an object and calls member for each of its names, which reads the value.
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

// Array reads an array that is a member of the document, and calls element for each raw value of it, or for what stands for it (Checked).
func (in *Input) Array(typeError string, element func(raw []byte) error) error {
	return in.elements(typeError, func(raw []byte) error { return element(Checked(raw)) })
}

// Link reads the link to the next page, of which before was read already; null is none. Its text is never changed.
func (in *Input) Link(before string) (string, error) {
	token, err := in.JSON.ReadToken()
	switch {
	case err != nil:
		return before, err
	case token.Kind() == 'n':
		return before, nil
	case token.Kind() != '"':
		return before, errors.New("the answer's next link is no string")
	}
	link := token.String()
	if before != "" && before != link {
		return before, errors.New("the answer has two next links")
	}
	return link, nil
}

// Lines reads a body of which each line is a row in JSON. Empty lines are none; a row that is no valid JSON, or longer than MaxValue, is given
// as Array gives it. A last line that has no end and can't be read is cut.
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
