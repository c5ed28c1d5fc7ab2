package msgraph

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestParseCallType(t *testing.T) {
	type meaning struct {
		direction        cdr.Direction
		known, emergency bool
	}
	for want, types := range map[meaning]string{
		{cdr.Inbound, true, false}: "user_in conf_in ucap_in unassigned_in oc_ucap_in ByotIn ByotInUcap " +
			"ByotInUnassigned dr_in dr_in_bot dr_unassigned_in byotin BYOTIN USER_IN",
		{cdr.Outbound, true, false}: "user_out user_out_conf user_out_transfer user_out_forwarding conf_out " +
			"ucap_out oc_user_out ByotOut ByotOutUcap ByotOutUserTransfer ByotOutUserForwarding dr_out " +
			"byotoutusertransfer",
		{cdr.Outbound, true, true}: "ByotEmergencyOut dr_emergency_out DR_EMERGENCY_OUT",
		// New words in a family keep their direction and are reported.
		{cdr.Inbound, false, false}:  "ByotInHologram",
		{cdr.Outbound, false, false}: "user_out_hologram",
		// Nothing is guessed.
		{cdr.DirectionUnknown, false, false}: "byotinhologram hologram_in2 hologram_in hologram_out ByotInOut " +
			"ByotUcap Byot userin in user_inside ",
		{cdr.DirectionUnknown, false, true}: "ByotEmergency",
	} {
		for raw := range strings.SplitSeq(types, " ") {
			slug, direction, known, emergency := parseCallType(raw)
			if got := (meaning{direction, known, emergency}); got != want || slug != cdr.CallType(raw) {
				t.Errorf("%s is %q %+v, want %+v", raw, slug, got, want)
			}
		}
	}
	for raw, want := range map[string]string{"ByotOutUserForwarding": "byot_out_user_forwarding", "BYOTIN": "byotin"} {
		if slug, _, _, _ := parseCallType(raw); slug != want {
			t.Errorf("%s is %q", raw, slug)
		}
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
