package wavix

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// BodyBuffer is how much of a body is read at once, in bytes.
	BodyBuffer = 64 << 10
	// MaxValue is how long one value of an answer may usually be, such as a row, in bytes:
	// it has to be held whole.
	MaxValue = 4 << 20
)

// What comes in place of an answer.
var (
	ErrValueTooLong = errors.New("a value of the answer is too long")
	ErrHTML         = errors.New("got HTML where call records were expected")
	ErrCut          = errors.New("the answer is cut")
	errEmpty        = errors.New("the answer is empty")
)

// TooLong is an ErrValueTooLong that tells how long a value may be, in bytes.
func TooLong(most int) error { return fmt.Errorf("%w: over %d bytes", ErrValueTooLong, most) }

// Input reads JSON as it streams. Invalid UTF-8 and repeated names are no fault of an
// answer: a row sees to its own. It is for one goroutine.
type Input struct {
	// Buffer is what comes next, for those who look at it before it is read as JSON.
	Buffer *bufio.Reader
	// JSON reads what Object and Array leave to whom they call.
	JSON *jsontext.Decoder

	guard guard
}

// NewInput returns one whose values may be so many bytes long, and which reads so many
// at once.
func NewInput(maxValue, buffer int) *Input {
	in := &Input{Buffer: bufio.NewReaderSize(nil, buffer), guard: guard{most: maxValue}}
	in.guard.reader = in.Buffer
	in.JSON = jsontext.NewDecoder(&in.guard)
	return in
}

// Reset begins a body.
func (in *Input) Reset(body io.Reader) {
	in.Buffer.Reset(body)
	in.guard.reader = in.Buffer
	in.JSON.Reset(&in.guard, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	in.guard.err = nil
	in.Next()
}

// Document reads a body that is one object, as Object does, and words what is wrong
// with it without anything of it.
func (in *Input) Document(body io.Reader, otherwise string, member func(name string) error) error {
	in.Reset(body)
	err := in.Object(otherwise, member)
	if err == nil {
		err = in.End()
	}
	return in.Fault(err)
}

// Next lets another value be as long as one may be.
func (in *Input) Next() { in.guard.left = in.guard.most }

// Fault words an error of the methods of this type without anything of the answer.
func (in *Input) Fault(err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case err == nil:
		return nil
	case in.guard.err != nil: // the decoder may take it for bad syntax
		return in.guard.err
	case errors.Is(err, io.EOF):
		return errEmpty
	case !ok:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w at byte %d", ErrCut, syntax.ByteOffset)
	}
	return fmt.Errorf("the answer is no valid JSON at byte %d", syntax.ByteOffset)
}

// open reads the beginning of an object or array.
func (in *Input) open(kind jsontext.Kind, otherwise string) error {
	switch token, err := in.JSON.ReadToken(); {
	case err != nil:
		return err
	case token.Kind() != kind:
		return errors.New(otherwise)
	}
	return nil
}

// Object reads an object and calls member for each of its names, which reads the value.
func (in *Input) Object(otherwise string, member func(name string) error) error {
	if err := in.open('{', otherwise); err != nil {
		return err
	}
	for {
		in.Next()
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

// Array reads an array, which is a member of the body's object, and calls element for each raw value of it, which holds until element
// returns. An element that is no valid JSON, or too long, doesn't end the array: in its place element gets a string that stands
// for it (Unreadable), and reading goes on behind it.
func (in *Input) Array(otherwise string, element func(raw []byte) error) error {
	if err := in.open('[', otherwise); err != nil {
		return err
	}
	for in.JSON.PeekKind() != ']' {
		in.Next()
		raw, err := in.JSON.ReadValue()
		if err != nil {
			raw, err = in.skipElement(err)
		}
		if err != nil {
			return err
		}
		if err := element(raw); err != nil {
			return err
		}
	}
	_, err := in.JSON.ReadToken()
	return err
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

// End makes sure that nothing follows.
func (in *Input) End() error {
	switch _, err := in.JSON.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("the answer goes on behind its end")
}

// SkipMark takes a byte order mark off the begin of a body.
func SkipMark(body *bufio.Reader) {
	const mark = "\ufeff"
	if begin, err := body.Peek(len(mark)); err == nil && string(begin) == mark {
		_, _ = body.Discard(len(mark)) // they are in the buffer
	}
}

// NotHTML looks at the first byte of a body that isn't blank.
func NotHTML(body *bufio.Reader) error {
	for n := 1; ; n++ {
		begin, err := body.Peek(n)
		switch {
		case err != nil:
			return nil //nolint:nilerr // too short, or all blank: whoever reads it will see
		case begin[n-1] == '<':
			return ErrHTML
		case begin[n-1] > ' ' && begin[n-1] < 0x80:
			return nil
		}
	}
}

// guard is a reader that ends values that are too long: whoever begins a value says
// how much may be left of it.
type guard struct {
	reader     io.Reader
	most, left int
	err        error // other than the body's end
}

// Read implements io.Reader.
func (g *guard) Read(b []byte) (n int, err error) {
	if g.left <= 0 {
		err = TooLong(g.most)
	} else {
		n, err = g.reader.Read(b[:min(len(b), g.left)])
		g.left -= n
	}
	if err != nil && !errors.Is(err, io.EOF) {
		g.err = err
	}
	return n, err
}
