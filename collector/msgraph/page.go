package msgraph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// pageDecoder reads Graph's envelope and keeps its rows. It is for one goroutine.
//
// Names of the envelope are read without case, for the next link was seen in two
// spellings.
type pageDecoder struct {
	input *wire.Input
	rows  wire.Rows

	next     string
	hasRows  bool
	hasError bool
}

func newPageDecoder() *pageDecoder {
	return &pageDecoder{input: wire.NewInput(wire.MaxValue)}
}

// decode reads an answer and returns the link to the next page, empty after the last.
func (d *pageDecoder) decode(response *httpclient.Response) (next string, err error) {
	d.rows = nil
	d.next, d.hasRows, d.hasError = "", false, false
	err = d.input.Document(response.Body.Bytes(), "the answer is no object", d.member)
	switch {
	case errors.Is(err, wire.ErrTooManyRows):
		return "", err
	case err == nil && d.hasError:
		err = errors.New("the answer is an error instead of a page")
	case err == nil && !d.hasRows:
		err = errors.New("the answer has no value, so it is no page of rows")
	}
	return d.next, httpclient.Retryable(err)
}

func (d *pageDecoder) member(name string) (err error) {
	switch {
	case strings.EqualFold(name, "value") && d.hasRows:
		return errors.New("the answer has two values")
	case strings.EqualFold(name, "value"):
		d.hasRows = true
		return d.input.Array("the answer's value is no array", d.rows.Add)
	case strings.EqualFold(name, "@odata.nextLink"):
		d.next, err = d.input.Link(d.next)
		return err
	case strings.EqualFold(name, "error"):
		d.hasError = true
	}
	return d.input.JSON.SkipValue()
}

// endsWith says whether nothing follows the rows from a number on.
func (d *pageDecoder) endsWith(first int, rows [][]byte) bool {
	return d.next == "" && first-1+len(rows) == len(d.rows)
}

// pageMapper maps rows to pages, each in the memory of the one before. It is for one goroutine.
type pageMapper struct {
	feed    *logFeed
	fields  fields
	mapper  *mapper
	records wire.Records
	arena   wire.Arena
	page    collector.Page
}

func newPageMapper(feed *logFeed) *pageMapper {
	m := &pageMapper{feed: feed, mapper: newMapper(feed.countries, feed.emergency)}
	m.fields = fields{properties: newPropertyNames(feed.names), arena: &m.arena}
	return m
}

// mapPage maps rows, of which the first has that number on the provider's page.
func (m *pageMapper) mapPage(rows [][]byte, page, first int, last bool) *collector.Page {
	m.records.Reset()
	m.arena.Reset()
	m.mapper.unmapped, m.fields.ids = m.mapper.unmapped[:0], m.fields.ids[:0]
	m.page = collector.Page{Invalid: m.page.Invalid[:0], Last: last}
	for i, row := range rows {
		if problem := m.mapRow(row); problem != "" {
			m.page.Invalid = append(m.page.Invalid, collector.BadRow{
				Content: row, At: fmt.Sprintf("page %d, row %d", page, first+i), Problem: problem,
			})
		}
	}
	m.page.Records, m.page.Unmapped = m.records.Kept(), m.mapper.unmapped
	return &m.page
}

// mapRow maps a row to the next record, or says what is wrong with it.
func (m *pageMapper) mapRow(row []byte) (problem string) {
	if row[0] != '{' {
		return "it is no object"
	}
	r := m.records.Next()
	known := len(m.mapper.unmapped)
	m.fields.parse(row)
	m.feed.mapRow(m.mapper, &m.fields, r)
	if m.fields.problem != "" {
		m.mapper.unmapped = m.mapper.unmapped[:known]
		return m.fields.problem
	}
	m.records.Keep()
	return ""
}
