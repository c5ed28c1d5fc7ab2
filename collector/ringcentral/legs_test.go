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
			[]string{listed("1", "Answered Elsewhere", in, legOf(t, `leg 102 20 Accepted "duration":40`))},
		},
		{"a colleague's call, which came back", "inbound answered 40s 40s", []string{
			listed("1", "Answered Elsewhere", in, legOf(t, `leg 102 5 Accepted "duration":9`)),
			listed("2", "Accepted", in, legOf(t, `leg 101 20 Accepted "duration":40`)),
		}},
		{"rings, then talks", "inbound answered 40s 40s", []string{
			listed("1", "Accepted", in, legOf(t, `leg - 0 Accepted "master":true,"duration":60`),
				legOf(t, `leg 101 20 Accepted "direction":"Outbound","duration":40`)),
		}},
		{"both views of a call", "internal answered 1m0s 1m0s", []string{
			listed("1", "Call connected", internal, legOf(t, `leg 101 0 "Call connected" "duration":60`)),
			listed("2", "Accepted", `"direction":"Inbound","from":{"extensionId":"101"},"to":{"extensionId":"102"}`),
		}},
		{
			"the row says voicemail, its legs don't", "inbound voicemail 0s 1m0s",
			[]string{listed("1", "Voicemail", in, legOf(t, `leg 101 0 Missed "duration":20`))},
		},
		{
			"the row says busy, its legs don't", "outbound busy 0s 0s",
			[]string{listed("1", "Busy", out, legOf(t, `leg 101 0 Missed "duration":20`))},
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
