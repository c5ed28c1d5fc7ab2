package ringcentral_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// documented are the results of docs/providers/ringcentral.md.
var documented = map[cdr.Outcome][]string{
	cdr.Answered:      {"Accepted", "Call accepted", "Call connected", "Answered Elsewhere", "911", "933"},
	cdr.Voicemail:     {"Voicemail", "Sent to Voicemail", "Callback requested"},
	cdr.NoAnswer:      {"Missed", "No Answer", "Answered Not Accepted"},
	cdr.Busy:          {"Busy"},
	cdr.Cancelled:     {"Hang Up", "Abandoned", "Stopped"},
	cdr.Rejected:      {"Rejected", "Declined", "Blocked", "Reply"},
	cdr.InvalidNumber: {"Wrong Number"},
	cdr.NotAllowed: {
		"Not Allowed", "Restricted Number", "International Disabled", "International Restricted",
		"International Restriction", "No Calling Credit", "Suspended", "Suspended account",
	},
	cdr.Failed: {
		"Call Failed", "Call Failure", "Internal Error", "Carrier is not active",
		"EDGE trunk misconfigured", "IP Phone Offline",
	},
}

func TestOutcomesOfTheContract(t *testing.T) {
	for outcome, all := range documented {
		for _, result := range all {
			for _, spelling := range []string{result, strings.ToUpper(result), " " + strings.ToLower(result) + " "} {
				t.Run(spelling, func(t *testing.T) {
					got, err := decodePage(t, accountLog(), pageOf("", call("1", fmt.Sprintf(`"result":%q`, spelling))))
					if err != nil || len(got.rows) != 1 || len(got.unmapped) != 0 {
						t.Fatalf("%+v, error %v", got, err)
					}
					got.rows[0].Want(t, shown{"Outcome": outcome.String(), "Provisional": nil})
					if reason, exists := got.rows[0]["Reason"]; exists == outcome.Connected() {
						t.Errorf("reason %v", reason)
					}
				})
			}
		}
	}
}

func TestRefinement(t *testing.T) {
	const accepted, missed = `[{"result":"Missed"},{"result":"Accepted"}]`, `[{"result":"Missed"},{"result":"Stopped"}]`
	for _, test := range []struct {
		name, result, reason, legs string
		outcome                    cdr.Outcome
		slug                       string
		provisional                bool
	}{
		{name: "missed, a leg accepted", result: "Missed", legs: accepted, outcome: cdr.Answered},
		{
			name: "missed, a leg connected", result: "Missed", legs: `[{"result":"Call connected"}]`,
			outcome: cdr.Answered,
		},
		{name: "missed, no leg accepted", result: "Missed", legs: missed, outcome: cdr.NoAnswer, slug: "missed"},
		{name: "missing, a leg accepted", legs: accepted, outcome: cdr.Answered},
		{name: "missing, no leg accepted", legs: missed, outcome: cdr.NoAnswer, slug: "missed", provisional: true},
		{
			name: "missing, a leg at voicemail", legs: `[{"result":"Missed"},{"result":"Voicemail"}]`,
			outcome: cdr.Voicemail,
		},
		{
			name: "missing, and answered elsewhere", legs: `[{"result":"Answered Elsewhere"}]`, outcome: cdr.Unknown,
			provisional: true,
		},
		{name: "missing", outcome: cdr.Unknown, provisional: true},
		{
			name: "missing, with a reason", reason: "No Answer", outcome: cdr.NoAnswer, slug: "no_answer",
			provisional: true,
		},
		{name: "missing, the reason accepted", reason: "Accepted", outcome: cdr.Answered, provisional: true},
		{
			name: "in progress, a leg accepted", result: "In Progress", legs: accepted, outcome: cdr.Answered,
			provisional: true,
		},
		{name: "in progress", result: "in progress", outcome: cdr.Unknown, provisional: true},
		{name: "in progress, by its own client", result: "ResultInProgress", outcome: cdr.Unknown, provisional: true},
		{name: "ringing elsewhere", result: "Ringing Elsewhere", outcome: cdr.Unknown, provisional: true},
		{name: "disconnected", result: "Disconnected", outcome: cdr.Unknown},
		{
			name: "disconnected, with a reason", result: "Disconnected", reason: "No Credit", outcome: cdr.NotAllowed,
			slug: "no_credit",
		},
		{name: "unknown", result: "Unknown", outcome: cdr.Unknown},
		{name: "unknown, of old", result: "ResultEmpty", outcome: cdr.Unknown},
		{name: "unknown, with a reason", result: "Unknown", reason: "Line Busy", outcome: cdr.Busy, slug: "busy"},
		{
			name: "unknown, the legs before the reason", result: "Unknown", reason: "Accepted",
			legs: `[{"result":"Busy"}]`, outcome: cdr.Busy, slug: "busy",
		},
		{name: "unknown, a leg accepted", result: "Unknown", legs: accepted, outcome: cdr.Answered},
		{
			name: "missed, the caller gave up", result: "Missed", reason: "Hang Up", outcome: cdr.Cancelled,
			slug: "hang_up",
		},
		{name: "missed, blocked", result: "Missed", reason: "Number Blocked", outcome: cdr.Rejected, slug: "blocked"},
		{
			name: "missed, but the reason says accepted", result: "Missed", reason: "Accepted", outcome: cdr.NoAnswer,
			slug: "missed",
		},
		{
			name: "missed, answered and not taken", result: "Missed", reason: "Connected", outcome: cdr.NoAnswer,
			slug: "not_accepted",
		},
		{
			name: "failed, wrong number", result: "Call Failed", reason: "Wrong Number", outcome: cdr.InvalidNumber,
			slug: "number_not_found",
		},
		{
			name: "failed, no credit", result: "Call Failure", reason: "No Credit", outcome: cdr.NotAllowed,
			slug: "no_credit",
		},
		{
			name: "failed, capacity", result: "Call Failed", reason: "Max Call Limit", outcome: cdr.Failed,
			slug: "max_call_limit",
		},
		{name: "failed, old spelling", result: "Call Failed", reason: "line Busy", outcome: cdr.Busy, slug: "busy"},
		{
			name: "failed, no address", result: "Call Failed", reason: "DescNoE911Address", outcome: cdr.NotAllowed,
			slug: "no_emergency_address",
		},
		{name: "failed, a leg accepted", result: "Call Failed", legs: accepted, outcome: cdr.Answered},
		{
			name: "failed, for an unknown reason", result: "Call Failed", reason: "Unknown", outcome: cdr.Failed,
			slug: "call_failed",
		},
		{name: "not generic", result: "Busy", reason: "Hang Up", outcome: cdr.Busy, slug: "hang_up"},
		{
			name: "not generic, the reason accepted", result: "Rejected", reason: "Accepted", outcome: cdr.Rejected,
			slug: "rejected",
		},
		{name: "not generic, a leg accepted", result: "Voicemail", legs: accepted, outcome: cdr.Answered},
		{name: "not generic, no leg accepted", result: "Voicemail", legs: missed, outcome: cdr.Voicemail},
		{name: "not generic, other legs", result: "Busy", legs: missed, outcome: cdr.Busy, slug: "busy"},
		{name: "accepted, no leg was", result: "Accepted", legs: missed, outcome: cdr.Answered},
		{name: "answered", result: "Accepted", reason: "Hang Up", outcome: cdr.Answered},
	} {
		t.Run(test.name, func(t *testing.T) {
			var more []string
			for key, value := range map[string]string{"result": test.result, "reason": test.reason} {
				if value != "" {
					more = append(more, fmt.Sprintf("%q:%q", key, value))
				}
			}
			if test.legs != "" {
				more = append(more, `"legs":`+test.legs)
			}
			want := shown{"Outcome": test.outcome.String(), "Reason": emptyAsNil(test.slug), "Provisional": nil}
			if test.provisional {
				want["Provisional"] = true
			}
			decodeOne(t, call("1", strings.Join(more, ","))).Want(t, want)
		})
	}
}

// TestNoCalls: what phones do besides calls is ignored.
func TestNoCalls(t *testing.T) {
	for _, more := range []string{
		`"action":"E911 Update"`, `"action":"Monitoring"`, `"action":"Barge In Call"`, `"action":"Paging"`,
		`"action":"Text Relay"`,
		`"action":"Phone Login"`, `"action":" phone login "`, `"result":"Phone Login"`,
	} {
		got, err := decodePage(t, accountLog(), pageOf("", call("1", more)))
		if want := []string{"page 1, row 1"}; err != nil || len(got.rows) != 0 ||
			!slices.Equal(got.ignored, want) {
			t.Errorf("%s: %+v, error %v", more, got, err)
		}
	}
	for _, row := range []string{
		`{"type":"Fax"}`, `{"type":"fax","action":"Phone Call"}`, `{"action":"Incoming Fax"}`,
		`{"action":"Outgoing Fax"}`, `{"type":"SMS"}`, `{"type":"Hologram","result":"Missed"}`,
	} {
		got, err := decodePage(t, accountLog(), pageOf("", row))
		if err != nil || len(got.rows) != 0 || !slices.Equal(got.ignored, []string{"page 1, row 1"}) {
			t.Errorf("%s: %+v, error %v", row, got, err)
		}
		if isNew := strings.Contains(row, "Hologram"); (len(got.unmapped) == 1) != isNew {
			t.Errorf("%s: unmapped %v", row, got.unmapped)
		}
	}
	// A voice call to a fax machine is a call. A row without a type is one too, since the request
	// was for voice.
	decodeOne(t, call("1", `"action":"Incoming Fax","result":"Accepted"`)).Want(t, shown{"CallType": "incoming_fax"})
	decodeOne(t, `{"id":"1","startTime":"2026-03-02T10:00:00Z","action":"Phone Call"}`).
		Want(t, shown{"CallType": "phone_call"})
}

func TestEmergency(t *testing.T) {
	for _, test := range []struct {
		name, more string
		want       any
	}{
		{"result 911", `"direction":"Outbound","result":"911"`, "real"},
		{"result 933", `"direction":"Outbound","result":"933"`, "test"},
		{"result 933 of an emergency action", `"direction":"Outbound","result":"933","action":"Emergency"`, "test"},
		{"action", `"direction":"Outbound","action":"Emergency","result":"Call connected"`, "real"},
		{"number", `"direction":"Outbound","to":{"phoneNumber":"112"}`, "real"},
		{
			"number of the caller's country",
			`"direction":"Outbound","from":{"phoneNumber":"+81312345678"},"to":{"phoneNumber":"119"}`, "real",
		},
		{
			"number of another country",
			`"direction":"Outbound","from":{"phoneNumber":"+12065550100"},"to":{"phoneNumber":"119"}`, nil,
		},
		{"number with its country code", `"direction":"Outbound","to":{"phoneNumber":"+1911"}`, "real"},
		{
			"number as dialled", `"direction":"Outbound","to":{"phoneNumber":"+12055550010","dialedPhoneNumber":"911"}`,
			"real",
		},
		{"test number of the action", `"direction":"Outbound","action":"Emergency","to":{"phoneNumber":"933"}`, "test"},
		{"inbound", `"direction":"Inbound","result":"911","action":"Emergency","to":{"phoneNumber":"911"}`, nil},
		{
			"an extension of that number",
			`"direction":"Outbound","from":{"extensionId":"1"},"to":{"extensionId":"2","extensionNumber":"933"}`, nil,
		},
		{"no direction, by result", `"result":"911"`, "real"},
		{"no direction, by number", `"to":{"phoneNumber":"911"}`, nil},
		{"none", `"direction":"Outbound","to":{"phoneNumber":"+12055550010"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			decodeOne(t, call("1", test.more)).
				Want(t, shown{"Emergency": test.want})
		})
	}
}
