package ringcentral_test

import (
	"testing"
)

func TestDurations(t *testing.T) {
	for _, test := range []struct{ name, more, want string }{
		{"exact", `"duration":19,"durationMs":18706`, "18.706s"},
		{"exact zero", `"duration":1,"durationMs":0`, "0s"},
		{"seconds", `"duration":194`, "3m14s"},
		{"zero", `"duration":0`, "0s"},
		{"null", `"duration":null,"durationMs":null`, "none"},
		{"absent", `"result":"Accepted"`, "none"},
		{"one null", `"duration":5,"durationMs":null`, "5s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			decodeOne(t, call("1", test.more)).
				Want(t, shown{"Duration": test.want})
		})
	}
}

// TestCharges: exact as they are written; null and absent aren't known, zero is.
func TestCharges(t *testing.T) {
	for _, test := range []struct {
		name, billing string
		want          any
	}{
		{"both", `{"costIncluded":0.137,"costPurchased":1.50}`, []string{"included 0.137", "purchased 1.5"}},
		{"one", `{"costPurchased":0.001234567890123456}`, []string{"purchased 0.001234567890123456"}},
		{"zero", `{"costIncluded":0.000,"costPurchased":0}`, []string{"included 0", "purchased 0"}},
		{"with an exponent", `{"costIncluded":1.2E-3}`, []string{"included 0.0012"}},
		{"negative", `{"costPurchased":-0.5}`, []string{"purchased -0.5"}},
		{"null", `{"costIncluded":null,"costPurchased":null}`, nil},
		{"empty", `{}`, nil},
		{"no billing", `null`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			decodeOne(t, call("1", `"billing":`+test.billing+`,"legs":[{"billing":{"costIncluded":9}}]`)).
				Want(t, shown{"Charges": test.want})
		})
	}
}

func TestUsers(t *testing.T) {
	for _, test := range []struct {
		name, more string
		id, user   any
	}{
		{
			"outbound", `"direction":"Outbound","from":{"extensionId":"5","name":"Ann  Lee "},"to":{"name":"Bob"}`, "5",
			"Ann Lee",
		},
		{"inbound", `"direction":"Inbound","from":{"name":"Bob"},"to":{"extensionId":"5","name":"Ann"}`, "5", "Ann"},
		{"the row's extension", `"direction":"Inbound","extension":{"id":5},"to":{"name":"Ann"}`, "5", "Ann"},
		{
			"who answered, not the queue",
			`"direction":"Inbound","extension":{"id":9},"to":{"extensionId":"9","name":"Sales"},"legs":[` +
				`{"direction":"Inbound","result":"Accepted"},{"direction":"Inbound","result":"Accepted","extension":{"id":5},"to":{"name":"Ann"}}]`, "5", "Ann",
		},
		{
			"who answered elsewhere",
			`"direction":"Inbound","legs":[{"direction":"Outbound","result":"Accepted","extension":{"id":5},` +
				`"from":{"name":"Ann"},"to":{"name":"Ann's mobile"}}]`, "5", "Ann",
		},
		{
			"outbound legs don't tell",
			`"direction":"Outbound","from":{"extensionId":"5"},"legs":[{"direction":"Outbound","result":"Accepted","extension":{"id":6}}]`, "5", nil,
		},
		{"nobody", `"direction":"Inbound","to":{"phoneNumber":"+12055550010"}`, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			decodeOne(t, call("1", test.more)).Want(t, shown{"UserID": test.id, "UserName": test.user})
		})
	}
}

// TestPrivacyOfExtras: whatever names a person or a number is marked.
func TestPrivacyOfExtras(t *testing.T) {
	const prefix = "cdr.ringcentral."
	decodeOne(t,
		call("1",
			`"partyId":"p-1","action":"VoIP Call","result":"Accepted","reason":"Accepted","transport":"PSTN","internalType":"Local",`+
				`"delegationType":"Coworker","delegate":{"id":"7","name":"Ann"},"message":{"id":"8","type":"VoiceMail"},"extension":{"id":5},"shortRecording":true,`+
				`"metadataCategories":["a","b"],"reasonDescription":" The call was accepted ",`+
				`"from":{"name":"SAN MATEO    CA","location":"San Mateo, CA","extensionId":"5","extensionNumber":"101","device":{"id":"d"},"dialerPhoneNumber":"+12055550010"},`+
				`"to":{"name":"(205) 555-0010","dialedPhoneNumber":"5550010"}`)).Want(t, shown{
		"ReasonPhrase": "The call was accepted", prefix + "party_id": "p-1", prefix + "action": "VoIP Call",
		prefix + "result": "Accepted",
		prefix + "reason": "Accepted", prefix + "transport": "PSTN", prefix + "internal_type": "Local",
		prefix + "delegation_type": "Coworker",
		prefix + "delegate_id":     "7 (user)", prefix + "delegate_name": "Ann (user)", prefix + "message_id": "8",
		prefix + "message_type": "VoiceMail",
		prefix + "extension_id": "5 (user)", prefix + "short_recording": "1", prefix + "metadata_categories": "a,b",
		prefix + "from_name": "SAN MATEO CA (user)", prefix + "from_location": "San Mateo, CA",
		prefix + "from_extension_id":     "5 (user)",
		prefix + "from_extension_number": "101 (number)", prefix + "from_device_id": "d (user)",
		prefix + "from_dialer_number": "+12055550010 (number)",
		prefix + "to_name":            "(205) 555-0010 (number)", prefix + "to_dialed_number": "5550010 (number)",
		prefix + "to_location": nil, "Odd": nil,
	})
}
