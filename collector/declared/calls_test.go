package declared_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// callsOf makes calls of rows, in the order of their first rows: key, direction, trunk, outcome,
// talk, connected time, legs, and whether it is whole.
func callsOf(t *testing.T, m *declared.Mapper, rows []byte, channels bool) (lines []string) {
	t.Helper()
	legs, keyOf, keys := map[string][]cdr.Leg{}, map[string]string{}, []string(nil)
	for number, mapped := range m.Try(rows) {
		r := mapped.Record
		if mapped.Ignored {
			continue
		}
		if r == nil || len(mapped.Unmapped) > 0 {
			t.Fatalf("row %d: %s, unmapped %v", number, mapped.Invalid, mapped.Unmapped)
		}
		own := cmp.Or(r.CallKey, r.ID)
		key := cmp.Or(keyOf["own "+own], own)
		if r.Parent != "" {
			key = keyOf[r.Parent]
			keyOf["own "+own] = key
		}
		leg := r.Leg()
		if leg.ID == "" {
			leg.ID = fmt.Sprint(number)
		}
		if keyOf[r.ID] = key; legs[key] == nil {
			keys = append(keys, key)
		}
		legs[key] = append(legs[key], leg)
	}
	for _, key := range keys {
		c, trunk, whole := calls.Of(legs[key]), "-", "not whole"
		if c.Trunk != calls.None {
			trunk = legs[key][c.Trunk].Trunk
		}
		if slices.ContainsFunc(legs[key], func(l cdr.Leg) bool { return l.Whole }) {
			whole = "whole"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s talk %s connected %s legs %d %s",
			key, c.Direction, trunk, c.Outcome, calls.Length(c.Talk), calls.Length(c.Connected), len(legs[key]), whole))
		if channels {
			lines[len(lines)-1] += " channels"
			for _, l := range legs[key] {
				lines[len(lines)-1] += " " + l.Channel
			}
		}
	}
	return lines
}

// TestCalls: what rows of real systems, and rows rebuilt from public reports, amount to.
func TestCalls(t *testing.T) {
	for _, c := range []struct {
		provider, feed, rows string
		parameters           map[string][]string
		want                 string
	}{
		// The last nine: by Local channels a mailbox, FollowMe to a mobile, and click-to-call to a busy number; a
		// telephone that joins its call to another one, which is on a trunk; a queue's member who consults a colleague
		// and then transfers the caller (REFER with Replaces); a telephone that transfers the caller to a queue; and a
		// user who calls two numbers outside and joins them.
		{"asterisk", "cdr", "asterisk_calls.csv", map[string][]string{"trunks": {"IAX2/trunk*", "PJSIP/trunk*"}}, `
			1700000000.100 inbound PJSIP/trunk answered talk 5m0s connected 5m15s legs 4 whole
			1700000000.10 inbound PJSIP/trunk answered talk 2m30s connected 2m30s legs 5 whole
			1700000100.1 inbound PJSIP/trunk machine talk 0s connected 1m10s legs 1 whole
			1700000200.1 inbound PJSIP/trunk machine talk 0s connected 6s legs 1 whole
			1700000300.1 inbound PJSIP/trunk no_answer talk 0s connected 0s legs 2 whole
			1795716266.284 outbound IAX2/trunk-a busy talk 0s connected 0s legs 2 whole
			1795716262.79 inbound IAX2/trunk-a answered talk 7s connected 7s legs 6 whole
			1795716263.117 inbound IAX2/trunk-a machine talk 0s connected 7s legs 12 whole
			1795716264.205 inbound IAX2/trunk-a voicemail talk 0s connected 13s legs 9 whole
			1795716266.265 outbound IAX2/trunk-a failed talk 0s connected 0s legs 3 whole
			1795716265.233 inbound IAX2/trunk-a machine talk 0s connected 4s legs 1 whole
			1795716265.237 inbound IAX2/trunk-a machine talk 0s connected 6s legs 2 whole
			1795716268.491 inbound IAX2/trunk-a answered talk 5s connected 5s legs 3 whole
			1795716268.473 inbound IAX2/trunk-a answered talk 1m1s connected 1m11s legs 6 whole
			1795716265.241 outbound IAX2/trunk-b answered talk 9s connected 9s legs 2 whole
			1795716267.322 inbound IAX2/trunk-a answered talk 8s connected 8s legs 1 whole
			1795716267.342 inbound IAX2/trunk-a answered talk 9s connected 9s legs 3 whole
			1795716270.601 inbound IAX2/trunk-a answered talk 16s connected 16s legs 2 whole
			1795716271.620 inbound IAX2/trunk-a answered talk 15s connected 15s legs 3 whole
			1795716271.688 inbound IAX2/trunk-a answered talk 10s connected 17s legs 4 whole
			1795716469.20 inbound IAX2/trunk-a machine talk 0s connected 1s legs 1 whole
			1795716469.0 inbound IAX2/trunk-a machine talk 0s connected 2s legs 1 whole
			1795716471.41 outbound IAX2/trunk-a busy talk 0s connected 3s legs 2 whole
			1795716470.39 internal - no_answer talk 0s connected 0s legs 1 whole
			1795716471.73 inbound IAX2/trunk-a answered talk 21s connected 21s legs 3 whole
			1795716471.48 outbound IAX2/trunk-a answered talk 13s connected 13s legs 3 whole
			1795716470.32 outbound IAX2/trunk-b answered talk 13s connected 13s legs 2 whole
			1795716472.78 inbound IAX2/trunk-a answered talk 12s connected 14s legs 3 whole
			1700001000.1 inbound PJSIP/trunk voicemail talk 0s connected 40s legs 3 whole
			1700001600.1 inbound PJSIP/trunk answered talk 40s connected 1m1s legs 2 whole
			1700002200.9 outbound PJSIP/trunk busy talk 0s connected 20s legs 2 whole
			1700003000.1 internal - answered talk 1m15s connected 1m15s legs 2 whole
			1795970078.281 internal - answered talk 3s connected 3s legs 1 whole
			1795970074.218 inbound PJSIP/trunk answered talk 11s connected 11s legs 3 whole
			1795970060.20 inbound PJSIP/trunk answered talk 9s connected 9s legs 2 whole
			1795970073.207 outbound PJSIP/trunk-a answered talk 10s connected 10s legs 2 whole
			1795970076.264 outbound PJSIP/trunk-b answered talk 3s connected 3s legs 1 whole`},
		// The last nine: a user calls a user, a mailbox, a hunt group that nobody takes, and a PBX behind a trunk;
		// a call from outside that is forwarded to a mailbox; a page; a call that a colleague picks up, and one that
		// a user fetches from its parking slot; an attendant that leads a caller on to a mobile.
		{"webex", "cdr", "webex_calls.jsonl", nil, `
			c-b outbound - answered talk 1m35s connected 1m35s legs 1 whole
			c-u outbound - answered talk 1m35s connected 1m35s legs 1 whole
			c-m outbound - answered talk 1m35s connected 1m35s legs 1 whole
			c-aa inbound - machine talk 0s connected 9s legs 1 whole
			c-cq inbound - machine talk 0s connected 40s legs 1 whole
			c-bz internal - busy talk 0s connected 0s legs 2 whole
			c-un outbound - invalid_number talk 0s connected 0s legs 1 whole
			c-911 outbound - answered talk 1m39s connected 1m39s legs 1 whole
			c-fwd inbound fra-lgw answered talk 1m20s connected 1m20s legs 2 whole
			c-hunt-missed inbound - machine talk 0s connected 1m2s legs 7 whole
			c-hunt-won inbound - answered talk 57s connected 1m42s legs 7 whole
			c-sim inbound fra-lgw answered talk 1m30s connected 1m40s legs 7 whole
			c-raw outbound - cancelled talk 0s connected 0s legs 1 whole
			c-vm inbound - voicemail talk 0s connected 29s legs 2 whole
			c-int internal - answered talk 1m0s connected 1m0s legs 2 whole
			c-ivm internal - voicemail talk 0s connected 29s legs 3 whole
			c-ihg internal - machine talk 0s connected 40s legs 4 whole
			c-pbx internal pbx answered talk 30s connected 30s legs 1 whole
			c-ivf inbound fra-lgw voicemail talk 0s connected 30s legs 3 whole
			c-page internal - machine talk 0s connected 10s legs 2 whole
			c-pick inbound fra-lgw answered talk 40s connected 40s legs 2 whole
			c-park internal - answered talk 40s connected 40s legs 1 whole
			c-aam inbound fra-in answered talk 1m30s connected 2m0s legs 2 whole`},
		{"freeswitch", "cdr", "freeswitch_calls.jsonl", map[string][]string{"gateways": {"carrier*"}}, `
			11111111-0000-0000-0000-000000000008 internal - machine talk 0s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000021 outbound - answered talk 1m7.54s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000051 inbound - answered talk 1m7.54s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000052 outbound carrier1 answered talk 1m7.54s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000004 internal - answered talk 1m7.54s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000003 internal - answered talk 1m7.54s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000001 internal - answered talk 1m7.539896s connected 1m7.539896s legs 2 whole
			11111111-0000-0000-0000-000000000006 outbound carrier1 failed talk 0s connected 0s legs 1 whole
			11111111-0000-0000-0000-000000000002 outbound carrier1 answered talk 1m7.54s connected 1m7.54s legs 1 whole
			11111111-0000-0000-0000-000000000009 internal - unknown talk 0s connected 0s legs 1 whole
			11111111-0000-0000-0000-000000000007 outbound carrier1 failed talk 0s connected 0s legs 1 whole`},
		// A fail-over behind an announcement, one that both carriers refuse, and one gateway. A queue's agents, and a
		// ring group. Calls that only an address ties to a carrier, and one of an unknown profile. Loopback channels to
		// a gateway, to a mailbox, and to a telephone that nobody takes; the first two again without b-legs.
		// A caller who transfers the other party. Click-to-call to a number that is busy, and to one that answers. A
		// dialler. Callers whom the dial plan answered before it called nobody, a gateway that fails, and a
		// telephone that is busy.
		// From "both" on, rows of a real FreeSWITCH 1.11: two bridges that fail, a pickup by intercept and by pickup,
		// fifo, valet parking, att_xfer, uuid_bridge, REFER with Replaces, a menu, a survey.
		{"freeswitch", "cdr", "freeswitch_legs.jsonl", map[string][]string{
			"gateways": {"carrier*"}, "carriers.acme": {"198.51.100.0/24"}, "carriers.beta": {"203.0.113.7"},
		}, `
			said-a outbound carrier2 answered talk 50s connected 59s legs 3 whole channels said-b2 said-b1 said-b2
			refused-a outbound carrier2 busy talk 0s connected 0s legs 3 whole channels refused-a refused-b1 refused-b2
			one-a outbound carrier1 rejected talk 0s connected 0s legs 2 whole channels one-b1 one-b1
			queue-a inbound carrier1 answered talk 1m0s connected 1m19s legs 3 whole channels queue-g1 queue-g2 queue-a
			group-a inbound carrier1 answered talk 54s connected 54s legs 3 whole channels group-b1 group-b2 group-a
			in-a inbound acme answered talk 55s connected 55s legs 1 whole channels in-a
			out-a outbound beta answered talk 55s connected 55s legs 2 whole channels out-b out-b
			profile-a unknown - machine talk 0s connected 55s legs 1 whole channels profile-a
			fwd-a inbound acme answered talk 50s connected 50s legs 4 whole channels fwd-d fwd-b fwd-d fwd-d
			mail-a internal - voicemail talk 0s connected 20s legs 3 whole channels mail-b mail-b mail-c
			lost-a internal - no_answer talk 0s connected 0s legs 4 whole channels lost-a lost-b lost-c lost-d
			fwd-only-a inbound acme answered talk 50s connected 50s legs 2 whole channels fwd-d fwd-d
			mail-only-a internal - voicemail talk 0s connected 20s legs 2 whole channels mail-b mail-only-c
			xfer-a outbound carrier1 answered talk 50s connected 50s legs 3 whole channels xfer-b xfer-b xfer-c
			clicked-a outbound carrier1 busy talk 0s connected 27s legs 2 whole channels clicked-b clicked-b
			talked-a outbound carrier1 answered talk 50s connected 57s legs 2 whole channels talked-b talked-b
			dialled-a outbound acme answered talk 57s connected 57s legs 2 whole channels dialled-b dialled-b
			menu-a inbound acme machine talk 0s connected 40s legs 2 whole channels menu-a menu-b
			told-a outbound carrier1 failed talk 0s connected 0s legs 2 whole channels told-a told-b
			ours-a internal - busy talk 0s connected 12s legs 2 whole channels ours-a ours-b
			both-a outbound carrier2 invalid_number talk 0s connected 0s legs 3 whole channels both-c both-b both-c
			picked-a inbound acme answered talk 5s connected 5s legs 3 whole channels picked-c picked-b picked-a
			pickup-a inbound acme answered talk 5s connected 5s legs 3 whole channels pickup-c pickup-b pickup-a
			fifo-a inbound acme answered talk 5s connected 9s legs 2 whole channels fifo-b fifo-a
			parked-a inbound acme answered talk 8s connected 12s legs 3 whole channels parked-c parked-b parked-a
			asked-a inbound acme answered talk 11s connected 11s legs 3 whole channels asked-c asked-b asked-c
			joined-a inbound acme answered talk 10s connected 10s legs 1 whole channels joined-b
			joined-b internal - answered talk 7s connected 7s legs 1 whole channels joined-a
			replaced-a inbound acme answered talk 11s connected 11s legs 2 whole channels replaced-d replaced-b
			replaced-c internal - answered talk 7s connected 7s legs 2 whole channels replaced-d replaced-d
			heard-a inbound acme answered talk 5s connected 9s legs 2 whole channels heard-b heard-b
			survey-a inbound acme answered talk 4s connected 7s legs 2 whole channels survey-b survey-b
			talks-a inbound acme answered talk 5m20s connected 5m20s legs 3 whole channels talks-c talks-b talks-a
			passed-a inbound acme answered talk 5m20s connected 5m20s legs 3 whole channels passed-e passed-b passed-a
			passed-d internal - answered talk 5m7s connected 5m7s legs 2 whole channels passed-e passed-e`},
		// A caller whom two children don't answer, a trunk, softphones that call a number and another softphone,
		// a softphone that is called first, and a telephone that registered.
		{"twilio", "calls", "twilio_calls.jsonl", nil, `
			CA0000000000000000000000000000000b inbound - machine talk 0s connected 40s legs 3 whole
			CA0000000000000000000000000000000e outbound TK1 answered talk 30s connected 30s legs 1 whole
			CA00000000000000000000000000000010 outbound - busy talk 0s connected 25s legs 2 whole
			CA00000000000000000000000000000012 internal - answered talk 30s connected 40s legs 2 whole
			CA00000000000000000000000000000014 outbound - no_answer talk 0s connected 55s legs 2 whole
			CA00000000000000000000000000000016 outbound - busy talk 0s connected 25s legs 2 whole`},
		// The last five: a conference that drops a party, two callers of Conference Now, a parked caller, and a user
		// who calls through the office from the mobile.
		{"cucm", "cdr", "cucm_calls.csv", map[string][]string{"trunks": {"SIPTRUNK*"}}, `
			StandAloneCluster/2/28377 inbound SIPTRUNK-A answered talk 42s connected 42s legs 1 whole
			StandAloneCluster/2/28380 inbound SIPTRUNK-A answered talk 3m0s connected 3m0s legs 2 whole
			StandAloneCluster/2/28381 internal - answered talk 10s connected 10s legs 1 not whole
			StandAloneCluster/2/28390 inbound SIPTRUNK-A cancelled talk 0s connected 0s legs 1 whole
			StandAloneCluster/2/28391 outbound SIPTRUNK-A busy talk 0s connected 0s legs 1 whole
			StandAloneCluster/2/28392 outbound SIPTRUNK-A invalid_number talk 0s connected 0s legs 1 whole
			StandAloneCluster/2/28400 inbound SIPTRUNK-A answered talk 5m15s connected 5m15s legs 5 whole
			StandAloneCluster/2/28410 inbound SIPTRUNK-A answered talk 10m0s connected 10m14s legs 2 whole
			StandAloneCluster/2/28411 inbound SIPTRUNK-A machine talk 0s connected 9s legs 1 whole
			StandAloneCluster/2/28420 inbound SIPTRUNK-A answered talk 1m4s connected 1m4s legs 2 whole
			StandAloneCluster/2/28430 inbound SIPTRUNK-A answered talk 25s connected 30s legs 2 whole`},
	} {
		rows, err := os.ReadFile("testdata/" + c.rows)
		require.NoError(t, err)
		m := builtin(t, c.provider, c.feed, c.parameters)
		got := strings.Join(callsOf(t, m, rows, c.rows == "freeswitch_legs.jsonl"), "\n")
		if want := strings.ReplaceAll(c.want, "\t", ""); got != strings.TrimSpace(want) {
			t.Errorf("%s: calls are\n%s\nwant\n%s", c.provider, got, want)
		}
	}
}

// Asterisk: the outside party of a call is transferred to another telephone, or to another outside party, and its
// trunk stays connected.
func TestTrunkOfATransferredParty(t *testing.T) {
	rows, err := os.ReadFile("testdata/asterisk_calls.csv")
	require.NoError(t, err)
	legs := map[string][]cdr.Leg{}
	m := builtin(t, "asterisk", "cdr", map[string][]string{"trunks": {"IAX2/trunk*", "PJSIP/trunk*"}})
	for _, mapped := range m.Try(rows) {
		legs[mapped.Record.CallKey] = append(legs[mapped.Record.CallKey], mapped.Record.CallLegs()...)
	}
	for key, want := range map[string]string{
		"1795716471.48": " outbound 13s", "1795716471.73": " inbound 13s",
		"1795970073.207": " outbound 10s outbound 4s",
	} {
		got := ""
		for _, on := range calls.Of(legs[key]).Trunks {
			got += fmt.Sprint(" ", on.Direction, " ", calls.Length(on.Connected))
		}
		if got != want {
			t.Errorf("%s: the trunk was connected %s, want %s", key, got, want)
		}
	}
}
