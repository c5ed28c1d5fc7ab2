package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// activeCall is a call in progress.
type activeCall struct {
	UUID      string  `json:"uuid"`
	ID        string  `json:"id,omitempty"`
	Direction string  `json:"direction"`
	Event     string  `json:"event_type"`
	EventTime string  `json:"event_time"`
	Payload   any     `json:"event_payload"`
	From      any     `json:"from"`
	To        any     `json:"to"`
	Started   string  `json:"call_started"`
	Answered  *string `json:"call_answered"`
	// Completed is call_finished in generation A.
	Completed *string `json:"call_completed"`
	Machine   bool    `json:"machine_detected"`
	Tag       string  `json:"tag"`
}

// oldCall is a call in progress in generation A.
type oldCall struct {
	activeCall
	Completed *string `json:"call_completed,omitempty"`
	Finished  *string `json:"call_finished"`
}

// calls answers with the calls in progress.
func (e *exchange) calls() simulator.Reply {
	list, at := []any{}, e.Visible()
	e.account.eachActive(at, e.settings.Linger, func(r *row) {
		c := r.active(at)
		if e.generation == GenerationA {
			list = append(list, oldCall{activeCall: c, Finished: c.Completed})
			return
		}
		c.ID = c.UUID
		list = append(list, c)
	})
	a := e.reply(simulator.JSON(map[string]any{"success": true, "calls": list}), len(list))
	a.Own[NoItems] = func(r *simulator.Reply) { r.Body, r.Rows = []byte(`{"success":true}`), 0 }
	return a
}

// active is the row's call at an instant at which it is in progress, or has just ended.
func (r *row) active(at time.Time) activeCall {
	style := styleOf(r.ID)
	look := look{plus: style%2 == 0}
	begin, answered, end := r.life()
	by := func(t time.Time) *string {
		if t.IsZero() || t.After(at) {
			return nil
		}
		text := timeText(t)
		return &text
	}
	text := func(column string) any {
		if number := r.number(column, &look); number != nil {
			return number
		}
		return ""
	}
	c := activeCall{
		UUID: r.ID.String(), Direction: r.side.direction().String(), From: text("from"), To: text("to"), Started: timeText(begin),
		Answered: by(answered), Completed: by(end), Machine: r.isMachine() && r.Versions()[0].Kind.Outcome == cdr.Answered,
	}
	if style%5 == 0 {
		c.Tag = "example-campaign"
	}
	event, since := "ringing", begin.Add(time.Second)
	switch {
	case c.Completed != nil:
		event, since = r.ending(), end
	case c.Answered != nil && style%8 == 0:
		event, since = "on_call_event", answered
		c.Payload = map[string]any{"type": "audio", "payload": map[string]any{"status": "started", "playback_id": r.CallID.String()}}
	case c.Answered != nil:
		event, since = "answered", answered
	case since.After(at):
		event, since = "call_setup", begin
	case style%4 == 0:
		event = "early_media"
	}
	c.Event, c.EventTime = event, timeText(since)
	return c
}

// ending is the event of a call's end.
func (r *row) ending() string {
	switch r.Versions()[0].Kind.Outcome {
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
