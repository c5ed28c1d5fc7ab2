package counting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// view is a record that says all there is to count of a call.
func view(t *testing.T, id string, options ...func(*cdr.Record)) *cdr.Record {
	full := func(r *cdr.Record) {
		r.Invite = r.Start.Add(-2 * time.Second)
		r.MediaBypass, r.MediaLocation, r.SignalLocation = cdr.True, "USWE", "EUNO"
		r.Emergency = cdr.EmergencyTest
		r.Legs = []cdr.Leg{{Type: "accept", Outcome: cdr.Answered}}
		r.Recordings = []cdr.Recording{{ID: "rec", Type: "automatic"}}
		charge(t, "included", "USD", "0.10")(r)
	}
	return call(id, append([]func(*cdr.Record){full, inGroup("s-1")}, options...)...)
}

// Guarantee 1, counting.md 14: a session that is listed once per view is one call. Its
// views have charges and log records of their own, and share a recording.
func TestRule14GroupIsOneCall(t *testing.T) {
	r := newRig(t, counting.Rules{})

	first := r.records(view(t, "a"), view(t, "b", start(epoch.Add(-9*time.Hour))))
	if first.New != 1 || first.Duplicate != 1 || len(first.Delays) != 1 {
		t.Errorf("one page: %+v", first)
	}
	late := view(t, "c", start(epoch.Add(-23*time.Hour)))
	if got := r.records(late); got.New != 0 || got.Duplicate != 1 {
		t.Errorf("another page: %+v", got)
	}
	r.restart()
	if got := r.records(view(t, "d", start(epoch.Add(-time.Minute)))); got.New != 0 || got.Duplicate != 1 {
		t.Errorf("after a restart: %+v", got)
	}
	if got := r.records(view(t, "a"), view(t, "b", start(epoch.Add(-9*time.Hour))), view(t, "d", start(epoch.Add(-time.Minute)))); got.New+got.Revised != 0 || got.Duplicate != 3 {
		t.Errorf("the same again: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{
		answered: "1",
		"cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}":         "1/60",
		"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,}": "60",
		"cdr_call_setup_seconds{inbound,sbc1.example.com}":                    "1/2",
		"cdr_media_bypass_calls_total{sbc1.example.com,true}":                 "1",
		"cdr_calls_by_location_total{USWE,EUNO}":                              "1",
		"cdr_emergency_calls_total{answered,true}":                            "1",
		"cdr_call_legs_total{accept,answered}":                                "1",
		"cdr_recordings_total{automatic}":                                     "1",
		"cdr_call_charges_total{inbound,byot_in,USD,included,}":               "0.4",
	})
	if logs := r.lines; len(logs) != 4 {
		t.Errorf("logs: %q, want one per view", logs)
	}
	if s := r.state; s.Records != 1 || !s.NewestCall.Equal(epoch.Add(-10*time.Minute)) {
		t.Errorf("state: %d records, newest %v", s.Records, s.NewestCall)
	}
}

// counting.md 14: what becomes of the call's outcome as its views come and change.
func TestRule14GroupOutcome(t *testing.T) {
	const changes = "cdr_call_outcome_changes_total"
	type page = []*cdr.Record
	row := func(id string, o cdr.Outcome, options ...func(*cdr.Record)) *cdr.Record {
		return call(id, append(options, outcome(o), inGroup("s-1"))...)
	}
	for _, c := range []struct {
		name    string
		pages   []page
		counted cdr.Outcome
		changed string // `from,to` of each change
	}{
		{"a connected view later", []page{{row("a", cdr.NoAnswer)}, {row("b", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"only the first of them", []page{{row("a", cdr.NoAnswer)}, {row("b", cdr.Answered)}, {row("c", cdr.Voicemail)}, {row("d", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"a connected view on the same page", []page{{row("a", cdr.NoAnswer), row("b", cdr.Busy), row("c", cdr.Voicemail), row("d", cdr.Answered)}}, cdr.Answered, ""},
		{"views that don't connect", []page{{row("a", cdr.NoAnswer), row("b", cdr.Cancelled)}, {row("c", cdr.Busy)}}, cdr.NoAnswer, ""},
		{"an answered call has a view without an answer", []page{{row("a", cdr.Answered)}, {row("b", cdr.NoAnswer)}}, cdr.Answered, ""},
		{"a further view is revised to connected", []page{{row("a", cdr.NoAnswer), row("b", cdr.NoAnswer)}, {row("b", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"and back", []page{{row("a", cdr.NoAnswer), row("b", cdr.NoAnswer)}, {row("b", cdr.Answered)}, {row("b", cdr.Failed)}, {row("b", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"a further view is revised between failures", []page{{row("a", cdr.NoAnswer), row("b", cdr.NoAnswer)}, {row("b", cdr.Failed)}}, cdr.NoAnswer, ""},
		{"the first is revised", []page{{row("a", cdr.NoAnswer), row("b", cdr.Busy)}, {row("a", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"the first is revised to what another has made the call", []page{{row("a", cdr.NoAnswer)}, {row("b", cdr.Answered)}, {row("a", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"the first is revised between failures of an answered call", []page{{row("a", cdr.NoAnswer)}, {row("b", cdr.Answered)}, {row("a", cdr.Failed)}}, cdr.NoAnswer, "no_answer,answered"},
		{"the first is revised to a failure", []page{{row("a", cdr.Answered)}, {row("a", cdr.Failed)}, {row("b", cdr.Answered)}}, cdr.Answered, "answered,failed failed,answered"},
		{"the first is revised to a failure while another is connected", []page{{row("a", cdr.Answered), row("b", cdr.Answered)}, {row("a", cdr.Failed)}}, cdr.Answered, ""},
		{"the connected one has the greater version", []page{{row("b", cdr.Answered, version(9)), row("a", cdr.NoAnswer, version(3))}}, cdr.Answered, ""},
		{"versions of one record keep their order", []page{{row("a", cdr.NoAnswer, version(2)), row("a", cdr.Answered, version(3))}}, cdr.NoAnswer, "no_answer,answered"},
		{"repeats without a version keep their order", []page{{row("a", cdr.Busy), row("a", cdr.Answered), row("b", cdr.NoAnswer)}}, cdr.Busy, "busy,answered"},
		{"versions under another id keep their order", []page{{row("a", cdr.Busy), row("n", cdr.Answered, alts("a")), row("b", cdr.NoAnswer)}}, cdr.Busy, "busy,answered"},
		{"a connected view after one from before the floor", []page{{row("a", cdr.NoAnswer), row("b", cdr.Answered, start(epoch.Add(-25*time.Hour))), row("c", cdr.Answered)}}, cdr.Answered, ""},
		{"a connected view that isn't final", []page{{row("a", cdr.NoAnswer), row("b", cdr.Answered, provisional)}, {row("b", cdr.Answered)}}, cdr.NoAnswer, "no_answer,answered"},
		{"a final version after one that isn't", []page{{row("a", cdr.NoAnswer), row("b", cdr.Unknown, provisional, version(1)), row("b", cdr.Answered, version(2))}}, cdr.Answered, ""},
		{"nothing final yet", []page{{row("a", cdr.Answered, provisional)}, {row("b", cdr.Busy)}}, cdr.Busy, ""},
		{"a connected view from before the floor", []page{{row("a", cdr.NoAnswer), row("b", cdr.Answered, start(epoch.Add(-25*time.Hour)))}}, cdr.NoAnswer, ""},
		{"known by another id", []page{{row("a", cdr.NoAnswer)}, {row("n", cdr.NoAnswer, alts("a"), func(r *cdr.Record) { r.CallID = "c-a" })}, {row("b", cdr.Voicemail)}}, cdr.NoAnswer, "no_answer,voicemail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, counting.Rules{})

			for _, p := range c.pages {
				r.records(p...)
				r.restart()
			}
			want := map[string]string{"cdr_calls_total{inbound,byot_in," + c.counted.String() + ",sbc1.example.com,false}": "1"}
			for pair := range strings.FieldsSeq(c.changed) {
				want[changes+"{"+pair+"}"] = "1"
			}
			wantValues(t, r.values(), want)
			if got := r.total(changes); got != len(strings.Fields(c.changed)) {
				t.Errorf("%d outcome changes, want %q: %v", got, c.changed, r.values())
			}
			if got, failures := r.total("cdr_calls_total"), r.total("cdr_call_failures_total"); got != 1 || failures == 0 != c.counted.Connected() {
				t.Errorf("%d calls, %d failures", got, failures)
			}
		})
	}
}

// counting.md 14: a version may bring the group, or another one; what is counted stays
// counted once.
func TestRule14GroupThatComesLater(t *testing.T) {
	r := newRig(t, counting.Rules{})

	r.records(call("a"), call("b", inGroup("old")), call("c", inGroup("old")))
	if got := r.records(call("w", inGroup("s-1")), call("a", inGroup("s-1")), call("b", inGroup("s-2")), call("c", inGroup("s-3"))); got.New != 0 {
		t.Errorf("the groups: %+v", got)
	}
	// The same within a page, after its record was taken.
	r.records(call("d", inGroup("s-4")), call("d", inGroup("s-5")))
	if got := r.records(call("e", inGroup("s-5"))); got.New != 0 {
		t.Errorf("a group that came on the same page: %+v", got)
	}
	r.restart()
	if got := r.records(call("x", inGroup("s-1")), call("y", inGroup("s-2")), call("z", inGroup("s-3"))); got.New != 0 || got.Duplicate != 3 {
		t.Errorf("further views: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{answered: "3"})
}
