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

// pageDecoder reads an answer: its rows as they are written, since one that can't be decoded spoils no other, and what is beside them. It is for
// one goroutine.
type pageDecoder struct {
	input *wire.Input
	answer
}

// answer is what an answer holds.
type answer struct {
	rows    wire.Rows
	hasRows bool
	// Navigation has the link to the next page, which is none after the last.
	navigation struct {
		NextPage *struct {
			URI string `json:"uri"`
		} `json:"nextPage"`
	}
	// Sync is of answers to call-log-extract-sync.
	sync struct {
		Token string `json:"syncToken"`
		More  bool   `json:"newerRecordsExist"`
	}
}

func newPageDecoder() *pageDecoder {
	return &pageDecoder{input: wire.NewInput(wire.MaxValue)}
}

// decode reads an answer and returns the link to the next page, empty after the last.
func (d *pageDecoder) decode(response *httpclient.Response) (next string, err error) {
	d.answer = answer{}
	err = d.input.Document(response.Body.Bytes(), "the answer is no object", d.member)
	switch page := d.navigation.NextPage; {
	case errors.Is(err, wire.ErrTooManyRows):
		return "", err
	case err == nil && !d.hasRows:
		err = errors.New("the answer has no records, so it is no page of a call log")
	case err == nil && page != nil && page.URI == "":
		err = errors.New("the answer's next page has no link")
	}
	return d.next(), httpclient.Retryable(err)
}

// next is the link to the next page, as it was given.
func (a *answer) next() string {
	if a.navigation.NextPage == nil {
		return ""
	}
	return a.navigation.NextPage.URI
}

func (d *pageDecoder) member(name string) error {
	switch name {
	case "records":
		d.hasRows = true
		return d.input.Array("the answer's records are no array", d.rows.Add)
	case "navigation":
		return d.part(name, &d.navigation)
	case "syncInfo":
		return d.part(name, &d.sync)
	}
	return d.input.JSON.SkipValue()
}

// part decodes a small object of the answer; null is none.
func (d *pageDecoder) part(name string, into any) error {
	value, err := d.input.JSON.ReadValue()
	if err == nil && json.Unmarshal(value, into, answerOptions) != nil {
		err = errors.New("the answer's " + name + " is not as documented") // the decoder's text may quote it
	}
	return err
}

// pageMapper maps rows to pages, each in the memory of the one before. It is for one goroutine.
type pageMapper struct {
	mapper  *mapper
	row     row
	records wire.Records
	page    collector.Page
}

// mapPage maps rows, of which the first has that number on the provider's page.
func (m *pageMapper) mapPage(rows [][]byte, page, first int) *collector.Page {
	m.records.Reset()
	m.mapper.unmapped = m.mapper.unmapped[:0]
	m.page = collector.Page{Invalid: m.page.Invalid[:0], Ignored: m.page.Ignored[:0]}
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
