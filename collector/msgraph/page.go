package msgraph

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// bodyBuffer is how much of a body is read at once, in bytes.
	bodyBuffer = 64 << 10
	// maxValue bounds one value of a page, such as a row: it has to be held whole.
	maxValue = 4 << 20
)

// errValueTooLong ends a page whose answer can't be a page of call logs.
var errValueTooLong = fmt.Errorf("a value of the page is longer than %d bytes", maxValue)

// pageDecoder reads Graph's envelope as it streams, and hands each row to a batch. It
// is for one goroutine.
//
// Names of the envelope are read without case, for the next link was seen in two
// spellings. Invalid UTF-8 and repeated names are no fault of the page: a row sees to
// its own.
type pageDecoder struct {
	batch *batch
	input *bufio.Reader
	guard guard
	json  *jsontext.Decoder

	number   int // of the page
	next     string
	hasRows  bool
	hasError bool
}

func newPageDecoder(b *batch) *pageDecoder {
	d := &pageDecoder{batch: b, input: bufio.NewReaderSize(nil, bodyBuffer)}
	d.guard.reader = d.input
	d.json = jsontext.NewDecoder(&d.guard)
	return d
}

// decode reads a page to its end and returns the link to the next one, empty after
// the last. After an error the page is as good as unread, though rows of a long page
// may have been handed on.
func (d *pageDecoder) decode(body io.Reader, number int) (next string, err error) {
	d.batch.begin(number)
	d.input.Reset(body)
	d.json.Reset(&d.guard, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	d.number, d.next, d.hasRows, d.hasError = number, "", false, false
	if err := d.envelope(); err != nil {
		return "", d.fault(err)
	}
	switch {
	case d.hasError:
		return "", errors.New("the answer is an error instead of a page")
	case !d.hasRows:
		return "", errors.New("the answer has no value, so it is no page of rows")
	}
	return d.next, d.batch.flush(d.next == "")
}

// fault words an error without anything of the page.
func (d *pageDecoder) fault(err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case d.guard.err != nil: // the decoder may take it for bad syntax
		return d.guard.err
	case !ok:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the answer is cut at byte %d", syntax.ByteOffset)
	}
	return fmt.Errorf("the answer is no valid JSON at byte %d", syntax.ByteOffset)
}

func (d *pageDecoder) envelope() error {
	d.guard.left, d.guard.err = maxValue, nil
	if err := d.open('{', "the answer is no object"); err != nil {
		return err
	}
	for {
		d.guard.left = maxValue
		token, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() == '}' {
			break
		}
		if err := d.member(token.String()); err != nil {
			return err
		}
	}
	switch _, err := d.json.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("the answer goes on behind the page")
}

// open reads the beginning of an object or array.
func (d *pageDecoder) open(kind jsontext.Kind, otherwise string) error {
	switch token, err := d.json.ReadToken(); {
	case err != nil:
		return err
	case token.Kind() != kind:
		return errors.New(otherwise)
	}
	return nil
}

func (d *pageDecoder) member(name string) error {
	switch {
	case strings.EqualFold(name, "value"):
		return d.rows()
	case strings.EqualFold(name, "@odata.nextLink"):
		return d.nextLink()
	case strings.EqualFold(name, "error"):
		d.hasError = true
	}
	return d.json.SkipValue()
}

func (d *pageDecoder) rows() error {
	if d.hasRows {
		return errors.New("the answer has two values")
	}
	d.hasRows = true
	if err := d.open('[', "the answer's value is no array"); err != nil {
		return err
	}
	for number := 1; d.json.PeekKind() != ']'; number++ {
		d.guard.left = maxValue
		row, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		if err := d.batch.add(row, d.number, number); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// nextLink reads the link; null is none. Its text is never changed.
func (d *pageDecoder) nextLink() error {
	token, err := d.json.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == 'n':
		return nil
	case token.Kind() != '"':
		return errors.New("the answer's next link is no string")
	}
	link := token.String()
	if d.next != "" && d.next != link {
		return errors.New("the answer has two next links")
	}
	d.next = link
	return nil
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
