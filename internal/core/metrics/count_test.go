package metrics

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// counted is what facts leave, by metric and own labels; histograms by count and sum.
func counted(all []facts.Fact) map[string]string {
	s, f := testStore()
	changes := s.Begin(f, time.Now())
	changes.addAll(all)
	changes.Apply(nil)
	return shown(s)
}

func countedCall(c *call) map[string]string {
	return counted(facts.AppendRecord(nil, c.Record, c.Context))
}

func wantCounted(t *testing.T, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Guarantees 1 and 3: what counts of a record that is a call, by whether and who answered. Talk
// time is that of persons; connected time, set-up and the trunk's time are those of voicemail and
// machines too.
func TestCountOfACall(t *testing.T) {
	common := map[string]string{
		"cdr_call_charges_total{outbound,byot_out,USD,usage,DE}": "0.017",
		"cdr_media_bypass_calls_total{sbc1.example.com,true}":    "1",
		"cdr_media_bypass_ratio{sbc1.example.com}":               "1",
		"cdr_calls_by_location_total{USWE,EUNO}":                 "1",
	}
	of := func(outcome string, connected bool) map[string]string {
		return map[string]string{
			"cdr_calls_total{outbound,byot_out," + outcome + ",sbc1.example.com,false}":        "1",
			"cdr_emergency_calls_total{" + outcome + ",true}":                                  "1",
			"cdr_calls_by_country_total{outbound,DE,geographic," + fmt.Sprint(connected) + "}": "1",
			"cdr_call_legs_total{outbound,sbc1.example.com,byot_out," + outcome + "}":          "1",
		}
	}
	connected := map[string]string{
		"cdr_call_connected_seconds_total{outbound,byot_out,sbc1.example.com,DE}": "60",
		"cdr_trunk_connected_seconds_total{sbc1.example.com,outbound}":            "60",
		"cdr_call_setup_seconds{outbound,sbc1.example.com}":                       "1 3",
	}
	talk := map[string]string{"cdr_call_duration_seconds{outbound,byot_out,sbc1.example.com}": "1 60"}
	failure := func(outcome, fault string) map[string]string {
		return map[string]string{"cdr_call_failures_total{outbound,sbc1.example.com," + outcome + ",0,560000,," +
			fault + ",false}": "1"}
	}
	for _, c := range []struct {
		outcome cdr.Outcome
		want    []map[string]string
	}{
		{cdr.Answered, []map[string]string{of("answered", true), connected, talk}},
		{cdr.Voicemail, []map[string]string{of("voicemail", true), connected}},
		{cdr.Machine, []map[string]string{of("machine", true), connected}},
		{cdr.Failed, []map[string]string{of("failed", false), failure("failed", "unknown")}},
		{cdr.Busy, []map[string]string{of("busy", false), failure("busy", "user")}},
	} {
		t.Run(c.outcome.String(), func(t *testing.T) {
			call := fullCall()
			call.Outcome, call.Legs = c.outcome, nil
			want := maps.Clone(common)
			for _, part := range c.want {
				maps.Copy(want, part)
			}
			wantCounted(t, countedCall(call), want)
		})
	}
}

// A place is known of one end, or of both.
func TestCountByLocation(t *testing.T) {
	for _, place := range [][2]string{{"EUNO", ""}, {"", "USWE"}, {"", ""}} {
		r := &cdr.Record{MediaLocation: place[0], SignalLocation: place[1]}
		want := map[bool]string{true: "1"}[place != [2]string{}]
		key := fmt.Sprintf("cdr_calls_by_location_total{%s,%s}", place[0], place[1])
		if got := counted(facts.AppendCall(nil, r, facts.Context{}))[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

// Each leg counts with its own direction, trunk, type and outcome: the legs that a record lists,
// else itself. An answer is that of who picked up.
func TestCountLegs(t *testing.T) {
	party := func(p cdr.Party, o cdr.Outcome) func(*cdr.Record) {
		return func(r *cdr.Record) { r.Party, r.Outcome = p, o }
	}
	for name, c := range map[string]struct {
		change func(*cdr.Record)
		want   map[string]string
	}{
		"a record":    {func(*cdr.Record) {}, map[string]string{"inbound,t,dial,answered": "1"}},
		"a machine's": {party(cdr.PartyMachine, cdr.Answered), map[string]string{"inbound,t,dial,machine": "1"}},
		"voicemail's": {party(cdr.PartyVoicemail, cdr.Answered), map[string]string{"inbound,t,dial,voicemail": "1"}},
		"without outcome": {
			func(r *cdr.Record) { r.NoOutcome, r.Outcome = true, cdr.Unknown },
			map[string]string{"inbound,t,dial,none": "1"},
		},
		"a machine's busy": {party(cdr.PartyMachine, cdr.Busy), map[string]string{"inbound,t,dial,busy": "1"}},
		"legs of a record": {func(r *cdr.Record) {
			r.Legs = []cdr.Leg{
				{Type: "menu", Direction: cdr.Inbound, Trunk: "t", Party: cdr.PartyMachine, Outcome: cdr.Answered},
				{Type: "ring", Direction: cdr.Internal, Outcome: cdr.NoAnswer},
				{Type: "ring", Direction: cdr.Internal, Outcome: cdr.NoAnswer},
				{Type: "forward", Direction: cdr.Outbound, Trunk: "u", Outcome: cdr.Unknown, NoOutcome: true},
			}
		}, map[string]string{
			"inbound,t,menu,machine": "1", "internal,,ring,no_answer": "2", "outbound,u,forward,none": "1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &cdr.Record{Direction: cdr.Inbound, Trunk: "t", CallType: "dial", Outcome: cdr.Answered}
			c.change(r)
			want := make(map[string]string)
			for labels, n := range c.want {
				want["cdr_call_legs_total{"+labels+"}"] = n
			}
			wantCounted(t, counted(facts.AppendLegs(nil, r)), want)
		})
	}
}

// Talk and connected time of a call of several legs are the call's. A leg on which an own phone spoke
// gives an unanswered call connected time.
func TestCountTimesOfACall(t *testing.T) {
	seconds := func(n int) cdr.Length { return cdr.KnownLength(time.Duration(n) * time.Second) }
	for name, c := range map[string]struct {
		outcome         cdr.Outcome
		talk, connected cdr.Length
		want            string
	}{
		"a record":              {cdr.Answered, cdr.Length{}, cdr.Length{}, "talk 60, connected 60"},
		"a call with a machine": {cdr.Answered, seconds(20), seconds(90), "talk 20, connected 90"},
		"a machine's call":      {cdr.Machine, seconds(0), seconds(90), "talk none, connected 90"},
		"an own phone's":        {cdr.Busy, cdr.Length{}, seconds(5), "talk none, connected 5"},
		"nobody's":              {cdr.Busy, cdr.Length{}, cdr.Length{}, "talk none, connected none"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &cdr.Record{Outcome: c.outcome, Duration: time.Minute, Talk: c.talk, Connected: c.connected}
			talk, connected := "none", "none"
			for _, f := range facts.AppendCall(nil, r, facts.Context{}) {
				switch f.Kind {
				case facts.Talk:
					talk = fmt.Sprint(f.Time.Seconds())
				case facts.Connected:
					connected = fmt.Sprint(f.Time.Seconds())
				default:
				}
			}
			if got := "talk " + talk + ", connected " + connected; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// A connected call with an unknown duration counts as connected, but not as a call of 0 s.
func TestCountWithoutDuration(t *testing.T) {
	call := fullCall()
	call.Outcome, call.Duration, call.NoDuration = cdr.Answered, 0, true
	got := countedCall(call)
	for key := range got {
		if strings.HasPrefix(key, CallDuration.Name) || strings.HasPrefix(key, ConnectedSeconds.Name) {
			t.Errorf("%s is counted", key)
		}
	}
	if got["cdr_calls_total{outbound,byot_out,answered,sbc1.example.com,false}"] != "1" ||
		got["cdr_call_setup_seconds{outbound,sbc1.example.com}"] != "1 3" {
		t.Errorf("counted %v", got)
	}
}

// A visit counts by queue and result, and its wait where that is known.
func TestCountVisit(t *testing.T) {
	want := make(map[string]string)
	var all []facts.Fact
	for _, result := range cdr.QueueResults() {
		v := cdr.Visit{Queue: "support", Result: result, Wait: cdr.KnownLength(20 * time.Second)}
		all = append(all, of(facts.Visit, &cdr.Record{Visits: []cdr.Visit{v}})...)
		v.Wait = cdr.Length{}
		all = append(all, of(facts.Visit, &cdr.Record{Visits: []cdr.Visit{v}})...)
		want["cdr_queue_calls_total{support,"+result.String()+"}"] = "2"
		want["cdr_queue_wait_seconds{support,"+result.String()+"}"] = "1 20"
	}
	wantCounted(t, counted(all), want)
}
