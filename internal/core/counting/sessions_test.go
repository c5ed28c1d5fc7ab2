package counting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// counting.md 14: each session of a record counts once by itself, in whichever version it
// appears, and has one log record.
func TestRule14Sessions(t *testing.T) {
	r := newMovingRig(t)
	fails := func(id string, result cdr.SessionResult, stage, reason string) func(*cdr.Record) {
		return func(r *cdr.Record) {
			one := cdr.Session{ID: id, Result: result, Media: "video", Stage: stage, Reason: reason}
			r.Sessions = append(r.Sessions, one)
		}
	}
	moved := start(epoch.Add(-7 * time.Hour))
	setup := fails("s2", cdr.SessionSetupFailed, "call_setup", "ice")
	dropped := fails("s3", cdr.SessionDropped, "midcall", "")
	for _, c := range []struct {
		step
		total int
	}{
		{step{"the first version", page{call("a", version(1), sessions("s1"))}, "1 new"}, 1},
		{step{"the same again", page{call("a", version(1), sessions("s1"))}, "1 repeated"}, 1},
		{step{"a session more", page{call("a", version(2), moved, sessions("s1"), setup)}, "1 revised"}, 2},
		{step{"a new one in an older version", page{call("a", version(1), sessions("s1"), dropped)}, "1 repeated"}, 3},
		{
			step{
				"all of them, one twice",
				page{call("a", version(3), moved, sessions("s1", "s1"), setup, dropped)},
				"1 repeated",
			}, 3,
		},
		{step{"another call without any", page{call("b", version(1))}, "1 new"}, 3},
		{step{"the same ids in that call", page{call("b", version(2), sessions("s1", "s2"))}, "1 repeated"}, 5},
	} {
		r.play(c.step)
		if got := r.total("cdr_sessions_total"); got != c.total {
			t.Errorf("%s: %d sessions, want %d", c.name, got, c.total)
		}
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_sessions_total{ok,audio}":               "3",
		"cdr_sessions_total{setup_failed,video}":     "1",
		"cdr_sessions_total{dropped,video}":          "1",
		"cdr_session_failures_total{call_setup,ice}": "1",
		"cdr_session_failures_total{midcall,}":       "1",
	})
	var lines []string
	for _, line := range r.lines {
		name, rest, _ := strings.Cut(line, " ")
		what, _, _ := strings.Cut(rest, " number=")
		if name == "cdr.session" {
			lines = append(lines, what)
		}
	}
	got, want := strings.Join(lines, "; "), "a/s1 v1 ok; a/s2 v1 setup_failed; a/s3 v1 dropped; b/s1 v1 ok; b/s2 v1 ok"
	if got != want {
		t.Errorf("logs %s, want %s", got, want)
	}
}

// counting.md 5, 17: what isn't counted has no sessions either.
func TestRule17SessionsOfWhatIsNotCounted(t *testing.T) {
	r := newMovingRig(t)
	r.records(
		call("old", sessions("s1"), settled, bypass(cdr.True), start(epoch.Add(-1000*time.Hour))),
		call("open", sessions("s1"), settled, bypass(cdr.True), provisional))
	if values := r.values(); len(values) != 0 || len(r.lines) != 0 {
		t.Errorf("counted %v, logged %q", values, r.lines)
	}
	r.records(call("open", version(1)))
	r.records(call("open", version(2), sessions("s1"), settled, bypass(cdr.True), provisional))
	if values := r.values(); r.total("cdr_sessions_total") != 0 || values[bypassed] != "" || len(r.lines) != 1 {
		t.Errorf("not final any more: counted %v, logged %q", values, r.lines)
	}
}

const (
	goodStream = "cdr_media_streams_total{audio,caller_to_callee,wifi,windows,good}"
	poorStream = "cdr_media_streams_total{audio,caller_to_callee,wifi,windows,poor}"
	bypassed   = "cdr_media_bypass_calls_total{sbc1.example.com,true}"
)

func rated(rating string) func(*cdr.Record) {
	return func(r *cdr.Record) { r.Ratings = append(r.Ratings, rating) }
}

// Contract 3, counting.md 14: streams, ratings and media bypass count once per call, with
// the first record that is settled.
func TestSettledCountsOnce(t *testing.T) {
	full := func(n int64, options ...func(*cdr.Record)) *cdr.Record {
		return call("a", append(options, version(n), sessions("s1"), rated("good"), bypass(cdr.True))...)
	}
	good, poor, busy := stream(false), stream(true), outcome(cdr.Busy)
	moved, onlyBypass := start(epoch.Add(-30*time.Hour)), page{call("a", bypass(cdr.True))}
	first, again := page{full(1, good)}, page{full(2, good, settled)}
	for _, c := range []struct {
		name       string
		pages      []page
		good, poor string
		last       string // what the last page finds
	}{
		{"not settled", []page{first}, "", "", "1 new"},
		{"nothing but its bypass yet", []page{onlyBypass}, "", "", "1 new"},
		{"nothing but its bypass at first", []page{onlyBypass, {full(1, good, settled)}}, "1", "", "1 repeated"},
		{"at once", []page{{full(1, good, settled)}}, "1", "", "1 new"},
		{"the version that is known", []page{first, {full(1, good, settled)}}, "1", "", "1 repeated"},
		{"a greater one", []page{first, {full(2, poor, settled)}}, "", "1", "1 repeated"},
		{"a greater one with news", []page{first, {full(2, good, settled, busy)}}, "1", "", "1 revised"},
		{"once more", []page{first, again, again, {full(3, poor, settled)}}, "1", "", "1 repeated"},
		{"one that isn't settled any more", []page{{full(1, good, settled)}, {full(2, poor)}}, "1", "", "1 repeated"},
		{
			"an older one, read before the newer was there",
			[]page{{full(2, good)}, {full(1, poor, settled)}},
			"", "1", "1 repeated",
		},
		{
			"the highest of a page",
			[]page{{full(3, good, settled), full(2, poor, settled)}},
			"1", "", "1 new, 1 repeated",
		},
		{
			"the highest of a page that is settled",
			[]page{{full(3, poor), full(2, good, settled), full(1, poor, settled)}},
			"1", "", "1 new, 2 repeated",
		},
		{"a start that has moved", []page{first, {full(2, good, settled, moved)}, again}, "1", "", "1 repeated"},
		{"no sessions ever", []page{{call("a", settled, good, rated("good"), bypass(cdr.True))}}, "1", "", "1 new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newMovingRig(t)
			got := ""
			for _, p := range c.pages {
				got = found(r.records(p...))
				r.restart()
			}
			if got != c.last {
				t.Errorf("the last page: %s, want %s", got, c.last)
			}
			one := c.good + c.poor // each counts once
			wantValues(t, r.values(), map[string]string{
				goodStream: c.good, poorStream: c.poor, bypassed: one, answered: "1",
				"cdr_ratings_total{good}": one, "cdr_ratings_total{bad}": "",
			})
		})
	}
}

// counting.md 14: a call to emergency services counts once, in whichever version a session
// first tells of it.
func TestRule14EmergencyOfALaterVersion(t *testing.T) {
	r := newMovingRig(t)
	for _, step := range []struct {
		name   string
		record *cdr.Record
		want   int
	}{
		{"a call without", call("a", version(1), sessions("s1")), 0},
		{"a later session is one", call("a", version(2), sessions("s1", "s2"), emergency), 1},
		{"the same again", call("a", version(2), sessions("s1", "s2"), emergency), 1},
		{"settled", call("a", version(3), sessions("s1", "s2"), emergency, settled), 1},
		{"another, at once", call("b", version(1), sessions("s1"), emergency), 2},
		{"and again", call("b", version(2), sessions("s1"), emergency, settled), 2},
	} {
		r.records(step.record)
		r.restart()
		if got := r.total("cdr_emergency_calls_total"); got != step.want {
			t.Errorf("%s: %d emergency calls, want %d", step.name, got, step.want)
		}
	}
}
