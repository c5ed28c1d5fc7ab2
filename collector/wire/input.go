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
	// JSON reads the values that Page leaves to its callback.
	JSON *jsontext.Decoder

	body []byte
	from int // the position in the body where JSON started
}

// NewInput returns an Input without a body.
func NewInput() *Input { return &Input{JSON: jsontext.NewDecoder(new(bytes.Buffer))} }

// lenient are the options for reading answers and rows.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

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

// object reads an object and calls member for each name; member reads the value.
func (in *Input) object(member func(name string) error) error {
	switch token, err := in.JSON.ReadToken(); {
	case err != nil:
		return err
	case token.Kind() != '{':
		return errors.New("the answer isn't an object")
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
