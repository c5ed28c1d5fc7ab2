package wavix

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// bodyBuffer is how much of a body is read at once, in bytes.
	bodyBuffer = 64 << 10
	// maxValue bounds one value of an answer, such as a row: it has to be held whole.
	maxValue = 4 << 20
)

// What comes in place of an answer.
var (
	errValueTooLong = fmt.Errorf("a value of the answer is longer than %d bytes", maxValue)
	errHTML         = errors.New("got HTML where call records were expected")
	errCut          = errors.New("the answer is cut")
)

// input reads JSON as it streams. Invalid UTF-8 and repeated names are no fault of an
// answer: a row sees to its own. It is for one goroutine.
type input struct {
	buffer *bufio.Reader
	guard  guard
	json   *jsontext.Decoder
}

func newInput() *input {
	in := &input{buffer: bufio.NewReaderSize(nil, bodyBuffer)}
	in.guard.reader = in.buffer
	in.json = jsontext.NewDecoder(&in.guard)
	return in
}

// reset begins a body.
func (in *input) reset(body io.Reader) {
	in.buffer.Reset(body)
	in.json.Reset(&in.guard, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	in.guard.left, in.guard.err = maxValue, nil
}

// next lets another value be as long as one may be.
func (in *input) next() { in.guard.left = maxValue }

// fault words an error without anything of the answer.
func (in *input) fault(err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case err == nil:
		return nil
	case in.guard.err != nil: // the decoder may take it for bad syntax
		return in.guard.err
	case !ok:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w at byte %d", errCut, syntax.ByteOffset)
	}
	return fmt.Errorf("the answer is no valid JSON at byte %d", syntax.ByteOffset)
}

// open reads the beginning of an object or array.
func (in *input) open(kind jsontext.Kind, otherwise string) error {
	switch token, err := in.json.ReadToken(); {
	case err != nil:
		return err
	case token.Kind() != kind:
		return errors.New(otherwise)
	}
	return nil
}

// object reads an object and calls member for each of its names, which reads the value.
func (in *input) object(otherwise string, member func(name string) error) error {
	if err := in.open('{', otherwise); err != nil {
		return err
	}
	for {
		in.next()
		token, err := in.json.ReadToken()
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

// array reads an array and calls element for each raw value of it.
func (in *input) array(otherwise string, element func(raw []byte) error) error {
	if err := in.open('[', otherwise); err != nil {
		return err
	}
	for in.json.PeekKind() != ']' {
		in.next()
		raw, err := in.json.ReadValue()
		if err != nil {
			return err
		}
		if err := element(raw); err != nil {
			return err
		}
	}
	_, err := in.json.ReadToken()
	return err
}

// end makes sure that nothing follows.
func (in *input) end() error {
	switch _, err := in.json.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("the answer goes on behind its end")
}

// skipMark takes a byte order mark off the begin of a body.
func skipMark(body *bufio.Reader) {
	const mark = "\ufeff"
	if begin, err := body.Peek(len(mark)); err == nil && string(begin) == mark {
		_, _ = body.Discard(len(mark)) // they are in the buffer
	}
}

// notHTML looks at the first byte of a body that isn't blank.
func notHTML(body *bufio.Reader) error {
	for n := 1; ; n++ {
		begin, err := body.Peek(n)
		switch {
		case err != nil:
			return nil //nolint:nilerr // too short, or all blank: whoever reads it will see
		case begin[n-1] == '<':
			return errHTML
		case begin[n-1] > ' ' && begin[n-1] < 0x80:
			return nil
		}
	}
}

// guard is a reader that ends values that are too long: whoever begins a value says
// how much may be left of it.
type guard struct {
	reader io.Reader
	left   int
	err    error // other than the body's end
}

// Read implements io.Reader.
func (g *guard) Read(b []byte) (n int, err error) {
	if g.left <= 0 {
		err = errValueTooLong
	} else {
		n, err = g.reader.Read(b[:min(len(b), g.left)])
		g.left -= n
	}
	if err != nil && !errors.Is(err, io.EOF) {
		g.err = err
	}
	return n, err
}
