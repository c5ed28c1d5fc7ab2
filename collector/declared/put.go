package declared

import (
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// Map maps a row of an answer or a file.
func (m *Mapper) Map(r *rows.Row) rowmap.Result {
	switch {
	case r.Problem != "":
		return rowmap.Result{Invalid: r.Problem}
	case r.Columns != nil || r.Raw == nil: // a table may have no columns
		return m.MapFields(r.Columns, r.Fields)
	}
	return m.MapJSON(r.Raw)
}

// Put implements rows.Mapper.
func (m *Mapper) Put(page *collector.Page, row *rows.Row, at, place string) bool {
	mapped := m.Map(row)
	if r := mapped.Record; r != nil {
		if m.filter != nil && !m.filter.Contains(m.from, m.to, r) {
			return false
		}
		if r.Synthetic != "" && place != "" {
			r.Synthetic = place
		}
	}
	raw := row.Raw
	if raw == nil && mapped.Record == nil {
		raw = []byte(strings.Join(row.Fields, "\x00"))
	}
	mapped.Put(page, raw, at)
	return true
}

// within makes Put leave out the calls outside a span, by the time that a filter applies to.
func (m *Mapper) within(f *web.Filter, from, to time.Time) *Mapper {
	m.filter, m.from, m.to = f, from, to
	return m
}
