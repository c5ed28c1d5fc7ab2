package otlp

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

func TestTraceID(t *testing.T) {
	hashed := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:16])
	}
	tests := []struct{ name, call, record, want string }{
		{"a UUID", "c98e1515-a937-4b81-b8a8-3992afde64e0", "r", "c98e1515a9374b81b8a83992afde64e0"},
		{"a UUID in capitals", "C98E1515-A937-4B81-B8A8-3992AFDE64E0", "r", "c98e1515a9374b81b8a83992afde64e0"},
		{"another id", "s-4711", "r", hashed("msgraphs-4711")},
		{
			"nearly a UUID", "c98e1515-a937-4b81-b8a8-3992afde64eg", "r",
			hashed("msgraphc98e1515-a937-4b81-b8a8-3992afde64eg"),
		},
		{"no call id", "", "r-17", hashed("msgraphr-17")},
		{
			"no call id, but a record id that is a UUID", "", "9e8bba57-dc14-533a-a7dd-f0da6575eed1",
			"9e8bba57dc14533aa7ddf0da6575eed1",
		},
		{"the id of no call", "00000000-0000-0000-0000-000000000000", "r-17", hashed("msgraphr-17")},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := (&counting.Event{Provider: "msgraph", RecordID: tc.record}).TraceID(tc.call)
			if hex.EncodeToString(got[:]) != tc.want {
				t.Errorf("trace id %x, want %s", got, tc.want)
			}
		})
	}
}

// TestRecordUID pins the construction (counting.md 27): stored batches and
// receivers rely on it.
func TestRecordUID(t *testing.T) {
	event := counting.Event{Source: "contoso", Feed: "pstn", Name: "cdr.call", RecordID: "r1", Version: 1}
	sum := sha256.Sum256([]byte("\x07contoso\x04pstn\x08cdr.call\x02r1\x00\x02"))
	got := event.UID("")
	if want := hex.EncodeToString(sum[:16]); string(got[:]) != want {
		t.Errorf("uid %s, want %s", got, want)
	}
	if again := event.UID(""); again != got {
		t.Error("the uid differs on a second try")
	}
	seen := map[[32]byte]string{got: "itself"}
	for name, change := range map[string]func(*counting.Event) string{
		"source":         func(e *counting.Event) string { e.Source = "other"; return "" },
		"feed":           func(e *counting.Event) string { e.Feed = "call_log"; return "" },
		"event name":     func(e *counting.Event) string { e.Name = "cdr.call.revised"; return "" },
		"record id":      func(e *counting.Event) string { e.RecordID = "r2"; return "" },
		"version":        func(e *counting.Event) string { e.Version = 2; return "" },
		"session":        func(*counting.Event) string { return "s" },
		"a moved border": func(e *counting.Event) string { e.Source, e.Feed = "contosop", "stn"; return "" },
	} {
		changed := event
		session := change(&changed)
		id := changed.UID(session)
		if same, twice := seen[id]; twice {
			t.Errorf("%s gives the uid of %s", name, same)
		}
		seen[id] = name
	}
}
