package web

import (
	"context"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// validateSnapshot reports what a list of calls in progress can't have.
func (l *List) validateSnapshot(r *config.Report) {
	r.Refuse([]string{"filter", "total", "totals", "complete", "max_rows", "names", "final", "whole", "counts"},
		"is for lists of ended calls, and snapshot: true is for calls in progress; remove it")
	for where, text := range language.TextsIn(&l.Request, "request") {
		if timeIn.MatchString(text) {
			r.Problemf(where, "names an end of the span, and snapshot: true has no span; remove it")
		}
	}
}

// snapshot implements collector.ActiveCalls. It counts a call once, by its group or its id: pages shift
// while they are read.
func (r *reader) snapshot(ctx context.Context, smallest bool) (map[cdr.Direction]int, error) {
	calls, problem := make(map[string]cdr.Direction), ""
	now := r.now().UTC()
	lists := r.Combinations(r.Parameters)
	if len(lists) == 0 {
		return nil, errNoValues
	}
	for list, values := range lists {
		mapper := r.NewMapper(values, nil)
		walk, pages := r.list(ctx, piece{span{now, now}, values})
		for number, err := range pages {
			if err != nil {
				return nil, fmt.Errorf("read the calls in progress: %w", err)
			}
			for i := range walk.page.rows {
				mapped := mapper.Map(&walk.page.rows[i])
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
				// The legs of a call may come in any order: an inbound one gives the direction, else an outbound one.
				is, was := mapped.Record.Direction, calls[key]
				if was == cdr.DirectionUnknown || is != cdr.DirectionUnknown && is < was {
					calls[key] = is
				}
			}
			if smallest {
				break
			}
		}
	}
	if problem != "" && !r.warned.Load() {
		r.logger.WarnContext(ctx, "Rows of the calls in progress can't be read; they aren't counted",
			"feed", r.Name, "err", problem)
	}
	r.warned.Store(problem != "")
	count := make(map[cdr.Direction]int)
	for _, direction := range calls {
		count[direction]++
	}
	return count, nil
}
