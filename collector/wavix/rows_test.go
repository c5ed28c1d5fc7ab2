package wavix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// at begins a row with the one thing that it must have.
const at = `{"date":"2026-03-01T10:00:00.000Z",`

func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		members, want string
		unmapped      []collector.Unmapped
	}{
		{`"disposition":"answered","duration":0`, "answered", nil},
		{`"disposition":"ANSWERED","duration":5`, "answered", nil},
		{`"disposition":"noanswer"`, "no_answer", nil},
		{`"disposition":"NoAnswer"`, "no_answer", nil},
		{`"disposition":"busy"`, "busy", nil},
		{`"disposition":"rejected"`, "rejected", nil},
		{`"disposition":"failed","duration":3`, "failed", nil},
		{`"disposition":" Failed "`, "failed", nil},
		{`"disposition":null,"duration":1`, "answered", nil},
		{`"disposition":"","duration":1`, "answered", nil},
		{`"duration":72`, "answered", nil},
		{`"duration":0`, "unknown", nil},
		{`"duration":null`, "unknown", nil},
		{
			`"disposition":"congestion","duration":9`, "unknown",
			[]collector.Unmapped{{Field: "disposition", Value: "congestion"}},
		},
	} {
		t.Run(test.members, func(t *testing.T) {
			got, err := decode(t, formatJSON, kindPlaced, page(at+test.members+`}`))
			if err != nil || len(got.rows) != 1 || !slices.Equal(got.unmapped, test.unmapped) {
				t.Fatalf("got %d rows, unmapped %v, error %v", len(got.rows), got.unmapped, err)
			}
			got.rows[0].Want(t, shown{"Outcome": test.want})
		})
	}
}

func TestMalformedRows(t *testing.T) {
	for _, test := range []struct{ name, row, problem string }{
		{"date is missing", `{"uuid":"a"}`, "date is missing"},
		{"date is null", `{"uuid":"a","date":null}`, "date is missing"},
		{"date is the sentinel", `{"uuid":"a","date":"0001-01-01T00:00:00Z"}`, "date is missing"},
		{"date isn't a time", `{"uuid":"a","date":"yesterday"}`, "date is not a date and time"},
		{"date has no zone", `{"uuid":"a","date":"2026-03-01 10:00:00"}`, "date is not a date and time"},
		{"date is a number", `{"uuid":"a","date":1772359200}`, "date is a number, must be a string"},
		{"id is a number", at + `"uuid":8891}`, "uuid is a number, must be a string"},
		{"id is not UTF-8", at + "\"call_id\":\"a\xff\"}", "call_id is not UTF-8"},
		{"parent is an object", at + `"parent_uuid":{}}`, "parent_uuid is an object, must be a string"},
		{"from is an object", at + `"from":{"number":"1"}}`, "from is an object, must be a string or a number"},
		{"from is a fraction", at + `"from":1.5}`, "from is a number with a sign or a fraction"},
		{"to is negative", at + `"to":-1}`, "to is a number with a sign or a fraction"},
		{"to is a boolean", at + `"to":true}`, "to is a boolean, must be a string or a number"},
		{"disposition is a number", at + `"disposition":200}`, "disposition is a number, must be a string"},
		{"duration is a string", at + `"duration":"72"}`, "duration is a string, must be a number"},
		{"duration is a boolean", at + `"duration":true}`, "duration is a boolean, must be a number"},
		{"duration is negative", at + `"duration":-5}`, "duration is negative"},
		{"duration of 68 years", at + `"duration":2147483647}`, "duration is longer than 31 days"},
		{"duration is a fraction", at + `"duration":1.5}`, "duration is not a 32-bit whole number"},
		{"duration is too long", at + `"duration":2147483648}`, "duration is not a 32-bit whole number"},
		{
			"charge is a word", at + `"charge":"free"}`,
			"charge is not a decimal number of at most 34 digits with an exponent within ±18",
		},
		{
			"charge is enormous", at + `"charge":1e30}`,
			"charge is not a decimal number of at most 34 digits with an exponent within ±18",
		},
		{"charge is a boolean", at + `"charge":false}`, "charge is a boolean, must be a string or a number"},
		{"forwarding is an array", at + `"forward_fee":[]}`, "forward_fee is an array, must be a string or a number"},
		{
			"price is a word", at + `"per_minute":"n/a"}`,
			"per_minute is not a decimal number of at most 34 digits with an exponent within ±18",
		},
		{"trunk is a number", at + `"sip_trunk":36465}`, "sip_trunk is a number, must be a string"},
		{"destination is an array", at + `"destination":["France"]}`, "destination is an array, must be a string"},
		{"answered by a boolean", at + `"answered_by":true}`, "answered_by is a boolean, must be a string"},
		{"given twice", at + `"charge":"1","charge":"2"}`, "a member is given twice"},
		{"given twice in two spellings", at + `"callId":"1","CALL_ID":null}`, "a member is given twice"},
		{"a number", `5`, "it isn't an object"},
		{"null", `null`, "it isn't an object"},
		{"a string", `"row 1"`, "it isn't an object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			good := at + `"uuid":"good","disposition":"odd"}`
			got, err := decode(t, formatJSON, kindPlaced, page(good, test.row, good))
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"2026-03-01 placed, page 1, row 2: " + test.problem}; !slices.Equal(got.invalid,
				want) || len(got.rows) != 2 {
				t.Errorf("invalid %q with %d good rows, want %q with 2", got.invalid, len(got.rows), want)
			}
			if len(got.unmapped) != 2 {
				t.Errorf("unmapped %v, want the values of the good rows only", got.unmapped)
			}
			if keys := got.keys(); len(keys) != 3 || keys[0] != keys[2] || keys[0] == keys[1] {
				t.Errorf("keys %x, want those of three rows, of which two are the same", keys)
			}
		})
	}
}

func TestRowsThatAreNoFault(t *testing.T) {
	for _, test := range []struct {
		name, row string
		want      shown
	}{
		{"new members", at + `"uuid":"1","new":{"a":["}",{"b":"\"]"}]},"other":-1.5e3}`, shown{"ID": "placed:1"}},
		{
			"another spelling of a name", `{"Date":"2026-03-01T10:00:00Z","callId":"1","SIP_Trunk":"T"}`,
			shown{"ID": "placed:1", "Trunk": "T"},
		},
		{"an escaped name", `{"\u0064ate":"2026-03-01T10:00:00Z","uuid":"1"}`, shown{"ID": "placed:1"}},
		{
			"escapes", at + `"uuid":"1","destination":"\u00c5sa \"\\ \ud83d\ude00"}`,
			shown{"cdr.wavix.destination": "Åsa \"\\ 😀"},
		},
		{"not UTF-8", at + "\"uuid\":\"1\",\"destination\":\"\xc5sa\"}", shown{"cdr.wavix.destination": "\ufffdsa"}},
		{"an offset", `{"date":"2026-03-01T12:00:00.5+02:00","uuid":"1"}`, shown{"Start": "2026-03-01T10:00:00.5Z"}},
		{
			"recording and transcription", at +
				`"uuid":"1","recording_url":"https://api.example/v1/recordings/1?appid=x","transcription":{"uuid":"2"}}`,
			shown{"ID": "placed:1"},
		},
		{"a credit", at + `"uuid":"1","charge":"-0.5"}`, shown{"Charges": []string{"usage -0.5"}}},
		{
			"empty texts", at + `"uuid":"","call_id":"1","from":"","sip_trunk":"","charge":"","destination":""}`,
			shown{"ID": "placed:1", "Charges": nil, "CallerNumber": nil, "Trunk": nil},
		},
	} {
		t.Run(test.name, func(t *testing.T) { shownRow(t, kindPlaced, test.row).Want(t, test.want) })
	}
}

// TestDestination: it can be a number, or have one in it.
func TestDestination(t *testing.T) {
	for _, test := range []struct{ kind, destination, want string }{
		{kindPlaced, "France", "France"},
		{kindPlaced, "United Kingdom, Mobile O2", "United Kingdom, Mobile O2"},
		{kindPlaced, "33199000100", "33199000100 (number)"},
		{kindPlaced, "sip:36465@sip.example.com", "sip:36465@sip.example.com (number)"},
		{kindReceived, "My trunk", "My trunk (number)"},
		{kindReceived, "14155550100", "14155550100 (number)"},
	} {
		shownRow(t, test.kind, at+`"uuid":"1","destination":"`+test.destination+`"}`).
			Want(t, shown{"cdr.wavix.destination": test.want})
	}
}

// TestOtherParty: the country is that of who was called, or who called.
func TestOtherParty(t *testing.T) {
	const rest = at + `"uuid":"1","from":"442079460100","to":"+1 (604) 555-0100"}`
	shownRow(t, kindPlaced, rest).Want(t, shown{"Country": "CA", "Direction": "outbound", "CallType": "placed"})
	shownRow(t, kindReceived, rest).Want(t, shown{"Country": "GB", "Direction": "inbound", "CallType": "received"})
}

func TestEmergency(t *testing.T) {
	const emergency, test = "real", "test"
	for _, c := range []struct {
		kind, to string
		want     any
	}{
		{kindPlaced, `"911"`, emergency},
		{kindPlaced, `911`, emergency},
		{kindPlaced, `"112"`, emergency},
		{kindPlaced, `"933"`, test},
		{kindPlaced, `"119","from":"81312345678"`, emergency},
		{kindPlaced, `"119","from":"442079460100"`, nil},
		{kindPlaced, `"12065550100"`, nil},
		{kindReceived, `"911"`, nil},
	} {
		got := shownRow(t, c.kind, at+`"uuid":"1","to":`+c.to+`}`)
		if got["Emergency"] == nil && c.want == nil {
			continue
		}
		t.Run(c.kind+" "+c.to, func(t *testing.T) { got.Want(t, shown{"Emergency": c.want}) })
	}
}

// TestNothingOfARowInErrors: no problem of a row or page holds its content.
func TestNothingOfARowInErrors(t *testing.T) {
	const secret = "12065550199"
	for _, format := range []string{formatJSON, formatStream} {
		for _, member := range []string{
			`"date":"` + secret + `"`, `"duration":"` + secret + `"`, `"charge":` + secret + `e25`,
			`"charge":"` + secret + `x"`,
			`"disposition":{"x":"` + secret + `"}`, `"` + secret + `":"` + secret + `",}`, `"uuid":"` + secret,
			`"from":` + secret + `.5`,
		} {
			body := "{" + member + "}"
			if format == formatJSON {
				body = page(body)
			}
			got, err := decode(t, format, kindPlaced, body)
			if text := fmt.Sprint(err, got.invalid, got.unmapped); strings.Contains(text, secret[2:]) {
				t.Errorf("%s %s: %s", format, member, text)
			}
		}
	}
}
