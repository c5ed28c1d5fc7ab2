package ringcentral_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// TestCallOfLegs: a call of two minutes, and what its legs make of it. 90 is a queue, 101 and 102 are agents.
func TestCallOfLegs(t *testing.T) {
	const in, out = `"direction":"Inbound"`, `"direction":"Outbound"`
	for _, test := range []struct {
		name, result, more             string
		legs                           []string
		outcome, talk, connected, user any
	}{
		{
			"rings, then talks", "Accepted", in,
			[]string{legOf(101, 20, "Accepted", `,"duration":40`)},
			"answered", "40s", "40s", "101",
		},
		{
			"the master leg stands for the whole call", "Accepted", in,
			[]string{
				legOf(0, 0, "Accepted", `,"master":true,"duration":121`),
				legOf(101, 20, "Accepted", `,"duration":40`),
			},
			"answered", "40s", nil, "101",
		},
		{
			"the master leg alone", "Missed", in,
			[]string{legOf(101, 0, "Accepted", `,"master":true,"duration":121`)},
			"answered", nil, nil, "101",
		},
		{
			"the result Unknown of a row gives way to the master leg's", "Unknown", in,
			[]string{legOf(0, 0, "Voicemail", `,"master":true`), legOf(101, 0, "Missed", `,"duration":30`)},
			"voicemail", nil, nil, "101",
		},
		{
			"transferred: segments add up, parallel legs don't", "Accepted", in,
			[]string{
				legOf(101, 0, "Accepted", `,"duration":15`), legOf(102, 20, "Accepted", `,"duration":30`),
				legOf(102, 25, "Accepted", `,"duration":25`),
			},
			"answered", "45s", "45s", "101",
		},
		{
			"a queue whose second member answers", "Accepted", in,
			[]string{
				legOf(90, 0, "Accepted", `,"duration":50`), legOf(101, 2, "Missed", `,"duration":10`),
				legOf(102, 20, "Accepted", `,"duration":30`),
			},
			"answered", "30s", "50s", "102",
		},
		{
			"a queue that nobody answers", "Missed", in,
			[]string{legOf(90, 0, "Accepted", `,"duration":50`), legOf(101, 2, "Missed", `,"duration":10`)},
			"machine", nil, "50s", "101",
		},
		{
			"a menu, then voicemail", "Accepted", in, []string{
				`{"legType":"IvaCall","startTime":"2026-03-02T10:00:00Z","result":"Accepted","duration":20}`,
				legOf(101, 20, "Missed", `,"duration":10`), legOf(101, 30, "Voicemail", `,"duration":30`),
			}, "voicemail", nil, "50s", "101",
		},
		{
			"a menu, and the row says voicemail", "Voicemail", in, []string{
				`{"legType":"IvaCall","startTime":"2026-03-02T10:00:00Z","result":"Accepted","duration":20}`,
				legOf(101, 20, "Missed", `,"duration":10`),
			}, "voicemail", nil, nil, "101",
		},
		{
			"a park location", "Accepted", in,
			[]string{legOf(0, 0, "Accepted", `,"action":"Park Location","duration":20`)},
			"machine", nil, "20s", nil,
		},
		{
			"a supervisor who listens", "Missed", in,
			[]string{legOf(101, 9, "Accepted", `,"action":"Monitoring","duration":20`)},
			"no_answer", nil, nil, nil,
		},
		{
			"two phones rang", "Missed", in,
			[]string{legOf(101, 0, "Missed", `,"duration":20`), legOf(102, 0, "Missed", "")},
			"no_answer", nil, nil,
			nil,
		},
		{
			"forwarded to the mobile", "Missed", in,
			[]string{
				legOf(101, 0, "Missed", `,"duration":20`),
				legOf(101, 20, "Accepted", `,"direction":"Outbound","duration":30`),
			},
			"answered", "30s", "30s", "101",
		},
		{
			"a RingOut to somebody who is busy", "Busy", out, []string{
				`{"legType":"RingOutWebToSubscriber","startTime":"2026-03-02T10:00:00Z","result":"Call connected","duration":20}`,
				`{"legType":"RingOutWebToCaller","startTime":"2026-03-02T10:00:05Z","result":"Busy","duration":15}`,
			}, "busy", nil, nil, nil,
		},
		{
			"the user's side of a RingOut in two rows", "Call connected", out,
			[]string{`{"legType":"RingOutWebToSubscriber","startTime":"2026-03-02T10:00:00Z","result":"Call connected","duration":20}`},
			"answered", nil, nil, nil,
		},
		{
			"a leg that is rounded up", "Accepted", in,
			[]string{legOf(101, 0, "Accepted", `,"durationMs":120400`)},
			"answered", nil, nil, "101",
		},
		{
			"a leg without times", "Accepted", in,
			[]string{`{"result":"Accepted","extension":{"id":102}}`},
			"answered",
			nil, nil, "102",
		},
		{
			"a leg with a duration alone", "Missed", in,
			[]string{`{"result":"Accepted","duration":50}`},
			"answered",
			"50s", "50s", nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw := call("1", `"duration":120,"durationMs":120000,"result":"`+test.result+`",`+test.more+`,"legs":[`+
				strings.Join(test.legs, ",")+`]`)
			want := shown{
				"Outcome": test.outcome, "Talk": test.talk, "Connected": test.connected, "UserID": test.user,
				"Duration": "2m0s", "Provisional": nil,
			}
			decodeOne(t, raw).Want(t, want)
			// The order of the legs changes nothing.
			for i, j := 0, len(test.legs)-1; i < j; i, j = i+1, j-1 {
				test.legs[i], test.legs[j] = test.legs[j], test.legs[i]
			}
			raw = call("1", `"duration":120,"durationMs":120000,"result":"`+test.result+`",`+test.more+`,"legs":[`+
				strings.Join(test.legs, ",")+`]`)
			decodeOne(t, raw).Want(t, want)
		})
	}
}

// TestMachineLegTypes: which legs a machine answers is configured.
func TestMachineLegTypes(t *testing.T) {
	const log = `call_log: {machine_leg_types: [IvaCall, " Hunting "]}`
	raw := call("1", `"result":"Accepted","direction":"Inbound","legs":[`+legOf(0, 0, "Accepted", `,"duration":20`)+`]`)
	decodeRows(t, log, raw)[0].Want(t, shown{
		"Outcome": "machine",
		"Legs":    []string{"hunting answered machine 2026-03-02T10:00:00Z 20s"},
	})
	decodeOne(t, raw).Want(t, shown{"Outcome": "answered"})
}

// TestCallsOfAnExtension: rows of one session in the log of an extension, and the one call that their legs make.
func TestCallsOfAnExtension(t *testing.T) {
	listed := func(id, result, more string, legs ...string) string {
		return call(id, `"duration":60,"result":"`+result+`","extension":{"id":101},`+more+`,"legs":[`+
			strings.Join(legs, ",")+`]`)
	}
	const in, out, internal = `"direction":"Inbound"`, `"direction":"Outbound"`,
		`"direction":"Outbound","from":{"extensionId":"101"},"to":{"extensionId":"102"}`
	for _, test := range []struct {
		name, want string // direction, outcome, talk, connected
		rows       []string
	}{
		{"no legs", "inbound answered 1m0s 1m0s", []string{listed("1", "Accepted", in)}},
		{
			"a colleague's call", "inbound unknown 0s 0s",
			[]string{listed("1", "Answered Elsewhere", in, legOf(102, 20, "Accepted", `,"duration":40`))},
		},
		{"a colleague's call, which came back", "inbound answered 40s 40s", []string{
			listed("1", "Answered Elsewhere", in, legOf(102, 5, "Accepted", `,"duration":9`)),
			listed("2", "Accepted", in, legOf(101, 20, "Accepted", `,"duration":40`)),
		}},
		{"rings, then talks", "inbound answered 40s 40s", []string{
			listed("1", "Accepted", in, legOf(0, 0, "Accepted", `,"master":true,"duration":60`),
				legOf(101, 20, "Accepted", `,"direction":"Outbound","duration":40`)),
		}},
		{"both views of a call", "internal answered 1m0s 1m0s", []string{
			listed("1", "Call connected", internal, legOf(101, 0, "Call connected", `,"duration":60`)),
			listed("2", "Accepted", `"direction":"Inbound","from":{"extensionId":"101"},"to":{"extensionId":"102"}`),
		}},
		{
			"the row says voicemail, its legs don't", "inbound voicemail 0s 1m0s",
			[]string{listed("1", "Voicemail", in, legOf(101, 0, "Missed", `,"duration":20`))},
		},
		{
			"the row says busy, its legs don't", "outbound busy 0s 0s",
			[]string{listed("1", "Busy", out, legOf(101, 0, "Missed", `,"duration":20`))},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var legs []cdr.Leg
			for i, r := range records(t, extensionLog(), pageOf("", test.rows...)) {
				if r.CallKey != "9" {
					t.Fatalf("key %q", r.CallKey)
				}
				if legs = append(legs, r.Legs...); len(r.Legs) == 0 {
					legs = append(legs, r.Leg())
				}
				listed := strings.Count(test.rows[i], `"legType"`)
				if counted := facts.AppendLegs(nil, r); len(counted) != listed {
					t.Errorf("%d legs are counted, %d are listed", len(counted), listed)
				}
			}
			for range 2 { // the order of rows and legs changes nothing
				c := calls.Of(legs)
				if got := fmt.Sprint(c.Direction, c.Outcome, calls.Length(c.Talk),
					calls.Length(c.Connected)); got != test.want || c.Start.Second() != 0 {
					t.Errorf("got %s from %s, want %s", got, c.Start, test.want)
				}
				slices.Reverse(legs)
			}
		})
	}
}
