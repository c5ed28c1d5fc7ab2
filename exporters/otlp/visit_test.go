package otlp

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Contract 4: a visit has a separate line and attributes. It has its record's fields only if the
// record isn't a call.
func TestVisit(t *testing.T) {
	joined := callStart.Add(-time.Minute)
	for _, c := range []struct {
		name   string
		visit  cdr.Visit
		noCall bool
		body   string
		at     time.Time
	}{
		{
			"abandoned",
			cdr.Visit{Queue: "support", Result: cdr.QueueAbandoned, Wait: cdr.KnownLength(62 * time.Second)},
			false, "Visit to queue support: abandoned after 1m2s", callStart,
		},
		{
			"answered at once",
			cdr.Visit{Queue: "7000", Result: cdr.QueueAnswered, Start: joined, Wait: cdr.KnownLength(0)},
			true, "Visit to queue 7000: answered after 0s", joined,
		},
		{
			"without a wait",
			cdr.Visit{Queue: "support", Result: cdr.QueueTimeout},
			true,
			"Visit to queue support: timed out", callStart,
		},
		{
			"overflowed",
			cdr.Visit{Queue: "support", Result: cdr.QueueOverflowed},
			true,
			"Visit to queue support: overflowed", callStart,
		},
		{"of no queue that has a name", cdr.Visit{}, true, "Visit to a queue: left", callStart},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, event := bareRecord(), bareEvent()
			r.NoCall, r.Outcome, r.Extra = c.noCall, cdr.Failed, []cdr.Attr{cdr.Text("agent", "a1", cdr.Plain)}
			event.Name, event.Visit = "cdr.queue_visit", &c.visit
			got := decode(t, Encoder{}.AppendRecord(nil, r, event))[0]
			if body := got.GetBody().GetStringValue(); body != c.body || got.GetSeverityText() != "INFO" ||
				got.GetTimeUnixNano() != uint64(c.at.UnixNano()) {
				t.Errorf("%s %q at %d", got.GetSeverityText(), body, got.GetTimeUnixNano())
			}
			if v := attributeOf(got, "cdr.queue_result").GetStringValue(); v != c.visit.Result.String() ||
				attributeOf(got, "cdr.queue").GetStringValue() != c.visit.Queue {
				t.Errorf("cdr.queue_result = %q", v)
			}
			if wait := attributeOf(got, "cdr.waiting_time"); (wait != nil) != c.visit.Wait.Known ||
				wait.GetDoubleValue() != c.visit.Wait.Value.Seconds() {
				t.Errorf("cdr.waiting_time = %v", wait)
			}
			if attributeOf(got, "cdr.outcome") != nil || (attributeOf(got, "cdr.wavix.agent") != nil) != c.noCall {
				t.Errorf("attributes %v", got.GetAttributes())
			}
		})
	}
}
