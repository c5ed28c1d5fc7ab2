package ringcentral_test

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// The cases of this file are the tricky rows of providers/ringcentral.md, section 8, by
// their number there.

// TestTrap4ForwardedPickUp: a row says Missed, and a leg that somebody answered.
func TestTrap4ForwardedPickUp(t *testing.T) {
	decodeOne(t, call("F1", `"direction":"Inbound","action":"Phone Call","result":"Missed","legs":[`+
		`{"legType":"Accept","result":"Missed","master":true},{"legType":"FindMe","result":"Accepted","duration":50}]`)).Want(t, shown{
		"Outcome": "answered", "Reason": nil, "Provisional": nil,
		"Legs": []string{"accept no_answer master", "find_me answered 2026-03-02T10:00:00Z 50s"},
	})
}

// TestTrap5QueueRingAll: the legs of agents who didn't get the call aren't missed calls.
func TestTrap5QueueRingAll(t *testing.T) {
	decodeOne(t, call("Q1", `"direction":"Inbound","action":"Phone Call","result":"Accepted","legs":[`+
		`{"legType":"PstnToSip","direction":"Inbound","result":"Stopped","extension":{"id":101}},`+
		`{"legType":"PstnToSip","direction":"Inbound","result":"Accepted","extension":{"id":102},"to":{"name":"Agent  Two"}},`+
		`{"legType":"PstnToSip","direction":"Inbound","result":"Stopped","extension":{"id":103}}]`)).Want(t, shown{
		"Outcome": "answered", "UserID": "102", "UserName": "Agent Two",
		"Legs": []string{"pstn_to_sip cancelled", "pstn_to_sip answered", "pstn_to_sip cancelled"},
	})
}

// TestTrap8InternalCall: two rows of one session between two extensions. In the scope of an account
// they are two calls, in the scope of an extension one.
func TestTrap8InternalCall(t *testing.T) {
	const session = `"telephonySessionId":"s-1","from":{"extensionId":"101","extensionNumber":"101"},"to":{"extensionId":"102","extensionNumber":"102"}`
	raw := []string{
		call("I1", `"direction":"Outbound","result":"Call connected",`+session),
		call("I2", `"direction":"Inbound","result":"Accepted",`+session),
	}
	for _, r := range decodeRows(t, accountLog(), raw...) {
		r.Want(t, shown{
			"Direction": "internal", "Outcome": "answered", "CallID": "s-1", "CallKey": nil,
			"Country": nil,
		})
	}
	for _, r := range decodeRows(t, extensionLog(), raw...) {
		r.Want(t, shown{"Direction": "internal", "CallID": "s-1", "CallKey": "s-1"})
	}
	for name, other := range map[string]string{
		"one has a number":  `"from":{"extensionId":"101"},"to":{"extensionId":"102","phoneNumber":"+12055551234"}`,
		"one is a name":     `"from":{"extensionId":"101"},"to":{"name":"Steven"}`,
		"one isn't given":   `"from":{"extensionId":"101"}`,
		"an emergency call": `"from":{"extensionId":"101"},"to":{"phoneNumber":"911"}`,
	} {
		t.Run(name, func(t *testing.T) {
			decodeOne(t, call("I3", `"direction":"Outbound",`+other)).Want(t, shown{"Direction": "outbound"})
		})
	}
	decodeOne(t, call("I4",
		`"direction":"Outbound","from":{"extensionId":"101"},"to":{"extensionNumber":"102","phoneNumber":"102"}`)).
		Want(t, shown{"Direction": "internal"})
}

// TestTrap10MissingFields: no result and no duration yet. If nothing more comes it counts
// as it stands (counting.md 17).
func TestTrap10MissingFields(t *testing.T) {
	decodeOne(t,
		`{"id":"M1","sessionId":"9","startTime":"2026-03-02T10:00:00.000Z","type":"Voice","direction":"Outbound",`+
			`"action":"VoIP Call","to":{"phoneNumber":"2055551234"},"from":{"name":"Steven"}}`).Want(t, shown{
		"ID": "M1", "CallID": "9", "Provisional": true, "Outcome": "unknown", "Duration": "none",
		"Direction":    "outbound",
		"CalleeNumber": "2055551234", "CallerNumber": nil, "UserName": "Steven", "UserID": nil, "Country": nil,
		"Version": nil,
	})
}

func TestTrap11MaskedAndOddNumbers(t *testing.T) {
	for number, country := range map[string]any{
		"+3351234XXXX":   "FR",
		"(866)123-4567":  nil,
		"102":            nil,
		"anonymous":      nil,
		"":               nil,
		"12055550010":    "US",
		"442079460100":   "GB",
		"2055551234":     nil,
		"+1 205 5550010": "US",
		"020794601001":   nil,
	} {
		t.Run(number, func(t *testing.T) {
			decodeOne(t, call("N1", `"direction":"Inbound","from":{"phoneNumber":"`+number+
				`"},"to":{"phoneNumber":"+12055550010"}`)).
				Want(t, shown{"CallerNumber": emptyAsNil(number), "Country": country})
		})
	}
	decodeOne(t, call("N2", `"direction":"Inbound","to":{"phoneNumber":"+12055550010"}`)).
		Want(t, shown{"CallerNumber": nil, "Country": nil})
}

func emptyAsNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// TestTrap12ExtensionIDs: a number in one place, a string in the others, and above 32 bits.
func TestTrap12ExtensionIDs(t *testing.T) {
	for _, test := range []struct{ name, members, id, userName string }{
		{"number", `"extension":{"id":664573005},"from":{"extensionId":"664573005","name":"A"}`, "664573005", "A"},
		{
			"above 32 bits", `"extension":{"id":62264425016},"from":{"extensionId":"62264425016","name":"A"}`,
			"62264425016", "A",
		},
		{"string alone", `"from":{"extensionId":"62264425016","name":"A"}`, "62264425016", "A"},
		{"another's name", `"extension":{"id":5},"from":{"extensionId":"6","name":"A"}`, "5", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			decodeOne(t, call("E1", `"direction":"Outbound",`+test.members)).
				Want(t, shown{"UserID": test.id, "UserName": emptyAsNil(test.userName)})
		})
	}
	for _, wrong := range []string{`"extension":{"id":"664573005"}`, `"from":{"extensionId":664573005}`} {
		got, err := decodePage(t, accountLog(), pageOf("", call("E2", wrong)))
		if err != nil || len(got.invalid) != 1 {
			t.Errorf("%s: invalid %q, error %v", wrong, got.invalid, err)
		}
	}
}

// TestTrap13AnsweredElsewhere: in the log of an extension it is another one's call, which rang at this one too.
func TestTrap13AnsweredElsewhere(t *testing.T) {
	raw := call("V2",
		`"result":"Answered Elsewhere","direction":"Inbound","duration":95,"extension":{"id":5},"legs":[{"result":"Accepted","duration":95}]`)
	decodeOne(t, raw).Want(t, shown{"Outcome": "answered", "NoOutcome": nil, "Duration": "1m35s"})
	decodeRows(t, extensionLog(), raw)[0].Want(t,
		shown{"Outcome": "unknown", "NoOutcome": true, "Talk": nil, "Connected": nil, "UserID": "5"})
}

// TestTrap13UnknownValues: rows with unknown values are counted. The values are reported, without an
// error.
func TestTrap13UnknownValues(t *testing.T) {
	got, err := decodePage(t, accountLog(), pageOf(
		"", call("V1", `"result":"Callback requested"`),
		call("V2", `"result":"Answered Elsewhere","action":"VoiceChat Call"`),
		call("V3",
			`"result":"Teleported","reason":"Beamed Up","action":"Warp Call","direction":"Sideways","recording":{"id":"1","type":"Holo"},`+
				`"legs":[{"legType":"WormHole","result":"Folded"}]`),
	))
	if err != nil || len(got.rows) != 3 {
		t.Fatalf("%d rows, invalid %q, error %v", len(got.rows), got.invalid, err)
	}
	got.rows[0].Want(t, shown{"Outcome": "voicemail"})
	got.rows[1].Want(t, shown{"Outcome": "answered", "CallType": "voice_chat_call"})
	got.rows[2].Want(t, shown{
		"Outcome": "unknown", "Reason": nil, "Provisional": nil, "CallType": "warp_call", "Direction": "unknown",
		"Legs": []string{"worm_hole unknown"}, "Recordings": []string{"1 holo"},
	})
	want := []collector.Unmapped{
		{Field: "action", Value: "Warp Call"},
		{Field: "direction", Value: "Sideways"},
		{Field: "result", Value: "Teleported"},
		{Field: "reason", Value: "Beamed Up"},
		{Field: "legs.legType", Value: "WormHole"},
		{Field: "legs.result", Value: "Folded"},
	}
	if !slices.Equal(got.unmapped, want) {
		t.Errorf("unmapped %v, want %v", got.unmapped, want)
	}
}

// TestTrap18SharedRecording: a row and its legs name the same recording.
func TestTrap18SharedRecording(t *testing.T) {
	decodeOne(t, call("X1", `"result":"Accepted","recording":{"id":"7","type":"OnDemand"},"legs":[`+
		`{"legType":"Accept","recording":{"id":"7","type":"OnDemand"}},{"legType":"Accept","recording":{"id":"8","type":"Automatic"}},`+
		`{"legType":"Accept","recording":{"type":"Automatic"}}]`)).
		Want(t, shown{"Recordings": []string{"7 on_demand", "8 automatic"}})
}

// TestTrap19DeletedRows: a row that is marked as deleted is ignored.
func TestTrap19DeletedRows(t *testing.T) {
	got, err := decodePage(t, accountLog(), pageOf("", `{"id":"Z1","deleted":true}`,
		call("Z2", `"deleted":true,"result":"Missed"`), call("Z3", `"deleted":false,"result":"Missed"`)))
	want := []string{"page 1, row 1", "page 1, row 2"}
	if err != nil || len(got.rows) != 1 || !slices.Equal(got.ignored, want) {
		t.Errorf("got %+v, error %v", got, err)
	}
}

// TestRowWithoutID (counting.md 18): a row without an id is known by its type, start and parties.
func TestRowWithoutID(t *testing.T) {
	const members = `"startTime":"2026-03-02T10:00:00Z","type":"Voice","action":"Phone Call","result":"Missed"`
	all := records(t, accountLog(), pageOf("", `{`+members+`,"from":{"phoneNumber":"+12055550100"}}`,
		`{`+members+`,"from":{"phoneNumber":"+12055550101"}}`))
	if len(all) != 2 || all[0].ID != "" || all[0].Synthetic == "" || all[0].Synthetic == all[1].Synthetic {
		t.Errorf("%d records, %+v", len(all), all)
	}
}
