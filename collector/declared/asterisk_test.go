package declared_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// masterRow is a row of Master.csv as cdr_csv writes it, with what newcdrcolumns and the others add behind amaflags.
func masterRow(channel, dstchannel, lastapp, disposition, more string) string {
	answer, billsec := "", 0
	if disposition == "ANSWERED" {
		answer, billsec = `"2026-11-23 10:00:09"`, 54
	}
	return fmt.Sprintf(`"","4930123456","101","from-trunk","""Ann"" <4930123456>",%q,%q,%q,"PJSIP/101,20","2026-11-23 10:00:01",`+
		`%s,"2026-11-23 10:01:03",62,%d,%q,"DOCUMENTATION"%s`, channel, dstchannel, lastapp, answer, billsec,
		disposition, more)
}

const allColumns = `,"1795428001.26","","","1795428001.25",52`

func TestAsterisk(t *testing.T) {
	const carrier, phone = "PJSIP/carrier-a-0000001a", "PJSIP/101-0000001b"
	for _, c := range []struct {
		name, row, trunks string
		direction         cdr.Direction
		trunk, group      string
		outcome           cdr.Outcome
	}{
		{
			"inbound", masterRow(carrier, phone, "Dial", "ANSWERED", allColumns), "PJSIP/carrier*", cdr.Inbound,
			"PJSIP/carrier-a", "1795428001.25", cdr.Answered,
		},
		{
			"outbound", masterRow(phone, carrier, "Dial", "BUSY", `,"1795428001.26"`), "PJSIP/carrier-a", cdr.Outbound,
			"PJSIP/carrier-a", "1795428001.26", cdr.Busy,
		},
		{
			"internal", masterRow(phone, "PJSIP/102-0000001c", "Dial", "NO ANSWER", ""), "PJSIP/carrier*", cdr.Internal,
			"", "", cdr.NoAnswer,
		},
		{
			"without trunks", masterRow(carrier, phone, "Dial", "CANCEL", `,"1795428001.26","x"`), "",
			cdr.DirectionUnknown, "", "1795428001.26", cdr.Cancelled,
		},
		{
			"a number in the channel", masterRow(phone, "DAHDI/i1/4930123456-5a", "Dial", "FAILED", ""), "DAHDI/*",
			cdr.Outbound, "DAHDI/i1", "", cdr.Failed,
		},
		{
			"a channel of another technology", masterRow("Dongle/dongle0-0100000001", phone, "Dial", "ANSWERED", ""),
			"Dongle/*", cdr.Inbound, "Dongle/dongle0", "", cdr.Answered,
		},
		{
			"a number in a local channel", masterRow("Local/4930123456@x-00000001;1", "", "Dial", "CONGESTION", ""),
			"Local/*", cdr.Inbound, "", "", cdr.Failed,
		},
		{
			"voicemail", masterRow(carrier, "", "VoiceMail", "ANSWERED", ""), "PJSIP/carrier*", cdr.Inbound,
			"PJSIP/carrier-a", "", cdr.Voicemail,
		},
		{
			"a queue picked up", masterRow(carrier, "", "Queue", "ANSWERED", ""), "PJSIP/carrier*", cdr.Inbound,
			"PJSIP/carrier-a", "", cdr.Machine,
		},
		{
			"a queue put the caller through", masterRow(carrier, phone, "Queue", "ANSWERED", ""), "PJSIP/carrier*",
			cdr.Inbound, "PJSIP/carrier-a", "", cdr.Answered,
		},
		{
			"a conference", masterRow(carrier, "", "ConfBridge", "ANSWERED", ""), "PJSIP/carrier*", cdr.Inbound,
			"PJSIP/carrier-a", "", cdr.Answered,
		},
		{
			"columns without channels", masterRow("", "", "Dial", "ANSWERED", ""), "PJSIP/carrier*", cdr.Internal, "", "",
			cdr.Answered,
		},
		{
			"nothing is known", masterRow(carrier, "", "Dial", "UNKNOWN", ""), "PJSIP/carrier*", cdr.Inbound,
			"PJSIP/carrier-a", "", cdr.Unknown,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, m := range tryAsterisk(t, c.row, c.trunks) {
				r := m.Record
				if r == nil || len(m.Unmapped) > 0 {
					t.Fatalf("no record: %s, unmapped %v", m.Invalid, m.Unmapped)
				}
				if r.Direction != c.direction || r.Trunk != c.trunk || r.CallKey != c.group || r.Outcome != c.outcome {
					t.Errorf("direction %s, trunk %q, group %q, outcome %s", r.Direction, r.Trunk, r.CallKey, r.Outcome)
				}
				if !r.Start.Equal(time.Date(2026, 11, 23, 9, 0, 1, 0, time.UTC)) ||
					r.Outcome.Connected() && (r.Duration != 54*time.Second || r.Answer.Sub(r.Start) != 8*time.Second) {
					t.Errorf("it started at %s, was answered at %s and took %s", r.Start, r.Answer, r.Duration)
				}
			}
		})
	}
}

func tryAsterisk(t *testing.T, row, trunks string) (all []rowmap.Result) {
	t.Helper()
	text, err := declared.BuiltinText("asterisk")
	if err != nil {
		t.Fatal(err)
	}
	d, err := declared.Load("asterisk.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	feed := d.Feeds["cdr"]
	settings := declared.MapperSettings{Zone: zone, Parameters: map[string][]string{"trunks": strings.Fields(trunks)}}
	for _, m := range declared.NewMapper(&feed, settings).Try([]byte(row)) {
		all = append(all, m)
	}
	return all
}

// TestAsteriskWithoutIDs: a file whose columns leave out an id never waits for the row of the first channel.
func TestAsteriskWithoutIDs(t *testing.T) {
	for columns, want := range map[string]bool{
		"uniqueid,linkedid": false, "uniqueid": true, "linkedid": true,
		"": true,
	} {
		m := builtin(t, "asterisk", "cdr", nil)
		names, values := []string{"start", "disposition"}, []string{"2026-11-23 10:00:01", "BUSY"}
		for name := range strings.SplitSeq(columns, ",") {
			names, values = append(names, name), append(values, "id of "+name)
		}
		if got := m.MapFields(names, values); got.Record == nil || got.Record.Whole != want {
			t.Errorf("with %q whole is %t, %s", columns, !want, got.Invalid)
		}
	}
}

// TestTryKeepsBlanks: a row of one column is a line in which places count, also when it is the last one.
func TestTryKeepsBlanks(t *testing.T) {
	const text = `provider: acmefixed
files: {read: lines, format: csv, separator: "\x01", columns: [line]}
feeds:
  calls:
    ignore: 'len(line) != 32'
    record: {start: {path: line, match: '^(.{20})', time: rfc3339}, outcome: {is: answered}}
`
	d, err := declared.Load("acmefixed.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	feed := d.Feeds["calls"]
	for number, m := range declared.NewMapper(&feed, declared.MapperSettings{}).
		Try([]byte("2026-11-23T10:00:00Z 4101       \n")) {
		if m.Record == nil {
			t.Errorf("row %d is ignored, %s", number, m.Invalid)
		}
	}
}
