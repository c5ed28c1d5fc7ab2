package otlp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// spansOf are the spans of a record, the root first.
func spansOf(t testing.TB, r *cdr.Record, span *counting.Span) []*tracepb.Span {
	t.Helper()
	batch, ends := Encoder{}.AppendSpans(nil, nil, r, span)
	var scope tracepb.ScopeSpans
	if err := proto.Unmarshal(batch, &scope); err != nil || len(scope.ProtoReflect().GetUnknown()) > 0 {
		t.Fatalf("unmarshal: %v, unknown fields %x", err, scope.ProtoReflect().GetUnknown())
	}
	if records, whole := splitBatch(batch); !whole || len(records) != len(ends) ||
		len(records) != len(scope.GetSpans()) || ends[len(ends)-1] != len(batch) {
		t.Fatalf("%d records, %d ends, %d spans", len(records), len(ends), len(scope.GetSpans()))
	}
	return scope.GetSpans()
}

// A call's root has the trace, the attributes and the links of its log record, its children those
// of theirs; only the outcome failed is an error.
func TestSpansOfACall(t *testing.T) {
	r, event := fullRecord(t), fullEvent()
	r.Legs = []cdr.Leg{
		{Type: "accept", Outcome: cdr.Failed, Start: callStart, Duration: cdr.KnownLength(time.Second)},
		{Type: "without a time"},
	}
	event.Changed = nil // spans have none
	session, visit := fullSession(), fullVisit()
	r.Sessions, r.Visits = []cdr.Session{*session.Session}, []cdr.Visit{*visit.Visit}
	session.Feed, visit.Feed = event.Feed, event.Feed
	got := spansOf(t, r, &counting.Span{Event: *event, Link: counting.Link{Feed: "call_records", RecordID: r.CallID}})
	root := got[0]
	var names []string
	for _, s := range got {
		names = append(names, fmt.Sprint(s.GetName(), " ", time.Unix(0, int64(s.GetStartTimeUnixNano())).Sub(callStart),
			" ", time.Unix(0, int64(s.GetEndTimeUnixNano())).Sub(callStart)))
	}
	want := []string{
		"Outbound call -4s 1m4s", "Set-up -4s 1s", "Talk 1s 1m3.5s", "Leg 0s 1s", "Session 1s 1m4s",
		"Queue 2s 44s",
	}
	if !slices.Equal(names, want) {
		t.Errorf("spans %q, want %q", names, want)
	}
	log := decode(t, Encoder{}.AppendRecord(nil, r, event))[0]
	ids := map[string]bool{}
	for i, s := range got {
		if string(s.GetTraceId()) != string(log.GetTraceId()) || len(s.GetSpanId()) != 8 || ids[string(s.GetSpanId())] {
			t.Errorf("%s: trace %x, span %x", s.GetName(), s.GetTraceId(), s.GetSpanId())
		}
		ids[string(s.GetSpanId())] = true
		if parent := string(s.GetParentSpanId()); i == 0 && parent != "" || i > 0 &&
			parent != string(root.GetSpanId()) {
			t.Errorf("%s: parent %x", s.GetName(), parent)
		}
		if s.GetStartTimeUnixNano() < root.GetStartTimeUnixNano() ||
			s.GetEndTimeUnixNano() > root.GetEndTimeUnixNano() {
			t.Errorf("%s isn't within the call", s.GetName())
		}
		if failed := s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR; failed != (s.GetName() == "Leg") {
			t.Errorf("%s: status %v", s.GetName(), s.GetStatus())
		}
	}
	for i, record := range map[int][]byte{
		0: Encoder{}.AppendRecord(nil, r, event),
		4: Encoder{}.AppendRecord(nil, r, session), 5: Encoder{}.AppendRecord(nil, r, visit),
	} {
		attributes := decode(t, record)[0].GetAttributes()
		same := func(a, b *commonpb.KeyValue) bool { return proto.Equal(a, b) }
		if !slices.EqualFunc(got[i].GetAttributes(), attributes, same) {
			t.Errorf("%s: attributes %v, want %v", got[i].GetName(), got[i].GetAttributes(), attributes)
		}
	}
	// The link leads to the root of that record.
	other := counting.Event{Source: event.Source, Provider: event.Provider, Feed: "call_records", RecordID: r.CallID}
	its := spansOf(t, &cdr.Record{Start: callStart, CallID: r.CallID}, &counting.Span{Event: other})[0]
	if link := root.GetLinks()[0]; string(link.GetSpanId()) != string(its.GetSpanId()) ||
		string(link.GetTraceId()) != string(its.GetTraceId()) || len(its.GetLinks()) != 0 {
		t.Errorf("the link leads to %x %x, want %x %x", link.GetTraceId(), link.GetSpanId(), its.GetTraceId(),
			its.GetSpanId())
	}
}

// Times that can't be are shown within their call, and the root spans its children.
func TestSpanTimes(t *testing.T) {
	at := func(seconds int) time.Time { return callStart.Add(time.Duration(seconds) * time.Second) }
	for _, c := range []struct {
		name   string
		record cdr.Record
		want   string // name and seconds of each
	}{
		{
			"not connected",
			cdr.Record{Invite: at(-3), Start: at(0), Outcome: cdr.Failed, Reason: "trunk_unreachable"},
			"Call -3 0!",
		},
		{
			"no end",
			cdr.Record{Start: at(0), Answer: at(2), Duration: time.Minute, Outcome: cdr.Answered},
			"Call 0 62, Set-up 0 2, Talk 2 62",
		},
		{"no answer", cdr.Record{Start: at(0), End: at(5), Outcome: cdr.Answered}, "Call 0 5"},
		{
			"answered at its start",
			cdr.Record{Invite: at(-2), Start: at(0), End: at(5), Outcome: cdr.Answered},
			"Call -2 5, Set-up -2 0, Talk 0 5",
		},
		{"an invite of the year 1601", cdr.Record{
			Invite: time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), Start: at(0),
			End: at(5), Outcome: cdr.Busy,
		}, "Call 0 5"},
		{"an end of the year 9999", cdr.Record{
			Start: at(0), End: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
			Duration: time.Second,
		}, "Call 0 1"},
		{
			"an answer after the end",
			cdr.Record{Start: at(0), Answer: at(9), End: at(5), Outcome: cdr.Answered},
			"Call 0 5",
		},
		{
			"sessions around it",
			cdr.Record{
				Start: at(0), End: at(5),
				Sessions: []cdr.Session{{ID: "a", Start: at(-60), End: at(2)}, {ID: "b", Start: at(3), End: at(90)}},
			},
			"Call -60 90, Session -60 2, Session 3 90",
		},
		{"sessions with wrong times", cdr.Record{
			Start: at(0), End: at(5),
			Sessions: []cdr.Session{
				{ID: "a"},
				{ID: "b", Start: at(3), End: at(-1)},
				{ID: "c", Start: at(1e8), End: at(2)},
			},
		}, "Call 0 5, Session 0 0, Session 3 3, Session 0 2"},
		{"a visit without its start", cdr.Record{
			Start: at(0), End: at(5),
			Visits: []cdr.Visit{{Wait: cdr.KnownLength(9 * time.Second)}},
		}, "Call 0 9, Queue 0 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range spansOf(t, &c.record, &counting.Span{Event: *bareEvent()}) {
				mark := strings.Repeat("!", int(s.GetStatus().GetCode()/tracepb.Status_STATUS_CODE_ERROR))
				seconds := func(nano uint64) int64 { return (int64(nano) - callStart.UnixNano()) / 1e9 }
				got = append(got, fmt.Sprint(s.GetName(), " ", seconds(s.GetStartTimeUnixNano()), " ",
					seconds(s.GetEndTimeUnixNano()), mark))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("spans %s, want %s", text, c.want)
			}
		})
	}
}
