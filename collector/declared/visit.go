package declared

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// The values of `counts` of a feed whose rows aren't calls.
const (
	queueVisits  = "queue_visits"
	mediaStreams = "media_streams"
)

func (f *Feed) countsCalls() bool { return f.Counts == "" }

// fieldsOf are the fields of a row in a feed that doesn't count calls.
var fieldsOf = map[string][]string{
	queueVisits:  {"id", "call_id", "version", "start", "end", "queue", "queue_wait", "queue_result", "extra."},
	mediaStreams: {"id", "call_id", "version", "start", "end", "media["},
}

// validateCounts reports fields that calls need and other rows don't have, and the other way round.
func (f *Feed) validateCounts(r *config.Report) {
	r.OneOf("counts", f.Counts, "", queueVisits, mediaStreams)
	d := &f.Record
	if f.countsCalls() {
		if !d.Start.IsSet() && (f.Legs == nil || !f.Legs.Record.Start.IsSet()) {
			r.Problemf("record.start", "is missing; set where the start of a call comes from")
		}
		if !d.Outcome.IsSet() && f.Legs == nil {
			r.Problemf("record.outcome", "is missing; set where the outcome of a call comes from")
		}
		for key, v := range map[string]*language.Value{"queue": &d.Queue, "queue_wait": &d.QueueWait} {
			if v.IsSet() && !d.QueueResult.IsSet() {
				r.Problemf("record."+key,
					"belongs to a visit to a queue, and only record.queue_result shows that there is one; add "+
						"that, or remove this")
			}
		}
		return
	}
	const notForCalls = "is for calls, and the feed has counts: %s; remove it"
	r.Refuse([]string{"whole"}, notForCalls, f.Counts)
	if !d.Start.IsSet() && !d.End.IsSet() {
		r.Problemf("record.start", "is missing; set where the start or the end comes from")
	}
	needs := map[string]bool{"media": len(d.Media) > 0}
	if f.Counts == queueVisits {
		needs = map[string]bool{"queue": d.Queue.IsSet(), "queue_result": d.QueueResult.IsSet()}
	}
	for key, isSet := range needs {
		if !isSet {
			r.Problemf("record."+key, "is missing; a feed with counts: %s must have it", f.Counts)
		}
	}
	language.OnlyKeys(d, "record", fieldsOf[f.Counts], func(key string) { r.Problemf(key, notForCalls, f.Counts) })
}

// visitAlone reads the visit that a row of a feed of visits must have.
func (p *mapping) visitAlone() {
	r := p.record
	if !p.visit() {
		p.fail("queue_result", "is missing")
	} else if r.Start.IsZero() && !r.End.IsZero() {
		r.Start = r.End.Add(-r.Visits[0].Wait.Value)
	}
}

// syntheticKey identifies a record without an id by its content.
func (p *mapping) syntheticKey() string {
	key, r := collector.SyntheticKey(p.record), p.record
	if !r.NoCall || len(r.Visits) == 0 {
		return key
	}
	v := &r.Visits[0]
	return strings.Join([]string{key, r.CallID, v.Queue, v.Result.String(), v.Wait.Value.String()}, "\x1f")
}

// visit adds the row's visit and says whether the row has one. A result that no table has is
// QueueOther.
func (p *mapping) visit() bool {
	d := &p.feed.Record
	unmapped := len(p.unmapped)
	result, found := readWord(p, "queue_result", &d.QueueResult, language.ResultWords, "isn't a result of a visit")
	if !found && len(p.unmapped) == unmapped {
		return false
	}
	v := cdr.Visit{Result: result, Queue: strings.TrimSpace(p.text("queue", &d.Queue))}
	v.Wait.Value, v.Wait.Known = read(p, "queue_wait", &d.QueueWait, (*language.Result).Wait)
	p.record.Visits = append(p.record.Visits, v)
	return true
}
