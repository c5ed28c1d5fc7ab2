package ringcentral

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// perPage is the most that RingCentral puts on a page; it cuts what is above.
	perPage = 1000
	// maxPages is the last page that RingCentral has: a million rows.
	maxPages = 1000
	// maxWholeRows bounds an answer that can't be handed on in pieces: RingCentral speaks of a
	// thousand rows, and some more.
	maxWholeRows = 20_000
)

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

// pageDecoder reads an envelope and keeps its rows. It is for one goroutine.
type pageDecoder struct {
	input *wire.Input
	rows  wire.Rows

	answer                             answer
	hasRows, hasError, hasNav, hasSync bool
}

func newPageDecoder() *pageDecoder {
	return &pageDecoder{input: wire.NewInput(wire.MaxValue)}
}

// decode reads an answer and returns the link to the next page, empty after the last.
func (d *pageDecoder) decode(response *httpclient.Response) (next string, err error) {
	d.rows = nil
	d.answer, d.hasRows, d.hasError, d.hasNav, d.hasSync = answer{}, false, false, false, false
	err = d.input.Document(response.Body.Bytes(), "the answer is no object", d.member)
	switch {
	case errors.Is(err, wire.ErrTooManyRows):
		return "", err
	case err == nil && d.hasError:
		err = errors.New("the answer is an error instead of a page")
	case err == nil && !d.hasRows:
		err = errors.New("the answer has no records, so it is no page of a call log")
	}
	return d.answer.next, httpclient.Retryable(err)
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
	return d.input.Array("the answer's records are no array", d.rows.Add)
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

// pageMapper maps rows to pages, each in the memory of the one before. It is for one goroutine.
type pageMapper struct {
	mapper  *mapper
	row     row
	records wire.Records
	page    collector.Page
}

// mapPage maps rows, of which the first has that number on the provider's page.
func (m *pageMapper) mapPage(rows [][]byte, page, first int, last bool) *collector.Page {
	m.records.Reset()
	m.mapper.unmapped = m.mapper.unmapped[:0]
	m.page = collector.Page{Invalid: m.page.Invalid[:0], Ignored: m.page.Ignored[:0], Last: last}
	for i, content := range rows {
		m.add(collector.BadRow{Content: content, At: fmt.Sprintf("page %d, row %d", page, first+i)})
	}
	m.page.Records, m.page.Unmapped = m.records.Kept(), m.mapper.unmapped
	return &m.page
}

// add maps a row, or sets it aside.
func (m *pageMapper) add(row collector.BadRow) {
	if row.Problem = decodeRow(row.Content, &m.row); row.Problem == "" {
		if ignored := m.mapper.ignored(&m.row); ignored != "" {
			row.Problem = ignored
			m.page.Ignored = append(m.page.Ignored, row)
			return
		}
		known := len(m.mapper.unmapped)
		r := m.records.Next()
		if row.Problem = m.mapper.mapRow(&m.row, r); row.Problem == "" {
			m.records.Keep()
			return
		}
		m.mapper.unmapped = m.mapper.unmapped[:known]
	}
	m.page.Invalid = append(m.page.Invalid, row)
}
