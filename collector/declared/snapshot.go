package declared

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// ofSnapshot are the fields that a row of calls in progress may have.
var ofSnapshot = []string{"id", "group", "direction"}

// validateSnapshot reports what a list of calls in progress can't have.
func (f *Feed) validateSnapshot(r *config.Report) {
	language.OnlyKeys(&f.Record, "record", ofSnapshot, func(key string) {
		r.Problemf(key, "isn't used for calls in progress, which have %s; remove it", strings.Join(ofSnapshot, ", "))
	})
	if !f.Record.Direction.IsSet() && f.Map == "" {
		r.Problemf("record.direction",
			"is missing; set where the direction of a call in progress comes from, or {is: unknown}")
	}
	ofEnded := []string{"filter", "final", "whole", "total", "totals", "complete", "max_rows", "counts", "names"}
	for _, key := range ofEnded {
		if r.Given(key) {
			r.Problemf(key,
				"is for lists of ended calls, and snapshot: true is for calls in progress; remove it")
		}
	}
	for where, text := range language.TextsIn(&f.Request, "") {
		if timeIn.MatchString(text) {
			r.Problemf("request."+where, "names an end of the span, and snapshot: true has no span; remove it")
		}
	}
}

// inProgress maps a row to a call in progress: its identity and its direction.
func (m *Mapper) inProgress() Mapped {
	p := &mapping{Mapper: m, record: &cdr.Record{NoCall: true}} // nobody knows how it ends
	p.ids()
	p.record.CallKey = p.text("group", &m.feed.Record.Group)
	p.record.Direction, _ = readWord(p, "direction", &m.feed.Record.Direction, language.DirectionWords,
		notDirection)
	if p.problem != "" {
		return Mapped{Invalid: p.problem}
	}
	return Mapped{Record: p.record, Unmapped: p.unmapped}
}

// snapshotReader counts calls in progress.
type snapshotReader struct {
	*httpReader

	badRows atomic.Bool // the last snapshot had malformed rows
}

// read implements collector.ActiveCalls. It counts a call once, by its group or its id: pages shift
// while they are read.
func (r *snapshotReader) read(ctx context.Context, smallest bool) (map[cdr.Direction]int, error) {
	calls, problem := make(map[string]cdr.Direction), ""
	mapper, now := r.newMapper(), r.now().UTC()
	lists := r.combinations(r.settings.Parameters)
	if len(lists) == 0 {
		return nil, errNoValues
	}
	for list, values := range lists {
		mapper.row.Each = values
		walk, pages := r.list(ctx, piece{span{now, now}, values})
		for number, err := range pages {
			if err != nil {
				return nil, fmt.Errorf("read the calls in progress: %w", err)
			}
			for i := range walk.page.rows {
				mapped := mapper.mapRow(&walk.page.rows[i])
				if mapped.Invalid != "" {
					problem = fmt.Sprintf("page %d, row %d: %s", number, i+1, mapped.Invalid)
				}
				if mapped.Record == nil {
					continue
				}
				key := "group " + mapped.Record.CallKey
				if mapped.Record.CallKey == "" {
					key = "id " + mapped.Record.ID
				}
				if key == "id " { // each row without an id is a separate call
					key = fmt.Sprint(list, number, i)
				}
				if calls[key] == cdr.DirectionUnknown { // also if it isn't there yet
					calls[key] = mapped.Record.Direction
				}
			}
			if smallest {
				break
			}
		}
	}
	if problem != "" && !r.badRows.Load() {
		r.logger.WarnContext(ctx, "Rows of the calls in progress can't be read; they aren't counted",
			"feed", r.name, "err", problem)
	}
	r.badRows.Store(problem != "")
	count := make(map[cdr.Direction]int)
	for _, direction := range calls {
		count[direction]++
	}
	return count, nil
}
