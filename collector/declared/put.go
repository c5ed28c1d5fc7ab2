package declared

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// mapRow maps a row of an answer or a file.
func (m *Mapper) mapRow(r *rows.Row) Mapped {
	switch {
	case r.Problem != "":
		return Mapped{Invalid: r.Problem}
	case r.Columns != nil || r.Raw == nil: // a table may have no columns
		return m.MapFields(r.Columns, r.Fields)
	}
	return m.MapJSON(r.Raw)
}

// Put implements rows.Mapper.
func (m *Mapper) Put(page *collector.Page, row *rows.Row, at, place string) bool {
	mapped := m.mapRow(row)
	if r := mapped.Record; r != nil {
		if m.filter != nil && !m.filter.contains(m.wanted, r) {
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
	mapped.put(page, raw, at)
	return true
}

// within makes Put leave out the calls outside a span, by the time that a filter applies to.
func (m *Mapper) within(f *Filter, wanted span) *Mapper {
	m.filter, m.wanted = f, wanted
	return m
}

// put adds the result for a row to a page. at is the place of the row.
func (m *Mapped) put(page *collector.Page, raw []byte, at string) {
	var near time.Time
	if n := len(page.Records); n > 0 {
		near = page.Records[n-1].Start
	}
	switch {
	case m.Invalid != "":
		page.Invalid = append(page.Invalid, collector.BadRow{
			Content: slices.Clone(raw), At: at, Problem: m.Invalid,
			Near: near,
		})
	case m.Ignored:
		page.Ignored = append(page.Ignored,
			collector.BadRow{Content: slices.Clone(raw), At: at, Problem: "isn't a call", Near: near})
		page.Unmapped = append(page.Unmapped, m.Unmapped...)
	default:
		page.Records = append(page.Records, m.Record)
		page.Unmapped = append(page.Unmapped, m.Unmapped...)
	}
}
