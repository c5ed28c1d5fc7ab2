package declared

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// A page of rows of files is bounded by both.
const (
	filePageRows  = 1000
	filePageBytes = 4 << 20
)

// filePages makes pages of rows of files.
type filePages struct {
	mapper   *Mapper
	files    *Files
	anyWidth bool // the source names the columns, so widths aren't asked

	page        *collector.Page
	rows, bytes int
}

func newFilePages(s *fileSettings) *filePages {
	return &filePages{mapper: NewMapper(s.feed.Feed, s.feed.settings), files: s.files, anyWidth: s.columns != nil, page: new(collector.Page)}
}

// isFull says whether the page is to be committed before another row is added.
func (p *filePages) isFull() bool { return p.rows >= filePageRows || p.bytes >= filePageBytes }

// take is the page so far; the next one is empty.
func (p *filePages) take() *collector.Page {
	page := p.page
	p.page, p.rows, p.bytes = new(collector.Page), 0, 0
	return page
}

// add adds a row of a file.
func (p *filePages) add(row *fileRow, columns []string, path string) {
	p.rows++
	p.bytes += len(row.raw)
	mapped := p.mapRow(row, columns)
	if r := mapped.Record; r != nil && r.Synthetic != "" {
		r.Synthetic = string(row.chain[:]) // a row without an id is known by its place
	}
	mapped.put(p.page, row.raw, fmt.Sprintf("%s, before byte %d", path, row.end))
}

func (p *filePages) mapRow(row *fileRow, columns []string) Mapped {
	switch {
	case row.problem != "":
		return Mapped{Invalid: row.problem}
	case p.files.Format != formatCSV:
		raw := jsontext.Value(bytes.TrimSpace(row.raw))
		if !raw.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return Mapped{Invalid: "it is no valid JSON"}
		}
		return p.mapper.MapJSON(raw)
	case !p.anyWidth && !p.files.allows(len(row.fields)):
		return Mapped{Invalid: fmt.Sprintf("it has %d values, which is none of %v", len(row.fields), p.files.Widths)}
	}
	return p.mapper.MapFields(columns, slices.Clip(row.fields))
}
