package explain_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestPartsOfALaterVersion: a recording that the exporter hasn't read yet, since it is stopped, isn't in the counter.
func TestPartsOfALaterVersion(t *testing.T) {
	recorded := func(version int64, ids ...string) cdrtest.Option {
		return func(r *cdr.Record) {
			r.Version = version
			for _, id := range ids {
				r.Recordings = append(r.Recordings, cdr.Recording{ID: id, Type: "automatic"})
			}
		}
	}
	b := newBench(t, counting.Rules{})
	b.countEarlier()
	b.count(cdrtest.Call("a", recorded(1)))
	b.listed["a"] = cdrtest.Call("a", recorded(2, "r"))
	b.wants("cdr_recordings_total", "1 false revised 1")
	b.count(b.listed["a"])
	b.wants("cdr_recordings_total", "1 true")
}

// TestEmergencyOfACallThatWaits: if no leg says how an emergency call ended, it counts with the call, and not before.
func TestEmergencyOfACallThatWaits(t *testing.T) {
	for name, c := range map[string]struct {
		challenged  bool
		first, then string
	}{
		"it was challenged": {true, "0 true aren't final 1", "1 true"}, "it was answered": {false, "1 true", "1 true"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Legs: true})
			b.close()
			b.spec.Settle = time.Hour
			b.open()
			b.countEarlier()
			b.count(cdrtest.Call("a", cdrtest.InGroup("k"), func(r *cdr.Record) {
				r.Emergency, r.NoOutcome = cdr.EmergencyReal, c.challenged
			}))
			b.wants("cdr_emergency_calls_total", c.first)
			b.countWhole()
			b.wants("cdr_emergency_calls_total", c.then)
		})
	}
}

// TestCallWithAnOpenLeg: a call in progress isn't gone, and one whose first leg never ends counts without it.
func TestCallWithAnOpenLeg(t *testing.T) {
	open := cdrtest.Call("a", cdrtest.InGroup("k"), cdrtest.Provisional)
	ended := cdrtest.Call("b", cdrtest.InGroup("k"), cdrtest.Start(open.Start.Add(time.Second)))
	for name, c := range map[string]struct {
		legs  []*cdr.Record
		after time.Duration
		want  string
	}{
		"in progress":                 {[]*cdr.Record{open}, 0, "1 true aren't final 1"},
		"in progress, a leg ended":    {[]*cdr.Record{open, ended}, 0, "1 true aren't final 1"},
		"after whole_after":           {[]*cdr.Record{open, ended}, 3 * time.Hour, "2 true"},
		"after whole_after, one leg":  {[]*cdr.Record{open}, 3 * time.Hour, "1 false gone 1"},
		"the last leg is open, after": {[]*cdr.Record{ended, open}, 3 * time.Hour, "2 true"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Legs: true})
			b.count(cdrtest.Call("z", cdrtest.InGroup("z")))
			b.count(c.legs...)
			if c.after > 0 {
				b.at = b.at.Add(c.after)
				b.count()
			}
			b.wants("cdr_calls_total", c.want)
		})
	}
}

// TestCallThatGrew: late legs and later versions of legs change what a call was connected, and its outcome.
func TestCallThatGrew(t *testing.T) {
	leg := func(id string, options ...cdrtest.Option) *cdr.Record {
		return cdrtest.Call(id, append(options, cdrtest.InGroup("k"))...)
	}
	lasts := func(d time.Duration) cdrtest.Option { return func(r *cdr.Record) { r.Duration = d } }
	emergency := func(r *cdr.Record) { r.Emergency, r.Party = cdr.EmergencyReal, cdr.Own }
	busy := cdrtest.Outcome(cdr.Busy)
	for _, c := range []struct {
		name, selector, want string
		first, late          *cdr.Record
	}{
		{"a leg became shorter", "cdr_call_connected_seconds_total", "60 true", leg("a"), leg("a", lasts(time.Second))},
		{"on its trunk", "cdr_trunk_connected_seconds_total", "60 true", leg("a"), leg("a", lasts(time.Second))},
		{"a leg was busy after all", "cdr_call_connected_seconds_total", "60 true", leg("a"), leg("a", busy)},
		{"the outcome", "cdr_call_outcome_changes_total", "0 false revised 1", leg("a", busy), leg("b")},
		{"no outcome changed", "cdr_call_outcome_changes_total", "0 true", leg("a"), leg("b")},
		{"an emergency", "cdr_emergency_calls_total", "1 false revised 1", leg("a"), leg("b", emergency)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Legs: true})
			b.countEarlier()
			b.count(c.first)
			b.count(c.late)
			b.wants(c.selector, c.want)
		})
	}
}

// TestCallsThatAParentJoined: the provider lists one call, and two were counted before the parent came.
func TestCallsThatAParentJoined(t *testing.T) {
	for selector, want := range map[string]string{
		"cdr_calls_total": "1 false revised 1", "cdr_call_connected_seconds_total": "120 true",
	} {
		b := newBench(t, counting.Rules{Legs: true, Parents: true})
		b.countEarlier()
		b.count(cdrtest.Call("c", cdrtest.ChildOf("b")))
		b.count(cdrtest.Call("a"))
		b.count(cdrtest.Call("b", cdrtest.ChildOf("a")))
		b.wants(selector, want)
	}
}

// TestStreamsThatSettle: streams of a call record count once it has settled, with the version that it has then.
func TestStreamsThatSettle(t *testing.T) {
	streams := func(n int, settled bool) cdrtest.Option {
		return func(r *cdr.Record) {
			r.Settled, r.Version = settled, int64(n+1)
			for range n {
				r.Streams = append(r.Streams, cdr.Stream{Media: "audio", Network: "wired", Platform: "windows"})
			}
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(b *bench)
		want    string
	}{
		{"it has settled", func(b *bench) {
			b.count(cdrtest.Call("a", streams(0, false)))
			b.count(cdrtest.Call("a", streams(2, true)))
		}, "2 true"},
		{"the exporter stopped before it settled", func(b *bench) {
			b.count(cdrtest.Call("a", streams(0, false)))
			b.close()
			b.open()
			b.listed["a"] = cdrtest.Call("a", streams(2, true))
		}, "0 true aren't final 2"},
		{"a client reports after it has settled", func(b *bench) {
			b.count(cdrtest.Call("a", streams(2, true)))
			b.count(cdrtest.Call("a", streams(4, true)))
		}, "4 false revised 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Grows: true})
			b.count(cdrtest.Call("z", cdrtest.Start(cdrtest.Epoch.Add(-5*time.Hour)), streams(1, true)))
			c.prepare(b)
			b.wants("cdr_media_streams_total", c.want)
		})
	}
}

// TestCallsThatGrew: what a call added isn't proven by its legs if one came, or changed, after it was counted. The
// ledger remembers neither its first outcome nor its first reason and times.
func TestCallsThatGrew(t *testing.T) {
	leg := func(id, trunk string, at, took time.Duration, o cdr.Outcome, code int64) *cdr.Record {
		return cdrtest.Call(id, cdrtest.Outcome(o), func(r *cdr.Record) {
			r.CallKey, r.Direction, r.Trunk = "k", cdr.Outbound, trunk
			r.Start = r.Start.Add(at)
			if r.End = r.Start.Add(took); o == cdr.Answered {
				r.Answer, r.Duration = r.Start, took
			}
			if code != 0 {
				r.SIPCode = cdr.KnownInt(code)
			}
		})
	}
	first := leg("1", "a", 0, time.Second, cdr.Failed, 503)
	failed := leg("2", "b", time.Second, time.Second, cdr.Failed, 503)
	answered := func(trunk string) *cdr.Record { return leg("2", trunk, time.Second, time.Minute, cdr.Answered, 0) }
	failsToo := leg("3", "b", 2*time.Second, time.Second, cdr.Failed, 404)
	for _, c := range []struct {
		name           string
		second, late   *cdr.Record
		selector, want string
	}{
		{"answered", failed, answered("b"), `cdr_calls_total{outcome="failed"}`, "0 false revised 1"},
		{"as a call", failed, answered("b"), `cdr_calls_total{trunk="b"}`, "1 true"},
		{"of another trunk", failed, answered("b"), `cdr_calls_total{outcome="failed",trunk="c"}`, "0 true"},
		{"as a failure", failed, answered("b"), "cdr_call_failures_total", "0 false revised 1"},
		{"by country", failed, answered("b"), `cdr_calls_by_country_total{connected="false"}`, "0 false revised 1"},
		{"as a change", failed, answered("b"), "cdr_call_outcome_changes_total", "0 false revised 1"},
		{"of another code", failed, failsToo, `cdr_call_failures_total{sip_code="503"}`, "0 false revised 1"},
		{"it fails too", failed, failsToo, `cdr_call_failures_total{outcome="failed"}`, "1 true"},
		{"over trunk c", answered("b"), answered("c"), `cdr_trunk_connected_seconds_total{trunk="b"}`, "60 true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Legs: true})
			b.countEarlier()
			b.count(first, c.second)
			b.countWhole()
			b.count(c.late)
			b.countWhole()
			b.wants(c.selector, c.want)
		})
	}
}
