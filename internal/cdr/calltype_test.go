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
		{"long, cut behind a word", strings.Repeat("Abcdefg", 20), strings.TrimSuffix(strings.Repeat("abcdefg_", 8), "_")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CallType(tt.raw); got != tt.want {
				t.Errorf("CallType(%q) = %q, want %q", tt.raw, got, tt.want)
			}
		})
	}
}

func TestMicrosoftCallType(t *testing.T) {
	tests := []struct {
		raw, slug        string
		dir              Direction
		known, emergency bool
	}{
		{"user_in", "user_in", Inbound, true, false},
		{"user_out", "user_out", Outbound, true, false},
		{"user_out_conf", "user_out_conf", Outbound, true, false},
		{"user_out_transfer", "user_out_transfer", Outbound, true, false},
		{"user_out_forwarding", "user_out_forwarding", Outbound, true, false},
		{"conf_in", "conf_in", Inbound, true, false},
		{"conf_out", "conf_out", Outbound, true, false},
		{"ucap_in", "ucap_in", Inbound, true, false},
		{"ucap_out", "ucap_out", Outbound, true, false},
		{"unassigned_in", "unassigned_in", Inbound, true, false},
		{"oc_ucap_in", "oc_ucap_in", Inbound, true, false},
		{"oc_user_out", "oc_user_out", Outbound, true, false},
		{"ByotIn", "byot_in", Inbound, true, false},
		{"ByotOut", "byot_out", Outbound, true, false},
		{"ByotInUcap", "byot_in_ucap", Inbound, true, false},
		{"ByotOutUcap", "byot_out_ucap", Outbound, true, false},
		{"ByotOutUserTransfer", "byot_out_user_transfer", Outbound, true, false},
		{"ByotOutUserForwarding", "byot_out_user_forwarding", Outbound, true, false},
		{"ByotInUnassigned", "byot_in_unassigned", Inbound, true, false},
		{"ByotEmergencyOut", "byot_emergency_out", Outbound, true, true},
		{"dr_in", "dr_in", Inbound, true, false},
		{"dr_out", "dr_out", Outbound, true, false},
		{"dr_in_bot", "dr_in_bot", Inbound, true, false},
		{"dr_unassigned_in", "dr_unassigned_in", Inbound, true, false},
		{"dr_emergency_out", "dr_emergency_out", Outbound, true, true},

		// Without case.
		{"byotin", "byotin", Inbound, true, false},
		{"BYOTIN", "byotin", Inbound, true, false},
		{"byotoutusertransfer", "byotoutusertransfer", Outbound, true, false},
		{"USER_IN", "user_in", Inbound, true, false},
		{"DR_EMERGENCY_OUT", "dr_emergency_out", Outbound, true, true},

		// New words in a family keep their direction, and are counted.
		{"ByotInHologram", "byot_in_hologram", Inbound, false, false},
		{"user_out_hologram", "user_out_hologram", Outbound, false, false},
		{"byotinhologram", "byotinhologram", DirectionUnknown, false, false},

		// Nothing is guessed.
		{"hologram_in2", "hologram_in2", DirectionUnknown, false, false},
		{"hologram_in", "hologram_in", DirectionUnknown, false, false},
		{"hologram_out", "hologram_out", DirectionUnknown, false, false},
		{"ByotInOut", "byot_in_out", DirectionUnknown, false, false},
		{"ByotUcap", "byot_ucap", DirectionUnknown, false, false},
		{"ByotEmergency", "byot_emergency", DirectionUnknown, false, true},
		{"Byot", "byot", DirectionUnknown, false, false},
		{"userin", "userin", DirectionUnknown, false, false},
		{"in", "in", DirectionUnknown, false, false},
		{"user_inside", "user_inside", DirectionUnknown, false, false},
		{"", "", DirectionUnknown, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			slug, dir, known, emergency := MicrosoftCallType(tt.raw)
			if slug != tt.slug || dir != tt.dir || known != tt.known || emergency != tt.emergency {
				t.Errorf("got %q, %v, known %t, emergency %t; want %q, %v, %t, %t",
					slug, dir, known, emergency, tt.slug, tt.dir, tt.known, tt.emergency)
			}
		})
	}
}

var callTypePattern = regexp.MustCompile(`^([a-z0-9]+(_[a-z0-9]+)*)?$`)

func FuzzCallType(f *testing.F) {
	for _, seed := range []string{"", "_", "VoIP Call", "RingOutPC", "ByotInUcap", "E911 Update", "通話", "a__b", "byotinout", "\xff", strings.Repeat("Ab", 100)} {
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
		if s, dir, known, _ := MicrosoftCallType(raw); s != slug || (known && dir == DirectionUnknown) {
			t.Errorf("MicrosoftCallType(%q) = %q, %v, known %t", raw, s, dir, known)
		}
	})
}

func BenchmarkCallType(b *testing.B) {
	for _, raw := range []string{"user_in", "ByotOutUserForwarding", "VoIP Call"} {
		b.Run(raw, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				CallType(raw)
			}
		})
	}
}

func BenchmarkMicrosoftCallType(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		MicrosoftCallType("ByotOutUserForwarding")
	}
}
