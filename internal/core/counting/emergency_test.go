package counting_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// emergency makes a record one of an emergency call.
func emergency(r *cdr.Record) { r.Emergency = cdr.EmergencyReal }

// unsaid makes a record one that doesn't say how its call ended.
func unsaid(r *cdr.Record) { r.Outcome, r.NoOutcome = cdr.Unknown, true }

// A leg without an outcome, such as a challenge, or of the caller's own side doesn't say how an emergency call ended.
func TestEmergencyByTheLegThatEnds(t *testing.T) {
	type says = func(*cdr.Record)
	fails := outcome(cdr.Failed)
	by := func(p cdr.Party) says { return func(r *cdr.Record) { r.Party, r.Outcome = p, cdr.Answered } }
	for _, c := range []struct {
		name  string
		pages [][]says // what the legs say, of one page each
		want  string   // the outcome
	}{
		{"challenged, then refused", [][]says{{unsaid}, {fails}}, "failed"},
		{"challenged and refused on one page", [][]says{{unsaid, fails}}, "failed"},
		{"the own telephone answers, the trunk refuses", [][]says{{by(cdr.Own)}, {fails}}, "failed"},
		{"an announcement answers, the trunk refuses", [][]says{{by(cdr.PartyMachine)}, {fails}}, "failed"},
		{"an announcement answers, and nobody else", [][]says{{by(cdr.PartyMachine)}}, "machine"},
		{"voicemail answers", [][]says{{by(cdr.PartyVoicemail)}}, "voicemail"},
		{"only challenged: when the call counts", [][]says{{unsaid}}, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, nil)
			n := 0
			for _, p := range c.pages {
				var records page
				for _, say := range p {
					n++
					one := leg(strconv.Itoa(n), n, -1, n, going(cdr.Outbound), trunk("one"), emergency, say)
					records = append(records, one)
				}
				r.records(records...)
				r.restart()
			}
			r.wait(settle)
			r.wait(4 * time.Hour)
			r.records(leg("late", 30, -1, 31, going(cdr.Outbound), trunk("one"), emergency, fails))
			wantValues(t, r.values(), map[string]string{"cdr_emergency_calls_total{" + c.want + ",false}": "1"})
			if got := r.total("cdr_emergency_calls_total"); got != 1 {
				t.Errorf("%d emergency calls after a late leg", got)
			}
		})
	}
}

// A later version of a leg that waits says how an emergency call ended, also if it moves to another call; a repeat of
// it counts nothing.
func TestEmergencyOfALaterVersion(t *testing.T) {
	for name, to := range map[string]string{"stays": "k", "moves": "other", "names no group any more": ""} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, nil)
			of := func(n int64, says func(*cdr.Record)) *cdr.Record {
				return leg("a", 0, -1, 2, going(cdr.Outbound), trunk("one"), says, emergency, version(n))
			}
			r.records(of(1, unsaid))
			r.restart()
			for n := range int64(2) {
				r.records(of(2+n, func(r *cdr.Record) { r.Outcome = cdr.Failed; inGroup(to)(r) }))
				r.restart()
			}
			r.wait(settle)
			r.wait(4 * time.Hour)
			wantValues(t, r.values(), map[string]string{
				"cdr_emergency_calls_total{failed,false}": "1", "cdr_emergency_calls_total{unknown,false}": "",
			})
		})
	}
}

// An emergency call counts once, also if its leg never ends, or a later version no longer says how it ended.
func TestEmergencyOfAnUncertainLeg(t *testing.T) {
	ended := func(*cdr.Record) {}
	for name, versions := range map[string][]func(*cdr.Record){
		"never ends": {provisional}, "ends": {provisional, ended}, "no longer says how": {ended, unsaid},
	} {
		for _, counts := range []bool{false, true} { // before the next version comes
			t.Run(fmt.Sprint(name, ", counts ", counts), func(t *testing.T) {
				r := newCallRig(t, nil)
				for n, says := range versions {
					r.records(leg("a", 0, 1, 2, going(cdr.Outbound), trunk("one"), says, version(int64(n)), emergency))
					if counts {
						r.wait(5 * time.Hour)
					}
					r.restart()
				}
				r.wait(settle)
				r.wait(5 * time.Hour)
				if n, calls := r.total("cdr_emergency_calls_total"), r.total("cdr_calls_total"); n != 1 || calls != 1 {
					t.Errorf("%d emergency calls of %d calls", n, calls)
				}
			})
		}
	}
}

// A leg that said how an emergency call ended may move to another call after a version that no longer says it.
func TestEmergencyOfALegThatMoves(t *testing.T) {
	for name, groups := range map[string][]string{
		"stays": {"k", "k", "k"}, "with the second version": {"k", "other", "other"},
		"with the third version": {"k", "k", "other"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, nil)
			for n, to := range groups {
				r.records(leg("a", 0, -1, 2, going(cdr.Outbound), trunk("one"), inGroup(to), version(int64(n)),
					emergency, func(r *cdr.Record) { r.Outcome, r.NoOutcome = cdr.Failed, n == 1 }))
				r.restart()
			}
			r.wait(settle)
			r.wait(5 * time.Hour)
			if n := r.total("cdr_emergency_calls_total"); n != 1 {
				t.Errorf("%d emergency calls", n)
			}
		})
	}
}

// A leg that moves to another call takes along that it has counted an emergency.
func TestEmergencyOfACallThatALegMovesTo(t *testing.T) {
	for name, meets := range map[string]bool{"a later leg": false, "a leg that waits": true} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, nil)
			one := func(id, group string, n int64) *cdr.Record {
				return leg(id, int(n), -1, 2+int(n), going(cdr.Outbound), trunk("one"), inGroup(group), version(n),
					emergency, outcome(cdr.Failed))
			}
			r.records(one("a", "k", 0))
			if meets {
				r.records(leg("c", 0, 1, 3, going(cdr.Outbound), inGroup("other")))
			}
			r.restart()
			r.records(one("a", "other", 1))
			r.restart()
			r.records(one("b", "other", 2))
			r.wait(settle)
			r.wait(5 * time.Hour)
			if n, calls := r.total("cdr_emergency_calls_total"), r.total("cdr_calls_total"); n != 1 || calls != 1 {
				t.Errorf("%d emergency calls of %d calls", n, calls)
			}
		})
	}
}

// A late leg, or a later version of a leg, may be the first that says that a call was an emergency call. It counts, and
// the leg's party doesn't matter.
func TestEmergencyOfALateLeg(t *testing.T) {
	out := going(cdr.Outbound)
	for name, by := range map[string]cdr.Party{"person": cdr.Person, "machine": cdr.PartyMachine, "own": cdr.Own} {
		t.Run(name, func(t *testing.T) {
			late, later := newCallRig(t, nil), newCallRig(t, nil)
			late.records(leg("a", 0, 1, 10, going(cdr.Internal)))
			late.wait(settle)
			late.records(leg("b", 2, 4, 10, out, trunk("one"), emergency, party(by)))
			later.records(leg("a", 0, 1, 10, out, version(1), party(by)))
			later.wait(settle)
			later.records(leg("a", 0, 1, 10, out, version(2), party(by), emergency))
			for _, r := range []callRig{late, later} {
				r.wait(5 * time.Hour)
				if n := r.total("cdr_emergency_calls_total"); n != 1 {
					t.Errorf("%d emergency calls", n)
				}
			}
		})
	}
}
