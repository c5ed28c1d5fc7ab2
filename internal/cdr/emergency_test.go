package cdr

import (
	"strings"
	"testing"
)

func TestEmergencyNumbers(t *testing.T) {
	numbers := NewEmergencyNumbers([]string{"911", "933", "9933", " 112 ", "+999", "1-1-0", "", "police"})
	tests := []struct {
		name, callee string
		want         Emergency
	}{
		{"listed", "911", EmergencyReal},
		{"test number", "933", EmergencyTest},
		{"listed with blanks", "112", EmergencyReal},
		{"listed with a plus sign", "999", EmergencyReal},
		{"listed with punctuation", "110", EmergencyReal},
		{"plus sign", "+911", EmergencyReal},
		{"test number with a plus sign", "+933", EmergencyTest},
		{"test number behind a prefix for an outside line", "9933", EmergencyTest},
		{"country code 1", "+1911", EmergencyReal},
		{"test number with country code 1", "+1933", EmergencyTest},
		{"country code 1, spaced", "+1 911", EmergencyReal},
		{"punctuation", " (9-1.1) ", EmergencyReal},
		{"extension that looks like it has a country code", "1911", NoEmergency},
		{"112 isn't dialled with country code 1", "+1112", NoEmergency},
		{"behind the calling code, as Zoom writes it", "+44999", EmergencyReal},
		{"behind a calling code of three digits", "+353 112", EmergencyReal},
		{"a town's prefix behind the calling code", "+49911", NoEmergency},
		{"behind a calling code that doesn't exist", "+999112", NoEmergency},
		{"behind a calling code, without a plus sign", "44999", NoEmergency},
		{"a service of RFC 5031", "urn:service:sos", EmergencyReal},
		{"a service of RFC 5031 for the fire brigade", "URN:Service:SOS.fire", EmergencyReal},
		{"the test of a service of RFC 5031", "urn:service:test.sos.police", EmergencyTest},
		{"another service", "urn:service:counseling", NoEmergency},
		{"begins like one", "9112", NoEmergency},
		{"ends like one", "+4930911", NoEmergency},
		{"not listed", "118", NoEmergency},
		{"masked", "***", NoEmergency},
		{"masked in part", "9**", NoEmergency},
		{"masked behind", "911*", NoEmergency},
		{"text", "police", NoEmergency},
		{"URI", "sip:911@example.com", NoEmergency},
		{"punctuation only", "+", NoEmergency},
		{"long", "9119119119119119119119", NoEmergency},
		{"empty", "", NoEmergency},
	}
	for _, tt := range tests {
		if got := numbers.Match(tt.callee, ""); got != tt.want {
			t.Errorf("%s: Match(%q) = %d, want %d", tt.name, tt.callee, got, tt.want)
		}
	}
	var none EmergencyNumbers
	only112 := NewEmergencyNumbers([]string{"112"})
	for _, callee := range []string{"911", "+911", "+1911", "933", "+1933", "+1112"} {
		if got := only112.Match(callee, "DE") | none.Match(callee, "US"); got != NoEmergency {
			t.Errorf("what isn't listed: Match(%q) = %d", callee, got)
		}
	}
}

// TestEmergencyNumbersByCountry: a number of some countries counts from their numbers only.
func TestEmergencyNumbersByCountry(t *testing.T) {
	numbers := NewEmergencyNumbers([]string{
		"911", "112", "999", "AU:000", "AU:106", "DE:110", "JP:110", "JP:118",
		"JP:1-1-9",
	})
	for callee, countries := range map[string]string{
		"+49110": "AU DE JP US  ", "+61000": "AU DE JP US  ", "+44110": "", // behind its calling code
		"911": "AU DE JP US  ", "112": "AU DE JP US  ", "999": "AU DE JP US  ",
		"000": "AU", "106": "AU", "110": "DE JP", "118": "JP", "119": "JP", "115": "",
	} {
		for _, country := range []string{"AU", "DE", "JP", "US", ""} {
			want := NoEmergency
			if strings.Contains(countries, country) && (country != "" || strings.HasSuffix(countries, " ")) {
				want = EmergencyReal
			}
			if got := numbers.Match(callee, country); got != want {
				t.Errorf("Match(%q, %q) = %d, want %d", callee, country, got, want)
			}
		}
		if n := testing.AllocsPerRun(100, func() { numbers.Match(callee, "DE") }); n != 0 {
			t.Errorf("Match(%q) allocates %v times", callee, n)
		}
	}
}
