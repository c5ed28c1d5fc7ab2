package msgraph

import (
	"strings"
	"testing"
)

// The cases of this file are the tricky rows of providers/msgraph.md, by their number
// there; those of paging are in calllog_test.go.

func TestTrapsDirectRouting(t *testing.T) {
	for _, test := range []struct {
		name, row string
		want      row
	}{
		{
			"1 failed outbound with a sentinel as its end and a duration",
			`{"id":"00000000-0000-4000-8000-000000000001","correlationId":"c1","callType":"ByotOut","successfulCall":false,` +
				`"inviteDateTime":"2026-11-19T10:00:00Z","startDateTime":"2026-11-19T10:00:00Z","failureDateTime":"2026-11-19T10:00:22Z",` +
				`"endDateTime":"0001-01-01T00:00:00Z","duration":22,"finalSipCode":486,"callEndSubReason":560486,` +
				`"finalSipCodePhrase":"Busy Here","trunkFullyQualifiedDomainName":"sbc1.example.com"}`,
			row{
				"Outcome": "busy", "Reason": "busy", "SIPCode": 486, "SubCode": 560486, "ReasonPhrase": "Busy Here",
				"End": nil, "Answer": nil, "Duration": "22s", "Direction": "outbound", "Trunk": "sbc1.example.com",
				"cdr.msgraph.failure_date_time": "2026-11-19T10:00:22Z",
			},
		},
		{
			"2 success with a sentinel as its failure",
			`{"id":"b","callType":"ByotOut","successfulCall":true,"inviteDateTime":"2026-11-19T10:00:21.949Z",` +
				`"startDateTime":"2026-11-19T10:00:25.105Z","failureDateTime":"0001-01-01T00:00:00Z",` +
				`"endDateTime":"2026-11-19T10:00:30.105Z","duration":5,"finalSipCode":0,"callEndSubReason":540000,"finalSipCodePhrase":"BYE"}`,
			row{
				"Outcome": "answered", "Reason": nil, "SIPCode": 0, "SubCode": 540000, "Duration": "5s",
				"Invite": "2026-11-19T10:00:21.949Z", "Start": "2026-11-19T10:00:25.105Z",
				"Answer": "2026-11-19T10:00:25.105Z",
				"End":    "2026-11-19T10:00:30.105Z", "cdr.msgraph.failure_date_time": nil,
			},
		},
		{
			"2 inbound the start isn't the answer",
			`{"id":"b","callType":"ByotIn","successfulCall":true,"startDateTime":"2026-11-19T10:00:25Z","duration":5}`,
			row{"Outcome": "answered", "Answer": nil, "Direction": "inbound"},
		},
		{
			"5 voice application without a user",
			`{"id":"v","userId":"","callType":"ByotInUcap","successfulCall":true,"startDateTime":"2026-11-19T10:00:00Z","duration":1}`,
			row{"UserID": nil, "CallType": "byot_in_ucap", "Direction": "inbound", "Outcome": "answered"},
		},
		{
			"null successfulCall is answered by code, end and duration",
			`{"id":"n","callType":"ByotIn","successfulCall":null,"startDateTime":"2026-11-19T10:00:00Z",` +
				`"endDateTime":"2026-11-19T10:00:05Z","duration":5,"finalSipCode":0}`,
			row{"Outcome": "answered"},
		},
		{
			"null successfulCall without a valid end is unknown",
			`{"id":"n","callType":"ByotIn","startDateTime":"2026-11-19T10:00:00Z","endDateTime":"0001-01-01T00:00:00Z","duration":5,"finalSipCode":0}`,
			row{"Outcome": "unknown", "End": nil},
		},
		{
			"trunk in lower case",
			`{"id":"n","callType":"ByotIn","startDateTime":"2026-11-19T10:00:00Z","trunkFullyQualifiedDomainName":"SBC1.Example.COM","mediaBypassEnabled":true}`,
			row{"Trunk": "sbc1.example.com", "MediaBypass": "true"},
		},
	} {
		t.Run(test.name, func(t *testing.T) { decodeRow(t, directRoutingLog(), test.row).Want(t, test.want) })
	}
}

// A row's id is a GUID: two ids that differ only in case are one call.
func TestCaseOfAnIDMeansNothing(t *testing.T) {
	for name, callType := range map[string]string{"direct_routing": "ByotIn", "pstn": "user_in"} {
		t.Run(name, func(t *testing.T) {
			log := directRoutingLog()
			if name == "pstn" {
				log = pstnLog()
			}
			got, err := decodePage(t, log, `{"value":[`+
				`{"id":"9C4984c7-6C3C-427D-A30C-BD0B2EACEE90","callType":"`+callType+
				`","startDateTime":"2026-11-19T10:00:00Z"},`+
				`{"id":"9c4984C7-6c3c-427d-a30c-bd0b2eacee90","callType":"`+callType+
				`","startDateTime":"2026-11-19T10:00:00Z"}]}`)
			if err != nil || len(got.rows) != 2 {
				t.Fatalf("got %d rows, error %v", len(got.rows), err)
			}
			for _, r := range got.rows {
				r.Want(t, row{"ID": "9c4984c7-6c3c-427d-a30c-bd0b2eacee90"})
			}
		})
	}
}

// Labels and words hide what may be a number; ids of carriers and SBCs stay.
func TestLabelsHideNumbers(t *testing.T) {
	got := decodeRow(t, directRoutingLog(),
		`{"id":"n","callType":"Fwd +12065550100 x","startDateTime":"2026-11-19T10:00:00Z",`+
			`"trunkFullyQualifiedDomainName":"sbc-12065550100.example.com","mediaPathLocation":"+1 206 555 0100"}`)
	got.Want(t, row{"Trunk": "sbc-***.example.com", "CallType": "fwd_x", "MediaLocation": "***"})
	decodeRow(t, pstnLog(),
		`{"id":"n","callType":"user_in","startDateTime":"2026-11-19T10:00:00Z","operator":"12065550100"}`).
		Want(t, row{"Trunk": "***"})
}

func TestTrap4MaskedAndOddNumbers(t *testing.T) {
	for number, country := range map[string]any{
		`"+4930123456***"`:           "DE",
		`"+1001"`:                    nil,
		`""`:                         nil,
		`null`:                       nil,
		`"Internal Revenue Service"`: nil,
		`"anonymous"`:                nil,
		`"+12065550100"`:             "US",
		`"+16045550100"`:             "CA",
	} {
		got := decodeRow(t, directRoutingLog(),
			`{"id":"m","callType":"ByotIn","successfulCall":true,"startDateTime":"2026-11-19T10:00:00Z",`+
				`"callerNumber":`+number+`,"calleeNumber":"+442079460100"}`)
		got.Want(t, row{
			"Country":      country,
			"CallerNumber": emptyAsNil(strings.Trim(strings.TrimPrefix(number, "null"), `"`)),
		})
	}
}

func emptyAsNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func TestTrapsPSTN(t *testing.T) {
	const start = `"startDateTime":"2026-11-19T10:00:00Z"`
	for _, test := range []struct {
		name, row string
		want      row
	}{
		{
			"5 voice application without a user",
			`{"id":"v",` + start +
				`,"callType":"ucap_in","userId":null,"userPrincipalName":null,"licenseCapability":"MCOEV_VIRTUALUSER",` +
				`"charge":0.00,"currency":null,"callDurationSource":"operator"}`,
			row{
				"UserID": nil, "UserPrincipal": nil, "Direction": "inbound", "CallType": "ucap_in",
				"Charges":                              []string{"usage 0"},
				"cdr.msgraph.license_capability":       "MCOEV_VIRTUALUSER",
				"cdr.msgraph.call_duration_source":     "operator",
				"cdr.msgraph.other_party_country_code": nil,
			},
		},
		{
			"13 money in euro",
			`{"id":"m",` + start + `,"charge":0.1,"connectionCharge":12.3456,"currency":"EUR"}`,
			row{"Charges": []string{"usage 0.1 EUR", "connection 12.3456 EUR"}},
		},
		{
			"13 money in dollars, in small letters and as a power",
			`{"id":"m",` + start +
				`,"charge":1e-2,"connectionCharge":null,"currency":"usd","licenseCapability":"FREECALL"}`,
			row{"Charges": []string{"usage 0.01 USD"}, "cdr.msgraph.license_capability": "FREECALL"},
		},
		{"13 no money at all", `{"id":"m",` + start + `,"charge":null}`, row{"Charges": nil}},
		{
			"13 money without a currency", `{"id":"m",` + start + `,"charge":0.25,"currency":""}`,
			row{"Charges": []string{"usage 0.25"}},
		},
		{
			"14 unanswered",
			`{"id":"u",` + start + `,"endDateTime":"2026-11-19T10:00:00Z","callType":"user_out","duration":0}`,
			row{"Outcome": "not_connected", "SIPCode": nil, "Answer": nil, "Duration": "0s"},
		},
		{
			"14 answered",
			`{"id":"u",` + start +
				`,"endDateTime":"2026-11-19T10:00:09Z","callType":"user_out","duration":9,"operator":"Microsoft"}`,
			row{"Outcome": "answered", "Trunk": "Microsoft"},
		},
		{
			"the other party of an inbound call is its caller",
			`{"id":"c",` + start +
				`,"callType":"user_in","callerNumber":"+442079460100","calleeNumber":"+12065550100","usageCountryCode":"FR","tenantCountryCode":"US"}`,
			row{"Country": "GB", "cdr.msgraph.usage_country_code": "FR", "cdr.msgraph.tenant_country_code": "US"},
		},
		{
			"the number's prefix goes before otherPartyCountryCode",
			`{"id":"c",` + start +
				`,"callType":"conf_out","calleeNumber":"+442079460100","otherPartyCountryCode":"FR"}`,
			row{"Country": "GB"},
		},
		{
			"otherPartyCountryCode where the number says nothing",
			`{"id":"c",` + start +
				`,"callType":"conf_in","callerNumber":"anonymous","otherPartyCountryCode":"fr","destinationName":"Spain"}`,
			row{"Country": "FR", "cdr.msgraph.destination_name": "Spain"},
		},
		{
			"what names the country otherwise is none",
			`{"id":"c",` + start +
				`,"callType":"conf_in","otherPartyCountryCode":"France","destinationName":"Spain","usageCountryCode":"DE"}`,
			row{"Country": nil},
		},
	} {
		t.Run(test.name, func(t *testing.T) { decodeRow(t, pstnLog(), test.row).Want(t, test.want) })
	}
}

func TestTrap12Times(t *testing.T) {
	for _, test := range []struct {
		raw  string
		want any
	}{
		{`"2026-11-01T00:00:12.2589935Z"`, "2026-11-01T00:00:12.2589935Z"},
		{`"2026-11-01T00:00:12Z"`, "2026-11-01T00:00:12Z"},
		{`"2026-11-01T00:00:12+00:00"`, "2026-11-01T00:00:12Z"},
		{`"2026-11-01T02:00:12.5+02:00"`, "2026-11-01T00:00:12.5Z"},
		{`"0001-01-01T00:00:00Z"`, nil},
		{`"0001-01-01T00:00:00.0000000+00:00"`, nil},
		{`"0001-01-01T00:00:00+02:00"`, nil},
		{`"0001-01-01T08:00:00Z"`, nil},
		{`null`, nil},
		{`""`, nil},
	} {
		got := decodeRow(t, pstnLog(), `{"id":"1","startDateTime":"2026-10-31T23:59:59Z","endDateTime":`+test.raw+`}`)
		got.Want(t, row{"End": test.want, "Start": "2026-10-31T23:59:59Z"})
	}
}

func TestEmergency(t *testing.T) {
	const emergency, test = "real", "test"
	for _, c := range []struct {
		callType, callee string
		want             any
	}{
		{"ByotOut", "911", emergency},
		{"ByotOut", "+911", emergency},
		{"ByotOut", "+1911", emergency},
		{"ByotOut", "933", test},
		{"ByotOut", "112", emergency},
		{"ByotOut", "113", nil},
		{"ByotOut", "***", nil},
		{"ByotIn", "911", nil},
		{"dr_emergency_out", "+12065550100", emergency},
		{"dr_emergency_out", "933", test},
		{"ByotEmergency", "", emergency},
		{"ByotInEmergency", "", nil},
		{"hologram", "911", nil},
	} {
		got := decodeRow(t, directRoutingLog(), `{"id":"1","startDateTime":"2026-11-19T10:00:00Z","callType":"`+
			c.callType+`","calleeNumber":"`+c.callee+`"}`)
		if got["Emergency"] == nil && c.want == nil {
			continue
		}
		t.Run(c.callType+" "+c.callee, func(t *testing.T) { got.Want(t, row{"Emergency": c.want}) })
	}
}
