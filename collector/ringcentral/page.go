package ringcentral

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// bodyBuffer is how much of a body is read at once, in bytes.
	bodyBuffer = 64 << 10
	// maxValue bounds one value of a page, such as a row: it has to be held whole.
	maxValue = 4 << 20
)

// errValueTooLong ends a page whose answer can't be a page of a call log.
var errValueTooLong = fmt.Errorf("a value of the page is longer than %d bytes", maxValue)

// rowTaker takes the rows of a page one after the other.
type rowTaker interface {
	// begin says that a page begins, or begins again.
	begin(page int)
	// add takes a row, which is valid JSON, with its number on the page. Its memory is
	// the caller's.
	add(value jsontext.Value, number int) error
}

// answer is what an answer holds beside its rows.
type answer struct {
	// next is the link to the next page, empty after the last.
	next string
	sync syncInfo
}

// syncInfo is of answers to call-log-extract-sync.
type syncInfo struct {
	Token string `json:"syncToken"`
	More  bool   `json:"newerRecordsExist"`
}

// navigation is of answers with pages.
type navigation struct {
	NextPage *struct {
		URI string `json:"uri"`
	} `json:"nextPage"`
}

// pageDecoder reads an envelope as it streams, and hands each row on. It is for one
// goroutine. Invalid UTF-8 and repeated names are no fault of the page: a row sees to
// its own.
type pageDecoder struct {
	rows  rowTaker
	input *bufio.Reader
	guard guard
	json  *jsontext.Decoder

	answer                             answer
	hasRows, hasError, hasNav, hasSync bool
}

func newPageDecoder(rows rowTaker) *pageDecoder {
	d := &pageDecoder{rows: rows, input: bufio.NewReaderSize(nil, bodyBuffer)}
	d.guard.reader = d.input
	d.json = jsontext.NewDecoder(&d.guard)
	return d
}

// decode reads a page to its end. After an error the page is as good as unread, though
// rows of a long page may have been handed on.
func (d *pageDecoder) decode(body io.Reader, number int) (answer, error) {
	d.rows.begin(number)
	d.input.Reset(body)
	d.json.Reset(&d.guard, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	d.answer, d.hasRows, d.hasError, d.hasNav, d.hasSync = answer{}, false, false, false, false
	if err := d.envelope(); err != nil {
		return answer{}, d.fault(err)
	}
	switch {
	case d.hasError:
		return answer{}, errors.New("the answer is an error instead of a page")
	case !d.hasRows:
		return answer{}, errors.New("the answer has no records, so it is no page of a call log")
	}
	return d.answer, nil
}

// fault words an error without anything of the page.
func (d *pageDecoder) fault(err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case d.guard.err != nil: // the decoder may take it for bad syntax
		return d.guard.err
	case errors.Is(err, io.EOF):
		return errors.New("the answer is empty")
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
	switch name {
	case "records":
		return d.records()
	case "navigation":
		return d.navigation()
	case "syncInfo":
		return d.part(name, &d.hasSync, &d.answer.sync)
	case "errorCode", "error":
		d.hasError = true
	}
	return d.json.SkipValue()
}

func (d *pageDecoder) records() error {
	if d.hasRows {
		return errors.New("the answer has records twice")
	}
	d.hasRows = true
	if err := d.open('[', "the answer's records are no array"); err != nil {
		return err
	}
	for number := 1; d.json.PeekKind() != ']'; number++ {
		d.guard.left = maxValue
		row, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		if err := d.rows.add(row, number); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// navigation reads the link to the next page. Its text is never changed.
func (d *pageDecoder) navigation() error {
	var n navigation
	if err := d.part("navigation", &d.hasNav, &n); err != nil || n.NextPage == nil {
		return err
	}
	if n.NextPage.URI == "" {
		return errors.New("the answer's next page has no link")
	}
	d.answer.next = n.NextPage.URI
	return nil
}

// part decodes a small object of the envelope; null is none.
func (d *pageDecoder) part(name string, seen *bool, into any) error {
	if *seen {
		return errors.New("the answer has " + name + " twice")
	}
	*seen = true
	value, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(value, into, rowOptions); err != nil {
		return errors.New("the answer's " + name + " is not as documented") // the decoder's text may quote it
	}
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
