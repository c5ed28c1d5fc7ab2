package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func (e *exchange) calls() simulator.Reply {
	list, at := []any{}, e.Visible()
	e.eachActive(at, e.Linger, func(r *row) {
		list = append(list, r.active(at, e.generation == GenerationA))
	})
	return reply(simulator.JSON(simulator.NewObject("success", true, "calls", list)))
}

// active is the row's call, which is in progress at an instant or has just ended, in generation A's
// form (old) or in a later one's.
func (r *row) active(at time.Time, old bool) simulator.Object {
	style := styleOf(r.ID)
	from, to := r.parties()
	begin, answered, end := r.life()
	by := func(t time.Time) any {
		if t.IsZero() || t.After(at) {
			return nil
		}
		return timeText(t)
	}
	text := func(p *party) any {
		if p == nil {
			return ""
		}
		return p.number(look{plus: style%2 == 0})
	}
	event, since, tag := "ringing", begin.Add(time.Second), ""
	switch {
	case by(end) != nil:
		event, since = "completed", end
	case by(answered) != nil:
		event, since = "answered", answered
	case since.After(at):
		event, since = "call_setup", begin
	}
	if style%5 == 0 {
		tag = "example-campaign"
	}
	o := simulator.NewObject(
		"uuid", r.ID.String(), "direction", r.side.direction().String(), "event_type", event, "event_time",
		timeText(since), "event_payload", nil,
		"from", text(from), "to", text(to), "call_started", timeText(begin), "call_answered", by(answered),
		"machine_detected", r.isMachine() && r.Versions()[0].Kind.Outcome == cdr.Answered, "tag", tag,
	)
	if old {
		o.Set("call_finished", by(end))
		return o
	}
	o.Set("id", r.ID.String())
	o.Set("call_completed", by(end))
	return o
}
