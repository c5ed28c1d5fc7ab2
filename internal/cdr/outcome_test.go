package cdr

import "testing"

// TestOutcomes is the table of docs/metrics.md, with the numbers that the ledger keeps.
func TestOutcomes(t *testing.T) {
	tests := []struct {
		number                        Outcome
		name                          string
		connected, effective, attempt bool
	}{
		{0, "unknown", false, false, false},
		{1, "answered", true, true, true},
		{2, "voicemail", true, true, true},
		{3, "busy", false, true, true},
		{4, "no_answer", false, true, true},
		{5, "cancelled", false, true, true},
		{6, "rejected", false, true, true},
		{7, "invalid_number", false, false, true},
		{8, "not_allowed", false, false, true},
		{9, "failed", false, false, true},
		{10, "not_connected", false, false, false},
		{11, "machine", true, true, true},
	}
	if got := len(Outcomes()); got != len(tests) {
		t.Errorf("%d outcomes, want %d", got, len(tests))
	}
	for _, tt := range tests {
		o := Outcomes()[tt.number]
		if o != tt.number || o.String() != tt.name || o.Connected() != tt.connected || o.Effective() != tt.effective ||
			o.Attempt() != tt.attempt {
			t.Errorf("outcome %d is %d, %q: connected %t, effective %t, attempt %t", tt.number, o, o, o.Connected(),
				o.Effective(), o.Attempt())
		}
	}
}

func TestDirections(t *testing.T) {
	for number, name := range []string{"unknown", "inbound", "outbound", "internal"} {
		d := Direction(number)
		if d.String() != name {
			t.Errorf("direction %d is %q, want %q", number, d.String(), name)
		}
	}
}

func TestBool(t *testing.T) {
	tests := []struct {
		value Bool
		known bool
		text  string
	}{{Unsaid, false, ""}, {KnownBool(false), true, "false"}, {KnownBool(true), true, "true"}}
	for _, tt := range tests {
		if tt.value.Known() != tt.known || tt.value.String() != tt.text {
			t.Errorf("%d: known %t, %q", tt.value, tt.value.Known(), tt.value.String())
		}
	}
}
