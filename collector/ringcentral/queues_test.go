package ringcentral_test

import (
	"fmt"
	"strings"
	"testing"
)

// legOf is a leg that begins a number of seconds after its call.
func legOf(extension, seconds int, result, more string) string {
	leg := fmt.Sprintf(`{"legType":"Hunting","startTime":"2026-03-02T10:00:%02d.000Z","result":%q`, seconds, result)
	if extension != 0 {
		leg += fmt.Sprintf(`,"extension":{"id":%d}`, extension)
	}
	return leg + more + "}"
}

// TestVisits: one visit for each queue of an inbound call. 90 is Sales, 91 Support; 101 and 102 are agents.
func TestVisits(t *testing.T) {
	const lasts = `,"duration":25,"durationMs":24700`
	for _, test := range []struct {
		name, more string
		legs       []string
		want       any
	}{
		{
			"a ring-all queue, whose other agents stop ringing", "", []string{
				legOf(90, 2, "Accepted", ""), legOf(101, 4, "Stopped", ""), legOf(102, 9, "Accepted", ""),
				legOf(101, 9, "Stopped", ""),
			}, []string{"Sales answered 7s"},
		},
		{"the master leg is no agent's", "", []string{
			legOf(101, 0, "Accepted", `,"master":true`),
			legOf(90, 0, "Accepted", ""), legOf(102, 9, "Accepted", ""),
		}, []string{"Sales answered 9s"}},
		{
			"answered before the queue", "",
			[]string{legOf(101, 1, "Accepted", ""), legOf(90, 5, "Missed", lasts)},
			[]string{"Sales abandoned 24.7s"},
		},
		{
			"answered by nobody that is listed", "",
			[]string{legOf(90, 2, "Call connected", lasts)},
			[]string{"Sales answered unknown"},
		},
		{"an agent without a start", "", []string{
			legOf(90, 2, "Accepted", lasts),
			`{"result":"Accepted","extension":{"id":101}}`,
		}, []string{"Sales answered unknown"}},
		{
			"on to another queue", "",
			[]string{legOf(91, 32, "Accepted", ""), legOf(90, 2, "Missed", lasts), legOf(101, 40, "Accepted", "")},
			[]string{"Sales overflowed 30s", "Support answered 8s"},
		},
		{
			"two queues at once", "",
			[]string{legOf(91, 2, "Missed", lasts), legOf(90, 2, "Missed", lasts)},
			[]string{"Sales abandoned 24.7s", "Support abandoned 24.7s"},
		},
		{"all legs of a queue", "", []string{
			legOf(90, 30, "Voicemail", `,"duration":5`),
			legOf(90, 2, "Missed", lasts),
		}, []string{"Sales overflowed 33s"}},
		{"hung up", "", []string{legOf(90, 2, " HANG UP ", `,"duration":3`)}, []string{"Sales abandoned 3s"}},
		{"busy", "", []string{legOf(90, 2, "Busy", `,"duration":0`)}, []string{"Sales overflowed 0s"}},
		{"a call back", "", []string{legOf(90, 2, "Callback requested", lasts)}, []string{"Sales other 24.7s"}},
		{"a result that is new", "", []string{legOf(90, 2, "Teleported", "")}, []string{"Sales other unknown"}},
		{
			"a duration that is none", "",
			[]string{legOf(90, 2, "Missed", `,"duration":-1`)},
			[]string{"Sales abandoned unknown"},
		},
		{
			"no start", "",
			[]string{`{"result":"Missed","extension":{"id":90},"duration":9}`},
			[]string{"Sales abandoned unknown"},
		},
		{"an outbound call", `,"direction":"Outbound"`, []string{legOf(90, 2, "Accepted", lasts)}, nil},
		{
			"a call that hasn't ended", `,"direction":"Inbound","result":"In Progress"`,
			[]string{legOf(90, 2, "In Progress", "")},
			nil,
		},
		{"no queue's leg", "", []string{legOf(101, 2, "Accepted", ""), legOf(0, 3, "Accepted", "")}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			more := test.more
			if more == "" {
				more = `,"direction":"Inbound","result":"Missed"`
			}
			got := decodeOne(t, call("1", more[1:]+`,"legs":[`+strings.Join(test.legs, ",")+`]`))
			got.Want(t, shown{"Visits": test.want})
		})
	}
}
