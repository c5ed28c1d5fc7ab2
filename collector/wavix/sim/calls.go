package sim

import (
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// activeCall is a call in progress as Wavix shows it.
type activeCall struct {
	UUID      string   `json:"uuid"`
	ID        string   `json:"id,omitempty"`
	Direction string   `json:"direction"`
	Event     string   `json:"event_type"`
	EventTime string   `json:"event_time"`
	Payload   *payload `json:"event_payload"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Started   string   `json:"call_started"`
	Answered  *string  `json:"call_answered"`
	// Completed had another name in generation A.
	Completed *string `json:"call_completed"`
	Machine   bool    `json:"machine_detected"`
	Tag       string  `json:"tag"`
}

// oldCall is a call in progress in generation A.
type oldCall struct {
	activeCall
	ID        *string `json:"id,omitempty"`
	Completed *string `json:"call_completed,omitempty"`
	Finished  *string `json:"call_finished"`
}

// payload is what an event during a call says.
type payload struct {
	Type    string         `json:"type"`
	Payload map[string]any `json:"payload"`
}

// calls answers with the calls in progress, or with one of them.
func (e *exchange) calls(request simulator.Request) {
	one := ""
	if request.Endpoint == EndpointCall {
		_, one = pathParts(e.r.URL.Path)
	}
	list := e.inProgress(one)
	fault := e.faults.Next(request, func(f simulator.Fault) bool {
		return isAnywhere(f) || f == NoItems && one == ""
	})
	a, ok := e.instead(fault)
	switch {
	case ok:
		e.write(fault, a, 0)
	case one != "" && len(list) == 0:
		e.write(fault, *e.refuse(http.StatusNotFound, "Record not found"), 0)
	case one != "":
		e.write(fault, e.answer(encode(map[string]any{"success": true, "call": list[0]})), 1)
	case fault == NoItems:
		e.write(fault, e.answer([]byte(`{"success":true}`)), 0)
	default:
		e.write(fault, e.answer(encode(map[string]any{"success": true, "calls": list})), len(list))
	}
}

// inProgress are the calls in progress, or the one with an id.
func (e *exchange) inProgress(one string) []any {
	list := []any{}
	at := e.timeline.Visible()
	e.account.eachActive(at, e.settings.Linger, func(r *row) {
		if one != "" && (one != r.id.String() || len(list) > 0) {
			return
		}
		c := r.active(at)
		if e.generation == GenerationA {
			list = append(list, oldCall{activeCall: c, Finished: c.Completed})
			return
		}
		c.ID = c.UUID
		list = append(list, c)
	})
	return list
}

// active is the row's call at an instant at which it is in progress, or has just ended.
func (r *row) active(at time.Time) activeCall {
	look := look{plus: styleOf(r.id)%2 == 0}
	from, _ := look.number(nil, colFrom, r)
	to, _ := (&look).number(nil, colTo, r)
	begin, answered, end := r.life()
	c := activeCall{
		UUID: r.id.String(), Direction: r.side.direction().String(), From: string(from), To: string(to),
		Started: string(appendTime(nil, begin)), Machine: r.answeredByMachine() && r.versions[0].outcome == cdr.Answered,
	}
	event, since := r.event(at, begin, answered, end)
	c.Event, c.EventTime = event, string(appendTime(nil, since))
	if event == "on_call_event" {
		c.Payload = &payload{"audio", map[string]any{"status": "started", "playback_id": r.call.CallID.String()}}
	}
	if !answered.IsZero() && !answered.After(at) {
		text := string(appendTime(nil, answered))
		c.Answered = &text
	}
	if !end.After(at) {
		text := string(appendTime(nil, end))
		c.Completed = &text
	}
	if styleOf(r.id)%5 == 0 {
		c.Tag = "example-campaign"
	}
	return c
}

// event is the latest event of a call, and when it was.
func (r *row) event(at, begin, answered, end time.Time) (string, time.Time) {
	style := styleOf(r.id)
	ringing := begin.Add(time.Second)
	switch {
	case !end.After(at):
		return r.ending(), end
	case !answered.IsZero() && !answered.After(at) && style%8 == 0:
		return "on_call_event", answered
	case !answered.IsZero() && !answered.After(at):
		return "answered", answered
	case ringing.After(at):
		return "call_setup", begin
	case style%4 == 0:
		return "early_media", ringing
	}
	return "ringing", ringing
}

// ending is the event of a call's end.
func (r *row) ending() string {
	switch r.versions[0].outcome {
	case cdr.Answered:
		return "completed"
	case cdr.Busy:
		return "busy"
	case cdr.Rejected:
		return "rejected"
	default:
		return "cancelled"
	}
}
