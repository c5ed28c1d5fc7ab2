package cdr

import "testing"

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
