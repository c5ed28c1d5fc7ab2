package declared_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// builtin makes a mapper of a feed that is built in.
func builtin(t *testing.T, provider, feed string, parameters map[string][]string) *declared.Mapper {
	t.Helper()
	text, err := declared.BuiltinText(provider)
	require.NoError(t, err)
	d, err := declared.Load(provider+".yaml", text)
	require.NoError(t, err)
	f := d.Feeds[feed]
	return declared.NewMapper(&f, declared.MapperSettings{Parameters: parameters})
}

// became says in a line what a row became.
func became(m rowmap.Result) string {
	switch r := m.Record; {
	case m.Ignored:
		return "ignored"
	case r == nil:
		return "invalid: " + m.Invalid
	default:
		return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s %s %s>%s %s", r.Direction, r.Outcome, r.Reason,
			r.FaultDomain, r.Trunk, r.Duration, r.CallerNumber, r.CalleeNumber, r.CallKey)), " ")
	}
}

// freeswitchCauses are switch_call_cause_t of FreeSWITCH's src/include/switch_types.h, with the
// number that hangup_cause_q850 has: 16 above 127.
const freeswitchCauses = `
NONE 0 UNALLOCATED_NUMBER 1 NO_ROUTE_TRANSIT_NET 2 NO_ROUTE_DESTINATION 3 CHANNEL_UNACCEPTABLE 6
CALL_AWARDED_DELIVERED 7 NORMAL_CLEARING 16 USER_BUSY 17 NO_USER_RESPONSE 18 NO_ANSWER 19 SUBSCRIBER_ABSENT 20
CALL_REJECTED 21 NUMBER_CHANGED 22 REDIRECTION_TO_NEW_DESTINATION 23 EXCHANGE_ROUTING_ERROR 25
DESTINATION_OUT_OF_ORDER 27 INVALID_NUMBER_FORMAT 28 FACILITY_REJECTED 29 RESPONSE_TO_STATUS_ENQUIRY 30
NORMAL_UNSPECIFIED 31 NORMAL_CIRCUIT_CONGESTION 34 NETWORK_OUT_OF_ORDER 38 NORMAL_TEMPORARY_FAILURE 41
SWITCH_CONGESTION 42 ACCESS_INFO_DISCARDED 43 REQUESTED_CHAN_UNAVAIL 44 PRE_EMPTED 45 FACILITY_NOT_SUBSCRIBED 50
OUTGOING_CALL_BARRED 52 INCOMING_CALL_BARRED 54 BEARERCAPABILITY_NOTAUTH 57 BEARERCAPABILITY_NOTAVAIL 58
SERVICE_UNAVAILABLE 63 BEARERCAPABILITY_NOTIMPL 65 CHAN_NOT_IMPLEMENTED 66 FACILITY_NOT_IMPLEMENTED 69
SERVICE_NOT_IMPLEMENTED 79 INVALID_CALL_REFERENCE 81 INCOMPATIBLE_DESTINATION 88 INVALID_MSG_UNSPECIFIED 95
MANDATORY_IE_MISSING 96 MESSAGE_TYPE_NONEXIST 97 WRONG_MESSAGE 98 IE_NONEXIST 99 INVALID_IE_CONTENTS 100
WRONG_CALL_STATE 101 RECOVERY_ON_TIMER_EXPIRE 102 MANDATORY_IE_LENGTH_ERROR 103 PROTOCOL_ERROR 111
INTERWORKING 127 SUCCESS 16 ORIGINATOR_CANCEL 16 CRASH 16 SYSTEM_SHUTDOWN 16 LOSE_RACE 16 MANAGER_REQUEST 16
BLIND_TRANSFER 16 ATTENDED_TRANSFER 16 ALLOTTED_TIMEOUT 16 USER_CHALLENGE 16 MEDIA_TIMEOUT 16 PICKED_OFF 16
USER_NOT_REGISTERED 16 PROGRESS_TIMEOUT 16 INVALID_GATEWAY 16 GATEWAY_DOWN 16 INVALID_URL 16 INVALID_PROFILE 16
NO_PICKUP 16 SRTP_READ_ERROR 16 BOWOUT 16 BUSY_EVERYWHERE 16 DECLINE 16 DOES_NOT_EXIST_ANYWHERE 16
NOT_ACCEPTABLE 16 UNWANTED 16 NO_IDENTITY 16 BAD_IDENTITY_INFO 16 UNSUPPORTED_CERTIFICATE 16 INVALID_IDENTITY 16
STALE_DATE 16 REJECT_ALL 16`

// TestFreeSWITCHCauses: every cause has an outcome; those of FreeSWITCH's own, whose number says
// 16, by their names. Causes that say only that the dialplan ended give unknown, and a leg that
// another one replaced has no outcome. The cause of the bridge means the same as the leg's own.
func TestFreeSWITCHCauses(t *testing.T) {
	m := builtin(t, "freeswitch", "cdr", nil)
	legOnly := "LOSE_RACE BLIND_TRANSFER ATTENDED_TRANSFER PICKED_OFF"
	unknown := "NORMAL_CLEARING NORMAL_UNSPECIFIED SUCCESS"
	words := strings.Fields(freeswitchCauses)
	for i := 0; i < len(words); i += 2 {
		row := fmt.Sprintf(`{"variables":{"uuid":"1","start_epoch":"1795428001","answer_epoch":"0","hangup_cause":%q,"hangup_cause_q850":%q}}`, words[i], words[i+1])
		got := m.MapJSON([]byte(row))
		if got.Record == nil || len(got.Unmapped) > 0 || got.Record.NoOutcome != strings.Contains(legOnly, words[i]) ||
			(got.Record.Outcome == cdr.Unknown) != strings.Contains(unknown+" "+legOnly, words[i]) ||
			(got.Record.Outcome == cdr.Cancelled) != (words[i] == "ORIGINATOR_CANCEL") {
			t.Fatalf("%s became %s, unmapped %v", words[i], became(got), got.Unmapped)
		}
		bridge := m.MapJSON(fmt.Appendf(nil,
			`{"variables":{"uuid":"1","start_epoch":"1795428001","answer_epoch":"0","hangup_cause":"NORMAL_CLEARING",`+
				`"hangup_cause_q850":"16","last_bridge_hangup_cause":%q}}`, words[i]))
		if words[i] != "PRE_EMPTED" && bridge.Record.Outcome != got.Record.Outcome {
			t.Errorf("%s of the bridge became %s, not %s", words[i], bridge.Record.Outcome, got.Record.Outcome)
		}
	}
}

// TestCiscoCauses: every cause of Cisco's guide has a place, also as the guide's 32-bit numbers of SIP codes.
func TestCiscoCauses(t *testing.T) {
	m := builtin(t, "cucm", "cdr", nil)
	columns := []string{"pkid", "finalCalledPartyNumber", "dateTimeOrigination", "origCause_value", "destCause_value"}
	for _, c := range []struct{ causes, want string }{
		{"126 393216 128 458752", "unknown"},
		{"0 16 31", "cancelled"},
		{"17 1174405137", "busy"},
		{"18 19 20 1073741842", "no_answer"},
		{"21", "rejected"},
		{"1 2 3 5 22 28 83886081", "invalid_number"},
		{"8 9 46 50 53 54 55 57 62 87 122 124 262144", "not_allowed"},
		{
			"4 6 7 25 26 27 29 30 34 38 39 40 41 42 43 44 47 49 58 63 65 66 69 70 79 81 82 83 84 85 86 88 90 91 " +
				"95 96 97 98 99 100 101 102 103 110 111 125 127 " +
				"129 131 132 133 134 135 136 137 138 139 140 141 142 143 144 145 146 147 148 1459617833 -1493172161",
			"failed",
		},
	} {
		for cause := range strings.FieldsSeq(c.causes) {
			for _, causes := range [][]string{{"0", cause}, {cause, "0"}} {
				fields := append([]string{"1", "4101", "1795428001"}, causes...)
				got := m.MapFields(columns, fields)
				if text := became(got); len(got.Unmapped) > 0 || text != c.want &&
					!strings.HasPrefix(text, "unknown "+c.want+" ") {
					t.Errorf("%v became %s, unmapped %v; want %s", causes, text, got.Unmapped, c.want)
				}
			}
		}
	}
	if got := m.MapFields(columns, []string{"1", "4101", "1795428001", "0", "x"}); len(got.Unmapped) != 1 {
		t.Errorf("a cause that isn't a number became %s, unmapped %v", became(got), got.Unmapped)
	}
}
