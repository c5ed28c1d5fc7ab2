package ringcentral

import (
	"errors"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// perPage is the largest page size; RingCentral reduces a greater number.
	perPage = 1000
	// maxPages is RingCentral's last page: a million rows.
	maxPages = 1000
	// maxWholeRows limits an answer that can't be passed on in parts. RingCentral documents a
	// thousand rows.
	maxWholeRows = 20_000
)

// pageDecoder reads an answer: its rows as they were written, so that a malformed row doesn't spoil
// the others, and the other members. It is for one goroutine.
type pageDecoder struct {
	input *wire.Input
	rows  wire.Rows
	beside
}

// beside has the other members of an answer.
type beside struct {
	// Navigation has the link to the next page, except on the last page.
	navigation struct {
		NextPage *struct {
			URI string `json:"uri"`
		} `json:"nextPage"`
	}
}

func newPageDecoder() *pageDecoder {
	return &pageDecoder{input: wire.NewInput()}
}

// decode reads an answer and returns the link to the next page, empty after the last.
func (d *pageDecoder) decode(body []byte) (next string, err error) {
	d.beside = beside{}
	d.rows, err = d.input.Page(body, "records", func(name string) (read bool, err error) {
		if name != "navigation" {
			return false, nil
		}
		return true, d.readNavigation()
	})
	if errors.Is(err, wire.ErrTooManyRows) {
		return "", err
	}
	if page := d.navigation.NextPage; page != nil {
		if next = page.URI; next == "" && err == nil {
			err = errors.New("the answer's next page has no link")
		}
	}
	return next, httpclient.Retryable(err)
}

// readNavigation decodes the object with the link to the next page; null means that there is none.
func (d *pageDecoder) readNavigation() error {
	value, err := d.input.JSON.ReadValue()
	if err == nil && json.Unmarshal(value, &d.navigation, answerOptions) != nil {
		err = errors.New("the answer's navigation is not as documented") // the decoder's text may quote it
	}
	return err
}

func (m *mapper) mapPage(rows wire.Piece) *collector.Page {
	m.page = collector.Page{}
	for i, content := range rows.Rows {
		m.addRow(collector.BadRow{Content: wire.Checked(content), At: rows.At(i)})
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
