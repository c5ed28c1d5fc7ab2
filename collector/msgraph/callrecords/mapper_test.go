package callrecords

import (
	"errors"
	"fmt"
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

// A call is internal unless an end of a session is a telephone, and which end it is says
// the direction; neither participants nor services do.
func TestTrapDirectionOfCallRecords(t *testing.T) {
	for _, c := range []struct {
		name, call                              string
		direction                               cdr.Direction
		caller, callee, country, session, other string
	}{
		{"users", callWith(between(userEnd, userEnd)), cdr.Internal, "", "", "", "", ""},
		{"a service", callWith(between(userEnd, serviceEnd)), cdr.Internal, "", "", "", "", ""},
		{"ends null", callWith(between("null", "null")), cdr.Internal, "", "", "", "", ""},
		{
			"identity null", callWith(between(`{"identity":null}`, `{"identity":{"user":null,"phone":null}}`)),
			cdr.Internal, "", "", "", "", "",
		},
		{
			"phone called", callWith(between(userEnd, phoneEnd(`"+49301234***"`))), cdr.Outbound, "", "+49301234***", "DE",
			"+49301234***", "",
		},
		{
			"phone calling", callWith(between(phoneEnd(`"+442079460100"`), serviceEnd)), cdr.Inbound, "+442079460100", "",
			"GB", "+442079460100", "",
		},
		{"number withheld", callWith(between(phoneEnd("null"), userEnd)), cdr.Inbound, "", "", "", "", ""},
		{
			"two phones", callWith(between(phoneEnd(`"+442079460100"`), phoneEnd(`"+33123456789"`))), cdr.Outbound, "",
			"+33123456789", "FR", "+33123456789", "",
		},
		{"a meeting's second session", callWith(between(userEnd, serviceEnd),
			between(phoneEnd(`"+12065550100"`), serviceEnd)), cdr.Inbound, "+12065550100", "", "US", "", ""},
		{
			"in a segment alone",
			callWith(between("null", serviceEnd, `"segments":[{"caller":null},{"caller":`+userEnd+`,"callee":`+
				phoneEnd(`"+33123456789"`)+`}]`)),
			cdr.Outbound, "", "+33123456789", "FR", "+33123456789", "",
		},
		{
			"by the younger identity",
			callWith(between(userEnd,
				`{"identity":null,"associatedIdentity":{"id":"+33123456789","displayName":null}}`)),
			cdr.Outbound, "", "+33123456789", "FR", "+33123456789", "",
		},
		{
			"a user by the younger identity",
			callWith(between(`{"associatedIdentity":{"id":"821809f5-0000-0000-0000-3b5136c0e777"}}`, userEnd)),
			cdr.Internal, "", "", "", "", "821809f5-0000-0000-0000-3b5136c0e777",
		},
		{
			"a participant alone",
			strings.Replace(callWith(between(userEnd, userEnd)), `"sessions"`,
				`"participants_v2":[{"identity":{"phone":{"id":"+33123456789"}}}],"sessions"`, 1),
			cdr.Internal, "", "", "", "", "",
		},
		{"no sessions", callWith(), cdr.Internal, "", "", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := mapCall(t, c.call)
			if r.Direction != c.direction || r.CallerNumber != c.caller || r.CalleeNumber != c.callee ||
				r.Country != c.country {
				t.Errorf("%s, caller %q, callee %q, country %q", r.Direction, r.CallerNumber, r.CalleeNumber, r.Country)
			}
			if len(r.Sessions) > 0 && (r.Sessions[0].Number != c.session || c.other != "" &&
				r.Sessions[0].UserID != c.other) {
				t.Errorf("the session is with %q, %q", r.Sessions[0].Number, r.Sessions[0].UserID)
			}
		})
	}
}

// A call is answered if a session got through or failed in mid-call.
func TestTrapOutcomeOfCallRecords(t *testing.T) {
	ok := between(userEnd, userEnd, `"failureInfo":null`)
	for _, c := range []struct {
		name, call string
		outcome    cdr.Outcome
		results    string
		reason     string
	}{
		{"no session", callWith(), cdr.NotConnected, "[]", ""},
		{"one that got through", callWith(ok), cdr.Answered, "[ok  ]", ""},
		{
			"set up", callWith(between(userEnd, userEnd, failing("callSetup", "User is busy"))), cdr.NotConnected,
			"[setup_failed call_setup busy]", "busy",
		},
		{
			"mid-call", callWith(between(userEnd, userEnd, failing("midcall", ""))), cdr.Answered, "[dropped midcall ]",
			"",
		},
		{
			"nobody says when", callWith(between(userEnd, userEnd, failing("unknown", ""))), cdr.NotConnected,
			"[setup_failed unknown ]", "",
		},
		{
			"a younger stage", callWith(between(userEnd, userEnd, failing(futureValue, ""))), cdr.NotConnected,
			"[setup_failed unknown ]", "",
		},
		{
			"empty failure", callWith(between(userEnd, userEnd, `"failureInfo":{}`)), cdr.NotConnected,
			"[setup_failed unknown ]", "",
		},
		{
			"one of two failed",
			callWith(between(userEnd, userEnd, failing("callSetup", "declined")), ok), cdr.Answered,
			"[setup_failed call_setup declined ok  ]", "",
		},
		{
			"both failed",
			callWith(between(userEnd, userEnd, failing("callSetup", "")),
				between(userEnd, userEnd, failing("callSetup", "Call setup timeout"))),
			cdr.NotConnected, "[setup_failed call_setup  setup_failed call_setup timeout]", "timeout",
		},
		{
			"a segment failed", callWith(between(userEnd, userEnd, `"segments":[{`+failing("callSetup", "x")+`}]`)),
			cdr.Answered, "[ok  ]", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, unmapped := mapCall(t, c.call)
			var results []string
			for _, s := range r.Sessions {
				results = append(results, s.Result.String()+" "+s.Stage+" "+s.Reason)
			}
			if r.Outcome != c.outcome || fmt.Sprint(results) != c.results || r.Reason != c.reason || len(unmapped) > 0 {
				t.Errorf("%s, %s, %q; unmapped %v", r.Outcome, results, r.Reason, unmapped)
			}
			if r.Outcome == cdr.Answered && r.ReasonPhrase != "" {
				t.Errorf("an answered call failed: %s", r.ReasonPhrase)
			}
		})
	}
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

// Any telephone that was called may be that of emergency services, in whichever session.
func TestTrapEmergencyOfCallRecords(t *testing.T) {
	called := func(number string) string { return between(userEnd, phoneEnd(`"`+number+`"`)) }
	for _, c := range []struct {
		name, call string
		want       cdr.Emergency
	}{
		{"911", callWith(called("911")), cdr.EmergencyReal},
		{"+1911", callWith(called("+1911")), cdr.EmergencyReal},
		{"933 is a test", callWith(called("933")), cdr.EmergencyTest},
		{"of a meeting, second", callWith(called("+33123456789"), called("112")), cdr.EmergencyReal},
		{"real beats test", callWith(called("112"), called("933")), cdr.EmergencyReal},
		{"test, then real", callWith(called("933"), called("112")), cdr.EmergencyReal},
		{"calling from it", callWith(between(phoneEnd(`"911"`), userEnd)), cdr.NoEmergency},
		{"masked", callWith(called("9**")), cdr.NoEmergency},
		{"none", callWith(called("+33123456789")), cdr.NoEmergency},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r, _ := mapCall(t, c.call); r.Emergency != c.want {
				t.Errorf("it is %d, want %d", r.Emergency, c.want)
			}
		})
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

// Units differ: durations are ISO 8601, ratios from 0 to 1, one is a percentage; what is
// null, missing, NaN or out of bounds wasn't measured (trap 12).
func TestTrapUnitsOfStreams(t *testing.T) {
	ms := func(n float64) string { return fmt.Sprintf("jitter %v", time.Duration(n*float64(time.Millisecond))) }
	for _, c := range []struct{ name, stream, want, unmapped string }{
		{"jitter", `{"averageJitter":"PT0.016S"}`, ms(16), ""},
		{"no jitter", `{"averageJitter":"PT0S"}`, ms(0), ""},
		{"minutes", `{"averageJitter":"PT1M2.5S"}`, ms(62500), ""},
		{"with days and hours", `{"averageJitter":"P0DT0H0M1S"}`, ms(1000), ""},
		{"null", `{"averageJitter":null}`, "", ""},
		{"below zero", `{"averageJitter":"-PT1S"}`, "", "averageJitter"},
		{"empty", `{"averageJitter":""}`, "", ""},
		{"no duration", `{"averageJitter":"00:00:01"}`, "", "averageJitter"},
		{"round trip", `{"averageRoundTripTime":"PT0.5S"}`, "round trip 500ms", ""},
		{"maximum only", `{"maxJitter":"PT0.5S","maxPacketLossRate":0.5}`, "", ""},
		{"a hundredth", `{"averagePacketLossRate":0.01}`, "loss 0.01", ""},
		{"all", `{"averagePacketLossRate":1.0}`, "loss 1", ""},
		{"a whole number", `{"averagePacketLossRate":0}`, "loss 0", ""},
		{"more than all", `{"averagePacketLossRate":1.5}`, "", ""},
		{"less than nothing", `{"averagePacketLossRate":-1}`, "", ""},
		{
			"not a number",
			`{"averagePacketLossRate":"NaN","averageRatioOfConcealedSamples":"INF","averageVideoFrameRate":"-INF"}`, "",
			"",
		},
		{"concealed", `{"averageRatioOfConcealedSamples":0.07}`, "concealed 0.07", ""},
		{"percent", `{"averageVideoFrameLossPercentage":50}`, "frame loss 0.5", ""},
		{"less than one percent", `{"averageVideoFrameLossPercentage":0.5}`, "frame loss 0.005", ""},
		{"all percent", `{"averageVideoFrameLossPercentage":100}`, "frame loss 1", ""},
		{"over a hundred percent", `{"averageVideoFrameLossPercentage":101}`, "", ""},
		{
			"after correction", `{"postForwardErrorCorrectionPacketLossRate":0.2,"averageVideoPacketLossRate":0.9}`,
			"corrected loss 0.2", "",
		},
		{"frames", `{"averageVideoFrameRate":29.97,"averageReceivedFrameRate":12}`, "frame rate 29.97", ""},
		{"packets", `{"packetUtilization":501}`, "packets 501", ""},
		{"packets below zero", `{"packetUtilization":-1}`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, unmapped := streamOf(t, `"main-audio"`, c.stream)
			_, got, _ := strings.Cut(streamRow(s), ", ")
			if got != c.want || strings.Join(unmapped, " ") != c.unmapped {
				t.Errorf("it has %q, want %q; unmapped %v", got, c.want, unmapped)
			}
		})
	}
}

// TestTrapSenderOfStreams: a stream's network and platform are its sender's.
func TestTrapSenderOfStreams(t *testing.T) {
	for _, c := range []struct{ name, label, stream, want, unmapped string }{
		{
			"from the caller", `"main-audio"`, `{"streamDirection":"callerToCallee"}`,
			"audio caller_to_callee wifi ios unclassified", "",
		},
		{
			"from the callee", `"main-audio"`, `{"streamDirection":"calleeToCaller"}`,
			"audio callee_to_caller wired service unclassified", "",
		},
		{
			"a new direction", `"main-audio"`, `{"streamDirection":"both"}`,
			"audio callee_to_caller wired service unclassified", "streamDirection",
		},
		{"video", `"main-video"`, `{}`, "video callee_to_caller wired service unclassified", ""},
		{"sharing", `"applicationsharing-video"`, `{}`, "screen_share callee_to_caller wired service unclassified", ""},
		{"its sound", `"applicationsharing-audio"`, `{}`, "audio callee_to_caller wired service unclassified", ""},
		{"data", `"data"`, `{}`, "data callee_to_caller wired service unclassified", ""},
		{"a new label", `"hologram"`, `{"audioCodec":"opus"}`, "other callee_to_caller wired service unclassified", ""},
		{"no label, sound", `null`, `{"audioCodec":"opus"}`, "audio callee_to_caller wired service unclassified", ""},
		{"no label, picture", `null`, `{"videoCodec":"h264"}`, "video callee_to_caller wired service unclassified", ""},
		{"no label at all", `null`, `{}`, "other callee_to_caller wired service unclassified", ""},
		{"null", `"main-audio"`, `null`, "audio callee_to_caller wired service unclassified", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, unmapped := streamOf(t, c.label, c.stream)
			if got := streamRow(s); got != c.want || strings.Join(unmapped, " ") != c.unmapped {
				t.Errorf("it is %q, want %q; unmapped %v", got, c.want, unmapped)
			}
		})
	}
}

// TestTrapEndsOfStreams: a session's streams have the sender's client, network and microphone, and
// the receiver's loudspeaker. Personal values have their class; the call's streams have none of
// them.
func TestTrapEndsOfStreams(t *testing.T) {
	end := func(version string) string {
		return `{"userAgent":{"platform":"iOS","applicationVersion":"` + version + `"}}`
	}
	text := callWith(between(end("1.2"), end("unknown"),
		`"segments":[{"media":[{"label":"main-audio",
		"callerNetwork":{"connectionType":"wifi","ipAddress":"192.0.2.10","subnet":"192.0.2.0","wifiBand":"frequency50GHz","wifiSignalStrength":71},
		"calleeNetwork":{"wifiBand":"unknown","ipAddress":""},"callerDevice":{"captureDeviceName":"Ann's headset","renderDeviceName":"Ann's speaker"},
		"calleeDevice":{"captureDeviceName":"a webcam"},"streams":[{"streamDirection":"callerToCallee"},{"streamDirection":"calleeToCaller"}]}]}]`))
	r, _ := mapCall(t, text)
	if len(r.Sessions) != 1 || len(r.Sessions[0].Streams) != 2 || len(r.Streams) != 2 || r.Streams[0].Extra != nil {
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
	}
	for i, s := range r.Sessions[0].Streams {
		if !reflect.DeepEqual(s.Extra, want[i]) || s.ToCallee != (i == 0) {
			t.Errorf("stream %d: %+v, want %+v", i, s.Extra, want[i])
		}
	}
}

// Media bypass is what streams really had; nothing else says anything of it.
func TestTrapMediaBypassOfStreams(t *testing.T) {
	for stream, want := range map[string]cdr.Bool{
		`{}`: cdr.Unsaid, `{"wasMediaBypassed":null}`: cdr.Unsaid, `{"wasMediaBypassed":false}`: cdr.False,
		`{"wasMediaBypassed":true}`:                               cdr.True,
		`{"wasMediaBypassed":true},{"wasMediaBypassed":false}`:    cdr.True,
		`{"wasMediaBypassed":false},{"wasMediaBypassed":true},{}`: cdr.True,
	} {
		r, _ := mapCall(t, callWith(between(userEnd, serviceEnd, `"segments":[{"media":[{"streams":[`+stream+`]}]}]`)))
		if r.MediaBypass != want {
			t.Errorf("%s: %q", stream, r.MediaBypass)
		}
	}
}

// Ratings are the session's, each end's once, although its segments repeat them.
func TestTrapRatingsOfCallRecords(t *testing.T) {
	rated := func(rating string) string { return `{"feedback":{"rating":"` + rating + `"}}` }
	for _, c := range []struct{ name, call, want, unmapped string }{
		{"both", callWith(between(rated("bad"), rated("excellent"))), "[bad excellent]", ""},
		{"repeated", callWith(between(rated("bad"), "null", `"segments":[{"caller":`+rated("bad")+`},{"caller":`+
			rated("bad")+`}]`)), "[bad]", ""},
		{
			"in a segment alone", callWith(between("null", userEnd, `"segments":[{"callee":`+rated("fair")+`}]`)),
			"[fair]", "",
		},
		{"none", callWith(between(rated("notRated"), `{"feedback":null}`)), "[]", ""},
		{"empty", callWith(between(rated(""), rated(futureValue))), "[]", ""},
		{"new", callWith(between(rated("superb"), userEnd)), "[superb]", "rating"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, unmapped := mapCall(t, c.call)
			if fmt.Sprint(r.Ratings) != c.want || len(unmapped) > 0 != (c.unmapped != "") {
				t.Errorf("%v, unmapped %v", r.Ratings, unmapped)
			}
		})
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

// New words are reported, and the rest of the record counts.
func TestTrapNewWordsInCallRecords(t *testing.T) {
	text := strings.Replace(callWith(between(`{"userAgent":{"platform":"watch"}}`, userEnd, failing("teardown", ""),
		`"segments":[{"media":[{"label":"main-audio","callerNetwork":{"connectionType":"satellite"},"streams":[{"streamDirection":"callerToCallee"}]}]}]`)),
		`"peerToPeer"`, `"holoCall"`, 1)
	text = strings.Replace(text, `["audio"]`, `["audio","hologram"]`, 1)
	r, unmapped := mapCall(t, text)
	var fields []string
	for _, u := range unmapped {
		fields = append(fields, u.Field+"="+u.Value)
	}
	want := "[type=holoCall modality=hologram stage=teardown platform=watch connectionType=satellite platform=watch]"
	if fmt.Sprint(fields) != want || r.CallType != "holo_call" || r.Streams[0].Network != "unknown" ||
		r.Streams[0].Platform != "watch" {
		t.Errorf("unmapped %v, want %s; %+v", fields, want, r)
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
