package callrecords

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// callWith is a record with sessions.
func callWith(sessions ...string) string {
	return `{"id":"` + record1 +
		`","version":1,"type":"peerToPeer","startDateTime":"2026-11-19T10:00:00Z","endDateTime":"2026-11-19T10:05:00Z","sessions":[` +
		strings.Join(sessions, ",") + `]}`
}

const (
	userEnd    = `{"@odata.type":"#microsoft.graph.callRecords.participantEndpoint","identity":{"user":{"id":"u1","displayName":"Sam"}},"userAgent":{"platform":"iOS"}}`
	serviceEnd = `{"@odata.type":"#microsoft.graph.callRecords.serviceEndpoint","userAgent":{"role":"mediaController"}}`
)

func phoneEnd(number string) string { return `{"identity":{"phone":{"id":` + number + `}}}` }

// between is a session between two ends.
func between(caller, callee string, members ...string) string {
	all := append([]string{
		`"id":"s1"`, `"modalities":["audio"]`, `"startDateTime":"2026-11-19T10:00:00Z"`,
		`"endDateTime":"2026-11-19T10:05:00Z"`,
		`"caller":` + caller, `"callee":` + callee,
	}, members...)
	return `{` + strings.Join(all, ",") + `}`
}

func failing(stage, reason string) string {
	return `"failureInfo":{"stage":"` + stage + `","reason":"` + reason + `"}`
}

// A reason is a slug of our own, of whole words: `service` has nothing of ICE.
func TestTrapFailureReasons(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "  ": "", "ICE checks failed": "ice", "ICEConnectivityFailure": "ice",
		"Service unavailable": "unavailable",
		"Device not working":  "other", "Timeout": "timeout", "It timed out.": "timeout", "CallSetupTimeout": "timeout",
		"Media connectivity": "media", "NetworkLost": "network", "User busy": "busy", "Declined": "declined",
		"call rejected": "declined",
		"Canceled":      "cancelled", "Cancelled by caller": "cancelled", "User not found": "not_found",
		"forbidden":      "forbidden",
		"Not authorized": "forbidden", "Unauthorised": "forbidden", "policies": "policy", "Call +49 30 1234": "other",
		"電話": "other",
	} {
		if got := failureReason(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// streamOf is the stream of a record with one, of a medium.
func streamOf(t *testing.T, label, stream string) (*cdr.Stream, *cdr.Record, []string) {
	t.Helper()
	media := `{"label":` + label +
		`,"callerNetwork":{"connectionType":"wifi"},"calleeNetwork":{"connectionType":"wired"},"streams":[` + stream +
		`]}`
	r, unmapped := mapCall(t, callWith(between(userEnd, serviceEnd, `"segments":[{"media":[`+media+`]}]`)))
	var fields []string
	for _, u := range unmapped {
		fields = append(fields, u.Field)
	}
	if len(r.Streams) != 1 {
		t.Fatalf("%d streams", len(r.Streams))
	}
	return &r.Streams[0], r, fields
}

// TestTrapEndsOfStreams: a session's streams have the sender's client, network and microphone, and
// the receiver's loudspeaker. Personal values have their class; the call's streams have none of
// them. Of a stream without a direction the sender is unknown.
func TestTrapEndsOfStreams(t *testing.T) {
	end := func(version string) string {
		return `{"userAgent":{"platform":"iOS","applicationVersion":"` + version + `"}}`
	}
	text := callWith(between(end("1.2"), end("unknown"),
		`"segments":[{"media":[{"label":"main-audio",
		"callerNetwork":{"connectionType":"wifi","ipAddress":"192.0.2.10","subnet":"192.0.2.0",
		"wifiBand":"frequency50GHz","wifiSignalStrength":71},
		"calleeNetwork":{"wifiBand":"unknown","ipAddress":""},"callerDevice":{"captureDeviceName":"Ann's headset",
		"renderDeviceName":"Ann's speaker"},
		"calleeDevice":{"captureDeviceName":"a webcam"},"streams":[{"streamDirection":"callerToCallee"},
		{"streamDirection":"calleeToCaller"},{"streamDirection":null}]}]}]`))
	r, _ := mapCall(t, text)
	if len(r.Sessions) != 1 || len(r.Sessions[0].Streams) != 3 || len(r.Streams) != 3 || r.Streams[0].Extra != nil {
		t.Fatalf("%+v", r)
	}
	want := [][]cdr.Attr{
		{
			cdr.Text("client_version", "1.2", cdr.Plain), cdr.Text("address", "192.0.2.10", cdr.Address),
			cdr.Text("subnet", "192.0.2.0", cdr.Address),
			cdr.Text("wifi_band", "50GHz", cdr.Plain), cdr.Whole("wifi_signal", 71),
			cdr.Text("capture_device", "Ann's headset", cdr.User),
		},
		{cdr.Text("capture_device", "a webcam", cdr.User), cdr.Text("render_device", "Ann's speaker", cdr.User)},
		nil,
	}
	direction := []string{"caller_to_callee", "callee_to_caller", "unknown"}
	for i, s := range r.Sessions[0].Streams {
		if !reflect.DeepEqual(s.Extra, want[i]) || s.Direction() != direction[i] {
			t.Errorf("stream %d: %+v, want %+v", i, s.Extra, want[i])
		}
	}
}

// TestTrapNullsOfCallRecords: deprecated members are absent, and null may stand anywhere.
func TestTrapNullsOfCallRecords(t *testing.T) {
	for name, text := range map[string]string{
		"least": `{"id":"` + record1 + `","startDateTime":"2026-11-19T10:00:00Z","sessions":[{}]}`,
		"deprecated": strings.Replace(callWith(between(userEnd, userEnd)), `"sessions"`,
			`"organizer":null,"participants":null,"sessions"`, 1),
		"organizer null": strings.Replace(callWith(between(userEnd, userEnd)), `"sessions"`,
			`"organizer_v2":null,"sessions"`, 1),
		"organizer nobody": strings.Replace(callWith(between(userEnd, userEnd)), `"sessions"`,
			`"organizer_v2":{"identity":null},"sessions"`, 1),
		"organizer phone": strings.Replace(callWith(between(userEnd, userEnd)), `"sessions"`,
			`"organizer_v2":{"identity":{"phone":{"id":"+1"}}},"sessions"`, 1),
		"all null": callWith(`{"id":null,"caller":null,"callee":null,"failureInfo":null,"modalities":null,"startDateTime":null,"endDateTime":null,"isTest":null,"segments":[
			{"id":null,"caller":null,"callee":null,"media":[{"label":null,"callerNetwork":null,"callerDevice":null,"streams":null},null]},null]}`),
		"empty": callWith(between("{}", "{}",
			`"segments":[{"caller":{"userAgent":{}},"media":[{"streams":[{},null]}]}]`)),
	} {
		t.Run(name, func(t *testing.T) {
			r, unmapped := mapCall(t, text)
			if r.ID == "" || len(r.Sessions) != 1 || r.UserID != "" || r.Outcome != cdr.Answered || len(unmapped) > 0 ||
				r.Sessions[0].Start.IsZero() {
				t.Errorf("%+v, unmapped %v", r, unmapped)
			}
			if tree := newTestMapper().tree(readCall(t, text), []byte(text)); len(tree.Children) == 0 {
				t.Error("the tree is empty")
			}
		})
	}
}

// The end may be missing, or before the start, but no duration is below zero.
func TestTrapTimesOfCallRecords(t *testing.T) {
	for _, c := range []struct {
		name, end string
		duration  time.Duration
		unsaid    bool
	}{
		{"seven digits", `"2026-11-19T10:00:12.2589935Z"`, 12258993500, false},
		{"with an offset", `"2026-11-19T12:00:01+02:00"`, time.Second, false},
		{"null", "null", 0, true},
		{"year one", `"0001-01-01T00:00:00Z"`, 0, true},
		{"before the start", `"2026-11-19T09:00:00Z"`, 0, false},
		{"a long meeting", `"2026-11-20T16:00:00Z"`, 30 * time.Hour, false},
		{"year 9999", `"9999-12-31T23:59:59.9999999Z"`, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := mapCall(t, `{"id":"x","startDateTime":"2026-11-19T10:00:00Z","endDateTime":`+c.end+
				`,"sessions":[{"id":"s"}]}`)
			if r.Duration != c.duration || r.NoDuration != c.unsaid || r.End.Before(r.Start) ||
				r.Start.Location() != time.UTC || r.End.Location() != time.UTC {
				t.Errorf("duration %s, unsaid %t, from %s to %s", r.Duration, r.NoDuration, r.Start, r.End)
			}
		})
	}
}

// A type that isn't what Graph documents makes the record malformed; the problem names it
// without what it holds.
func TestTrapTypesInCallRecords(t *testing.T) {
	for _, c := range []struct{ name, text, problem string }{
		{
			"a number for a text", callWith(between(userEnd, phoneEnd("15550100"))),
			"sessions.callee.identity.phone.id has the wrong type: number",
		},
		{
			"a text for a number", callWith(`{"segments":[{"media":[{"streams":[{"packetUtilization":"secret"}]}]}]}`),
			"packetUtilization has the wrong type: string",
		},
		{
			"a text for a ratio", callWith(`{"segments":[{"media":[{"streams":[{"averagePacketLossRate":"secret"}]}]}]}`),
			"averagePacketLossRate can't be read",
		},
		{
			"a number for a duration", callWith(`{"segments":[{"media":[{"streams":[{"averageJitter":0.016}]}]}]}`),
			"averageJitter has the wrong type: number",
		},
		{"a list for a record", `[]`, "the value has the wrong type: array"},
		{"no time", `{"startDateTime":"secret"}`, "startDateTime can't be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var record callRecord
			bad, ok := errors.AsType[*graph.TypeError](graph.Unmarshal([]byte(c.text), &record))
			if !ok {
				t.Fatal("it is read")
			}
			if got := bad.Problem; !strings.Contains(got, c.problem) || strings.Contains(got, "secret") ||
				strings.Contains(got, "5550100") {
				t.Errorf("the problem is %q, want %q", got, c.problem)
			}
		})
	}
}

// Sessions are told apart by their ids and, where there are none, by their times.
func TestTrapSessionsWithoutIDs(t *testing.T) {
	r, _ := mapCall(t, callWith(
		`{"id":"A"}`, `{"id":"a"}`, `{"startDateTime":"2026-11-19T10:00:00Z"}`,
		`{"startDateTime":"2026-11-19T10:00:00Z","endDateTime":"2026-11-19T10:00:01Z"}`,
		`{"startDateTime":"2026-11-19T12:00:00+02:00"}`))
	ids := map[string]int{}
	for _, s := range r.Sessions {
		ids[s.ID]++
	}
	if len(ids) != 3 || ids["a"] != 2 {
		t.Errorf("%v", ids)
	}
}
