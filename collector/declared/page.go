package declared

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// maxRows bounds the rows of a page.
const maxRows = 10_000

// answerPage is one page of an answer.
type answerPage struct {
	rows [][]byte
	row  row // the page itself, for paths beside the rows
	// total is the provider's own count of what was asked; -1 if it gives none.
	total int
}

var errNoPage = errors.New("the answer has no rows where they should be, so it is no page of calls")

// readPage reads a page of JSON: rows are at a path, or the body itself.
func (f *Feed) readPage(body []byte) (p answerPage, err error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case len(body) == 0:
		return p, wire.ErrCut
	case body[0] == '<':
		return p, wire.ErrHTML
	case f.Format == formatJSONLines:
		p.total = -1
		return p, wire.Lines(body, p.add)
	case !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return p, wire.ErrCut
	}
	array := body
	if p.row.setJSON(body); f.Rows != "" && f.Rows != "." {
		at, err := parsePath(f.Rows)
		if err != nil {
			return p, err
		}
		array = p.row.raw(at)
	}
	if len(array) == 0 || array[0] != '[' {
		return p, errNoPage
	}
	wire.Elements(array, func(element []byte) {
		if err == nil {
			err = p.add(element)
		}
	})
	p.total = p.count(f.Total)
	return p, err
}

func (p *answerPage) add(raw []byte) error {
	if len(p.rows) == maxRows {
		return fmt.Errorf("%w: over %d", wire.ErrTooManyRows, maxRows)
	}
	p.rows = append(p.rows, raw)
	return nil
}

// text is a text of the page beside its rows.
func (p *answerPage) text(at string) string {
	if at == "" {
		return ""
	}
	way, err := parsePath(at)
	if err != nil {
		return ""
	}
	text, _ := p.row.text(way)
	return text
}

func (p *answerPage) count(at string) int {
	n, err := strconv.Atoi(p.text(at))
	if err != nil || n < 0 {
		return -1
	}
	return n
}
