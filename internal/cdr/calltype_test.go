package cdr

import (
	"regexp"
	"strings"
	"testing"
)

func TestCallType(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"snake already", "user_in", "user_in"},
		{"camel", "ByotOutUserForwarding", "byot_out_user_forwarding"},
		{"camel with an abbreviation", "ByotInUcap", "byot_in_ucap"},
		{"small letters", "byotin", "byotin"},
		{"VoIP", "VoIP Call", "voip_call"},
		{"VoIP joined", "VoIPCall", "voip_call"},
		{"VoIP behind a word", "MyVoIP", "my_voip"},
		{"VoIP isn't the beginning of another word", "VoIPs", "vo_i_ps"},
		{"RingOut", "RingOut PC", "ringout_pc"},
		{"RingOut joined", "RingOutWebToSubscriber", "ringout_web_to_subscriber"},
		{"RingOut isn't the beginning of another word", "RingOuter", "ring_outer"},
		{"RingMe", "RingMe", "ring_me"},
		{"FindMe", "FindMe", "find_me"},
		{"hyphen", "CallOut-CallMe", "call_out_call_me"},
		{"digits in an acronym", "E911 Update", "e911_update"},
		{"capital behind digits", "E911Update", "e911_update"},
		{"digits first", "411 Info", "411_info"},
		{"digits last", "hologram_in2", "hologram_in2"},
		{"acronym and word", "RC Meetings", "rc_meetings"},
		{"acronym joined to a word", "RCMeetings", "rc_meetings"},
		{"acronym", "PSTN", "pstn"},
		{"acronym behind a word", "FreeSPDL", "free_spdl"},
		{"conference", "conf_out", "conf_out"},
		{"Wavix", "placed", "placed"},
		{"separators around and doubled", "--Phone  Call_", "phone_call"},
		{"not ASCII", "Größe", "gr_e"},
		{"nothing ASCII", "通話", "other"},
		{"only separators", "_", "other"},
		{"empty", "", ""},
		{"long", strings.Repeat("A1b2", 40), strings.Repeat("a1b2_", 12) + "a1b2"},
		{
			"long, cut behind a word", strings.Repeat("Abcdefg", 20),
			strings.TrimSuffix(strings.Repeat("abcdefg_", 8), "_"),
		},
	}
	for _, tt := range tests {
		if got := CallType(tt.raw); got != tt.want {
			t.Errorf("%s: CallType(%q) = %q, want %q", tt.name, tt.raw, got, tt.want)
		}
	}
}

var callTypePattern = regexp.MustCompile(`^([a-z0-9]+(_[a-z0-9]+)*)?$`)

func FuzzCallType(f *testing.F) {
	for _, seed := range []string{
		"", "_", "VoIP Call", "RingOutPC", "ByotInUcap", "E911 Update", "通話", "a__b",
		"byotinout", "\xff", strings.Repeat("Ab", 100),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		slug := CallType(raw)
		if !callTypePattern.MatchString(slug) || len(slug) > maxCallType || (slug == "") != (raw == "") {
			t.Errorf("CallType(%q) = %q", raw, slug)
		}
		if again := CallType(slug); again != slug {
			t.Errorf("CallType(%q) = %q, and of that %q", raw, slug, again)
		}
	})
}
