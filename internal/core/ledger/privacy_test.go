package ledger

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Guarantee 9: what privacy removes isn't in any file of the ledger.
func TestPrivacyNothingInTheFiles(t *testing.T) {
	r := newRig(t)
	r.live()
	secretive := call("a", func(r *cdr.Record) {
		r.UserPrincipal = "jane@contoso.example"
		r.Extra = []cdr.Attr{cdr.Text("client_public_ip", "203.0.113.77", cdr.Address)}
	})
	r.records(secretive, call("", func(r *cdr.Record) { r.ID, r.Synthetic = "", "in|1|+15550100001|+15550100002" }))
	for _, file := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(r.storage.Folder, fileName+file))
		if err != nil {
			t.Fatal(err)
		}
		for _, personal := range []string{
			"5550100001", "5550100002", "Jane Doe", "jane@contoso.example",
			"203.0.113.77",
		} {
			if strings.Contains(string(data), personal) {
				t.Errorf("%s%s holds %s", fileName, file, personal)
			}
		}
	}
	// The batches are packed, so they are looked into as well.
	logs := r.logs()
	if !strings.Contains(logs[0], "from=+1555010****") {
		t.Errorf("masked number missing: %q", logs)
	}
	for _, personal := range []string{"5550100001", "5550100002", "Jane", "jane"} {
		if strings.Contains(strings.Join(logs, "\n"), personal) {
			t.Errorf("the outbox holds %s", personal)
		}
	}
}
