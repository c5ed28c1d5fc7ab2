package cdr

import (
	"regexp"
	"slices"
	"testing"
)

func TestTaxonomyTables(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for name, table := range map[string][]Cause{"SIP": sipCauses} {
		if !slices.IsSortedFunc(table, func(a, b Cause) int { return int(a.Code - b.Code) }) {
			t.Errorf("%s: the table isn't ordered by code", name)
		}
		for i, row := range table {
			if i > 0 && table[i-1].Code == row.Code {
				t.Errorf("%s: %d has two rows", name, row.Code)
			}
			if row.Reason != "" && (!slug.MatchString(row.Reason) || len(row.Reason) > 24) {
				t.Errorf("%s: %d has the slug %q", name, row.Code, row.Reason)
			}
			if row.Source == "" {
				t.Errorf("%s: %d has no source", name, row.Code)
			}
		}
	}
	for _, row := range sipCauses {
		if row.Reason == "" {
			t.Errorf("SIP code %d has no slug", row.Code)
		}
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

func TestTaxonomyIsACopy(t *testing.T) {
	SIPTaxonomy()[0].Reason = "changed"
	if sipCauses[0].Reason == "changed" {
		t.Error("the table can be changed from outside")
	}
}
