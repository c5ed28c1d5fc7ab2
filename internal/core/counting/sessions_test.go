package counting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// counting.md 14: each session of a record counts once by itself, in whichever version it
// appears, and has one log record.
func TestRule14Sessions(t *testing.T) {
	r := newMovingRig(t)
	fails := func(id string, result cdr.SessionResult, stage, reason string) func(*cdr.Record) {
		return func(r *cdr.Record) {
			r.Sessions = append(r.Sessions, cdr.Session{
				ID: id, Result: result, Media: "video", Stage: stage,
				Reason: reason,
			})
		}
	}
	moved := start(epoch.Add(-7 * time.Hour))
	setup, dropped := fails("s2", cdr.SessionSetupFailed, "call_setup", "ice"),
		fails("s3", cdr.SessionDropped, "midcall", "")
	for _, step := range []struct {
		name   string
		record *cdr.Record
		want   counting.Result
		total  int
	}{
		{"the first version", call("a", version(1), sessions("s1")), counting.Result{New: 1}, 1},
		{"the same again", call("a", version(1), sessions("s1")), counting.Result{Duplicate: 1}, 1},
		{"a session more", call("a", version(2), moved, sessions("s1"), setup), counting.Result{Revised: 1}, 2},
		{
			"an older version with one that isn't known", call("a", version(1), sessions("s1"), dropped),
			counting.Result{Duplicate: 1},
			3,
		},
		{
			"all of them, one twice", call("a", version(3), moved, sessions("s1", "s1"), setup, dropped),
			counting.Result{Duplicate: 1},
			3,
		},
		{"another call without any", call("b", version(1)), counting.Result{New: 1}, 3},
		{"the same ids in that call", call("b", version(2), sessions("s1", "s2")), counting.Result{Duplicate: 1}, 5},
	} {
		if got := r.records(step.record); got.New != step.want.New || got.Duplicate != step.want.Duplicate ||
			got.Revised != step.want.Revised {
			t.Errorf("%s: %+v", step.name, got)
		}
		r.restart()
		if got := r.total("cdr_sessions_total"); got != step.total {
			t.Errorf("%s: %d sessions, want %d", step.name, got, step.total)
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
	if want := "a/s1 v1 ok; a/s2 v1 setup_failed; a/s3 v1 dropped; b/s1 v1 ok; b/s2 v1 ok"; strings.Join(lines,
		"; ") != want {
		t.Errorf("logs %q, want %s", lines, want)
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
	type page = []*cdr.Record
	full := func(n int64, options ...func(*cdr.Record)) *cdr.Record {
		return call("a", append(options, version(n), sessions("s1"), rated("good"), bypass(cdr.True))...)
	}
	good, poor := stream(false), stream(true)
	for _, c := range []struct {
		name       string
		pages      []page
		good, poor string
		last       counting.Result
	}{
		{"not settled", []page{{full(1, good)}}, "", "", counting.Result{New: 1}},
		{"nothing but its bypass yet", []page{{call("a", bypass(cdr.True))}}, "", "", counting.Result{New: 1}},
		{
			"nothing but its bypass at first",
			[]page{{call("a", bypass(cdr.True))}, {full(1, good, settled)}},
			"1", "",
			counting.Result{Duplicate: 1},
		},
		{"at once", []page{{full(1, good, settled)}}, "1", "", counting.Result{New: 1}},
		{
			"the version that is known",
			[]page{{full(1, good)}, {full(1, good, settled)}},
			"1", "",
			counting.Result{Duplicate: 1},
		},
		{"a greater one", []page{{full(1, good)}, {full(2, poor, settled)}}, "", "1", counting.Result{Duplicate: 1}},
		{
			"a greater one with news",
			[]page{{full(1, good)}, {full(2, good, settled, outcome(cdr.Busy))}},
			"1", "",
			counting.Result{Revised: 1},
		},
		{"once more", []page{
			{full(1, good)},
			{full(2, good, settled)},
			{full(2, good, settled)},
			{full(3, poor, settled)},
		}, "1", "", counting.Result{Duplicate: 1}},
		{
			"one that isn't settled any more",
			[]page{{full(1, good, settled)}, {full(2, poor)}},
			"1", "",
			counting.Result{Duplicate: 1},
		},
		{
			"an older one, read before the newer was there",
			[]page{{full(2, good)}, {full(1, poor, settled)}},
			"", "1",
			counting.Result{Duplicate: 1},
		},
		{
			"the highest of a page",
			[]page{{full(3, good, settled), full(2, poor, settled)}},
			"1", "",
			counting.Result{New: 1, Duplicate: 1},
		},
		{"the highest of a page that is settled", []page{{
			full(3, poor), full(2, good, settled),
			full(1, poor, settled),
		}}, "1", "", counting.Result{New: 1, Duplicate: 2}},
		{"a start that has moved", []page{
			{full(1, good)},
			{full(2, good, settled, start(epoch.Add(-30*time.Hour)))},
			{full(2, good, settled)},
		}, "1", "", counting.Result{Duplicate: 1}},
		{
			"no sessions ever",
			[]page{{call("a", settled, good, rated("good"), bypass(cdr.True))}},
			"1", "",
			counting.Result{New: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newMovingRig(t)
			var got counting.Result
			for _, p := range c.pages {
				got = r.records(p...)
				r.restart()
			}
			if got.New != c.last.New || got.Duplicate != c.last.Duplicate || got.Revised != c.last.Revised {
				t.Errorf("the last page: %+v, want %+v", got, c.last)
			}
			one := ""
			if c.good+c.poor != "" {
				one = "1"
			}
			wantValues(t, r.values(), map[string]string{
				goodStream: c.good, poorStream: c.poor, bypassed: one,
				"cdr_ratings_total{good}": one,
				"cdr_ratings_total{bad}":  "",
				"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "1",
			})
		})
	}
}

// counting.md 14: a call to emergency services counts once, in whichever version a session
// first tells of it.
func TestRule14EmergencyOfALaterVersion(t *testing.T) {
	r := newMovingRig(t)
	emergency := func(r *cdr.Record) { r.Emergency = cdr.EmergencyReal }
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
