package declared_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
)

// TestZoomLabelsByExtension: a label by user finds our extension, whether the row has a DID of it
// too or not.
func TestZoomLabelsByExtension(t *testing.T) {
	text, err := declared.BuiltinText("zoom_phone")
	if err != nil {
		t.Fatal(err)
	}
	d, err := declared.Load("zoom_phone.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("user,team\n1009,Sales\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := labels.Load([]config.Label{
		{Name: "team", File: config.File(file), Key: config.LabelByUser, Column: "user", Value: "team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	feed := d.Feeds["call_history"]
	for _, c := range []struct{ name, row, want string }{
		{"outbound", `"direction":"outbound","caller_ext_number":"1009","callee_did_number":"+4930123"`, "Sales"},
		{
			"outbound with a DID",
			`"direction":"outbound","caller_did_number":"+4969100","caller_ext_number":"1009","callee_did_number":"+4930123"`,
			"Sales",
		},
		{
			"inbound with a DID",
			`"direction":"inbound","caller_did_number":"+4930123","callee_did_number":"+4969100","callee_ext_number":"1009"`,
			"Sales",
		},
		{"the other party's", `"direction":"inbound","caller_ext_number":"1009","callee_did_number":"+4969100"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := `{"call_history_uuid":"1","start_time":"2026-11-23T10:00:01Z","call_result":"busy",` + c.row + `}`
			m := declared.NewMapper(&feed, declared.MapperSettings{}).MapJSON([]byte(row))
			if m.Record == nil {
				t.Fatal(m.Invalid)
			}
			set.Apply("zoom", []*cdr.Record{m.Record})
			if got := m.Record.Labels.Value("team"); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
