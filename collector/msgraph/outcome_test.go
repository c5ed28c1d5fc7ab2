package msgraph

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// code is a code that is known.
func code(n int64) cdr.Int { return cdr.KnownInt(n) }

func TestSubCodeTables(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for name, table := range map[string][]cdr.Cause{"codes": subCodes, "ranges": subCodeRanges} {
		if !slices.IsSortedFunc(table, func(a, b cdr.Cause) int { return int(a.Code - b.Code) }) {
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
}

// TestDirectRoutingOutcomeBySubCode: a sub code decides, whatever the SIP code with it says: by its own
// row, by its range, or not at all. docs/providers/msgraph.md lists the rows.
func TestDirectRoutingOutcomeBySubCode(t *testing.T) {
	for _, tt := range []struct {
		sub, sip int64
		want     cdr.Outcome
		reason   string
	}{
		{569008, 486, cdr.Failed, "certificate_expired"},
		{510534, 486, cdr.NotAllowed, "caller_blocked"},
		{511404, 486, cdr.InvalidNumber, "number_unassigned"},
		{10037, 486, cdr.NoAnswer, "no_endpoints"},
		// The ranges, and just outside of them.
		{530999, 486, cdr.Busy, "busy"},
		{531000, 410, cdr.Failed, "media_negotiation"},
		{531999, 410, cdr.Failed, "media"},
		{532000, 486, cdr.Busy, "busy"},
		{548999, 486, cdr.Busy, "busy"},
		{549000, 486, cdr.Failed, "trunk_transport"},
		{549999, 486, cdr.Failed, "trunk_transport"},
		{550000, 486, cdr.Busy, "busy"},
		{568999, 486, cdr.Busy, "busy"},
		{569000, 486, cdr.Failed, "trunk_transport"},
		{569999, 486, cdr.Failed, "trunk_transport"},
		{570000, 486, cdr.Busy, "busy"},
		// Rows that only have a reason.
		{0, 486, cdr.Busy, "busy"},
		{10321, 486, cdr.Busy, "bot_busy"},
		{560484, 484, cdr.InvalidNumber, "number_format"},
		{-1, 486, cdr.Busy, "busy"},
	} {
		t.Run(fmt.Sprintf("%d beside %d", tt.sub, tt.sip), func(t *testing.T) {
			got, reason := directRoutingOutcome(cdr.False, code(tt.sip), code(tt.sub), 0, false)
			if got != tt.want || reason != tt.reason {
				t.Errorf("got %v, %q, want %v, %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

// TestDirectRoutingOutcomeBySIPCode has a case for every SIP code of docs/providers/msgraph.md.
func TestDirectRoutingOutcomeBySIPCode(t *testing.T) {
	want := map[cdr.Outcome][]int64{
		cdr.Busy:          {486, 600},
		cdr.NoAnswer:      {480},
		cdr.Cancelled:     {487},
		cdr.Rejected:      {603, 607, 608},
		cdr.InvalidNumber: {404, 410, 416, 484, 485, 604},
		cdr.NotAllowed:    {403, 433},
		cdr.Failed: {
			400, 401, 402, 405, 406, 407, 408, 409, 411, 412, 415, 420, 422, 424, 481, 482, 483, 488, 491, 494, 499,
			500, 501, 502, 503, 504, 505, 513, 555, 580, 599, 601, 602, 605, 606, 609, 699,
		},
		cdr.Unknown: {-1, 0, 1, 100, 180, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380, 399, 700, 999, 1 << 40},
	}
	for outcome, codes := range want {
		for _, sip := range codes {
			t.Run(fmt.Sprintf("%d is %v", sip, outcome), func(t *testing.T) {
				for _, sub := range []cdr.Int{{}, code(560999)} {
					got, reason := directRoutingOutcome(cdr.False, code(sip), sub, time.Minute, true)
					if got != outcome {
						t.Errorf("sub code %+v: got %v", sub, got)
					}
					if reason != cdr.SIPReason(sip) {
						t.Errorf("sub code %+v: reason %q, want the SIP code's %q", sub, reason, cdr.SIPReason(sip))
					}
				}
			})
		}
	}
}

func TestDirectRoutingOutcome(t *testing.T) {
	none := cdr.Int{}
	tests := []struct {
		name       string
		successful cdr.Bool
		sip, sub   cdr.Int
		duration   time.Duration
		endValid   bool
		want       cdr.Outcome
		reason     string
	}{
		{
			"msgraph.md 8.1: busy, sentinel end, duration 22 s", cdr.False, code(486), code(560486),
			22 * time.Second, false, cdr.Busy, "busy",
		},
		{"msgraph.md 8.2: normal end", cdr.True, code(0), code(540000), 5 * time.Second, true, cdr.Answered, ""},
		{
			"msgraph.md 8.10: 504 and 569002", cdr.False, code(504), code(569002), 0, false, cdr.Failed,
			"trunk_unreachable",
		},
		{
			"msgraph.md 8.10: 503 and 560503", cdr.False, code(503), code(560503), 0, false, cdr.Failed,
			"trunk_unavailable",
		},
		{"msgraph.md 8.10: 408 and 0", cdr.False, code(408), code(0), 0, false, cdr.NoAnswer, "timeout"},
		{"msgraph.md 8.10: 408 and 500001", cdr.False, code(408), code(500001), 0, false, cdr.Failed, "trunk_timeout"},
		{"msgraph.md 8.10: 403 and 510559", cdr.False, code(403), code(510559), 0, false, cdr.Failed, "no_route"},
		{"msgraph.md 8.10: 487 and 560487", cdr.False, code(487), code(560487), 0, false, cdr.Cancelled, "cancelled"},
		{"msgraph.md 8.10: 0 and 0 of a call without success", cdr.False, code(0), code(0), 0, false, cdr.Unknown, ""},

		{"success comes before every code", cdr.True, code(503), code(569002), 0, false, cdr.Answered, ""},
		{"408 and 560408", cdr.False, code(408), code(560408), 0, false, cdr.NoAnswer, "timeout"},
		{"408 without a sub code", cdr.False, code(408), none, 0, false, cdr.Failed, "timeout"},
		{"560408 beside another code", cdr.False, code(500), code(560408), 0, false, cdr.Failed, "timeout"},
		{"sub code without a SIP code", cdr.False, none, code(569003), 0, false, cdr.Failed, "tls"},
		{"undecided sub code without a SIP code", cdr.False, none, code(560486), 0, false, cdr.Unknown, "busy"},
		{"no code at all", cdr.False, none, none, 0, false, cdr.Unknown, ""},

		{
			"null with 0, a valid end and a duration", cdr.Unsaid, code(0), code(540000), time.Second,
			true, cdr.Answered, "",
		},
		{"null with 200, a valid end and a duration", cdr.Unsaid, code(200), none, time.Second, true, cdr.Answered, ""},
		{"null with 0 and a sentinel end", cdr.Unsaid, code(0), code(540000), time.Second, false, cdr.Unknown, ""},
		{"null with 0 and no duration", cdr.Unsaid, code(0), code(540000), 0, true, cdr.Unknown, ""},
		{"null without a code", cdr.Unsaid, none, none, time.Second, true, cdr.Unknown, ""},
		{
			"null with 486, a valid end and a duration", cdr.Unsaid, code(486), code(560486), time.Second,
			true, cdr.Busy, "busy",
		},
		{
			"null with 0, a sentinel end and a sub code that failed", cdr.Unsaid, code(0), code(531005),
			time.Second, false, cdr.Failed, "media_lost",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, reason := directRoutingOutcome(tt.successful, tt.sip, tt.sub, tt.duration, tt.endValid)
			if got != tt.want || reason != tt.reason {
				t.Errorf("got %v, %q, want %v, %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

// Microsoft, SIP and Microsoft response codes: 560, and by Azure Communication Services' page 540,
// are the SBC's final responses, all others a service's own.
func TestDirectRoutingFault(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sip, sub cdr.Int
		want     cdr.FaultDomain
	}{
		{"a certificate that has expired", code(504), code(569008), cdr.FaultSBC},
		{"an SBC that can't be reached, inbound", code(504), code(549002), cdr.FaultSBC},
		{"an SBC that is overloaded", code(503), code(560503), cdr.FaultSBC},
		{"an answer of the SBC's without a row", code(502), code(560502), cdr.FaultSBC},
		{"an answer of the SBC's without a row, inbound", code(500), code(540500), cdr.FaultSBC},
		{"an SBC that doesn't answer", code(408), code(500001), cdr.FaultSBC},
		{"what the trunk's carrier refuses", code(402), code(560402), cdr.FaultCarrier},
		{"a service of Microsoft's", code(500), code(510999), cdr.FaultProvider},
		{"a code of more than six digits", code(500), code(1_234_567), cdr.FaultProvider},
		{"a bot of Microsoft's", code(503), code(10320), cdr.FaultProvider},
		{"busy, told by the SBC", code(486), code(560486), cdr.FaultUser},
		{"busy, by a code without a row", code(486), code(510999), cdr.FaultUser},
		{"the caller hung up", code(487), code(540487), cdr.FaultUser},
		{"misdialled", code(404), code(560404), cdr.FaultUser},
		{"nobody is signed in", code(480), code(10037), cdr.FaultUser},
		{"not enabled for telephony", code(403), code(510560), cdr.FaultPolicy},
		{"no voice route", code(403), code(510559), cdr.FaultPolicy},
		{"voicemail is off", code(480), code(10191), cdr.FaultPolicy},
		{"refused, without a sub code", code(403), cdr.Int{}, cdr.FaultPolicy},
		{"refused by the SBC", code(403), code(560403), cdr.FaultSBC},
		{"a failure without a sub code", code(503), cdr.Int{}, cdr.FaultUnknown},
		{"a failure with sub code 0", code(503), code(0), cdr.FaultUnknown},
		{"a sub code below 0", code(503), code(-1), cdr.FaultUnknown},
		{"no code", cdr.Int{}, cdr.Int{}, cdr.FaultUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outcome, _ := directRoutingOutcome(cdr.False, tt.sip, tt.sub, 0, false)
			if got := directRoutingFault(outcome, tt.sub); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func BenchmarkDirectRoutingOutcome(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		directRoutingOutcome(cdr.False, code(504), code(569002), 0, false)
	}
}
