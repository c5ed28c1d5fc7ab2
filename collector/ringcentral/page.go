package ringcentral

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
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
func (d *pageDecoder) decode(body []byte) (next string, err error) {
	d.answer = answer{}
	err = d.input.Document(body, "the answer is no object", d.member)
	page := d.navigation.NextPage
	switch {
	case errors.Is(err, wire.ErrTooManyRows):
		return "", err
	case err == nil && !d.hasRows:
		err = errors.New("the answer has no records, so it is no page of a call log")
	case err == nil && page != nil && page.URI == "":
		err = errors.New("the answer's next page has no link")
	case page != nil:
		next = page.URI
	}
	return next, httpclient.Retryable(err)
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

// mapPage maps rows, of which the first has that number on the provider's page.
func (m *mapper) mapPage(rows [][]byte, number, first int) *collector.Page {
	m.page = collector.Page{}
	for i, content := range rows {
		m.addRow(collector.BadRow{Content: content, At: fmt.Sprintf("page %d, row %d", number, first+i)})
	}
	page := m.page
	return &page
}

func (m *mapper) addRow(raw collector.BadRow) {
	var r row
	if raw.Problem = decodeRow(raw.Content, &r); raw.Problem == "" {
		if raw.Problem = m.ignored(&r); raw.Problem != "" {
			m.page.Ignored = append(m.page.Ignored, raw)
			return
		}
		record, known := new(cdr.Record), len(m.page.Unmapped)
		if raw.Problem = m.mapRow(&r, record); raw.Problem == "" {
			m.page.Records = append(m.page.Records, record)
			return
		}
		m.page.Unmapped = m.page.Unmapped[:known]
	}
	m.page.Invalid = append(m.page.Invalid, raw)
}
