package declared

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// ofSnapshot are the fields that a row of calls in progress may have.
var ofSnapshot = []string{"id", "group", "direction"}

// validateSnapshot reports what a feed of calls in progress can't have.
func (f *Feed) validateSnapshot(r *config.Report) {
	language.OnlyKeys(&f.Record, "record", ofSnapshot, func(key string) {
		r.Problemf(key, "isn't used for calls in progress, which have %s; remove it", strings.Join(ofSnapshot, ", "))
	})
	if !f.Record.Direction.IsSet() && f.Map == "" {
		r.Problemf("record.direction",
			"is missing; set where the direction of a call in progress comes from, or {is: unknown}")
	}
}

// inProgress maps a row to a call in progress: its identity and its direction.
func (m *Mapper) inProgress() rowmap.Result {
	p := &mapping{Mapper: m, record: &cdr.Record{NoCall: true}} // nobody knows how it ends
	p.ids()
	p.record.CallKey = p.text("group", &m.feed.Record.Group)
	p.record.Direction, _ = readWord(p, "direction", &m.feed.Record.Direction, language.DirectionWords, notDirection)
	if p.problem != "" {
		return rowmap.Result{Invalid: p.problem}
	}
	return rowmap.Result{Record: p.record, Unmapped: p.unmapped}
}
