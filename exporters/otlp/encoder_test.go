package otlp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
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
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var callStart = time.Date(2026, 3, 1, 12, 0, 0, 105_000_000, time.UTC)

func money(t testing.TB, text string) cdr.Money {
	t.Helper()
	m, err := cdr.ParseMoney(text)
	require.NoError(t, err)
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

// encode is the log record of a record or a part of it.
func encode(t testing.TB, r *cdr.Record, e *counting.Event) *logspb.LogRecord {
	t.Helper()
	return decode(t, Encoder{}.AppendRecord(nil, r, e))[0]
}

// valueText is an attribute's value as a label has it; empty if it is absent.
func valueText(v *commonpb.AnyValue) string {
	var parts []string
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_ArrayValue:
		for _, one := range v.ArrayValue.GetValues() {
			parts = append(parts, valueText(one))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *commonpb.AnyValue_KvlistValue:
		for _, kv := range v.KvlistValue.GetValues() {
			parts = append(parts, kv.GetKey()+"="+valueText(kv.GetValue()))
		}
		return strings.Join(parts, " ")
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return fmt.Sprint(v.DoubleValue)
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	}
	return ""
}

// goldenJSON compares a message with a file.
func goldenJSON(t *testing.T, name string, message proto.Message) {
	t.Helper()
	varying, err := protojson.Marshal(message)
	require.NoError(t, err)
	var plain, got bytes.Buffer
	if err := json.Compact(&plain, varying); err != nil { // protojson varies its spaces from build to build
		t.Fatal(err)
	}
	require.NoError(t, json.Indent(&got, plain.Bytes(), "", "  "))
	got.WriteByte('\n')
	golden.File(t, filepath.Join("testdata", name+".json"), got.Bytes())
}

func TestRecordsGolden(t *testing.T) {
	for name, c := range map[string]struct {
		record *cdr.Record
		event  *counting.Event
	}{
		"full":    {fullRecord(t), fullEvent()},
		"bare":    {bareRecord(), bareEvent()},
		"session": {fullRecord(t), fullSession()},
		"visit":   {fullRecord(t), fullVisit()},
	} {
		t.Run(name, func(t *testing.T) {
			goldenJSON(t, "record_"+name, encode(t, c.record, c.event))
		})
	}
}

// inGoldens are the attributes that TestRecordsGolden checks and summary leaves out.
var inGoldens = []string{
	"log.record.uid", "cdr.record.id", "cdr.record.version", "cdr.source", "cdr.provider", "cdr.feed",
	"cdr.start_time", "cdr.end_time", "cdr.session.id", "cdr.outcome", "cdr.fault_domain",
}

// summary is a log record in one line: severity, seconds since callStart, body and attributes.
func summary(t *testing.T, r *logspb.LogRecord) string {
	t.Helper()
	number := map[string]logspb.SeverityNumber{"INFO": 9, "WARN": 13, "ERROR": 17}[r.GetSeverityText()]
	if r.GetSeverityNumber() != number {
		t.Errorf("%s has number %d", r.GetSeverityText(), r.GetSeverityNumber())
	}
	at := "never"
	if r.GetTimeUnixNano() != 0 {
		at = fmt.Sprintf("%gs", time.Unix(0, int64(r.GetTimeUnixNano())).Sub(callStart).Seconds())
	}
	all := fmt.Sprintf("%s %s %s", r.GetSeverityText(), at, r.GetBody().GetStringValue())
	for _, kv := range r.GetAttributes() {
		if !slices.Contains(inGoldens, kv.GetKey()) {
			all += fmt.Sprintf(" %s=%s", strings.TrimPrefix(kv.GetKey(), "cdr."), valueText(kv.GetValue()))
		}
	}
	return all
}

// TestSeverityAndLineOfEveryOutcome: the line names nobody.
func TestSeverityAndLineOfEveryOutcome(t *testing.T) {
	want := map[cdr.Outcome]string{
		cdr.Unknown:       "INFO of unknown outcome: timeout (SIP 408)",
		cdr.Answered:      "INFO answered, 1m2s",
		cdr.Voicemail:     "INFO answered by voicemail, 1m2s",
		cdr.Machine:       "INFO answered by a machine, 1m2s",
		cdr.Busy:          "INFO found the line busy: timeout (SIP 408)",
		cdr.NoAnswer:      "INFO not answered: timeout (SIP 408)",
		cdr.Cancelled:     "INFO cancelled: timeout (SIP 408)",
		cdr.Rejected:      "WARN rejected: timeout (SIP 408)",
		cdr.InvalidNumber: "WARN to an invalid number: timeout (SIP 408)",
		cdr.NotAllowed:    "WARN not allowed: timeout (SIP 408)",
		cdr.Failed:        "ERROR failed: timeout (SIP 408)",
		cdr.NotConnected:  "INFO not connected: timeout (SIP 408)",
	}
	for _, outcome := range cdr.Outcomes() {
		r := fullRecord(t)
		r.Direction, r.CallType, r.Outcome, r.Duration = cdr.Inbound, "byot_in", outcome, 62*time.Second
		r.SIPCode, r.Reason = cdr.KnownInt(408), "timeout"
		got, _, _ := strings.Cut(summary(t, encode(t, r, bareEvent())), " call.id=")
		level, line, _ := strings.Cut(want[outcome], " ")
		if want := level + " 0s Inbound call " + line + ", byot_in, via sbc1.example.com"; got != want {
			t.Errorf("%s: %s, want %s", outcome, got, want)
		}
	}
}

// TestRecords: the rules of single fields, in records that have nothing else.
func TestRecords(t *testing.T) {
	charge := func(component, currency, amount string) cdr.Charge {
		return cdr.Charge{Component: component, Currency: currency, Amount: money(t, amount)}
	}
	charges := func(all ...cdr.Charge) cdr.Record { return cdr.Record{Charges: all} }
	session := func(s cdr.Session) *counting.Event {
		e := bareSession()
		e.Session = &s
		return e
	}
	visit := func(v cdr.Visit) *counting.Event {
		e := bareEvent()
		e.Name, e.Visit = "cdr.queue_visit", &v
		return e
	}
	leg := func(id string) *counting.Event {
		e := bareEvent()
		e.Name, e.Leg = counting.EventLeg, id
		return e
	}
	visitOf := func(result cdr.QueueResult) *counting.Event {
		return visit(cdr.Visit{Queue: "support", Result: result})
	}
	agent := []cdr.Attr{cdr.Text("agent", "a1", cdr.Plain)}
	badText := []cdr.Attr{cdr.Texts("list", []string{"\xff"}, cdr.Plain)}
	inbound, outbound, internal := cdr.Record{Direction: cdr.Inbound}, cdr.Record{Direction: cdr.Outbound},
		cdr.Record{Direction: cdr.Internal}
	with := func(direction cdr.Direction) *counting.Event { // a session with a number, of a direction
		return session(cdr.Session{Number: "+1202555****", Direction: direction})
	}
	const call, ended = "INFO 0s Call of unknown outcome direction=unknown duration=0 ", "INFO 0s Session ended well"
	const caller, callee = ended + " session.result=ok caller.number=+1202555****",
		ended + " session.result=ok callee.number=+1202555****"
	later, year1601 := callStart.Add(time.Minute), time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)
	usage, connection := charge("usage", "USD", "0.3"), charge("connection", "USD", "0.015")
	included, inDollars, inEuros := charge("included", "USD", "0.1"), charge("purchased", "USD", "0.25"),
		charge("purchased", "EUR", "0.25")
	for _, c := range []struct {
		name   string
		record cdr.Record
		event  *counting.Event
		want   string
	}{
		{"a call", internal, nil, "INFO 0s Internal call of unknown outcome direction=internal duration=0"},
		{"a row that is a leg", cdr.Record{}, leg(""), strings.Replace(call, "Call", "Leg", 1) + "leg.id=17"},
		{
			"a part of a row", outbound, leg("2"),
			"INFO 0s Outbound leg of unknown outcome direction=outbound duration=0 leg.id=2",
		},
		{
			"before 1970",
			cdr.Record{Start: year1601},
			nil,
			"INFO never Call of unknown outcome direction=unknown duration=0",
		},
		{
			"a duration that the provider doesn't give",
			cdr.Record{Outcome: cdr.Answered, NoDuration: true},
			nil,
			"INFO 0s Call answered direction=unknown",
		},
		{
			"several recordings",
			cdr.Record{Recordings: []cdr.Recording{{ID: "a"}, {ID: "b"}}},
			nil,
			call + "recording.id=[a, b]",
		},
		{
			"text that isn't UTF-8",
			cdr.Record{ReasonPhrase: "a\xffb", Trunk: "\xfe", Extra: badText},
			nil,
			"INFO 0s Call of unknown outcome, via \uFFFD direction=unknown duration=0 trunk=\uFFFD " +
				"reason_phrase=a\uFFFDb wavix.list=[\uFFFD]",
		},

		{"a charge of 0", charges(charge("usage", "EUR", "0")), nil, call + "charge=0 charge_amount=0 currency=EUR"},
		{
			"legs that cost in two currencies",
			charges(usage, connection, charge("usage", "EUR", "0.2"), charge("connection", "EUR", "0.01")),
			nil,
			call + "charge=0.3 charge_amount=0.3 currency=USD wavix.connection_charge_usd=0.015 " +
				"wavix.usage_charge_eur=0.2 wavix.connection_charge_eur=0.01",
		},
		{"no currency", charges(charge("usage", "", "1.50")), nil, call + "charge=1.5 charge_amount=1.5"},
		{
			"usage before the others", charges(connection, usage), nil,
			call + "charge=0.3 charge_amount=0.3 currency=USD wavix.connection_charge=0.015",
		},
		{
			"without usage the sum", charges(included, inDollars), nil,
			call + "charge=0.35 charge_amount=0.35 currency=USD wavix.included_charge=0.1 wavix.purchased_charge=0.25",
		},
		{
			"without usage, of two currencies", charges(included, inEuros), nil,
			call + "charge=0.1 charge_amount=0.1 currency=USD wavix.purchased_charge=0.25",
		},

		{"an inbound call's session", inbound, with(cdr.DirectionUnknown), caller},
		{"an outbound call's session", outbound, with(cdr.DirectionUnknown), callee},
		{"an internal call's session", internal, with(cdr.DirectionUnknown), callee},
		{"an inbound session of an outbound call", outbound, with(cdr.Inbound), caller},
		{"an outbound session of an inbound call", inbound, with(cdr.Outbound), callee},
		{
			"a session that ended well",
			cdr.Record{},
			session(cdr.Session{Start: later, End: later.Add(62 * time.Second), Media: "audio"}),
			"INFO 60s Session ended well, 1m2s, audio session.result=ok wavix.media=audio",
		},
		{
			"a session whose set-up failed",
			cdr.Record{},
			session(cdr.Session{Result: cdr.SessionSetupFailed, Stage: "call_setup", Reason: "ice"}),
			"ERROR 0s Session failed in set-up: ice (call_setup) " +
				"session.result=setup_failed reason=ice wavix.stage=call_setup",
		},
		{
			"a session that dropped",
			cdr.Record{},
			session(cdr.Session{Result: cdr.SessionDropped, Stage: "midcall", UserName: "h:77aa"}),
			"ERROR 0s Session failed in mid-call (midcall) session.result=dropped user.name=h:77aa wavix.stage=midcall",
		},

		{
			"abandoned",
			cdr.Record{Extra: agent},
			visit(cdr.Visit{Queue: "support", Result: cdr.QueueAbandoned, Wait: cdr.KnownLength(62 * time.Second)}),
			"INFO 0s Visit to queue support: abandoned after 1m2s queue=support queue_result=abandoned waiting_time=62",
		},
		{
			"answered at once",
			cdr.Record{NoCall: true, Extra: agent},
			visit(cdr.Visit{Queue: "7000", Result: cdr.QueueAnswered, Start: later, Wait: cdr.KnownLength(0)}),
			"INFO 60s Visit to queue 7000: answered after 0s " +
				"queue=7000 queue_result=answered waiting_time=0 wavix.agent=a1",
		},
		{
			"timed out",
			cdr.Record{},
			visitOf(cdr.QueueTimeout),
			"INFO 0s Visit to queue support: timed out queue=support queue_result=timeout",
		},
		{
			"overflowed",
			cdr.Record{},
			visitOf(cdr.QueueOverflowed),
			"INFO 0s Visit to queue support: overflowed queue=support queue_result=overflowed",
		},
		{
			"of no queue that has a name",
			cdr.Record{},
			visit(cdr.Visit{}),
			"INFO 0s Visit to a queue: left queue_result=other",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.record.Start = cmp.Or(c.record.Start, callStart)
			if got := summary(t, encode(t, &c.record, cmp.Or(c.event, bareEvent()))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestObserved: stores that refuse old records get the time of reading as the timestamp.
func TestObserved(t *testing.T) {
	for _, event := range []*counting.Event{bareEvent(), bareSession()} {
		got := decode(t, Encoder{Observed: true}.AppendRecord(nil, bareRecord(), event))[0]
		want := uint64(event.Observed.UnixNano())
		if got.GetTimeUnixNano() != want || got.GetObservedTimeUnixNano() != want {
			t.Errorf("%s at %d, observed at %d, want %d", event.Name, got.GetTimeUnixNano(),
				got.GetObservedTimeUnixNano(), want)
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

// A session's record says how bad its media were and by which rule, and has its streams, the poor ones first.
func TestStreamsOfASession(t *testing.T) {
	good := cdr.Stream{
		Media: "audio", Network: "wired", Platform: "service",
		Quality: cdr.Quality{Jitter: cdr.KnownLength(16 * time.Millisecond)},
	}
	poor := cdr.Stream{Media: "audio", ToCallee: true, Network: "wifi", Platform: "ios", Quality: cdr.Quality{
		Jitter: cdr.KnownLength(40 * time.Millisecond), RoundTrip: cdr.KnownLength(time.Second / 2),
		Loss: cdr.KnownFloat(0.5), Concealed: cdr.KnownFloat(0.25), Packets: cdr.KnownInt(900),
	}, Extra: []cdr.Attr{cdr.Text("wifi_band", "50GHz", cdr.Plain), cdr.Whole("wifi_signal", 71)}}
	const goodText = "media=audio direction=callee_to_caller verdict=good network=wired platform=service jitter=0.016"
	const poorText = "media=audio direction=caller_to_callee verdict=poor rule=packet_loss network=wifi " +
		"platform=ios jitter=0.04 round_trip=0.5 packet_loss=0.5 concealed=0.25 wifi_band=50GHz wifi_signal=71"
	for _, c := range []struct {
		name          string
		streams       []cdr.Stream
		verdict, rule string
		want          []string
	}{
		{"none", nil, "", "", nil},
		{"good", []cdr.Stream{good}, "good", "", []string{goodText}},
		{"one is poor", []cdr.Stream{good, poor}, "poor", "packet_loss", []string{poorText, goodText}},
		{
			"unclassified",
			[]cdr.Stream{{Media: "data"}},
			"unclassified", "",
			[]string{"media=data direction=callee_to_caller verdict=unclassified"},
		},
		{
			"more than fit", append(slices.Repeat([]cdr.Stream{good}, 2*mostStreams), poor), "poor", "packet_loss",
			append([]string{poorText}, slices.Repeat([]string{goodText}, mostStreams-1)...),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			event := bareSession()
			event.Session.Streams = c.streams
			got := encode(t, bareRecord(), event)
			all := func(key string) string { return valueText(attributeOf(got, "cdr."+key)) }
			if all("session.verdict") != c.verdict || all("session.rule") != c.rule ||
				attributeOf(got, "cdr.session.streams").GetIntValue() != int64(len(c.streams)) {
				t.Errorf("verdict %q by %q of %s streams", all("session.verdict"), all("session.rule"),
					all("session.streams"))
			}
			if want := strings.Join(c.want, ", "); strings.Trim(all("streams"), "[]") != want {
				t.Errorf("streams\n%s\nwant\n%s", all("streams"), want)
			}
		})
	}
}
