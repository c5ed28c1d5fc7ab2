package cdr

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"text/tabwriter"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestTaxonomyGolden shows every change of the taxonomy in review: slugs are
// label values, and alerts and dashboards select them.
func TestTaxonomyGolden(t *testing.T) {
	var got bytes.Buffer
	writeTaxonomy(t, &got, "SIP codes", SIPTaxonomy())
	got.WriteByte('\n')
	writeTaxonomy(t, &got, "Microsoft sub codes (outcome unknown: the SIP code's applies)", MicrosoftTaxonomy())

	path := filepath.Join("testdata", "taxonomy.golden")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the taxonomy differs from %s; run the test with -update if it is meant to:\n%s", path, got.String())
	}
}

func writeTaxonomy(t *testing.T, out *bytes.Buffer, title string, rows []Cause) {
	fmt.Fprintf(out, "# %s\n", title)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		code := strconv.FormatInt(row.Code, 10)
		if row.Last != 0 {
			code += "-" + strconv.FormatInt(row.Last, 10)
		}
		reason := row.Reason
		if reason == "" {
			reason = "-"
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", code, row.Outcome, reason, row.FaultDomain, row.Source); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestTaxonomyTables(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for name, table := range map[string][]Cause{"SIP": sipCauses, "Microsoft": microsoftCauses, "ranges": microsoftRanges} {
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

// TestDirectRoutingOutcomeBySubCode has a case for every sub code of contract 3.
// The SIP code beside it is one that would give another outcome.
func TestDirectRoutingOutcomeBySubCode(t *testing.T) {
	tests := []struct {
		sub    int64
		sip    int64
		want   Outcome
		reason string
	}{
		{549000, 486, Failed, "trunk_transport"},
		{549002, 486, Failed, "trunk_unreachable"},
		{549018, 486, Failed, "bad_message"},
		{549999, 486, Failed, "trunk_transport"},
		{569000, 486, Failed, "trunk_transport"},
		{569002, 486, Failed, "trunk_unreachable"},
		{569003, 486, Failed, "tls"},
		{569008, 486, Failed, "certificate_expired"},
		{569009, 486, Failed, "certificate_untrusted"},
		{569015, 486, Failed, "dns"},
		{569016, 486, Failed, "dns"},
		{569018, 486, Failed, "bad_message"},
		{569999, 486, Failed, "trunk_transport"},
		{500001, 486, Failed, "trunk_timeout"},
		{510532, 403, Failed, "no_trunk_config"},
		{510544, 486, Failed, "no_trunk_config"},
		{510559, 403, Failed, "no_route"},
		{531000, 410, Failed, "media_negotiation"},
		{531004, 410, Failed, "ice"},
		{531005, 410, Failed, "media_lost"},
		{531027, 486, Failed, "ice"},
		{531052, 486, Failed, "media_negotiation"},
		{531999, 410, Failed, "media"},
		{560402, 486, Failed, "payment_required"},
		{560403, 403, Failed, "trunk_refused"},
		{10140, 480, Failed, "bot_settings"},
		{10191, 480, Failed, "voicemail_disabled"},
		{10202, 404, Failed, "no_such_call"},
		{10320, 486, Failed, "bot_unreachable"},
		{10553, 403, Failed, "recorder_failed"},
		{10199, 486, NotAllowed, "private_calling_disabled"},
		{10500, 486, NotAllowed, "location_routing"},
		{510534, 486, NotAllowed, "caller_blocked"},
		{510560, 486, NotAllowed, "user_not_enabled"},
		{510562, 486, NotAllowed, "outbound_not_allowed"},
		{510563, 486, NotAllowed, "domestic_only"},
		{511404, 486, InvalidNumber, "number_unassigned"},
		{10037, 486, NoAnswer, "no_endpoints"},
		// Just outside of the ranges the SIP code decides.
		{530999, 486, Busy, "busy"},
		{532000, 486, Busy, "busy"},
		{548999, 486, Busy, "busy"},
		{550000, 486, Busy, "busy"},
		{568999, 486, Busy, "busy"},
		{570000, 486, Busy, "busy"},
		// Rows that only have a reason.
		{0, 486, Busy, "busy"},
		{540000, 487, Cancelled, "cancelled"},
		{560000, 603, Rejected, "declined"},
		{1106, 408, Failed, "no_ack"},
		{10321, 486, Busy, "bot_busy"},
		{510412, 412, Failed, "condition_failed"},
		{510482, 500, Failed, "loop"},
		{560404, 404, InvalidNumber, "number_not_found"},
		{560480, 480, NoAnswer, "unavailable"},
		{560484, 484, InvalidNumber, "number_format"},
		{560500, 500, Failed, "trunk_error"},
		{560503, 503, Failed, "trunk_unavailable"},
		{560603, 603, Rejected, "declined"},
		{-1, 486, Busy, "busy"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d beside %d", tt.sub, tt.sip), func(t *testing.T) {
			got, reason := DirectRoutingOutcome(False, KnownInt(tt.sip), KnownInt(tt.sub), 0, false)
			if got != tt.want || reason != tt.reason {
				t.Errorf("got %v, %q, want %v, %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

// TestDirectRoutingOutcomeBySIPCode has a case for every SIP code of contract 3.
func TestDirectRoutingOutcomeBySIPCode(t *testing.T) {
	want := map[Outcome][]int64{
		Busy:          {486, 600},
		NoAnswer:      {480},
		Cancelled:     {487},
		Rejected:      {603, 607, 608},
		InvalidNumber: {404, 410, 416, 484, 485, 604},
		NotAllowed:    {403, 433},
		Failed: {
			400, 401, 402, 405, 406, 407, 408, 409, 411, 412, 415, 420, 422, 424, 481, 482, 483, 488, 491, 494, 499,
			500, 501, 502, 503, 504, 505, 513, 555, 580, 599, 601, 602, 605, 606, 609, 699,
		},
		Unknown: {-1, 0, 1, 100, 180, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380, 399, 700, 999, 1 << 40},
	}
	for outcome, codes := range want {
		for _, code := range codes {
			t.Run(fmt.Sprintf("%d is %v", code, outcome), func(t *testing.T) {
				for _, sub := range []Int{{}, KnownInt(560999)} {
					got, reason := DirectRoutingOutcome(False, KnownInt(code), sub, time.Minute, true)
					if got != outcome {
						t.Errorf("sub code %+v: got %v", sub, got)
					}
					if reason != SIPReason(code) {
						t.Errorf("sub code %+v: reason %q, want the SIP code's %q", sub, reason, SIPReason(code))
					}
				}
			})
		}
	}
}

func TestDirectRoutingOutcome(t *testing.T) {
	none := Int{}
	tests := []struct {
		name       string
		successful Bool
		sip, sub   Int
		duration   time.Duration
		endValid   bool
		want       Outcome
		reason     string
	}{
		{"msgraph.md 8.1: busy, sentinel end, duration 22 s", False, KnownInt(486), KnownInt(560486), 22 * time.Second, false, Busy, "busy"},
		{"msgraph.md 8.2: normal end", True, KnownInt(0), KnownInt(540000), 5 * time.Second, true, Answered, ""},
		{"msgraph.md 8.10: 504 and 569002", False, KnownInt(504), KnownInt(569002), 0, false, Failed, "trunk_unreachable"},
		{"msgraph.md 8.10: 503 and 560503", False, KnownInt(503), KnownInt(560503), 0, false, Failed, "trunk_unavailable"},
		{"msgraph.md 8.10: 408 and 0", False, KnownInt(408), KnownInt(0), 0, false, NoAnswer, "timeout"},
		{"msgraph.md 8.10: 408 and 500001", False, KnownInt(408), KnownInt(500001), 0, false, Failed, "trunk_timeout"},
		{"msgraph.md 8.10: 403 and 510559", False, KnownInt(403), KnownInt(510559), 0, false, Failed, "no_route"},
		{"msgraph.md 8.10: 487 and 560487", False, KnownInt(487), KnownInt(560487), 0, false, Cancelled, "cancelled"},
		{"msgraph.md 8.10: 0 and 0 of a call without success", False, KnownInt(0), KnownInt(0), 0, false, Unknown, ""},

		{"success comes before every code", True, KnownInt(503), KnownInt(569002), 0, false, Answered, ""},
		{"408 and 560408", False, KnownInt(408), KnownInt(560408), 0, false, NoAnswer, "timeout"},
		{"408 without a sub code", False, KnownInt(408), none, 0, false, Failed, "timeout"},
		{"560408 beside another code", False, KnownInt(500), KnownInt(560408), 0, false, Failed, "timeout"},
		{"sub code without a SIP code", False, none, KnownInt(569003), 0, false, Failed, "tls"},
		{"undecided sub code without a SIP code", False, none, KnownInt(560486), 0, false, Unknown, "busy"},
		{"no code at all", False, none, none, 0, false, Unknown, ""},

		{"null with 0, a valid end and a duration", Unsaid, KnownInt(0), KnownInt(540000), time.Second, true, Answered, ""},
		{"null with 200, a valid end and a duration", Unsaid, KnownInt(200), none, time.Second, true, Answered, ""},
		{"null with 0 and a sentinel end", Unsaid, KnownInt(0), KnownInt(540000), time.Second, false, Unknown, ""},
		{"null with 0 and no duration", Unsaid, KnownInt(0), KnownInt(540000), 0, true, Unknown, ""},
		{"null without a code", Unsaid, none, none, time.Second, true, Unknown, ""},
		{"null with 486, a valid end and a duration", Unsaid, KnownInt(486), KnownInt(560486), time.Second, true, Busy, "busy"},
		{"null with 0, a sentinel end and a sub code that failed", Unsaid, KnownInt(0), KnownInt(531005), time.Second, false, Failed, "media_lost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, reason := DirectRoutingOutcome(tt.successful, tt.sip, tt.sub, tt.duration, tt.endValid)
			if got != tt.want || reason != tt.reason {
				t.Errorf("got %v, %q, want %v, %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

// Microsoft, SIP and Microsoft response codes: 560, and by Azure Communication Services' page 540, are the SBC's final responses, all others
// a service's own.
func TestDirectRoutingFault(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sip, sub Int
		want     FaultDomain
	}{
		{"a certificate that has expired", KnownInt(504), KnownInt(569008), FaultSBC},
		{"an SBC that can't be reached, inbound", KnownInt(504), KnownInt(549002), FaultSBC},
		{"an SBC that is overloaded", KnownInt(503), KnownInt(560503), FaultSBC},
		{"an answer of the SBC's without a row", KnownInt(502), KnownInt(560502), FaultSBC},
		{"an answer of the SBC's without a row, inbound", KnownInt(500), KnownInt(540500), FaultSBC},
		{"an SBC that doesn't answer", KnownInt(408), KnownInt(500001), FaultSBC},
		{"what the trunk's carrier refuses", KnownInt(402), KnownInt(560402), FaultCarrier},
		{"a service of Microsoft's", KnownInt(500), KnownInt(510999), FaultProvider},
		{"a code of more than six digits", KnownInt(500), KnownInt(1_234_567), FaultProvider},
		{"a bot of Microsoft's", KnownInt(503), KnownInt(10320), FaultProvider},
		{"busy, told by the SBC", KnownInt(486), KnownInt(560486), FaultUser},
		{"busy, by a code without a row", KnownInt(486), KnownInt(510999), FaultUser},
		{"the caller hung up", KnownInt(487), KnownInt(540487), FaultUser},
		{"misdialled", KnownInt(404), KnownInt(560404), FaultUser},
		{"nobody is signed in", KnownInt(480), KnownInt(10037), FaultUser},
		{"not enabled for telephony", KnownInt(403), KnownInt(510560), FaultPolicy},
		{"no voice route", KnownInt(403), KnownInt(510559), FaultPolicy},
		{"voicemail is off", KnownInt(480), KnownInt(10191), FaultPolicy},
		{"refused, without a sub code", KnownInt(403), Int{}, FaultPolicy},
		{"refused by the SBC", KnownInt(403), KnownInt(560403), FaultSBC},
		{"a failure without a sub code", KnownInt(503), Int{}, FaultUnknown},
		{"a failure with sub code 0", KnownInt(503), KnownInt(0), FaultUnknown},
		{"a sub code below 0", KnownInt(503), KnownInt(-1), FaultUnknown},
		{"no code", Int{}, Int{}, FaultUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outcome, _ := DirectRoutingOutcome(False, tt.sip, tt.sub, 0, false)
			if got := DirectRoutingFault(outcome, tt.sub); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
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
	MicrosoftTaxonomy()[1].Reason = "changed"
	if sipCauses[0].Reason == "changed" || microsoftCauses[1].Reason == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func BenchmarkDirectRoutingOutcome(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		DirectRoutingOutcome(False, KnownInt(504), KnownInt(569002), 0, false)
	}
}
