package cdr

import (
	"testing"
)

func TestRedactPhrase(t *testing.T) {
	tests := []struct{ name, phrase, want string }{
		{"nothing personal", "Busy Here", "Busy Here"},
		{"cause", `Q.850;cause=34;text="No circuit"`, `Q.850;cause=34;text="No circuit"`},
		{"short codes", "503 Service Unavailable, 850 16", "503 Service Unavailable, 850 16"},
		{
			"Windows error code", "TLS failed; HRESULT=0x80090328 SEC_E_CERT_EXPIRED",
			"TLS failed; HRESULT=0x80090328 SEC_E_CERT_EXPIRED",
		},
		{"not an error code", "0x800903281", "0x***"},
		{"number", "No route to +12125550100", "No route to ***"},
		{"number in digits", "Number 12125550100 not found", "Number *** not found"},
		{"five digits", "Extension 12345 not found", "Extension *** not found"},
		{"spaced number", "to +49 30 12 34 56 via trunk", "to *** via trunk"},
		{"spaced number without a plus sign", "to 030 12 34 56.", "to ***."},
		{"parentheses", "Call 1 (212) 555-0100 x1", "Call *** x1"},
		{"masked number", "No route to 4930123***", "No route to ***"},
		{"SIP URI", "User <sip:alice@contoso.com> not found", "User <***> not found"},
		{"SIP URI with a number", "sip:+12125550100@sbc.contoso.com;user=phone", "***;user=phone"},
		{"e-mail address", "mailbox of alice@contoso.com full", "mailbox of *** full"},
		{"escaped e-mail address", "uri=alice%40contoso.com", "uri=***"},
		{"IPv4 and port", "No answer from 192.0.2.7:5060", "No answer from ***"},
		{"IPv4 at the end of a sentence", "Refused by 192.0.2.7.", "Refused by ***."},
		{"IPv6", "Refused by 2001:db8::7, giving up", "Refused by ***, giving up"},
		{"IPv6 and port", "Refused by [2001:db8:0:0:0:0:0:7]:5061", "Refused by [***]:5061"},
		{"IPv6 loopback", "Refused by ::1", "Refused by ***"},
		{"network", "Refused by fe80::", "Refused by ***::"},
		{"time", "at 10:22:33", "at 10:22:33"},
		{"the record's own extension", "1001 is busy", "*** is busy"},
		{"the record's own user", "Alice Smith declined", "*** declined"},
		{"empty", "", ""},
	}
	d := NewRedactor(DefaultPolicy(), testKey)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Record{CalleeNumber: "+1001", UserName: "Alice Smith", ReasonPhrase: tt.phrase}
			d.Redact(&r)
			if r.ReasonPhrase != tt.want {
				t.Errorf("%q became %q, want %q", tt.phrase, r.ReasonPhrase, tt.want)
			}
		})
	}
}

func TestRedactPhraseKeepsWhatIsKept(t *testing.T) {
	const phrase = "sip:alice@contoso.com or sip:+12125550100@h to 12125550101 via 192.168.100.200"
	for policy, want := range map[Policy]string{
		{Numbers: Keep}:   "*** or sip:+12125550100@h to 12125550101 via ***",
		{Users: Keep}:     "sip:alice@contoso.com or *** to *** via ***",
		{Addresses: Keep}: "*** or *** to *** via 192.168.100.200",
		{Numbers: Keep, Users: Keep, Addresses: Keep}: phrase,
	} {
		r := Record{ReasonPhrase: phrase}
		if NewRedactor(policy, testKey).Redact(&r); r.ReasonPhrase != want {
			t.Errorf("%+v: got %q, want %q", policy, r.ReasonPhrase, want)
		}
	}
}

func TestRedactCallID(t *testing.T) {
	const uuid = "9e8bba57-0000-4000-8000-000000000001"
	tests := []struct{ name, id, drop, mask, hash string }{
		{"UUID", uuid, uuid, uuid, uuid},
		{"session id", "1039811321016", "1039811321016", "1039811321016", "1039811321016"},
		{"Graph's pstn", "18_11@192.0.2.7", "18_11", "18_11@192.0.2.0/24", "18_11@" + sum("192.0.2.7")},
		{"port", "18_11@192.0.2.7:5060", "18_11", "18_11@192.0.2.0/24", "18_11@" + sum("192.0.2.7")},
		{"IPv6", "18_11@2001:db8:1:2::7", "18_11", "18_11@2001:db8:1::/48", "18_11@" + sum("2001:db8:1:2::7")},
		{
			"IPv6 and port", "18_11@[2001:db8:1:2::7]:5060", "18_11", "18_11@2001:db8:1::/48",
			"18_11@" + sum("2001:db8:1:2::7"),
		},
		{"IPv4 in IPv6", "18_11@::ffff:192.0.2.7", "18_11", "18_11@192.0.2.0/24", "18_11@" + sum("192.0.2.7")},
		{"host name", "a84b4c@PC33.example.com", "a84b4c", "a84b4c@***", "a84b4c@" + sum("pc33.example.com")},
		{"address before the host", "x192.0.2.7-1@h", "x***-1", "x192.0.2.0/24-1@***", "x" + sum("192.0.2.7") + "-1@" +
			sum("h")},
		{"address without a host", "sid-192.0.2.7.", "sid-***.", "sid-192.0.2.0/24.", "sid-" + sum("192.0.2.7") + "."},
		{"the record's own number", "12125550100-7@h", "***-7", "***-7@***", "***-7@" + sum("h")},
		{"nothing before the host", "@192.0.2.7", "", "@192.0.2.0/24", "@" + sum("192.0.2.7")},
		{"empty", "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, want := range []struct {
				mode Mode
				id   string
			}{{Drop, tt.drop}, {Mask, tt.mask}, {Hash, tt.hash}} {
				r := Record{CallID: tt.id, CallerNumber: "+12125550100"}
				NewRedactor(Policy{Numbers: Mask, Users: Hash, Addresses: want.mode}, testKey).Redact(&r)
				if r.CallID != want.id {
					t.Errorf("%v: %q became %q, want %q", want.mode, tt.id, r.CallID, want.id)
				}
			}
		})
	}
}

func TestRedactAddress(t *testing.T) {
	tests := []struct{ name, address, mask, hash string }{
		{"IPv4", "192.0.2.7", "192.0.2.0/24", sum("192.0.2.7")},
		{"IPv4 and port", "192.0.2.7:50000", "192.0.2.0/24", sum("192.0.2.7")},
		{"IPv6", "2001:DB8:1:2::7", "2001:db8:1::/48", sum("2001:db8:1:2::7")},
		{"IPv6 with zone", "fe80::1%eth0", "fe80::/48", sum("fe80::1%eth0")},
		{"host name", "Host.example.com", "***", sum("host.example.com")},
		{"empty", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, want := range []struct {
				mode Mode
				text string
			}{{Keep, tt.address}, {Mask, tt.mask}, {Hash, tt.hash}, {Drop, ""}} {
				d := NewRedactor(Policy{Addresses: want.mode}, testKey)
				if got := d.address(tt.address); got != want.text {
					t.Errorf("%v: %q, want %q", want.mode, got, want.text)
				}
			}
		})
	}
}

// Digits that may be a number are hidden in words and labels; codes, ids, names and addresses stay.
func TestHideNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"+12125550100":                         "***",
		"call 212-555-0100 back":               "call *** back",
		"tel:+49 (30) 123456":                  "tel:***",
		"1234567":                              "***",
		"123456":                               "123456",
		"486":                                  "486",
		"Q.850;cause=16":                       "Q.850;cause=16",
		"560503":                               "560503",
		"1234567890123456":                     "1234567890123456",
		"+4930123****":                         "***",
		"sbc1.example.com":                     "sbc1.example.com",
		"sbc-004930123456.example.com":         "sbc-***.example.com",
		"trunk4930123456":                      "trunk4930123456",
		"4930123456a":                          "4930123456a",
		"192.168.100.200":                      "192.168.100.200",
		"63eeada8-c8ff-41d2-b44d-07f5abac45ff": "63eeada8-c8ff-41d2-b44d-07f5abac45ff",
		"a 2125550100, b 2125550101":           "a ***, b ***",
		"SIP1 4930123456":                      "SIP1 ***",
		"DAHDI/i1/4930123456":                  "DAHDI/i1/***",
		"+4930123456 2nd line":                 "*** 2nd line",
		"+49 30 1234567 (2nd)":                 "*** (2nd)",
		"4930123456/4930765432":                "***/***",
		"0301234567 - 0309876543":              "*** - ***",
		"192.168.100.200 192.168.100.201":      "192.168.100.200 192.168.100.201",
		"12345678-1a09-4f8e-b7c6-d5e4f3a2b1c0": "12345678-1a09-4f8e-b7c6-d5e4f3a2b1c0",
		"94040374-f692-4b98-8bf8-713f8d962d7c": "94040374-f692-4b98-8bf8-713f8d962d7c",
		"412ba3df-6854-4920-b5ea-27ec09771095": "412ba3df-6854-4920-b5ea-27ec09771095",
		"412ba3df-6854-4920-b5ea-27ec09771095 2125550100": "412ba3df-6854-4920-b5ea-27ec09771095 ***",
		"acct+4930123456701":                              "acct***",
		"Internal Revenue Service":                        "Internal Revenue Service",
	} {
		if got := HideNumbers(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := CallType("Forwarded to +12125550100"); got != "forwarded_to" {
		t.Errorf("the call type is %q", got)
	}
}

// The mode of numbers applies to a provider's words; its ids stay unchanged.
func TestRedactWords(t *testing.T) {
	const text = "Reached 2125550100"
	for mode, want := range map[Mode]string{Keep: text, Mask: "Reached ***", Hash: "Reached ***", Drop: "Reached ***"} {
		r := Record{Extra: []Attr{
			Text("w", text, Words), Texts("ws", []string{text}, Words),
			Text("id", "2125550100", Plain),
		}}
		NewRedactor(Policy{Numbers: mode, Users: Keep, Addresses: Keep}, testKey).Redact(&r)
		if len(r.Extra) != 3 || r.Extra[0].Str != want || r.Extra[1].Strs[0] != want || r.Extra[2].Str != "2125550100" {
			t.Errorf("%v: %+v", mode, r.Extra)
		}
	}
}
