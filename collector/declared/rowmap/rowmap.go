// Package rowmap is the interface of what makes records of rows: a definition's mapper, and the Go function for its
// rows (`map` in docs/definitions.md).
package rowmap

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Mapper makes records of rows. It is for one goroutine.
type Mapper interface {
	Map(row *rows.Row) Result
}

// Function completes the records of rows that need more than a definition can say.
type Function struct {
	// Properties are what its records can show; the name is the definition's.
	Properties collector.FeedProperties
	// New makes the function for a source. It is for one goroutine.
	New func(Settings) Map
}

// Settings are a source's settings for a function.
type Settings struct {
	// Parameters are the source's and the feed's, each a list or one text.
	Parameters map[string][]string
	// Legs: rows of this source may be legs of one call.
	Legs             bool
	EmergencyNumbers []string
}

// Map completes the record of a row, which has the fields that the definition gives. It neither
// stops nor panics, whatever is in the row.
type Map func(row Row, record *cdr.Record) Result

// Row is one row of an answer.
type Row struct {
	// JSON is the row as it was written, valid JSON.
	JSON []byte
	// Names are the lists of the feed's `names`, by name; a list that wasn't read is nil.
	Names map[string]map[string]string
}

// Result is the result of mapping a row: a record, or why there is none.
type Result struct {
	// Record is nil in the result of a function.
	Record *cdr.Record
	// Ignored: the row isn't a call. Invalid says why it can't be mapped, without any of its values.
	Ignored bool
	Invalid string
	// Leg has the ids and the start of an ignored row that may have been an open leg before; else nil.
	Leg      *cdr.Record
	Unmapped []collector.Unmapped
}

// Put adds the result for a row to a page. at is the place of the row.
func (r *Result) Put(page *collector.Page, raw []byte, at string) {
	switch {
	case r.Invalid != "":
		page.Invalid = append(page.Invalid, setAside(page, raw, at, r.Invalid))
		return
	case r.Ignored:
		row := setAside(page, raw, at, "isn't a call")
		row.Leg = r.Leg
		page.Ignored = append(page.Ignored, row)
	default:
		page.Records = append(page.Records, r.Record)
	}
	for _, u := range r.Unmapped {
		if u.Record = r.Record; r.Ignored {
			u.Record, u.Row = nil, string(raw)
		}
		page.Unmapped = append(page.Unmapped, u)
	}
}

// setAside is a row without a record, near the last record of the page.
func setAside(page *collector.Page, raw []byte, at, problem string) collector.BadRow {
	row := collector.BadRow{Content: slices.Clone(raw), At: at, Problem: problem}
	if n := len(page.Records); n > 0 {
		row.Near = page.Records[n-1].Start
	}
	return row
}
