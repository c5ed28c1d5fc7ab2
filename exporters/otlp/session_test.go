package otlp

import (
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// sessionRecord is the log record of a session of a call.
func sessionRecord(t testing.TB, observed bool, r *cdr.Record, s *cdr.Session) *logspb.LogRecord {
	t.Helper()
	event := bareSession()
	event.Session = s
	return decode(t, Encoder{Observed: observed}.AppendRecord(nil, r, event))[0]
}

// Contract 4: severity and body by result; the body names nobody.
func TestSeverityAndBodyOfEveryResult(t *testing.T) {
	for _, c := range []struct {
		result   cdr.SessionResult
		stage    string
		reason   string
		severity logspb.SeverityNumber
		body     string
	}{
		{cdr.SessionOK, "", "", logspb.SeverityNumber_SEVERITY_NUMBER_INFO, "Session ended well, 1m2s, audio"},
		{
			cdr.SessionSetupFailed, "call_setup", "ice", logspb.SeverityNumber_SEVERITY_NUMBER_ERROR,
			"Session failed in set-up: ice (call_setup), 1m2s, audio",
		},
		{
			cdr.SessionDropped, "midcall", "", logspb.SeverityNumber_SEVERITY_NUMBER_ERROR,
			"Session failed in mid-call (midcall), 1m2s, audio",
		},
	} {
		t.Run(c.result.String(), func(t *testing.T) {
			got := sessionRecord(t, false, bareRecord(), &cdr.Session{
				ID: "s", Start: callStart, End: callStart.Add(62 * time.Second), Media: "audio",
				Result: c.result, Stage: c.stage, Reason: c.reason,
				UserID: "an-id", UserName: "Some Body", UserPrincipal: "some@example.com", Number: "+4930123456",
			})
			text := map[logspb.SeverityNumber]string{9: "INFO", 17: "ERROR"}[c.severity]
			if got.GetSeverityNumber() != c.severity || got.GetSeverityText() != text {
				t.Errorf("severity %v %q, want %v %q", got.GetSeverityNumber(), got.GetSeverityText(), c.severity, text)
			}
			if body := got.GetBody().GetStringValue(); body != c.body {
				t.Errorf("body %q, want %q", body, c.body)
			}
			if v := attributeOf(got, "cdr.session.result").GetStringValue(); v != c.result.String() {
				t.Errorf("cdr.session.result = %q", v)
			}
		})
	}
}

// The number belongs to the end that the session's own direction gives, else the call's.
func TestSessionNumber(t *testing.T) {
	const caller, callee = "cdr.caller.number", "cdr.callee.number"
	for _, c := range []struct {
		name          string
		call, session cdr.Direction
		want          string
	}{
		{"inbound", cdr.Inbound, cdr.DirectionUnknown, caller},
		{"outbound", cdr.Outbound, cdr.DirectionUnknown, callee},
		{"neither", cdr.Internal, cdr.DirectionUnknown, callee},
		{"inbound in an outbound call", cdr.Outbound, cdr.Inbound, caller},
		{"outbound in an inbound call", cdr.Inbound, cdr.Outbound, callee},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := bareRecord()
			r.Direction = c.call
			got := sessionRecord(t, false, r, &cdr.Session{ID: "s", Number: "+1202555****", Direction: c.session})
			for _, key := range []string{caller, callee} {
				want := ""
				if key == c.want {
					want = "+1202555****"
				}
				if v := attributeOf(got, key).GetStringValue(); v != want {
					t.Errorf("%s = %q, want %q", key, v, want)
				}
			}
		})
	}
}

func TestSessionTimestamp(t *testing.T) {
	r, later := bareRecord(), callStart.Add(time.Minute)
	for _, c := range []struct {
		name     string
		observed bool
		start    time.Time
		want     time.Time
	}{
		{"its own start", false, later, later},
		{"without one the call's", false, time.Time{}, callStart},
		{"when it was read", true, later, bareEvent().Observed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sessionRecord(t, c.observed, r, &cdr.Session{ID: "s", Start: c.start})
			if got.GetTimeUnixNano() != uint64(c.want.UnixNano()) {
				t.Errorf("timestamp %d, want %v", got.GetTimeUnixNano(), c.want)
			}
		})
	}
}

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
