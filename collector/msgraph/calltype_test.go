package msgraph

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestParseCallType(t *testing.T) {
	tests := []struct {
		raw, slug        string
		dir              cdr.Direction
		known, emergency bool
	}{
		{"user_in", "user_in", cdr.Inbound, true, false},
		{"user_out", "user_out", cdr.Outbound, true, false},
		{"user_out_conf", "user_out_conf", cdr.Outbound, true, false},
		{"user_out_transfer", "user_out_transfer", cdr.Outbound, true, false},
		{"user_out_forwarding", "user_out_forwarding", cdr.Outbound, true, false},
		{"conf_in", "conf_in", cdr.Inbound, true, false},
		{"conf_out", "conf_out", cdr.Outbound, true, false},
		{"ucap_in", "ucap_in", cdr.Inbound, true, false},
		{"ucap_out", "ucap_out", cdr.Outbound, true, false},
		{"unassigned_in", "unassigned_in", cdr.Inbound, true, false},
		{"oc_ucap_in", "oc_ucap_in", cdr.Inbound, true, false},
		{"oc_user_out", "oc_user_out", cdr.Outbound, true, false},
		{"ByotIn", "byot_in", cdr.Inbound, true, false},
		{"ByotOut", "byot_out", cdr.Outbound, true, false},
		{"ByotInUcap", "byot_in_ucap", cdr.Inbound, true, false},
		{"ByotOutUcap", "byot_out_ucap", cdr.Outbound, true, false},
		{"ByotOutUserTransfer", "byot_out_user_transfer", cdr.Outbound, true, false},
		{"ByotOutUserForwarding", "byot_out_user_forwarding", cdr.Outbound, true, false},
		{"ByotInUnassigned", "byot_in_unassigned", cdr.Inbound, true, false},
		{"ByotEmergencyOut", "byot_emergency_out", cdr.Outbound, true, true},
		{"dr_in", "dr_in", cdr.Inbound, true, false},
		{"dr_out", "dr_out", cdr.Outbound, true, false},
		{"dr_in_bot", "dr_in_bot", cdr.Inbound, true, false},
		{"dr_unassigned_in", "dr_unassigned_in", cdr.Inbound, true, false},
		{"dr_emergency_out", "dr_emergency_out", cdr.Outbound, true, true},

		// Without case.
		{"byotin", "byotin", cdr.Inbound, true, false},
		{"BYOTIN", "byotin", cdr.Inbound, true, false},
		{"byotoutusertransfer", "byotoutusertransfer", cdr.Outbound, true, false},
		{"USER_IN", "user_in", cdr.Inbound, true, false},
		{"DR_EMERGENCY_OUT", "dr_emergency_out", cdr.Outbound, true, true},

		// New words in a family keep their direction and are reported.
		{"ByotInHologram", "byot_in_hologram", cdr.Inbound, false, false},
		{"user_out_hologram", "user_out_hologram", cdr.Outbound, false, false},
		{"byotinhologram", "byotinhologram", cdr.DirectionUnknown, false, false},

		// Nothing is guessed.
		{"hologram_in2", "hologram_in2", cdr.DirectionUnknown, false, false},
		{"hologram_in", "hologram_in", cdr.DirectionUnknown, false, false},
		{"hologram_out", "hologram_out", cdr.DirectionUnknown, false, false},
		{"ByotInOut", "byot_in_out", cdr.DirectionUnknown, false, false},
		{"ByotUcap", "byot_ucap", cdr.DirectionUnknown, false, false},
		{"ByotEmergency", "byot_emergency", cdr.DirectionUnknown, false, true},
		{"Byot", "byot", cdr.DirectionUnknown, false, false},
		{"userin", "userin", cdr.DirectionUnknown, false, false},
		{"in", "in", cdr.DirectionUnknown, false, false},
		{"user_inside", "user_inside", cdr.DirectionUnknown, false, false},
		{"", "", cdr.DirectionUnknown, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			slug, dir, known, emergency := parseCallType(tt.raw)
			if slug != tt.slug || dir != tt.dir || known != tt.known || emergency != tt.emergency {
				t.Errorf("got %q, %v, known %t, emergency %t; want %q, %v, %t, %t",
					slug, dir, known, emergency, tt.slug, tt.dir, tt.known, tt.emergency)
			}
		})
	}
}

func FuzzParseCallType(f *testing.F) {
	for _, seed := range []string{"", "_", "ByotInUcap", "byotinout", "dr_emergency_out", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if slug, dir, known, _ := parseCallType(raw); slug != cdr.CallType(raw) ||
			(known && dir == cdr.DirectionUnknown) {
			t.Errorf("parseCallType(%q) = %q, %v, known %t", raw, slug, dir, known)
		}
	})
}

func BenchmarkParseCallType(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		parseCallType("ByotOutUserForwarding")
	}
}
