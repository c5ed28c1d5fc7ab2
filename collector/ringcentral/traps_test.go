package ringcentral

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The cases of this file are the tricky rows of providers/ringcentral.md, section 8, by
// their number there.

// TestTrap1LateLongCall: a row appears when its call ends, with the start of the call.
// What is filtered by is the start, and the reader adds nothing of its own: that late
// rows are found is the read plan's part, by the feed's lookback.
func TestTrap1LateLongCall(t *testing.T) {
	late := `{"id":"L1","startTime":"2026-03-02T08:01:10.120Z","duration":7100,"result":"Accepted"}`
	p := &platform{t: t, answers: []reply{{body: pageOf("")}, {body: pageOf("", late)}}}
	log := p.open(accountLog())
	var got []shown
	for range 2 {
		err := providertest.Read(t.Context(), log, from, to, func(b *collector.Page) error {
			for _, r := range b.Records {
				got = append(got, providertest.RowOf(r, "cdr.ringcentral."))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 {
		t.Fatalf("%d records, want the late one", len(got))
	}
	got[0].Want(t, shown{"ID": "L1", "Start": "2026-03-02T08:01:10.12Z", "Duration": "1h58m20s", "Outcome": "answered"})
	defaults := new(CallLog)
	defaults.SetDefaults()
	if defaults.Lookback < 7130*time.Second {
		t.Errorf("the lookback of %s is too short for the call", defaults.Lookback)
	}
}

// TestTrap2InProgress: a row in progress isn't final; the same id counts later.
func TestTrap2InProgress(t *testing.T) {
	rows := decodeRows(
		t, accountLog(),
		`{"id":"A1","result":"In Progress","duration":0,"startTime":"2026-03-02T10:00:00Z"}`,
		`{"id":"A1","result":"Call connected","duration":321,"startTime":"2026-03-02T10:00:00Z"}`,
	)
	rows[0].Want(t, shown{"ID": "A1", "Provisional": true, "Outcome": "unknown", "Duration": "0s"})
	rows[1].Want(t, shown{"ID": "A1", "Provisional": nil, "Outcome": "answered", "Duration": "5m21s"})
}

// TestTrap3RecordingComesLater: a newer version of the same id brings it.
func TestTrap3RecordingComesLater(t *testing.T) {
	rows := decodeRows(
		t, accountLog(),
		call("U1", `"result":"Accepted","lastModifiedTime":"2026-03-02T10:05:00.000Z"`),
		call("U1", `"result":"Accepted","lastModifiedTime":"2026-03-02T10:11:00.500Z","recording":{"id":"401786818008","type":"Automatic"}`),
	)
	rows[0].Want(t, shown{"ID": "U1", "Version": int64(1772445900000), "Recordings": nil})
	rows[1].Want(t, shown{"ID": "U1", "Version": int64(1772446260500), "Recordings": []string{"401786818008 automatic"}})
}

// TestTrap4ForwardedPickUp: a row says Missed, and a leg that somebody answered.
func TestTrap4ForwardedPickUp(t *testing.T) {
	decodeOne(t, call("F1", `"direction":"Inbound","action":"Phone Call","result":"Missed","legs":[`+
		`{"legType":"Accept","result":"Missed","master":true},{"legType":"FindMe","result":"Accepted","duration":50}]`)).Want(t, shown{
		"Outcome": "answered", "Reason": nil, "Provisional": nil, "Legs": []string{"accept no_answer", "find_me answered"},
	})
}

// TestTrap5QueueRingAll: the legs of agents who lost are no missed calls.
func TestTrap5QueueRingAll(t *testing.T) {
	decodeOne(t, call("Q1", `"direction":"Inbound","action":"Phone Call","result":"Accepted","legs":[`+
		`{"legType":"PstnToSip","direction":"Inbound","result":"Stopped","extension":{"id":101}},`+
		`{"legType":"PstnToSip","direction":"Inbound","result":"Accepted","extension":{"id":102},"to":{"name":"Agent  Two"}},`+
		`{"legType":"PstnToSip","direction":"Inbound","result":"Stopped","extension":{"id":103}}]`)).Want(t, shown{
		"Outcome": "answered", "UserID": "102", "UserName": "Agent Two",
		"Legs": []string{"pstn_to_sip cancelled", "pstn_to_sip answered", "pstn_to_sip cancelled"},
	})
}

// TestTrap6Fax: a fax is no call, so no missed one either.
func TestTrap6Fax(t *testing.T) {
	got, err := decodePage(t, accountLog(), pageOf("", `{"type":"Fax","action":"Incoming Fax","result":"Receive Error","duration":0}`))
	if err != nil || len(got.rows) != 0 || !slices.Equal(got.ignored, []string{"page 1, row 1: it is a fax"}) || len(got.unmapped) != 0 {
		t.Errorf("got %+v, error %v", got, err)
	}
}

// TestTrap7InvertedDirection: RingCentral's direction is taken as it is given.
func TestTrap7InvertedDirection(t *testing.T) {
	decodeOne(t, call("D1", `"direction":"Outbound","action":"VoIP Call","result":"Accepted","to":{"phoneNumber":"+12055551234"},"from":{"extensionId":"5"}`)).
		Want(t, shown{"Direction": "outbound", "Outcome": "answered", "CallType": "voip_call", "Country": "US"})
}

// TestTrap8InternalCall: two rows of one session between two extensions. In the scope of
// an account both are calls, in that of an extension they are one.
func TestTrap8InternalCall(t *testing.T) {
	const session = `"telephonySessionId":"s-1","from":{"extensionId":"101","extensionNumber":"101"},"to":{"extensionId":"102","extensionNumber":"102"}`
	raw := []string{
		call("I1", `"direction":"Outbound","result":"Call connected",`+session),
		call("I2", `"direction":"Inbound","result":"Accepted",`+session),
	}
	for _, r := range decodeRows(t, accountLog(), raw...) {
		r.Want(t, shown{"Direction": "internal", "Outcome": "answered", "CallID": "s-1", "Group": nil, "Country": nil})
	}
	for _, r := range decodeRows(t, extensionLog(), raw...) {
		r.Want(t, shown{"Direction": "internal", "CallID": "s-1", "Group": "s-1"})
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
	decodeOne(t, call("I4", `"direction":"Outbound","from":{"extensionId":"101"},"to":{"extensionNumber":"102","phoneNumber":"102"}`)).
		Want(t, shown{"Direction": "internal"})
}

// TestTrap9RingOut: its two rows share no id, so they are two calls, and nothing links
// them by the difference of their numbers.
func TestTrap9RingOut(t *testing.T) {
	rows := decodeRows(
		t, extensionLog(),
		`{"id":"R1","sessionId":"1039811321016","startTime":"2026-03-02T10:00:00Z","type":"Voice","action":"RingOut PC","direction":"Outbound","result":"Call connected"}`,
		`{"id":"R2","sessionId":"1039811322016","startTime":"2026-03-02T10:00:01Z","type":"Voice","action":"RingOut Web","direction":"Outbound","result":"Call connected"}`,
	)
	rows[0].Want(t, shown{"Group": "1039811321016", "CallType": "ringout_pc"})
	rows[1].Want(t, shown{"Group": "1039811322016", "CallType": "ringout_web"})
}

// TestTrap10MissingFields: no result and no duration yet. If nothing more comes it counts
// as it stands (counting.md 17).
func TestTrap10MissingFields(t *testing.T) {
	decodeOne(t, `{"id":"M1","sessionId":"9","startTime":"2026-03-02T10:00:00.000Z","type":"Voice","direction":"Outbound",`+
		`"action":"VoIP Call","to":{"phoneNumber":"2055551234"},"from":{"name":"Steven"}}`).Want(t, shown{
		"ID": "M1", "CallID": "9", "Provisional": true, "Outcome": "unknown", "Duration": "none", "Direction": "outbound",
		"CalleeNumber": "2055551234", "CallerNumber": nil, "UserName": "Steven", "UserID": nil, "Country": nil, "Version": nil,
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
			decodeOne(t, call("N1", `"direction":"Inbound","from":{"phoneNumber":"`+number+`"},"to":{"phoneNumber":"+12055550010"}`)).
				Want(t, shown{"CallerNumber": emptyAsNil(number), "Country": country})
		})
	}
	decodeOne(t, call("N2", `"direction":"Inbound","to":{"phoneNumber":"+12055550010"}`)).Want(t, shown{"CallerNumber": nil, "Country": nil})
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
		{"above 32 bits", `"extension":{"id":62264425016},"from":{"extensionId":"62264425016","name":"A"}`, "62264425016", "A"},
		{"string alone", `"from":{"extensionId":"62264425016","name":"A"}`, "62264425016", "A"},
		{"another's name", `"extension":{"id":5},"from":{"extensionId":"6","name":"A"}`, "5", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			decodeOne(t, call("E1", `"direction":"Outbound",`+test.members)).Want(t, shown{"UserID": test.id, "UserName": emptyAsNil(test.userName)})
		})
	}
	for _, wrong := range []string{`"extension":{"id":"664573005"}`, `"from":{"extensionId":664573005}`} {
		got, err := decodePage(t, accountLog(), pageOf("", call("E2", wrong)))
		if err != nil || len(got.invalid) != 1 {
			t.Errorf("%s: invalid %q, error %v", wrong, got.invalid, err)
		}
	}
}

// TestTrap13UnknownValues: they are counted and noted, and are no error.
func TestTrap13UnknownValues(t *testing.T) {
	got, err := decodePage(t, accountLog(), pageOf(
		"", call("V1", `"result":"Callback requested"`), call("V2", `"result":"Answered Elsewhere","action":"VoiceChat Call"`),
		call("V3", `"result":"Teleported","reason":"Beamed Up","action":"Warp Call","direction":"Sideways","recording":{"id":"1","type":"Holo"},`+
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

// TestTrap14EmptyAnswer: no rows are fine, no records are a fault.
func TestTrap14EmptyAnswer(t *testing.T) {
	got, err := decodePage(t, accountLog(), `{"records":[],"paging":{"perPage":100},"navigation":{"firstPage":{"uri":"https://rc.example/x"}}}`)
	if err != nil || got.next != "" || len(got.rows) != 0 {
		t.Errorf("an empty page: %+v, error %v", got, err)
	}
	for _, page := range []string{`{}`, `{"paging":{"perPage":100},"navigation":{}}`} {
		if _, err := decodePage(t, accountLog(), page); err == nil || !strings.Contains(err.Error(), "has no records") {
			t.Errorf("%s: error %v", page, err)
		}
	}
}

// TestTrap16ThrottledWhilePaging: the same page of the same range is asked for when the
// time has come.
func TestTrap16ThrottledWhilePaging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttled := refuses(http.StatusTooManyRequests, "CMN-301", "CMN-301", "")
		throttled.header = http.Header{"Retry-After": {"60"}}
		const second = testHost + "/restapi/v1.0/account/~/call-log?page=2&dateTo=2026-11-02T00%3A00%3A00.000Z"
		p := &platform{t: t, answers: []reply{rowsReply(second, "1"), throttled, rowsReply("", "2")}}
		started := time.Now()
		got, err := ids(t.Context(), p.open(accountLog()))
		if err != nil || !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("read %q, error %v", got, err)
		}
		if want := []string{firstPage, second, second}; !slices.Equal(p.asked, want) {
			t.Errorf("asked %q, want %q", p.asked, want)
		}
		if took := time.Since(started); took < time.Minute {
			t.Errorf("it took %s, want a minute", took)
		}
	})
}

// TestTrap17TheRangeIsAlwaysGiven: without it RingCentral gives 24 hours.
func TestTrap17TheRangeIsAlwaysGiven(t *testing.T) {
	p := &platform{t: t, answers: []reply{rowsReply(""), rowsReply("")}}
	log := p.open(accountLog())
	if _, err := ids(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	if _, err := collector.Probe(log, func() time.Time { return to })(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, link := range p.asked {
		if !strings.Contains(link, "dateFrom=2026-11-01T") || !strings.Contains(link, "dateTo=2026-11-02T00%3A00%3A00.000Z") {
			t.Errorf("asked %s without a range", link)
		}
	}
}

// TestTrap18SharedRecording: a row and its legs name the same recording.
func TestTrap18SharedRecording(t *testing.T) {
	decodeOne(t, call("X1", `"result":"Accepted","recording":{"id":"7","type":"OnDemand"},"legs":[`+
		`{"legType":"Accept","recording":{"id":"7","type":"OnDemand"}},{"legType":"Accept","recording":{"id":"8","type":"Automatic"}},`+
		`{"legType":"Accept","recording":{"type":"Automatic"}}]`)).Want(t, shown{"Recordings": []string{"7 on_demand", "8 automatic"}})
}

// TestTrap19DeletedRows: a row that is marked is ignored, and one that is missing from a
// later read is no error.
func TestTrap19DeletedRows(t *testing.T) {
	got, err := decodePage(t, accountLog(), pageOf("", `{"id":"Z1","deleted":true}`, call("Z2", `"deleted":true,"result":"Missed"`), call("Z3", `"deleted":false,"result":"Missed"`)))
	want := []string{"page 1, row 1: its user has deleted it", "page 1, row 2: its user has deleted it"}
	if err != nil || len(got.rows) != 1 || !slices.Equal(got.ignored, want) {
		t.Errorf("got %+v, error %v", got, err)
	}
	p := &platform{t: t, answers: []reply{rowsReply("", "1", "2"), rowsReply("", "2")}}
	log := p.open(accountLog())
	for _, want := range [][]string{{"1", "2"}, {"2"}} {
		if got, err := ids(t.Context(), log); err != nil || !slices.Equal(got, want) {
			t.Errorf("read %q, want %q, error %v", got, want, err)
		}
	}
}

// TestTrap20WarmTransfer: two sessions, linked in the log record.
func TestTrap20WarmTransfer(t *testing.T) {
	rows := decodeRows(
		t, extensionLog(),
		call("W1", `"telephonySessionId":"s-a","result":"Accepted","transferTarget":{"telephonySessionId":"s-b"}`),
		call("W2", `"telephonySessionId":"s-b","result":"Accepted","transferee":{"telephonySessionId":"s-a"}`),
	)
	rows[0].Want(t, shown{"Group": "s-a", "cdr.ringcentral.transfer_target": "s-b"})
	rows[1].Want(t, shown{"Group": "s-b", "cdr.ringcentral.transferee": "s-a"})
}

// TestNothingIsGuessed: a direction that isn't given is unknown.
func TestNothingIsGuessed(t *testing.T) {
	r := decodeOne(t, call("G1", `"from":{"phoneNumber":"+12055550010"},"to":{"extensionId":"5"},"result":"Accepted"`))
	r.Want(t, shown{"Direction": cdr.DirectionUnknown.String(), "Country": nil, "UserID": nil})
}
