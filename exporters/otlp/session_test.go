package otlp

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Contract 4, counting.md 27: the sessions of a call share its trace, and each has its own uid.
func TestSessionsShareTheTraceOfTheCall(t *testing.T) {
	e, seen := Encoder{}, make(map[string]bool)
	var batch []byte
	batch = e.AppendRecord(batch, fullRecord(t), fullEvent())
	for _, id := range []string{"a", "b"} {
		event := fullSession()
		event.Session.ID = id
		batch = e.AppendRecord(batch, fullRecord(t), event)
	}
	records := decode(t, batch)
	for _, r := range records {
		if string(r.GetTraceId()) != string(records[0].GetTraceId()) {
			t.Errorf("trace id %x, want %x", r.GetTraceId(), records[0].GetTraceId())
		}
		seen[attributeOf(r, "log.record.uid").GetStringValue()] = true
	}
	if len(seen) != len(records) {
		t.Errorf("%d uids of %d records", len(seen), len(records))
	}
}

// FuzzSession: whatever a provider's texts are, the request can be read.
func FuzzSession(f *testing.F) {
	f.Add("s1", "ice", "call_setup", uint8(1), int64(1_790_000_000))
	f.Add("\xff", "\x00", "", uint8(7), int64(-1))
	f.Fuzz(func(t *testing.T, id, reason, stage string, result uint8, start int64) {
		r, event := bareRecord(), bareEvent()
		event.Name, event.Session = "cdr.session", &cdr.Session{
			ID: id, Reason: reason, Stage: stage, Result: cdr.SessionResult(result % 3), Media: reason,
			Start: time.Unix(start, 0), End: time.Unix(start, 0).Add(time.Duration(start)), Number: id, UserName: stage,
			Extra: []cdr.Attr{cdr.Text("text", reason, cdr.Plain)},
		}
		data := Encoder{}.AppendRecord(Encoder{}.AppendRecord(nil, r, event), r, event)
		records := decode(t, data)
		if len(records) != 2 || !proto.Equal(records[0], records[1]) || records[0].GetEventName() != event.Name {
			t.Fatalf("got %v", records)
		}
		if got := attributeOf(records[0], "cdr.session.id").GetStringValue(); got != validText(id) {
			t.Fatalf("cdr.session.id %q, want %q", got, validText(id))
		}
	})
}
