package wavix

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestActiveCalls(t *testing.T) {
	for _, test := range []struct {
		name, body string
		in, out    int
		unknown    int
		err        string
	}{
		{"the sample", testdata(t, "active.json"), 1, 1, 0, ""},
		{"none", `{"success":true,"calls":[]}`, 0, 0, 0, ""},
		{"ended by event", `{"calls":[` +
			`{"id":"1","direction":"inbound","event_type":"completed"},{"id":"2","direction":"inbound","event_type":"BUSY"},` +
			`{"id":"3","direction":"inbound","event_type":"cancelled"},{"id":"4","direction":"inbound","event_type":"rejected"},` +
			`{"id":"5","direction":"inbound","event_type":"failed"},{"id":"6","direction":"inbound","event_type":"transfer"}]}`, 1, 0, 0, ""},
		{"ended by time", `{"calls":[{"id":"1","direction":"outbound","call_completed":"2026-03-01T12:00:00Z"},` +
			`{"id":"2","direction":"outbound","call_finished":"2026-03-01T12:00:00Z"},{"id":"3","direction":"outbound","call_finished":null},` +
			`{"id":"4","direction":"outbound","call_completed":""}]}`, 0, 2, 0, ""},
		{
			"in every state",
			`{"calls":[{"id":"1","direction":"inbound","event_type":"call_setup"},{"id":"2","direction":"inbound","event_type":"ringing"},` +
				`{"id":"3","direction":"inbound","event_type":"early_media"},{"id":"4","direction":"inbound","event_type":"answered"},` +
				`{"id":"5","direction":"inbound","event_type":"on_call_event"},{"id":"6","direction":"Outbound"}]}`, 5,
			1,
			0, "",
		},
		{
			"the same twice",
			`{"calls":[{"id":"1","uuid":"1","direction":"inbound"},{"uuid":"1","direction":"inbound"},{"direction":"inbound"},{"direction":"inbound"}]}`, 3, 0, 0, "",
		},
		{
			"between own numbers", `{"calls":[{"id":"1","direction":"inbound"},{"id":"1","direction":"outbound"}]}`, 1, 1,
			0, "",
		},
		{
			"the older list",
			`[{"id":"1","context":"x","from":"1","to":"2","started_at":"2024-08-01T00:00:00Z","answered_at":null,"is_recording":false}]`, 0, 0, 1, "",
		},
		{
			"the older list in calls",
			`{"success":true,"calls":[{"uuid":"1","direction":"inbound","call_started":"x","call_finished":null}]}`, 1,
			0, 0, "",
		},
		{"no objects", `{"calls":[5,null,"x",[],{"id":"1","direction":"inbound"}]}`, 1, 0, 0, ""},
		{
			"other types",
			`{"calls":[{"id":1,"direction":7,"event_type":null,"call_completed":false},{"\u0069d":"2","direction":"inbound\ud83d"}]}`, 0, 0, 2, "",
		},
		{"success false", `{"success":false,"message":"Access Denied"}`, 0, 0, 0, `Wavix says "Access Denied"`},
		{"no list", `{"success":true}`, 0, 0, 0, "has no member calls"},
		{"null", `{"calls":null}`, 0, 0, 0, "calls aren't an array"},
		{"a text", `"calls"`, 0, 0, 0, "neither an object nor a list"},
		{"cut", `{"calls":[{"id":"1"}`, 0, 0, 0, "cut"},
		{"more behind it", `{"calls":[]}[]`, 0, 0, 0, "trailing data after the JSON value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeWavix{t: t, paths: generationC}
				fake.wrong = func(*http.Request, reply) reply { return reply{body: test.body} }
				feed := fake.open("active_calls: {}\n", nil).Feeds[0]
				got, err := feed.ActiveCalls(t.Context(), false)
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) || got != nil ||
						len(fake.asked) != httpclient.Repeats+1 {
						t.Errorf("error %v, want one that says %q; %v are in progress", err, test.err, got)
					}
					return
				}
				want := map[cdr.Direction]int{
					cdr.Inbound: test.in, cdr.Outbound: test.out,
					cdr.DirectionUnknown: test.unknown,
				}
				maps.DeleteFunc(want, func(_ cdr.Direction, n int) bool { return n == 0 })
				if err != nil || !maps.Equal(got, want) {
					t.Errorf("%v are in progress, want %v; error %v", got, want, err)
				}
				if rows, err := feed.Probe(t.Context()); rows != test.in+test.out+test.unknown || err != nil {
					t.Errorf("the probe has %d rows, error %v", rows, err)
				}
			})
		})
	}
}

// TestActiveCallsOfOlderAccounts: at another path, found out once, apart from the call
// log's.
func TestActiveCallsOfOlderAccounts(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationA}
	feed := fake.open("active_calls: {}\n", nil).Feeds[0]
	for range 2 {
		if _, err := feed.ActiveCalls(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"/v1/calls?", "/v1/call?", "/v1/call?"}; !slices.Equal(fake.asked, want) {
		t.Errorf("asked %q, want %q", fake.asked, want)
	}
	fake.paths = nil
	if _, err := feed.ActiveCalls(t.Context(), false); httpclient.KindOf(err) != httpclient.KindNotFound {
		t.Errorf("error %v, want 404", err)
	}
}
