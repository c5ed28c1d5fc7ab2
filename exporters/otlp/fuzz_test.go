package otlp

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// FuzzBatch reads what an outbox may hold, whole or damaged.
func FuzzBatch(f *testing.F) {
	good := batch(1, "a", "b", "c").Data
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{0x12, 0x00, 0x12, 0x02, 0x32, 0x00})
	f.Add([]byte{0x0a, 0x00})
	f.Add([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		records, whole := splitBatch(data)
		for _, record := range records {
			_ = uidOf(record)
		}
		if whole && len(data) > 0 && len(records) == 0 {
			t.Fatal("a whole batch has no records")
		}
	})
}

// FuzzSuccess reads what an endpoint may answer with 200.
func FuzzSuccess(f *testing.F) {
	f.Add("application/x-protobuf", logsAnswer(f, 2, "no"))
	f.Add("application/json", `{"partialSuccess":{"rejectedLogRecords":"2"}}`)
	f.Add("application/json", `{"partialSuccess":{"rejectedLogRecords":-1}}`)
	f.Add("text/html; charset=utf-8", "<html>")
	f.Add("", "\x0a\x02\x08\x01")
	f.Fuzz(func(t *testing.T, kind, body string) {
		a := judgeSuccess(respond(http.StatusOK, map[string]string{"Content-Type": kind}, body))
		if a.kind != accepted && a.kind != retry {
			t.Fatalf("200 is judged %d", a.kind)
		}
		if a.rejected != 0 && a.kind != accepted {
			t.Fatalf("%d rejected of what wasn't accepted", a.rejected)
		}
		if len(body) > 20 && strings.Contains(a.problem, body) {
			t.Fatal("the endpoint's words are repeated")
		}
	})
}

// FuzzRetryAfter reads a header that an endpoint sends.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "-1", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37 GMT", "soon", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if d := retryAfter(value, time.Unix(1_790_000_000, 0)); d < 0 {
			t.Fatalf("%q waits %v", value, d)
		}
	})
}

// FuzzRecord: whatever a provider's texts are, the request can be read.
func FuzzRecord(f *testing.F) {
	f.Add("r1", "c98e1515-a937-4b81-b8a8-3992afde64e0", "phrase", int64(503), uint8(9))
	f.Add("\xff", "\x00", strings.Repeat("x", 20_000), int64(-1), uint8(200))
	f.Fuzz(func(t *testing.T, id, call, phrase string, code int64, outcome uint8) {
		e := bareEvent()
		e.RecordID, e.Changed = id, []string{phrase}
		r := &cdr.Record{
			Start: callStart, CallID: call, ReasonPhrase: phrase, Trunk: call, Reason: id, CallType: phrase,
			SIPCode: cdr.KnownInt(code), Outcome: cdr.Outcomes()[int(outcome)%len(cdr.Outcomes())],
			Extra: []cdr.Attr{
				cdr.Text("text", phrase, cdr.Plain), cdr.Texts("texts", []string{id, call}, cdr.Plain),
				cdr.Whole("n", code),
			},
		}
		session := bareEvent()
		session.Name, session.Session = counting.EventSession, &cdr.Session{
			ID: id, Reason: phrase, Stage: call, Media: phrase, Number: id, UserName: call, Extra: r.Extra,
			Result: cdr.SessionResult(outcome % 3), Start: time.Unix(code, 0),
			End: time.Unix(code, 0).Add(time.Duration(code)),
		}
		want := strings.ToValidUTF8(id, "\uFFFD")
		if got := attributeOf(encode(t, r, session), "cdr.session.id").GetStringValue(); got != want {
			t.Fatalf("cdr.session.id %q, want %q", got, want)
		}
		data := Encoder{}.AppendRecord(Encoder{}.AppendRecord(nil, r, e), r, e)
		records := decode(t, data)
		if len(records) != 2 || !proto.Equal(records[0], records[1]) || len(records[0].GetTraceId()) != 16 {
			t.Fatalf("got %v", records)
		}
		if got := attributeOf(records[0], "cdr.sip_code").GetIntValue(); got != code {
			t.Fatalf("cdr.sip_code %d, want %d", got, code)
		}
		want = strings.ToValidUTF8(phrase, "\uFFFD")
		if got := attributeOf(records[0], "cdr.reason_phrase").GetStringValue(); got != want {
			t.Fatalf("cdr.reason_phrase %q, want %q", got, want)
		}
	})
}
