package counting_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// callRig is a live feed whose calls have several records and settle in ten minutes.
type callRig struct{ *rig }

func newCallRig(t *testing.T, change func(*counting.Settings)) callRig {
	r := newRig(t, counting.Rules{Legs: true})
	r.settings.Settle, r.settings.WholeAfter = settle, 4*time.Hour
	r.state.HistoryDone, r.state.Watermark = true, epoch
	if change != nil {
		change(&r.settings)
	}
	return callRig{r}
}

// wait reads everything after a while.
func (r callRig) wait(after time.Duration) counting.Result {
	r.at = r.at.Add(after)
	return r.commit(&counting.Page{ObservedAt: r.at, Position: &counting.Position{
		Watermark: r.at, HistoryDone: true,
		Read: &counting.Read{Began: r.at},
	}})
}

// A leg rings, is answered and ends at seconds of the minute before epoch; -1 is never.
func leg(id string, from, answer, end int, options ...func(*cdr.Record)) *cdr.Record {
	began := epoch.Add(-10 * time.Minute)
	r := call(id, start(began.Add(time.Duration(from)*time.Second)), inGroup("k"),
		func(r *cdr.Record) { r.NoDuration, r.CallID = true, "c" })
	r.End = began.Add(time.Duration(end) * time.Second)
	if answer >= 0 {
		r.Answer = began.Add(time.Duration(answer) * time.Second)
	} else {
		r.Outcome = cdr.NoAnswer
	}
	for _, o := range options {
		o(r)
	}
	return r
}

func trunk(name string) func(*cdr.Record) { return func(r *cdr.Record) { r.Trunk = name } }

func going(d cdr.Direction) func(*cdr.Record) { return func(r *cdr.Record) { r.Direction = d } }

func party(p cdr.Party) func(*cdr.Record) { return func(r *cdr.Record) { r.Party = p } }

func onChannel(name string) func(*cdr.Record) { return func(r *cdr.Record) { r.Channel = name } }

// legWords are what a leg of TestCallCountsWhenItIsWhole may have besides its times.
var legWords = map[string]func(*cdr.Record){
	"whole": func(r *cdr.Record) { r.Whole = true }, "open": provisional,
	"other": inGroup("other"), "alone": inGroup(""), "out": going(cdr.Outbound),
	"early": start(epoch.Add(-50 * time.Hour)), "recent": start(epoch.Add(-time.Hour)),
	"between":  start(epoch.Add(-3 * time.Hour)),
	"end-10h":  func(r *cdr.Record) { r.End = epoch.Add(10 * time.Hour) },
	"end-20y":  func(r *cdr.Record) { r.End = epoch.AddDate(20, 0, 0) },
	"end-huge": func(r *cdr.Record) { r.End = time.Unix(1e12, 0) }, // JSON can't write it
	"long":     func(r *cdr.Record) { r.NoDuration, r.Duration = false, time.Hour },
	"named":    func(r *cdr.Record) { r.CallerNumber = "201" },
	"latin1":   func(r *cdr.Record) { r.ReasonPhrase, r.Trunk = "M\xfcller\x00", "\xff" },
}

// run does what a text says: `a 0 5 9 whole, b 0 -1 3; wait 10m` reads a page of two legs, and reads everything ten
// minutes later. With partly that read can't read a file; later lets time pass.
func (r callRig) run(text string) (last counting.Result, incomplete int) {
	for step := range strings.SplitSeq(text, "; ") {
		what, after, _ := strings.Cut(step, " ")
		length, _ := time.ParseDuration(after)
		switch what {
		case "wait":
			last = r.wait(length)
		case "later":
			r.at = r.at.Add(length)
		case "partly":
			r.at = r.at.Add(length)
			last = r.commit(&counting.Page{ObservedAt: r.at, Position: &counting.Position{
				Read: &counting.Read{Began: r.at.Add(-4 * time.Hour), Partial: true},
			}})
		case "no-legs":
			r.settings.Legs, r.settings.Settle = false, 0
		default:
			var records page
			for one := range strings.SplitSeq(step, ", ") {
				var id string
				var from, answer, end int
				if _, err := fmt.Sscan(one, &id, &from, &answer, &end); err != nil {
					r.t.Fatal(err)
				}
				l := leg(id, from, answer, end)
				for _, word := range strings.Fields(one)[4:] {
					legWords[word](l)
				}
				records = append(records, l)
			}
			last = r.records(records...)
		}
		incomplete += last.Incomplete
	}
	return last, incomplete
}

// growing are the steps of a leg that grows for some hours, an hour at a time.
func growing(hours int) string {
	var steps []string
	for n := range hours {
		steps = append(steps, fmt.Sprintf("a 0 5 %d; later 1h", 60+n*3600))
	}
	return strings.Join(steps, "; ") + "; a 0 5 900000; wait 1s"
}

// counting.md 36: a call counts once it is whole.
func TestCallCountsWhenItIsWhole(t *testing.T) {
	for _, c := range []struct {
		name, steps string
		calls       string // the outcomes of what is counted in the end
		waiting     int    // how many calls wait then
		incomplete  int    // how many of those that count weren't whole
	}{
		{"before it has settled", "a 0 5 9; wait 9m59s", "", 1, 0},
		{"after", "a 0 5 9; wait 10m", "answered 1", 0, 0},
		{"not by time alone", "a 0 5 9; later 24h; b 0 -1 3 other", "", 2, 0},
		{"a leg begins to settle again", "a 0 5 9; wait 9m59s; b 1 -1 3; wait 9m59s", "", 1, 0},
		{"a later version with other times does", "a 0 5 9; wait 9m59s; a 0 5 8; wait 9m59s", "", 1, 0},
		{"one with another length does", "a 0 5 9; wait 9m59s; a 0 5 9 long; wait 9m59s", "", 1, 0},
		{"one with the same times doesn't", "a 0 5 9; wait 9m59s; a 0 5 9 named; wait 1s", "answered 1", 0, 0},
		{
			"one that is listed in two forms settles", strings.Repeat("a 0 5 9; a 0 5 9 out; ", 5) +
				"wait 9m59s; a 0 5 9; a 0 5 9 out; wait 1s", "answered 1", 0, 0,
		},
		{"a repeat doesn't", "a 0 5 9; wait 9m59s; a 0 5 9; wait 1s", "answered 1", 0, 0},
		{
			"one that still grows doesn't count",
			"a 0 5 60; wait 1m; a 0 5 120; wait 1m; a 0 5 180; wait 1m; a 0 5 240; wait 1m; " +
				"a 0 5 300; wait 1m; a 0 5 360; wait 2m; a 0 5 480; wait 2m; a 0 5 600; wait 2m; " +
				"a 0 5 720; wait 2m; a 0 5 840; wait 4m; a 0 5 1080; wait 4m; a 0 5 1320; wait 4m", "", 1, 0,
		},
		{"one that grows for longer than a call takes counts", growing(60), "answered 1", 0, 0},
		{
			"one that is listed open and final settles", strings.Repeat("a 0 5 9 open; a 0 5 9; ", 12) +
				"wait 9m59s; a 0 5 9 open; a 0 5 9; wait 1s", "answered 1", 0, 0,
		},
		{"a file can't be read", "a 0 5 9; partly 4h9m59s", "", 1, 0},
		{"a file can't be read for long", "a 0 5 9; partly 4h10m", "answered 1", 0, 1},
		{"without a key", "a 0 5 9 alone", "answered 1", 0, 0},
		{"an open leg", "a 0 5 9, b 0 -1 0 open; wait 3h", "", 1, 0},
		{"an open leg that ends", "a 0 -1 9, b 0 -1 0 open; wait 1h; b 0 5 9; wait 10m", "answered 1", 0, 0},
		{"an open leg that never ends", "a 0 -1 9, b 0 -1 0 open; wait 5h", "no_answer 1", 0, 1},
		{
			"an open leg ends in another call", "a 0 5 9, b 0 -1 0 open; b 0 -1 3 other; wait 10m",
			"answered 1 no_answer 1", 0, 0,
		},
		{
			"an open leg alone ends in another call", "b 0 -1 0 open; b 0 5 9 other; wait 10m; wait 5h",
			"answered 1", 0, 0,
		},
		{
			"an open leg is moved, and ends",
			"b 0 -1 0 open; b 0 -1 0 open other; a 0 5 9; wait 10m; b 0 -1 3 other; wait 10m",
			"answered 1 no_answer 1", 0, 0,
		},
		{"an open leg ends as a call by itself", "b 0 -1 0 open; b 0 5 9 alone; wait 5h", "answered 1", 0, 0},
		{"a later version while it waits", "a 0 -1 9; a 0 5 9; wait 10m", "answered 1", 0, 0},
		{
			"a later version is of another call", "a 0 5 9, b 0 -1 3; b 0 -1 3 other; wait 10m",
			"answered 1 no_answer 1", 0, 0,
		},
		{"two days apart", "a 0 5 9 early, b 0 -1 3 recent; wait 10m", "answered 1 no_answer 1", 0, 0},
		{
			"two days apart, the later one first", "b 0 -1 3 recent; wait 10m; a 0 5 9 early; wait 10m",
			"answered 1 no_answer 1", 0, 0,
		},
		{"a time that JSON can't write", "a 0 5 9 end-huge; wait 10m", "answered 1", 0, 0},
		{"bytes that aren't UTF-8", "a 0 5 9 latin1; wait 10m", "answered 1", 0, 0},
		{"a definition that no longer has legs", "a 0 5 9; no-legs; a 0 5 8; wait 10m", "answered 1", 0, 0},
		{"an end before its start", "a 9 5 0; wait 10m", "answered 1", 0, 0},
		{"at once: settle is 0", "a 0 5 9", "answered 1", 0, 0},
		{"whole: the leg that it needs", "a 0 -1 9; wait 3h", "", 1, 0},
		{"whole: the leg that it needs comes", "a 0 -1 9; wait 3h; b 0 5 9 whole; wait 10m", "answered 1", 0, 0},
		{"whole: the leg that it needs never comes", "a 0 -1 9; wait 5h", "no_answer 1", 0, 1},
		{"whole: the provider's clock is ahead by hours", "a 0 5 9 end-10h; wait 5h", "answered 1", 0, 1},
		{"whole: an end in the far future", "a 0 5 9 end-20y; wait 5h", "answered 1", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) {
				if s.Whole = strings.HasPrefix(c.name, "whole: "); strings.HasSuffix(c.name, "settle is 0") {
					s.Settle = 0
				}
			})
			r.state.Origin, r.state.Floor = epoch.Add(-100*time.Hour), epoch.Add(-100*time.Hour)
			last, incomplete := r.run(c.steps)
			var got []string
			for outcome, n := range r.outcomes() {
				got = append(got, fmt.Sprint(outcome, " ", n))
			}
			slices.Sort(got)
			calls := strings.Join(got, " ")
			if calls != c.calls || last.Waiting != c.waiting || incomplete != c.incomplete {
				t.Errorf("%s; %d wait, %d incomplete", calls, last.Waiting, incomplete)
			}
		})
	}
}

// A late leg, or a later version of a leg, is of the call that began up to two days before it, although
// the next call with the key began nearer to it.
func TestLateLegBetweenTwoCalls(t *testing.T) {
	for _, c := range []struct {
		name, steps string
		changes     int
	}{
		{"a late leg", "a 0 -1 9 early, b 0 5 9 recent; wait 10m; c 0 5 9 between", 1},
		{"a later version", "a 0 -1 9 early, c 0 -1 9 between, b 0 5 9 recent; wait 10m; c 0 5 9 between", 1},
		{"a leg 50 hours later", "a 0 -1 9 early; wait 10m; c 0 5 9", 0},
		{
			"a later version of a leg of the second call, which counted first",
			"b 0 5 9 recent; wait 10m; c 0 5 9 between; a 0 -1 9 early; wait 10m; c 0 5 8 between", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, nil)
			r.state.Origin, r.state.Floor = epoch.Add(-100*time.Hour), epoch.Add(-100*time.Hour)
			r.run(c.steps)
			if got := r.total("cdr_call_outcome_changes_total"); got != c.changes {
				t.Errorf("%d changes of an outcome, want %d", got, c.changes)
			}
		})
	}
}

// Of legs that ended alike the first id gives the outcome. A late leg that changes nothing doesn't change that.
func TestLateLegOfLegsThatEndedAlike(t *testing.T) {
	for i := range 8 { // ids are remembered as hashes, whose order is another one
		r := newCallRig(t, nil)
		r.records(leg(fmt.Sprint("a", i), 0, -1, 9, outcome(cdr.Busy)), leg(fmt.Sprint("b", i), 0, -1, 9))
		r.wait(settle)
		r.records(leg("c", 0, -1, 3))
		if got := r.total("cdr_call_outcome_changes_total"); got != 0 {
			t.Errorf("the outcome changed %d times", got)
		}
	}
}

// The order of late legs that come on one page changes nothing: talk time is observed of all of them, and an outcome
// changes once.
func TestOrderOfLateLegsOfAPage(t *testing.T) {
	late := page{
		leg("b", 1, 10, 20), leg("c", 30, 30, 60), leg("d", 0, -1, 99, outcome(cdr.Busy)),
		leg("e", 0, 0, 100, party(cdr.PartyMachine)),
	}
	for i := range late {
		r := newCallRig(t, nil)
		r.records(leg("a", 0, -1, 9))
		r.wait(settle)
		r.records(append(slices.Clone(late[i:]), late[:i]...)...)
		wantValues(t, r.values(), map[string]string{
			"cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}":         "1/40",
			"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,}": "100",
			"cdr_call_outcome_changes_total{no_answer,answered}":                  "1",
		})
		if got := r.total("cdr_call_outcome_changes_total"); got != 1 {
			t.Errorf("from leg %d on: the outcome changed %d times", i, got)
		}
	}
}

// Talk time is observed once for a call, and not as 0 s if it isn't known. Connected time that was
// counted isn't counted again when a later version of a leg is shorter and the next one longer.
func TestTimesOfCalls(t *testing.T) {
	machine := leg("a", 0, 0, 60, party(cdr.PartyMachine))
	endless := leg("b", 5, 10, 0, func(r *cdr.Record) { r.End = time.Time{} })
	a := func(end int) page { return page{leg("a", 0, 5, end)} }
	for _, c := range []struct {
		name  string
		pages []page
		// talks are the observations of talk time, connected the seconds on the trunk and altogether.
		talks, connected int
	}{
		{"answered for no time", []page{{leg("a", 0, -1, 5), leg("b", 5, 9, 9)}}, 1, 0},
		{"how long a person talked isn't known", []page{{machine, endless}}, 0, 60},
		{"a late leg of a call without talk", []page{a(5), {leg("b", 5, 9, 20)}}, 1, 11},
		{"a version is shorter, the next one longer", []page{a(65), a(25), a(65), a(70)}, 1, 65},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, nil)
			for _, page := range c.pages {
				r.records(page...)
				r.wait(settle)
			}
			talks, connected := r.total("cdr_call_duration_seconds"), r.total("cdr_call_connected_seconds_total")/1e6
			onTrunk := r.total("cdr_trunk_connected_seconds_total") / 1e6
			if talks != c.talks || connected != c.connected || onTrunk != c.connected {
				t.Errorf("%d talks, %d s connected, %d s on the trunk", talks, connected, onTrunk)
			}
		})
	}
}

// A call of one record whose duration a later version is the first to give counts it then, once, on its trunk too.
func TestDurationThatComesLater(t *testing.T) {
	r := newRig(t, counting.Rules{})
	without := func(c *cdr.Record) { c.Duration, c.NoDuration = 0, true }
	seconds := func(talks, connected string) map[string]string {
		return map[string]string{
			"cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}":         talks,
			"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,}": connected,
			"cdr_trunk_connected_seconds_total{sbc1.example.com,inbound}":         connected,
		}
	}
	r.records(call("a", without))
	wantValues(t, r.values(), seconds("", ""))
	r.records(call("a"))
	r.records(call("a", without), call("a"))
	wantValues(t, r.values(), seconds("1/60", "60"))
}

// A read that didn't look at the times of a call doesn't make it whole.
func TestCallNeedsAReadOfItsTimes(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to time.Duration // to epoch
		whole    bool
	}{
		{"all of it", -20 * time.Minute, settle, true},
		{"a part", -9*time.Minute - 58*time.Second, settle, false},
		{"a piece that ends before it is due", -20 * time.Minute, settle - time.Second, false},
		{"before it", -20 * time.Minute, -10*time.Minute + time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, nil)
			r.records(leg("a", 0, 5, 9))
			r.commit(&counting.Page{ObservedAt: epoch.Add(settle), Position: &counting.Position{
				Read: &counting.Read{From: epoch.Add(c.from), To: epoch.Add(c.to), Began: epoch.Add(settle)},
			}})
			if got := r.total("cdr_calls_total"); got != map[bool]int{true: 1}[c.whole] {
				t.Errorf("%d calls", got)
			}
		})
	}
}

// A catch-up doesn't count a call at the end of the read that brought it: that read may have missed
// another leg, which came while it went on. Legs that the provider no longer adds don't wait.
func TestCatchUpReadsACallTwice(t *testing.T) {
	for _, c := range []struct {
		name     string
		lookback time.Duration
		first    int // calls after the first read
	}{
		{"other legs may come", 48 * time.Hour, 0},
		{"none come any more", 2 * time.Hour, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Lookback = c.lookback })
			r.at = epoch.Add(3 * time.Hour)
			read := func(began time.Duration) {
				r.commit(&counting.Page{ObservedAt: r.at, Position: &counting.Position{
					Read: &counting.Read{Began: r.at.Add(began)},
				}})
			}
			r.commit(&counting.Page{ObservedAt: r.at, Records: []*cdr.Record{leg("a", 0, 5, 9)}})
			if read(-time.Second); r.total("cdr_calls_total") != c.first {
				t.Errorf("%d calls after the read that brought it, want %d", r.total("cdr_calls_total"), c.first)
			}
			r.at = r.at.Add(time.Minute)
			if read(-time.Second); r.total("cdr_calls_total") != 1 {
				t.Errorf("%d calls after the next read", r.total("cdr_calls_total"))
			}
		})
	}
}

// The counters of legs don't wait for their call.
func TestWhatDoesNotWait(t *testing.T) {
	r := newCallRig(t, nil)
	out := going(cdr.Outbound)
	got := r.records(
		leg("a", 0, -1, 2, out, trunk("one"), outcome(cdr.Failed), charge(t, "usage", "EUR", "0.5"), emergency),
		leg("b", 2, 4, 60, out, trunk("two"), onChannel("x"), emergency),
		leg("c", 60, 61, 90, out, trunk("two"), onChannel("x"),
			func(r *cdr.Record) { r.Visits = []cdr.Visit{{Queue: "support"}} }))
	if got.New != 3 || got.Waiting != 1 {
		t.Errorf("%+v", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_call_charges_total{outbound,byot_in,EUR,usage,}": "0.5", "cdr_emergency_calls_total{failed,false}": "1",
		"cdr_queue_calls_total{support,other}":               "1",
		"cdr_call_legs_total{outbound,one,byot_in,failed}":   "1",
		"cdr_call_legs_total{outbound,two,byot_in,answered}": "2", "cdr_emergency_calls_total{answered,false}": "",
	})
	if want := []string{"outbound one failed", "outbound two answered"}; !slices.Equal(r.attempts, want) {
		t.Errorf("attempts %q, want %q", r.attempts, want)
	}
	r.wait(settle)
	wantValues(t, r.values(), map[string]string{
		"cdr_calls_total{outbound,byot_in,answered,two,false}": "1", "cdr_call_failures_total": "",
		"cdr_call_duration_seconds{outbound,byot_in,two}":         "1/85",
		"cdr_call_connected_seconds_total{outbound,byot_in,two,}": "85",
		"cdr_trunk_connected_seconds_total{two,outbound}":         "85", "cdr_call_setup_seconds{outbound,two}": "1/4",
	})
	r.records(leg("d", 95, -1, 99, out, trunk("three"), onChannel("x"))) // of another trunk
	if len(r.attempts) != 3 {
		t.Errorf("attempts %q", r.attempts)
	}
}

// An emergency, and an attempt on a trunk's channel, count once for a call. Systems use call keys and
// channels again: a leg that starts more than two days later is of another call.
func TestWhatCountsOnceForACall(t *testing.T) {
	for _, c := range []struct {
		name string
		// pages are legs: `a=k+50` has the call key k and starts at hour 50, `a<p` is a child of p, `a$` a later
		// version of a, `~a` isn't on the channel, `-a` isn't to emergency services either. After `w` all has settled.
		pages string
		calls int
	}{
		{"on one page", "a=k b=k", 1},
		{"on two pages", "a=k | b=k", 1},
		{"another key", "a=k | b=l", 2},
		{"two days apart", "a=k | b=k+48", 1},
		{"the key is used again", "a=k b=k+49", 2},
		{"the key is used again, on two pages", "a=k | b=k+49", 2},
		{"the key is used again, the later one first", "a=k+49 | b=k", 2},
		{"the key is used again, each with two legs", "a=k b=k+1 | c=k+60 | d=k+61", 2},
		{"parent first", "p | a<p", 1},
		{"child first", "a<p | p", 1},
		{"a chain", "p a<p b<a", 1},
		{"a chain on three pages", "p | a<p | b<a", 1},
		{"a chain from its end", "b<a | a<p | p", 1},
		{"a chain on two pages, its end before its middle", "p | b<a a<p", 1},
		{"a quiet middle in between", "a<p | -p<q | b<p | -q", 1},
		{"a quiet middle, and its sibling", "a<p | -p<q | ~b<q", 1},
		{"a quiet middle last, on one page", "a<p | b<p -p<q", 1},
		{"a quiet parent with a key", "a<g | -g=k | b<g", 1},
		{"a quiet parent with a key, a later version", "a<g | -g=k | a$<g", 1},
		{"a quiet middle, a later version", "a<p | -p<q | a$<p", 1},
		{"a quiet middle, a later version when it has counted", "a<p | -p<q | w | a$<p", 1},
		{"two calls that a quiet middle makes one", "a<p | w | -p<q | w | a$<p b<q", 1},
		{"a later version has another key", "a=k | a$=l | a$=l", 1},
		{"a later version has another key when it has counted", "a=k | w | a$=l | a$=m | a$=m", 1},
		{"a later version has no key when it has counted", "a=k | w | a$ | a$", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Parents = strings.Contains(c.pages, "<") })
			r.state.Origin, r.state.Floor = epoch.Add(-100*time.Hour), epoch.Add(-100*time.Hour)
			for n, ids := range strings.Split(c.pages, " | ") {
				if ids == "w" {
					r.wait(settle)
					continue
				}
				var records page
				for text := range strings.FieldsSeq(ids) {
					text, hour, _ := strings.Cut(text, "+")
					hours, _ := strconv.Atoi(hour)
					id, key, _ := strings.Cut(text, "=")
					id, parent, _ := strings.Cut(id, "<")
					id, isLater := strings.CutSuffix(id, "$")
					id, isQuiet := strings.CutPrefix(id, "-")
					id, isElsewhere := strings.CutPrefix(id, "~")
					one := leg(id, 0, -1, 9, inGroup(key), childOf(parent),
						start(epoch.Add(time.Duration(hours-80)*time.Hour)), going(cdr.Outbound), trunk("one"))
					if !isQuiet {
						one.Emergency = cdr.EmergencyReal
					}
					if !isQuiet && !isElsewhere {
						one.Channel = "x"
					}
					if isLater {
						one.ReasonPhrase = strconv.Itoa(n)
					}
					records = append(records, one)
				}
				r.records(records...)
				r.restart()
			}
			onChannel := len(r.attempts) - strings.Count(c.pages, "-") - strings.Count(c.pages, "~")
			if got := r.total("cdr_emergency_calls_total"); got != c.calls || onChannel != c.calls {
				t.Errorf("%d emergencies, %d attempts, want %d", got, onChannel, c.calls)
			}
		})
	}
}

// A record that names a parent is a leg of its topmost parent's call, whichever came first.
func TestParents(t *testing.T) {
	for _, c := range []struct {
		name string
		// pages are the ids of records; `a<p` is a child of p. The id p has another one, q; g and h have one key.
		pages string
		calls int
	}{
		{"parent first", "p | a<p", 1},
		{"child first", "a<p | p", 1},
		{"on one page", "a<p p b<p", 1},
		{"by another id", "a<q | p | b<p", 1},
		{"a chain from its end", "c<b | b<a | a<p | p", 1},
		{"a chain whose middle comes last", "p | b<a | a<p", 1},
		{"a chain with its middle twice", "p b<a | c<b | a<p | a<p", 1},
		{"a ring", "a<b b<a", 1},
		{"a ring over pages", "a<b | b<c | c<a", 1},
		{"its own parent", "a<a", 1},
		{"a parent that never comes", "a<x b<x", 1},
		{"another's child", "p a<x", 2},
		{"a parent with a key", "a<g h | g", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Parents = true })
			for ids := range strings.SplitSeq(c.pages, " | ") {
				var records page
				for id := range strings.FieldsSeq(ids) {
					id, parent, isChild := strings.Cut(id, "<")
					switch {
					case isChild:
						records = append(records, leg(id, 1, -1, 9, inGroup(""), childOf(parent)))
					case id == "p":
						records = append(records, leg(id, 0, 0, 9, inGroup(""), alts("q")))
					default:
						records = append(records, leg(id, 0, -1, 9))
					}
				}
				r.records(records...)
				r.restart()
			}
			got := r.wait(settle)
			if r.total("cdr_calls_total") != c.calls || got.Waiting != 0 || len(r.tasks) != 0 {
				t.Errorf("%d calls, %d wait, want %d", r.total("cdr_calls_total"), got.Waiting, c.calls)
			}
		})
	}
}

// A call is late, and its delay goes, by when its last leg was first read. A later version of a leg that waits
// changes neither, and each leg has one log record.
func TestLateByTheLastLeg(t *testing.T) {
	r := newCallRig(t, nil)
	r.records(leg("a", 0, 5, 60))
	r.at = r.at.Add(5 * time.Minute)
	r.records(leg("b", 0, -1, 60))
	r.at = r.at.Add(2 * time.Hour)
	r.records(leg("b", 0, -1, 59))
	got := r.wait(3 * time.Hour)
	if want := 14 * time.Minute; len(got.Delays) != 1 || got.Delays[0] != want {
		t.Errorf("delays %v, want %s", got.Delays, want)
	}
	want := []string{"cdr.call.leg c", "cdr.call.leg c", "cdr.call.revised c", "cdr.call c"}
	if !slices.Equal(r.logs, want) {
		t.Errorf("log records %q, want %q", r.logs, want)
	}
	wantValues(t, r.values(), map[string]string{answered: "1"})
}

// A later version of a leg of a counted call adds no leg to it: Twilio's price comes after the call. Only a leg that is
// new has a log record, and only one that is new or has other times or another outcome lets the call grow.
func TestLaterVersionOfACountedLeg(t *testing.T) {
	priced := leg("a", 0, 5, 60, charge(t, "usage", "EUR", "1"))
	for name, c := range map[string]struct {
		late  *cdr.Record
		logs  []string
		grown bool
	}{
		"with a price": {priced, []string{"cdr.call c", "cdr.call.revised c"}, false},
		"longer":       {leg("a", 0, 5, 70), []string{"cdr.call c", "cdr.call.revised c"}, true},
		"another leg":  {leg("b", 0, -1, 5), []string{"cdr.call c", "cdr.call.leg c"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, nil)
			r.records(leg("a", 0, 5, 60))
			r.wait(settle)
			r.records(c.late)
			if !slices.Equal(r.logs, c.logs) {
				t.Errorf("log records %q, want %q", r.logs, c.logs)
			}
			if m := r.preview(r.at, c.late)[0].Memory; m.Call.Grown != c.grown {
				t.Errorf("grown is %t", m.Call.Grown)
			}
		})
	}
}

// A leg that was open when its call counted has its log record with its final version.
func TestLogOfALegThatWasOpen(t *testing.T) {
	r := newCallRig(t, nil)
	r.records(leg("a", 0, 5, 60), leg("b", 0, -1, 60, provisional))
	r.wait(5 * time.Hour)
	r.records(leg("b", 0, -1, 60))
	if want := []string{"cdr.call.leg c", "cdr.call c", "cdr.call.leg c"}; !slices.Equal(r.logs, want) {
		t.Errorf("log records %q, want %q", r.logs, want)
	}
}

// A call occupies its trunk in the direction of the first leg on the channel, also after the outside party was
// transferred. A late leg on the channel adds its time in the same direction, and one without a trunk none. If the
// first leg is late, the time that was counted isn't counted again in the other direction.
func TestTransferOfTheOutsideParty(t *testing.T) {
	r := newCallRig(t, nil)
	r.records(leg("a", 0, 5, 20, trunk("A"), onChannel("7"), going(cdr.Outbound)),
		leg("b", 20, 22, 60, trunk("A"), onChannel("7")))
	r.wait(settle)
	transferred := leg("d", 60, 60, 70, trunk("A"), onChannel("7"))
	for i, late := range []*cdr.Record{nil, leg("c", 1, 2, 3, trunk("")), transferred} {
		if late != nil {
			r.records(late)
		}
		want := []string{"53", "53", "63"}[i]
		values := r.values()
		if values["cdr_trunk_connected_seconds_total{A,outbound}"] != want ||
			values["cdr_trunk_connected_seconds_total{A,inbound}"] != "" {
			t.Errorf("want %s seconds outbound: %v", want, values)
		}
	}
	r = newCallRig(t, nil)
	r.records(leg("b", 20, 22, 60, trunk("A"), onChannel("7")))
	r.wait(settle)
	for range 2 {
		r.records(leg("a", 0, 5, 20, trunk("A"), onChannel("7"), going(cdr.Outbound)))
	}
	wantTimes := map[string]string{
		"cdr_trunk_connected_seconds_total{A,inbound}": "38", "cdr_trunk_connected_seconds_total{A,outbound}": "15",
	}
	wantValues(t, r.values(), wantTimes)
}

// If legs without ids begin together, their values decide which is the first, not their places in a file.
func TestLegsWithoutIDs(t *testing.T) {
	for _, trunks := range [][]string{{"A", "B"}, {"B", "A"}} {
		r := newCallRig(t, nil)
		var records page
		for i, name := range trunks {
			l := leg("", 0, -1, 9, trunk(name))
			l.Synthetic = strconv.Itoa(i)
			records = append(records, l)
		}
		r.records(records...)
		r.wait(settle)
		wantValues(t, r.values(), map[string]string{"cdr_calls_total{inbound,byot_in,no_answer,A,false}": "1"})
	}
}

// A first history is shown when each of its calls is whole or has waited `settle` once. In it,
// `settle` runs from the end of the legs.
func TestHistoryOfCalls(t *testing.T) {
	for _, arrival := range []bool{false, true} {
		r := newCallRig(t, func(s *counting.Settings) { s.ByArrival = arrival })
		r.state.HistoryDone, r.state.Watermark = false, r.state.Origin
		old := start(epoch.Add(-5 * time.Hour))
		r.records(leg("a", 0, -1, 9, inGroup("old"), old, func(r *cdr.Record) { r.End = r.Start }))
		r.records(leg("c", 0, 5, 100, inGroup("other")))
		if got := r.total("cdr_calls_total"); got != 0 {
			t.Errorf("by arrival %t: %d calls within a list", arrival, got)
		}
		r.commit(&counting.Page{
			Records: []*cdr.Record{leg("b", 0, 5, 599)}, ObservedAt: r.at, Position: &counting.Position{},
		})
		if got, want := r.total("cdr_calls_total"), map[bool]int{true: 1}[arrival]; got != want {
			t.Errorf("by arrival %t: %d calls while the history is read, want %d", arrival, got, want)
		}
		if r.wait(0); r.state.HistoryDone || r.total("cdr_calls_total") != 1 {
			t.Errorf("by arrival %t: %d calls, shown %t", arrival, r.total("cdr_calls_total"), r.state.HistoryDone)
		}
		if r.wait(settle); !r.state.HistoryDone || r.total("cdr_calls_total") != 3 {
			t.Errorf("by arrival %t: %d calls, shown %t after settle", arrival, r.total("cdr_calls_total"),
				r.state.HistoryDone)
		}
	}
}

// A call belongs to the range of time in which it starts: legs from before the origin are read for
// those that go on after it.
func TestCallsAroundTheOrigin(t *testing.T) {
	r := newCallRig(t, func(s *counting.Settings) { s.Lead = 4 * time.Hour })
	r.state.Origin = epoch.Add(-10 * time.Minute).Add(5 * time.Second)
	r.state.Floor = r.state.Origin.Add(-r.settings.Lead)
	paid := charge(t, "usage", "EUR", "1")
	parts := func(r *cdr.Record) {
		r.Settled, r.Recordings = true, []cdr.Recording{{ID: "tape"}}
		r.Streams = []cdr.Stream{{Media: "audio"}}
	}
	r.records(
		leg("before", 0, 1, 9, paid, parts), leg("after", 6, 7, 9, paid), // began before
		leg("alone", 0, 1, 9, inGroup(""), paid),
		leg("counts", 5, 6, 9, inGroup("other"), paid))
	dearer := r.records(leg("before", 0, 1, 9, parts,
		charge(t, "usage", "EUR", "3"), charge(t, "setup", "EUR", "1")))
	if dearer.Revised != 0 || dearer.Duplicate != 1 {
		t.Errorf("a later version of a leg from before the origin: %+v", dearer)
	}
	r.wait(settle)
	wantValues(t, r.values(), map[string]string{
		answered: "1",
		"cdr_call_charges_total{inbound,byot_in,EUR,usage,}": "2",
	})
	for series, value := range r.values() {
		for _, part := range []string{"cdr_recordings_total", "cdr_media_streams_total", "corrections", "setup"} {
			if strings.Contains(series, part) {
				t.Errorf("%s is %s, of a leg from before the origin", series, value)
			}
		}
	}
	if want := []string{"cdr.call c"}; !slices.Equal(r.logs, want) {
		t.Errorf("log records %q, want %q", r.logs, want)
	}
	r.records(leg("late", 8, 9, 12))
	if got := r.total("cdr_call_connected_seconds_total"); got != 3_000_000 {
		t.Errorf("%d µs connected", got)
	}
}

// A call that starts ahead of the feed's clock, such as in the hour that clocks repeat, holds no call of a catch-up.
func TestCatchUpBehindACallThatIsAhead(t *testing.T) {
	r := newCallRig(t, func(s *counting.Settings) { s.ByArrival = true })
	r.records(leg("ahead", 0, 5, 9, inGroup(""), start(epoch.Add(8*time.Hour))))
	r.state.Watermark = epoch.Add(-time.Hour) // the exporter was down
	r.records(leg("a", 0, 5, 9), leg("b", 0, 5, 9))
	r.state.Watermark = epoch
	if r.wait(settle); r.total("cdr_calls_total") != 2 {
		t.Errorf("%d calls", r.total("cdr_calls_total"))
	}
}

// TestChargesThatTheCallHas: the record of a call has what its legs cost until it counts. It lacks the charges of a
// late leg, and later amounts of a counted one.
func TestChargesThatTheCallHas(t *testing.T) {
	r := newCallRig(t, nil)
	costs := func(id, amount string, n int64) *cdr.Record {
		return leg(id, 0, 5, 9, version(n), charge(t, "usage", "USD", amount))
	}
	for _, c := range []struct {
		name, amount string
		leg          *cdr.Record
		wait, has    bool
	}{
		{"a leg", "1", costs("a", "1", 1), false, true},
		{"a later version of a leg that waits", "2", costs("a", "3", 2), false, true},
		{"a later version of a counted leg", "4", costs("a", "7", 3), true, false},
		{"a late leg", "5", costs("b", "5", 1), false, false},
	} {
		if c.wait {
			r.wait(settle)
			r.wait(settle)
		}
		page := &counting.Page{ObservedAt: r.at, Records: []*cdr.Record{c.leg}}
		change, found := r.decide(page), 0
		for _, f := range change.Facts {
			if f.Kind == facts.Charge || f.Kind == facts.Correction {
				if found++; f.WithCall != c.has || f.Charge.Amount.String() != c.amount {
					t.Errorf("%s: %s, with the call %t", c.name, f.Charge.Amount.String(), f.WithCall)
				}
			}
		}
		if found != 1 {
			t.Errorf("%s: %d charges", c.name, found)
		}
		r.commit(page)
	}
}
