package declared

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/builtin"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// besideFunction are the fields that a definition may give to a function for its rows.
var besideFunction = []string{
	"id", "call_id", "group", "version", "start", "answer", "end", "ringing", "duration", "caller", "callee", "labels.",
}

// function is the Go function that completes the feed's records, or nil.
func (f *Feed) function() *rowmap.Function {
	if found, is := builtin.Functions[f.Map]; is {
		return &found
	}
	return nil
}

// validateFunction reports a function that there isn't, and what it doesn't go with.
func (f *Feed) validateFunction(r *config.Report) {
	if f.Map == "" {
		return
	}
	r.OneOf("map", f.Map, slices.Sorted(maps.Keys(builtin.Functions))...)
	if f.Format != rows.FormatJSON && f.Format != rows.FormatJSONLines {
		r.Problemf("map", "only works with rows of JSON")
	}
	r.Refuse([]string{"legs", "final", "whole", "counts", "encoded"},
		"can't be combined with map, whose function decides that; remove it")
	language.OnlyKeys(&f.Record, "record", besideFunction, func(key string) {
		r.Problemf(key, "comes from the function of map; remove it")
	})
	if !f.Snapshot && !f.Record.Start.IsSet() {
		r.Problemf("record.start", "is missing; set where the start of a call comes from")
	}
}

// mapByFunction completes the record of the row that the mapper has.
func (m *Mapper) mapByFunction() rowmap.Result {
	d, p := &m.feed.Record, &mapping{Mapper: m, record: new(cdr.Record)}
	r := p.record
	p.ids()
	if r.CallKey = p.text("group", &d.Group); !m.feed.Snapshot {
		r.CallID = cmp.Or(p.text("call_id", &d.CallID), r.CallKey, r.ID)
		r.Version, _ = read(p, "version", &d.Version, (*language.Result).Version)
		r.Start, r.Answer, r.End = p.time("start", &d.Start), p.time("answer", &d.Answer), p.time("end", &d.End)
		if r.Start.IsZero() {
			p.fail("start", "is missing")
		}
		p.lengths()
		r.CallerNumber, r.CalleeNumber = p.text("caller", &d.Caller), p.text("callee", &d.Callee)
		p.tellLabels()
	}
	result := m.function(rowmap.Row{JSON: m.raw, Names: m.row.Names}, r)
	unmapped := slices.Concat(p.unmapped, result.Unmapped)
	switch problem := cmp.Or(result.Invalid, p.problem); {
	case result.Ignored:
		return rowmap.Result{Ignored: true, Unmapped: unmapped}
	case problem != "":
		return rowmap.Result{Invalid: problem}
	case m.feed.Snapshot && !r.Provisional:
		return rowmap.Result{Ignored: true}
	case m.feed.Snapshot:
		return rowmap.Result{Record: &cdr.Record{ID: r.ID, CallKey: r.CallKey, Direction: r.Direction, NoCall: true}}
	}
	if r.ID == "" {
		r.Synthetic = p.syntheticKey()
	}
	return rowmap.Result{Record: r, Unmapped: unmapped}
}
