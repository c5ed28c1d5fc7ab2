package cdr

import (
	"regexp"
	"testing"
)

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

// TestTaxonomies: each code has one row, with a slug that is a label's value and where it is from.
func TestTaxonomies(t *testing.T) {
	tables := map[string]struct {
		rows, copied []Cause
		longest      int // slug
	}{
		"SIP":   {sipCauses, SIPTaxonomy(), 24},
		"Q.850": {q850Causes, Q850Taxonomy(), 35},
	}
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for name, table := range tables {
		for i, row := range table.rows {
			if i > 0 && table.rows[i-1].Code >= row.Code {
				t.Errorf("%s: %d isn't in order, or has two rows", name, row.Code)
			}
			if !slug.MatchString(row.Reason) || len(row.Reason) > table.longest || row.Source == "" {
				t.Errorf("%s: %d has the slug %q, from %q", name, row.Code, row.Reason, row.Source)
			}
		}
		table.copied[0].Reason = "changed"
		if table.rows[0].Reason == "changed" {
			t.Errorf("%s: the table can be changed from outside", name)
		}
	}
}

func TestQ850Cause(t *testing.T) {
	tests := []struct {
		code    int64
		outcome Outcome
		reason  string
	}{
		{1, InvalidNumber, "unallocated_number"},
		{16, Cancelled, "normal_call_clearing"},
		{17, Busy, "user_busy"},
		{34, Failed, "no_circuit_available"},
		{52, NotAllowed, "outgoing_calls_barred"},
		{122, NotAllowed, "precedence_level_exceeded"},
		{99, Failed, "element_non_existent"},
		{10, Failed, ""},
	}
	for _, tt := range tests {
		if got := Q850Cause(tt.code); got.Outcome != tt.outcome || got.Reason != tt.reason {
			t.Errorf("%d is %s %q, want %s %q", tt.code, got.Outcome, got.Reason, tt.outcome, tt.reason)
		}
	}
}

func TestSIPCause(t *testing.T) {
	tests := map[int64]string{
		0: "", 100: "", 183: "", 200: "", 202: "", 302: "redirected", 404: "number_not_found", 408: "timeout",
		484: "number_format", 486: "busy", 503: "service_unavailable", 603: "declined", 608: "blocked", 499: "", -1: "",
	}
	for code, want := range tests {
		if got := SIPCause(code).Reason; got != want {
			t.Errorf("%d has the reason %q, want %q", code, got, want)
		}
	}
}
