package otlp

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

var callStart = time.Date(2026, 3, 1, 12, 0, 0, 105_000_000, time.UTC)

func money(t testing.TB, text string) cdr.Money {
	t.Helper()
	m, err := cdr.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fullRecord has every field that a record can have.
func fullRecord(t testing.TB) *cdr.Record {
	return &cdr.Record{
		ID: "9e8bba57-dc14-533a-a7dd-f0da6575eed1", CallID: "c98e1515-a937-4b81-b8a8-3992afde64e0",
		Invite: callStart.Add(-4 * time.Second), Start: callStart, Answer: callStart.Add(time.Second),
		End: callStart.Add(63*time.Second + 500*time.Millisecond), Duration: 62500 * time.Millisecond,
		Direction: cdr.Outbound, CallType: "byot_out", Outcome: cdr.Answered, Trunk: "sbc1.example.com",
		SIPCode: cdr.KnownInt(0), SubCode: cdr.KnownInt(540000), Reason: "normal", ReasonPhrase: "BYE",
		Charges: []cdr.Charge{
			{Component: "connection", Currency: "USD", Amount: money(t, "0.0150")},
			{Component: "usage", Currency: "USD", Amount: money(t, "0.30")},
		},
		Country: "DE", MediaBypass: cdr.False, MediaLocation: "USWE", SignalLocation: "EUNO",
		Emergency: cdr.EmergencyTest, Recordings: []cdr.Recording{{ID: "rec-1", Type: "automatic"}},
		Legs:         []cdr.Leg{{Type: "accept"}, {Type: "accept"}},
		CallerNumber: "+4930********", CalleeNumber: "+1202555****",
		UserID: "h:1c0f", UserName: "h:77aa", UserPrincipal: "h:9b3d",
		Extra: []cdr.Attr{
			cdr.Text("license_capability", "MCOPSTN1", cdr.Plain), cdr.Whole("media_port", 0),
			cdr.Truth("transferred", false), cdr.Texts("other_party_countries", []string{"US", "CA"}, cdr.Plain),
			cdr.Text("empty", "", cdr.Plain), cdr.Texts("none", nil, cdr.Plain),
		},
	}
}

func fullEvent() *counting.Event {
	return &counting.Event{
		Name: "cdr.call.revised", Source: "contoso", Provider: "msgraph", Feed: "direct_routing",
		RecordID: "9e8bba57-dc14-533a-a7dd-f0da6575eed1", Version: 2, Changed: []string{"charge", "outcome"},
		Observed: callStart.Add(3 * time.Minute),
	}
}

// fullSession is an event of a session that has every field.
func fullSession() *counting.Event {
	event := fullEvent()
	event.Name, event.Feed, event.Version, event.Changed = "cdr.session", "call_records", 1, nil
	event.Session = &cdr.Session{
		ID: "e523d2ed-2966-4b6b-925b-754a88034cc5", Start: callStart.Add(time.Second),
		End:    callStart.Add(64 * time.Second),
		Result: cdr.SessionDropped, Media: "video", Stage: "midcall", Reason: "network",
		UserID: "h:1c0f", UserName: "h:77aa", UserPrincipal: "h:9b3d", Number: "+1202555****", Direction: cdr.Outbound,
		Extra: []cdr.Attr{cdr.Text("caller_platform", "windows", cdr.Plain), cdr.Truth("is_test", true)},
	}
	return event
}

// bareSession is an event of a session that has what every session has.
func bareSession() *counting.Event {
	event := bareEvent()
	event.Name, event.Session = "cdr.session", &cdr.Session{ID: "s", Start: callStart, Media: "audio"}
	return event
}

// fullVisit is an event of a visit to a queue that has every field.
func fullVisit() *counting.Event {
	event := fullEvent()
	event.Name, event.Version, event.Changed = "cdr.queue_visit", 1, nil
	event.Visit = &cdr.Visit{
		ID: "v", Queue: "support", Result: cdr.QueueAbandoned,
		Start: callStart.Add(2 * time.Second), Wait: cdr.KnownLength(42 * time.Second),
	}
	return event
}

// bareRecord has only what every record has.
func bareRecord() *cdr.Record {
	return &cdr.Record{Start: callStart, Outcome: cdr.NotConnected}
}

func bareEvent() *counting.Event {
	return &counting.Event{
		Name: "cdr.call", Source: "wave", Provider: "wavix", Feed: "call_log", RecordID: "17", Version: 1,
		Observed: callStart.Add(time.Minute),
	}
}

// decode reads a batch back.
func decode(t testing.TB, batch []byte) []*logspb.LogRecord {
	t.Helper()
	var scope logspb.ScopeLogs
	if err := proto.Unmarshal(batch, &scope); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	if len(scope.ProtoReflect().GetUnknown()) > 0 {
		t.Fatal("the batch has unknown fields")
	}
	return scope.GetLogRecords()
}

// attributeOf is a record's attribute by key, nil if it has none.
func attributeOf(r *logspb.LogRecord, key string) *commonpb.AnyValue {
	for _, kv := range r.GetAttributes() {
		if kv.GetKey() == key {
			return kv.GetValue()
		}
	}
	return nil
}

func TestRecordsGolden(t *testing.T) {
	tests := []struct {
		name     string
		observed bool
		record   *cdr.Record
		event    *counting.Event
	}{
		{"full", false, fullRecord(t), fullEvent()},
		{"bare", false, bareRecord(), bareEvent()},
		{"session", false, fullRecord(t), fullSession()},
		{"visit", false, fullRecord(t), fullVisit()},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			records := decode(t, Encoder{Observed: tc.observed}.AppendRecord(nil, tc.record, tc.event))
			if len(records) != 1 {
				t.Fatalf("%d records, want 1", len(records))
			}
			compact, err := protojson.Marshal(records[0])
			if err != nil {
				t.Fatal(err)
			}
			var plain, got bytes.Buffer
			if err := json.Compact(&plain, compact); err != nil { // protojson varies its spaces from build to build
				t.Fatal(err)
			}
			if err := json.Indent(&got, plain.Bytes(), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			golden.File(t, filepath.Join("testdata", "record_"+tc.name+".json"), got.Bytes())
		})
	}
}

// TestLegsAreTold: a leg's log record can't be taken for its call's.
func TestLegsAreTold(t *testing.T) {
	e := Encoder{}
	r, call := bareRecord(), bareEvent()
	row, part := *call, *call
	row.Name, part.Name, part.Leg = counting.EventLeg, counting.EventLeg, "2"
	for name, c := range map[string]struct {
		event    *counting.Event
		id, body string
	}{
		"a call": {call, "", "call "}, "a row that is a leg": {&row, row.RecordID, "leg "},
		"a part of a row": {&part, "2", "leg "},
	} {
		got := decode(t, e.AppendRecord(nil, r, c.event))[0]
		if id := attributeOf(got, "cdr.leg.id").GetStringValue(); id != c.id {
			t.Errorf("%s: cdr.leg.id is %q, want %q", name, id, c.id)
		}
		if body := strings.ToLower(got.GetBody().GetStringValue()); !strings.Contains(body, c.body) {
			t.Errorf("%s: %q", name, body)
		}
	}
}

func TestRecordsOfAnySizeJoin(t *testing.T) {
	e := Encoder{}
	for _, size := range []int{0, 1, 100, 15_000, 16_383, 20_000, 3_000_000} {
		r := bareRecord()
		r.ReasonPhrase = strings.Repeat("x", size)
		batch := e.AppendRecord([]byte{}, r, bareEvent())
		batch = e.AppendRecord(batch, bareRecord(), bareEvent())
		got := decode(t, batch)
		if len(got) != 2 || attributeOf(got[0], "cdr.reason_phrase").GetStringValue() != r.ReasonPhrase {
			t.Errorf("a record with %d bytes of text doesn't read back", size)
		}
	}
}

func TestTimestamps(t *testing.T) {
	long := bareRecord()
	long.Start = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name     string
		observed bool
		record   *cdr.Record
		want     uint64
	}{
		{"start", false, bareRecord(), uint64(callStart.UnixNano())},
		{"observed", true, bareRecord(), uint64(callStart.Add(time.Minute).UnixNano())},
		{"before 1970 is unknown", false, long, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := decode(t, Encoder{Observed: tc.observed}.AppendRecord(nil, tc.record, bareEvent()))[0]
			if got.GetTimeUnixNano() != tc.want {
				t.Errorf("timestamp %d, want %d", got.GetTimeUnixNano(), tc.want)
			}
			if want := uint64(callStart.Add(time.Minute).UnixNano()); got.GetObservedTimeUnixNano() != want {
				t.Errorf("observed timestamp %d, want %d", got.GetObservedTimeUnixNano(), want)
			}
		})
	}
}

func TestSeverityAndBodyOfEveryOutcome(t *testing.T) {
	tests := map[cdr.Outcome]struct {
		severity logspb.SeverityNumber
		body     string
	}{
		cdr.Unknown: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call of unknown outcome: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.Answered: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call answered, 1m2s, byot_in, via sbc1.example.com",
		},
		cdr.Voicemail: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call answered by voicemail, 1m2s, byot_in, via sbc1.example.com",
		},
		cdr.Machine: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call answered by a machine, 1m2s, byot_in, via sbc1.example.com",
		},
		cdr.Busy: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call found the line busy: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.NoAnswer: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call not answered: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.Cancelled: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call cancelled: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.Rejected: {
			logspb.SeverityNumber_SEVERITY_NUMBER_WARN,
			"Inbound call rejected: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.InvalidNumber: {
			logspb.SeverityNumber_SEVERITY_NUMBER_WARN,
			"Inbound call to an invalid number: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.NotAllowed: {
			logspb.SeverityNumber_SEVERITY_NUMBER_WARN,
			"Inbound call not allowed: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.Failed: {
			logspb.SeverityNumber_SEVERITY_NUMBER_ERROR,
			"Inbound call failed: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
		cdr.NotConnected: {
			logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			"Inbound call not connected: timeout (SIP 408), byot_in, via sbc1.example.com",
		},
	}
	for _, outcome := range cdr.Outcomes() {
		t.Run(outcome.String(), func(t *testing.T) {
			r := &cdr.Record{
				Start: callStart, Duration: 62 * time.Second, Direction: cdr.Inbound, CallType: "byot_in",
				Outcome: outcome,
				Trunk:   "sbc1.example.com", SIPCode: cdr.KnownInt(408), Reason: "timeout",
				ReasonPhrase: "secret phrase", CallerNumber: "+4930123456", CalleeNumber: "+4930654321",
				UserID: "an-id", UserName: "Some Body", UserPrincipal: "some@example.com",
			}
			got := decode(t, Encoder{}.AppendRecord(nil, r, bareEvent()))[0]
			want := tests[outcome]
			text := map[logspb.SeverityNumber]string{9: "INFO", 13: "WARN", 17: "ERROR"}[want.severity]
			if got.GetSeverityNumber() != want.severity || got.GetSeverityText() != text {
				t.Errorf("severity %v %q, want %v %q", got.GetSeverityNumber(), got.GetSeverityText(), want.severity,
					text)
			}
			if got.GetBody().GetStringValue() != want.body {
				t.Errorf("body %q, want %q", got.GetBody().GetStringValue(), want.body)
			}
		})
	}
}

func TestCharges(t *testing.T) {
	charge := func(component, currency, amount string) cdr.Charge {
		return cdr.Charge{Component: component, Currency: currency, Amount: money(t, amount)}
	}
	tests := []struct {
		name    string
		charges []cdr.Charge
		want    map[string]string
	}{
		{"none", nil, map[string]string{}},
		{
			"zero is an amount",
			[]cdr.Charge{charge("usage", "EUR", "0")},
			map[string]string{"cdr.charge": "0", "cdr.currency": "EUR"},
		},
		{"no currency", []cdr.Charge{charge("usage", "", "1.50")}, map[string]string{"cdr.charge": "1.5"}},
		{
			"usage before the others",
			[]cdr.Charge{charge("connection", "USD", "0.015"), charge("usage", "USD", "0.3")},
			map[string]string{"cdr.charge": "0.3", "cdr.currency": "USD", "cdr.wavix.connection_charge": "0.015"},
		},
		{
			"without usage the sum",
			[]cdr.Charge{charge("included", "USD", "0.1"), charge("purchased", "USD", "0.25")},
			map[string]string{
				"cdr.charge": "0.35", "cdr.currency": "USD", "cdr.wavix.included_charge": "0.1",
				"cdr.wavix.purchased_charge": "0.25",
			},
		},
		{
			"without usage, of two currencies",
			[]cdr.Charge{charge("included", "USD", "0.1"), charge("purchased", "EUR", "0.25")},
			map[string]string{"cdr.charge": "0.1", "cdr.currency": "USD", "cdr.wavix.purchased_charge": "0.25"},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := bareRecord()
			r.Charges = tc.charges
			record := decode(t, Encoder{}.AppendRecord(nil, r, bareEvent()))[0]
			got := make(map[string]string)
			for _, kv := range record.GetAttributes() {
				if strings.Contains(kv.GetKey(), "charge") || strings.Contains(kv.GetKey(), "currency") {
					if _, twice := got[kv.GetKey()]; twice {
						t.Errorf("%s is there twice", kv.GetKey())
					}
					got[kv.GetKey()] = kv.GetValue().GetStringValue()
				}
			}
			number, err := strconv.ParseFloat(got["cdr.charge"], 64) // the amount is a number too, for sums
			if _, shown := got["cdr.charge_amount"]; shown &&
				(err != nil || attributeOf(record, "cdr.charge_amount").GetDoubleValue() != number) {
				t.Errorf("cdr.charge_amount is %v, cdr.charge %s", attributeOf(record, "cdr.charge_amount"),
					got["cdr.charge"])
			} else if shown {
				delete(got, "cdr.charge_amount")
			} else if len(tc.want) > 0 {
				t.Error("cdr.charge_amount is missing")
			}
			if len(got) != len(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for k, v := range tc.want {
				if got[k] != v {
					t.Errorf("%s = %q, want %q", k, got[k], v)
				}
			}
		})
	}
}

// A duration that the provider doesn't give isn't one of 0 s: neither an average in a log store nor
// the line may take it for one.
func TestUnknownDurationIsAbsent(t *testing.T) {
	r := bareRecord()
	r.Outcome, r.NoDuration = cdr.Answered, true
	got := decode(t, Encoder{}.AppendRecord(nil, r, bareEvent()))[0]
	if v, line := attributeOf(got, "cdr.duration"), got.GetBody().GetStringValue(); v != nil ||
		line != "Call answered" {
		t.Errorf("cdr.duration = %v, body %q", v, line)
	}
}

func TestSeveralRecordingsAreAList(t *testing.T) {
	r := bareRecord()
	r.Recordings = []cdr.Recording{{ID: "a"}, {ID: "b"}}
	got := attributeOf(decode(t, Encoder{}.AppendRecord(nil, r, bareEvent()))[0], "cdr.recording.id").GetArrayValue().
		GetValues()
	if len(got) != 2 || got[0].GetStringValue() != "a" || got[1].GetStringValue() != "b" {
		t.Errorf("cdr.recording.id = %v, want a and b", got)
	}
}

func TestTextThatIsNotUTF8(t *testing.T) {
	r := bareRecord()
	r.ReasonPhrase, r.Trunk = "a\xffb", "\xfe"
	r.Extra = []cdr.Attr{cdr.Texts("list", []string{"\xff"}, cdr.Plain)}
	got := decode(t, Encoder{}.AppendRecord(nil, r, bareEvent()))[0]
	if v := attributeOf(got, "cdr.reason_phrase").GetStringValue(); v != "a\uFFFDb" {
		t.Errorf("cdr.reason_phrase = %q", v)
	}
	if v := attributeOf(got, "cdr.wavix.list").GetArrayValue().GetValues()[0].GetStringValue(); v != "\uFFFD" {
		t.Errorf("cdr.wavix.list = %q", v)
	}
	if v := got.GetBody().GetStringValue(); v != "Call not connected, via \uFFFD" {
		t.Errorf("body = %q", v)
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	for name, event := range map[string]*counting.Event{"a call": fullEvent(), "a session": fullSession()} {
		r := fullRecord(t)
		e := Encoder{}
		batch := make([]byte, 0, 64<<10)
		allocs := testing.AllocsPerRun(100, func() { batch = e.AppendRecord(batch[:0], r, event) })
		if allocs != 0 {
			t.Errorf("%s: %v allocations per record, want none", name, allocs)
		}
	}
}
