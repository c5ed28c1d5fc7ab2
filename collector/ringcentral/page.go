package ringcentral

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

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
// goroutine.
type pageDecoder struct {
	rows  rowTaker
	input *wire.Input

	answer                             answer
	hasRows, hasError, hasNav, hasSync bool
}

func newPageDecoder(rows rowTaker) *pageDecoder {
	return &pageDecoder{rows: rows, input: wire.NewInput(wire.MaxValue, wire.BodyBuffer)}
}

// decode reads a page to its end. After an error the page is as good as unread, though
// rows of a long page may have been handed on.
func (d *pageDecoder) decode(body io.Reader, number int) (answer, error) {
	d.rows.begin(number)
	d.answer, d.hasRows, d.hasError, d.hasNav, d.hasSync = answer{}, false, false, false, false
	if err := d.input.Document(body, "the answer is no object", d.member); err != nil {
		return answer{}, err
	}
	switch {
	case d.hasError:
		return answer{}, errors.New("the answer is an error instead of a page")
	case !d.hasRows:
		return answer{}, errors.New("the answer has no records, so it is no page of a call log")
	}
	return d.answer, nil
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
	return d.input.JSON.SkipValue()
}

func (d *pageDecoder) records() error {
	if d.hasRows {
		return errors.New("the answer has records twice")
	}
	d.hasRows = true
	number := 0
	return d.input.Array("the answer's records are no array", func(row []byte) error {
		number++
		return d.rows.add(row, number)
	})
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
	value, err := d.input.JSON.ReadValue()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(value, into, rowOptions); err != nil {
		return errors.New("the answer's " + name + " is not as documented") // the decoder's text may quote it
	}
	return nil
}
