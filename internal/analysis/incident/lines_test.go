package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

var noon = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

var sbc1 = Line{Source: "contoso", Feed: "direct_routing", Trunk: "sbc1.contoso.com", Direction: "outbound"}

// expired is a failure by an expired certificate.
var expired = cause{
	outcome: cdr.Failed, sip: cdr.KnownInt(503), sub: cdr.KnownInt(569008), reason: "certificate_expired",
	domain: cdr.FaultSBC,
}

// misdialled is a call to a number that doesn't exist.
var misdialled = cause{
	outcome: cdr.InvalidNumber, sip: cdr.KnownInt(404), sub: cdr.KnownInt(560404),
	reason: "number_not_found", domain: cdr.FaultUser,
}

// callsAt makes a call a minute from noon on, in letters: answered, busy, failed, misdialled,
// unknown, and a child of a failed call.
func callsAt(letters string, why cause) []call {
	var all []call
	for i, letter := range letters {
		c := call{at: noon.Add(time.Duration(i) * time.Minute)}
		switch letter {
		case 'a':
			c.outcome = cdr.Answered
		case 'b':
			c.outcome = cdr.Busy
		case 'u':
			c.outcome = cdr.Unknown
		case 'c':
			c.outcome = cdr.Failed
		case 'f', 'm':
			because := why
			if letter == 'm' {
				because = misdialled
			}
			c.outcome = because.outcome
			c.failure = &failedCall{
				cause: because, start: c.at, id: fmt.Sprintf("id-%02d", i), callID: fmt.Sprintf("call-%02d", i),
				caller: "+4930123****", callee: "+4989456****",
			}
		}
		all = append(all, c)
	}
	return all
}

// TestLineCalls: what the calls of a trunk say of its failures.
func TestLineCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		calls string
		// attempts, connected, failed; first and last failure; the longest run and what got through around it
		want string
	}{
		"nothing failed":                       {"aab", "none"},
		"no call":                              {"", "none"},
		"an outage that ended":                 {"aafffa", "6 3 3; 2 4; 3 2 4 1 5"},
		"an outage that goes on":               {"aaff", "4 2 2; 2 3; 2 2 3 1 -"},
		"all that is known":                    {"ff", "2 0 2; 0 1; 2 0 1 - -"},
		"now and then":                         {"fabfaffa", "8 3 4; 0 6; 2 5 6 4 7"},
		"the first of two runs as long":        {"ffaff", "5 1 4; 0 4; 2 0 1 - 2"},
		"a busy callee was reached":            {"fbf", "3 0 2; 0 2; 1 0 0 - 1"},
		"an unknown outcome says nothing":      {"fufa", "3 1 2; 0 2; 2 0 2 - 3"},
		"a misdial isn't a failure":            {"mmam", "none"},
		"a misdial before an outage":           {"mammffma", "8 2 2; 4 5; 2 4 5 1 7"},
		"a misdial ends no outage":             {"affmmff", "7 1 4; 1 6; 4 1 6 0 -"},
		"a part of a failed call isn't beside": {"fcfa", "4 1 2; 0 2; 2 0 2 - 3"},
	} {
		t.Run(name, func(t *testing.T) {
			minute := func(at time.Time) string {
				if at.IsZero() {
					return "-"
				}
				return fmt.Sprint(int(at.Sub(noon).Minutes()))
			}
			got := "none"
			if f := newLineCalls(sbc1, callsAt(tc.calls, expired)); len(f.failures) > 0 {
				got = fmt.Sprintf("%d %d %d; %s %s; %d %s %s %s %s", f.attempts, f.connected, len(f.failures),
					minute(f.failures.first()), minute(f.failures.last()),
					len(f.longest.failures), minute(f.longest.first()), minute(f.longest.last()),
					minute(f.longest.before), minute(f.longest.after))
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestIncidentCalls: calls in any order are sorted, and only the chosen trunk has failures.
func TestIncidentCalls(t *testing.T) {
	inbound, other := sbc1, sbc1
	inbound.Direction, other.Trunk = "inbound", "sbc2.contoso.com"
	calls := func() map[Line][]call {
		backwards := callsAt("afffa", expired)
		slices.Reverse(backwards)
		return map[Line][]call{
			sbc1: backwards, inbound: callsAt("aamaa", expired),
			other: callsAt("afaaaaaa", expired),
		}
	}
	for name, tc := range map[string]struct{ trunk, want string }{
		"all trunks, the worst first": {
			"",
			"outbound sbc1.contoso.com 3, outbound sbc2.contoso.com 1; inbound other trunks 2/3",
		},
		"one, however it is written": {
			"SBC1.contoso.com",
			"outbound sbc1.contoso.com 3; outbound other trunks 2/3, inbound sbc1.contoso.com 2/3",
		},
		"a trunk without failures or calls": {
			"sbc3.contoso.com",
			"; inbound other trunks 4/5, outbound other trunks 9/13",
		},
		"one whose only failure is a moment": {
			"sbc2.contoso.com",
			"outbound sbc2.contoso.com 1; inbound other trunks 1/1, outbound other trunks 0/1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := calls()
			f := find(noon, noon.Add(time.Hour), tc.trunk, all)
			var failing, meanwhile []string
			for _, l := range f.failing {
				failing = append(failing, fmt.Sprintf("%s %s %d", l.Direction, l.Trunk, len(l.failures)))
			}
			for _, n := range f.meanwhile(all) {
				meanwhile = append(meanwhile, fmt.Sprintf("%s %s %d/%d", n.Direction, n.Trunk, n.Connected, n.Attempts))
			}
			if got := strings.Join(failing, ", ") + "; " + strings.Join(meanwhile, ", "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestCausesByCode: failures that differ in one code alone have two causes.
func TestCausesByCode(t *testing.T) {
	other := expired
	other.sub = cdr.KnownInt(1)
	l := newLineCalls(Line{}, []call{
		{outcome: cdr.Failed, failure: &failedCall{cause: expired}},
		{outcome: cdr.Failed, failure: &failedCall{cause: other}},
	})
	if len(l.causes) != 2 {
		t.Errorf("got %d causes, want 2", len(l.causes))
	}
}

// TestCauseWords: codes in words are the taxonomy's.
func TestCauseWords(t *testing.T) {
	for name, tc := range map[string]struct {
		cause cause
		want  string
	}{
		"both codes": {expired, "certificate expired (service unavailable)"},
		"the SIP code says it": {cause{
			outcome: cdr.NotAllowed, sip: cdr.KnownInt(403), sub: cdr.KnownInt(0),
			reason: "forbidden",
		}, "forbidden"},
		"a code without words":       {cause{outcome: cdr.Failed, sip: cdr.KnownInt(599)}, "failed"},
		"no code":                    {cause{outcome: cdr.NotAllowed, reason: "no_credit"}, "no credit"},
		"the provider doesn't say":   {cause{outcome: cdr.NotConnected}, "not connected"},
		"a code that says it is all": {cause{outcome: cdr.Failed, sip: cdr.KnownInt(0), reason: "timeout"}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.cause.words(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestSample: the sample is the first ten calls of the longest outage, without what failed or was misdialled before it.
func TestSample(t *testing.T) {
	calls := map[Line][]call{sbc1: callsAt(strings.Repeat("mfa", 13)+strings.Repeat("f", 64), expired)}
	sample := find(noon, noon.Add(2*time.Hour), "", calls).report().Calls
	if len(sample) != mostSamples || sample[0].ID != "id-39" || sample[mostSamples-1].ID != "id-48" {
		t.Errorf("%d calls: %+v", len(sample), sample)
	}
}

// TestAffected: the report says of which departments and sites the failed calls were.
func TestAffected(t *testing.T) {
	calls := callsAt("afffmff", expired)
	for i, whose := range map[int]cdr.Labels{
		1: "department=Sales\nsite=Berlin\n", 2: "site=Berlin\n",
		3: "department=Legal\n", 4: "site=Paris\n", 5: "site=Rome\n",
	} {
		calls[i].failure.labels = whose
	}
	var got []string
	for _, one := range find(noon, noon.Add(time.Hour), "", map[Line][]call{sbc1: calls}).report().Affected {
		got = append(got, fmt.Sprint(one.Count, " ", one.Label, " ", one.Value))
	}
	if want := "2 site Berlin, 1 department Legal, 1 department Sales, 1 site Rome"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}
