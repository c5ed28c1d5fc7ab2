package declared_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestQueueLog: what each line of an Asterisk's queue_log became.
func TestQueueLog(t *testing.T) {
	rows, err := os.ReadFile("testdata/queue_log")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ignored", "ignored", "ignored",
		`visit at 10:00:10 "support" answered 12s`,
		"ignored",
		`visit at 10:00:48 "support" abandoned 42s`,
		`visit at 10:00:40 "sales \"EMEA\", north" timeout 1m0s`,
		`visit at 10:01:35 "support" overflowed 15s`,
		`visit at 10:01:40 "support" other 20s`,
		`visit at 10:02:01 "support" other`,
		`visit at 10:02:04 "support" other 6s`,
		`visit at 10:02:11 "support" answered 0s`,
		`visit at 10:02:12 "support" abandoned`,
		`visit at 10:02:13 "support" abandoned`,
		"invalid: queue_wait has a failing expression: a value that it uses is missing, or isn't the number " +
			"or time that it needs",
		"invalid: queue_wait has a failing expression: a value that it uses is missing, or isn't the number " +
			"or time that it needs",
		"invalid: end has a failing expression: a value that it uses is missing, or isn't the number or time " +
			"that it needs",
		"invalid: end has a failing expression: a value that it uses is missing, or isn't the number or time " +
			"that it needs",
		"ignored",
	}
	lines := 0
	for number, m := range builtin(t, "asterisk", "queue_log", nil).Try(rows) {
		if lines++; number > len(want) || visitsOf(m) != want[number-1] {
			t.Errorf("line %d became %s", number, visitsOf(m))
		}
	}
	if lines != len(want) {
		t.Errorf("there are %d lines", lines)
	}
}

// TestEveryQueueEvent: every event of app_queue and its neighbours (apps/app_queue.c,
// main/logger.c) ends a visit or is ignored, and so is any event that a dialplan or manager
// invents.
func TestEveryQueueEvent(t *testing.T) {
	m := builtin(t, "asterisk", "queue_log", nil)
	columns := []string{"epoch", "callid", "queue", "agent", "event", "a1", "a2", "a3", "a4"}
	for event, want := range map[string]string{
		"CONNECT": "answered", "ABANDON": "abandoned", "EXITWITHTIMEOUT": "timeout", "EXITEMPTY": "overflowed",
		"EXITWITHKEY": "other", "WITHDRAW": "other",
		"SYSCOMPAT AGENTDUMP ENTERQUEUE RINGNOANSWER RINGCANCELED COMPLETEAGENT COMPLETECALLER BLINDTRANSFER " +
			"ATTENDEDTRANSFER TRANSFER ADDMEMBER " +
			"REMOVEMEMBER PAUSE UNPAUSE PAUSEALL UNPAUSEALL PENALTY RINGINUSE AGENTLOGIN AGENTLOGOFF OUTCALL " +
			"QUEUESTART CONFIGRELOAD DID INFO connect": "",
	} {
		for one := range strings.FieldsSeq(event) {
			got := m.MapFields(columns, []string{"1795428010", "1", "support", "NONE", one, "1", "2", "3", "4"})
			if got.Ignored != (want == "") || want != "" &&
				(got.Record == nil || got.Record.Visits[0].Result.String() != want || len(got.Unmapped) > 0) {
				t.Errorf("%s became %s", one, visitsOf(got))
			}
		}
	}
}

// TestFreeSWITCHQueues: what mod_callcenter leaves on a caller's channel. Only the cause says how
// the last visit ended: other values may be of an earlier one.
func TestFreeSWITCHQueues(t *testing.T) {
	m := builtin(t, "freeswitch", "cdr", nil)
	for _, c := range []struct {
		name, variables, want string
	}{
		{"no queue", ``, "call at 10:00:01"},
		{"an agent's leg", `"cc_side":"agent","cc_queue":"support%40default","cc_cause":"answered"`, "ignored"},
		{"no name", `"cc_side":"member","cc_cause":"answered"`, "call at 10:00:01"},
		{
			"answered",
			`"cc_side":"member","cc_queue":"support%40default","cc_cause":"answered","cc_queue_joined_epoch":"1795428003","cc_queue_answered_epoch":"1795428015"`,
			`call at 10:00:01 "support@default" answered 12s`,
		},
		{
			"answered after another visit was given up",
			`"cc_side":"member","cc_queue":"b","cc_cause":"answered","cc_cancel_reason":"TIMEOUT","cc_queue_joined_epoch":"1795428103",` +
				`"cc_queue_canceled_epoch":"1795428063","cc_queue_answered_epoch":"1795428110"`,
			`call at 10:00:01 "b" answered 7s`,
		},
		{
			"given up after another visit was answered",
			`"cc_side":"member","cc_queue":"b","cc_cause":"cancel","cc_cancel_reason":"BREAK_OUT","cc_queue_joined_epoch":"1795428103",` +
				`"cc_queue_canceled_epoch":"1795428163","cc_queue_answered_epoch":"1795428010"`,
			`call at 10:00:01 "b" abandoned 1m0s`,
		},
		{
			"a time that is left over",
			`"cc_side":"member","cc_queue":"b","cc_cause":"answered","cc_queue_joined_epoch":"1795428103","cc_queue_answered_epoch":"1795428010"`,
			`call at 10:00:01 "b" answered`,
		},
		{
			"no cause",
			`"cc_side":"member","cc_queue":"b","cc_cancel_reason":"TIMEOUT","cc_queue_joined_epoch":"1795428103","cc_queue_answered_epoch":"1795428110"`, `call at 10:00:01 "b" other`,
		},
		{"no reason", `"cc_side":"member","cc_queue":"b","cc_cause":"cancel"`, `call at 10:00:01 "b" other`},
		{
			"a new reason", `"cc_side":"member","cc_queue":"b","cc_cause":"cancel","cc_cancel_reason":"SHUTDOWN"`,
			`call at 10:00:01 "b" other unmapped SHUTDOWN`,
		},
		{
			"a new cause", `"cc_side":"member","cc_queue":"b","cc_cause":"moved","cc_cancel_reason":"NONE"`,
			`call at 10:00:01 "b" other unmapped moved`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			variables := map[string]string{}
			if err := json.Unmarshal([]byte("{"+c.variables+"}"), &variables); err != nil {
				t.Fatal(err)
			}
			variables["uuid"], variables["start_epoch"], variables["answer_epoch"] = "1", "1795428001", "1795428002"
			row, err := json.Marshal(map[string]any{"variables": variables})
			if err != nil {
				t.Fatal(err)
			}
			if got := visitsOf(m.MapJSON(row)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestCiscoQueues: the reason of the last redirect says first how a visit ended, then whether the
// call was answered, then the cause.
func TestCiscoQueues(t *testing.T) {
	m := builtin(t, "cucm", "cdr", nil)
	columns := []string{
		"pkid", "dateTimeOrigination", "wasCallQueued", "lastRedirectRedirectReason", "huntPilotDN",
		"totalWaitTimeInQueue", "dateTimeConnect", "origCause_value", "destCause_value",
	}
	const start, answered = "1795428001", "1795428040"
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"not queued", []string{"0", "0", "7000", "0", answered, "0", "16"}, "call at 10:00:01"},
		{"a release without queues", []string{"", "", "", "", answered, "0", "16"}, "call at 10:00:01"},
		{"answered", []string{"1", "802", "7000", "39", answered, "0", "16"}, `call at 10:00:01 "7000" answered 39s`},
		{
			"left while queued, after a prompt",
			[]string{"1", "786", "7000", "12", answered, "16", "0"},
			`call at 10:00:01 "7000" abandoned 12s`,
		},
		{
			"maximum wait",
			[]string{"1", "850", "7000", "60", answered, "0", "16"},
			`call at 10:00:01 "7000" timeout 1m0s`,
		},
		{"queue full", []string{"0", "834", "7000", "0", answered, "0", "16"}, `call at 10:00:01 "7000" overflowed 0s`},
		{"nobody logged in", []string{"0", "818", "", "0", "0", "0", "17"}, `call at 10:00:01 "" overflowed 0s`},
		{"hung up", []string{"1", "0", "7000", "", "0", "0", "0"}, `call at 10:00:01 "7000" abandoned`},
		{
			"hung up, said by the caller's side",
			[]string{"1", "0", "7000", "5", "0", "16", "0"},
			`call at 10:00:01 "7000" abandoned 5s`,
		},
		{
			"a cause of SIP",
			[]string{"1", "0", "7000", "5", "0", "0", "1073741855"},
			`call at 10:00:01 "7000" abandoned 5s`,
		},
		{
			"a negative cause",
			[]string{"1", "0", "7000", "5", "0", "0", "-1493172208"},
			`call at 10:00:01 "7000" abandoned 5s`,
		},
		{"another cause", []string{"1", "0", "7000", "5", "0", "0", "41"}, `call at 10:00:01 "7000" other 5s`},
		{
			"a cause that isn't a number",
			[]string{"1", "0", "7000", "5", "0", "0", "x"},
			`call at 10:00:01 "7000" other 5s unmapped x`,
		},
		{"a split", []string{"1", "802", "7000", "39", answered, "0", "393216"}, "call at 10:00:01"},
		{"dropped from a conference", []string{"1", "802", "7000", "39", answered, "458752", "0"}, "ignored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := m.MapFields(columns, append([]string{"1", start}, c.fields...))
			line := visitsOf(got)
			if line != c.want {
				t.Errorf("got %s, want %s", line, c.want)
			}
		})
	}
}
