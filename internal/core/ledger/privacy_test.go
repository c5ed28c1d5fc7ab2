package ledger

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// wantNothingPersonal expects that a text has nothing of the records of these tests that privacy removes.
func wantNothingPersonal(t *testing.T, where, text string) {
	t.Helper()
	for _, word := range []string{"5550100001", "5550100002", "Jane", "jane", "203.0.113.77", "u-4711"} {
		if strings.Contains(text, word) {
			t.Errorf("%s: %s is in %s", where, word, text)
		}
	}
}

// Guarantee 9: what privacy removes isn't in any file of the ledger.
func TestPrivacyNothingInTheFiles(t *testing.T) {
	r := newLiveRig(t)
	secretive := call("a", func(r *cdr.Record) {
		r.UserPrincipal = "jane@contoso.example"
		r.Extra = []cdr.Attr{cdr.Text("client_public_ip", "203.0.113.77", cdr.Address)}
	})
	r.records(secretive, call("", func(r *cdr.Record) { r.ID, r.Synthetic = "", "in|1|+15550100001|+15550100002" }))
	for _, file := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(r.storage.Folder, fileName+file))
		require.NoError(t, err)
		wantNothingPersonal(t, fileName+file, string(data))
	}
	logs := r.logs() // the batches are packed
	if !strings.Contains(logs[0], "from=+1555010****") {
		t.Errorf("masked number missing: %q", logs)
	}
	wantNothingPersonal(t, "the outbox", strings.Join(logs, "\n"))
}

// A call and its legs are logged without what privacy removes, and nothing of it waits in the ledger.
func TestPrivacyOfLegs(t *testing.T) {
	r := newCallRig(t, func(r *rig) { r.spec.Parents = true })
	secret := func(r *cdr.Record) {
		r.CallerNumber, r.UserPrincipal, r.UserID = "+15550100001", "jane@contoso.example", "u-4711"
		r.ReasonPhrase, r.CallID = "no route to +15550100001", "c-15550100001@203.0.113.77"
		r.Extra = []cdr.Attr{
			cdr.Text("client_public_ip", "203.0.113.77", cdr.Address),
			cdr.Text("line", "+15550100001", cdr.Number),
		}
		r.Channel, r.Synthetic = "SIP/+15550100001-7", "in|1|+15550100001|"+r.ID
		r.Parent, r.AltIDs = "p-+15550100001", []string{"+15550100001-" + r.ID}
	}
	r.records(leg("a", secret, outcome(cdr.NoAnswer)), leg("b", secret), leg("c", secret, provisional))
	r.wantCalls("read", 0, 1)
	if err := r.ledger.engine.ScanAll(`SELECT kind, key, data FROM tasks`, nil, func(rows *sql.Rows) error {
		var kind, key, data string
		err := rows.Scan(&kind, &key, &data)
		if data == "" {
			t.Error("nothing is in the task")
		}
		wantNothingPersonal(t, "a task", kind+" "+key+" "+data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.records(leg("c", secret))
	r.settled()
	r.records(leg("late", secret))
	logs := r.logs()
	wantNothingPersonal(t, "the outbox", strings.Join(logs, "\n"))
	names := make(map[string]int)
	for _, line := range logs {
		name, _, _ := strings.Cut(line, " ")
		if names[name]++; !strings.Contains(line, "from=+1555010****") {
			t.Errorf("%s lacks the masked number", line)
		}
	}
	if want := map[string]int{"cdr.call": 1, "cdr.call.leg": 4}; !maps.Equal(names, want) {
		t.Errorf("log records %v, want %v", names, want)
	}
	for at, data := range r.remembered() {
		wantNothingPersonal(t, fmt.Sprint("bucket ", at.bucket), string(data))
	}
}
