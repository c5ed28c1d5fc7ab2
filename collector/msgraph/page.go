package msgraph

import (
	"errors"
	"io"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// pageDecoder reads Graph's envelope as it streams, and hands each row to a batch. It
// is for one goroutine.
//
// Names of the envelope are read without case, for the next link was seen in two
// spellings.
type pageDecoder struct {
	batch *batch
	input *wire.Input

	number   int // of the page
	next     string
	hasRows  bool
	hasError bool
}

func newPageDecoder(b *batch) *pageDecoder {
	return &pageDecoder{batch: b, input: wire.NewInput(wire.MaxValue, wire.BodyBuffer)}
}

// decode reads a page to its end and returns the link to the next one, empty after
// the last. After an error the page is as good as unread, though rows of a long page
// may have been handed on.
func (d *pageDecoder) decode(body io.Reader, number int) (next string, err error) {
	d.batch.begin(number)
	d.number, d.next, d.hasRows, d.hasError = number, "", false, false
	if err := d.input.Document(body, "the answer is no object", d.member); err != nil {
		return "", err
	}
	switch {
	case d.hasError:
		return "", errors.New("the answer is an error instead of a page")
	case !d.hasRows:
		return "", errors.New("the answer has no value, so it is no page of rows")
	}
	return d.next, d.batch.flush(d.next == "")
}

func (d *pageDecoder) member(name string) error {
	switch {
	case strings.EqualFold(name, "value"):
		return d.rows()
	case strings.EqualFold(name, "@odata.nextLink"):
		link, err := d.input.Link(d.next)
		d.next = link
		return err
	case strings.EqualFold(name, "error"):
		d.hasError = true
	}
	return d.input.JSON.SkipValue()
}

func (d *pageDecoder) rows() error {
	if d.hasRows {
		return errors.New("the answer has two values")
	}
	d.hasRows = true
	number := 0
	return d.input.Array("the answer's value is no array", func(row []byte) error {
		number++
		return d.batch.add(row, d.number, number)
	})
}
