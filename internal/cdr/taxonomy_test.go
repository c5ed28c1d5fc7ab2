package cdr

import (
	"regexp"
	"testing"
)

// TestSIPTaxonomy: each code has one row, with a slug that is a label's value and where it is from.
func TestSIPTaxonomy(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for i, row := range sipCauses {
		if i > 0 && sipCauses[i-1].Code >= row.Code {
			t.Errorf("%d isn't in order, or has two rows", row.Code)
		}
		if !slug.MatchString(row.Reason) || len(row.Reason) > 24 || row.Source == "" {
			t.Errorf("%d has the slug %q, from %q", row.Code, row.Reason, row.Source)
		}
	}
	SIPTaxonomy()[0].Reason = "changed"
	if sipCauses[0].Reason == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func TestSIPReason(t *testing.T) {
	tests := map[int64]string{
		0: "", 100: "", 183: "", 200: "", 202: "", 302: "redirected", 404: "number_not_found", 408: "timeout",
		484: "number_format", 486: "busy", 503: "service_unavailable", 603: "declined", 608: "blocked", 499: "", -1: "",
	}
	for code, want := range tests {
		if got := SIPReason(code); got != want {
			t.Errorf("SIPReason(%d) = %q, want %q", code, got, want)
		}
	}
}
