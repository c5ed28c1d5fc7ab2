package wavix

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// pageDecoder reads a page {items, pagination}, in any order, and hands each row to the
// batch as it comes. It is for one goroutine.
type pageDecoder struct {
	batch *batch // nil: only the pagination matters
	input *Input

	refusal  refusal
	hasItems bool
	info     pageInfo
}

func newPageDecoder(b *batch, in *Input) *pageDecoder {
	return &pageDecoder{batch: b, input: in}
}

// decode reads a page to its end. After an error the page is as good as unread, though
// rows of a long page may have been handed on.
func (d *pageDecoder) decode(body io.Reader, page, perPage int) (pageInfo, error) {
	if d.batch != nil {
		d.batch.begin(page, perPage)
	}
	d.refusal, d.hasItems, d.info = refusal{}, false, pageInfo{Total: -1, PerPage: perPage}
	err := d.input.Document(body, "the answer is no object", d.member)
	if err == nil {
		err = d.refusal.err()
	}
	switch {
	case err != nil:
		return pageInfo{}, err
	case !d.hasItems:
		return pageInfo{}, errors.New("the answer has no items, so it is no page of calls")
	case d.batch == nil:
		return d.info, nil
	}
	if err := d.batch.end(d.info.Total); err != nil {
		return pageInfo{}, err
	}
	return d.batch.info(d.info.Total, d.info.PerPage), nil
}

func (d *pageDecoder) member(name string) error {
	switch {
	case strings.EqualFold(name, "items"):
		return d.items()
	case strings.EqualFold(name, "pagination"):
		return d.pagination()
	}
	raw, err := d.input.JSON.ReadValue()
	if err == nil {
		d.refusal.member(name, raw)
	}
	return err
}

func (d *pageDecoder) items() error {
	if d.hasItems {
		return errors.New("the answer has items twice")
	}
	d.hasItems = true
	return d.input.Array("the answer's items are no array", func(raw []byte) error {
		if d.batch == nil {
			return nil
		}
		return d.batch.object(raw)
	})
}

// pagination reads what the page says of all pages. A size of 0 was seen, and says
// nothing; the number of pages follows from the others.
func (d *pageDecoder) pagination() error {
	return d.input.Object("the answer's pagination is no object", func(name string) error {
		raw, err := d.input.JSON.ReadValue()
		if err != nil {
			return err
		}
		switch strings.ToLower(name) {
		case "total":
			d.info.Total, err = countOf(name, raw)
		case "per_page":
			var size int
			if size, err = countOf(name, raw); size > 0 {
				d.info.PerPage = size
			}
		}
		return err
	})
}

// countOf reads a number of rows.
func countOf(name string, raw jsontext.Value) (int, error) {
	n, err := strconv.ParseUint(string(raw), 10, 31)
	if err != nil {
		return -1, errors.New("the answer's pagination." + strings.ToLower(name) + " is no number of rows")
	}
	return int(n), nil
}
