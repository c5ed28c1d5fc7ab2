package ringcentral

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// FuzzRow: whatever a row holds, it becomes a record, or is ignored or invalid.
func FuzzRow(f *testing.F) {
	for _, name := range []string{"inbound_simple", "inbound_detailed", "active_call"} {
		text, err := os.ReadFile("testdata/samples/" + name + ".json")
		require.NoError(f, err)
		f.Add(text, true)
		f.Add(text, false)
	}
	names := map[string]map[string]string{listQueues: {"90": "Sales"}}
	f.Fuzz(func(t *testing.T, raw []byte, legs bool) {
		if !json.Valid(raw) || raw[0] != '{' {
			return
		}
		complete := Function().New(rowmap.Settings{Legs: legs, Parameters: map[string][]string{"view": {"Detailed"}}})
		r := &cdr.Record{ID: "1", Start: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), NoDuration: true}
		result := complete(rowmap.Row{JSON: raw, Names: names}, r)
		if result.Ignored || result.Invalid != "" {
			return
		}
		if r.Talk.Value < 0 || r.Connected.Value < 0 || r.ID != "1" {
			t.Errorf("%s becomes %+v", raw, r)
		}
		for _, v := range r.Visits {
			if v.Wait.Value < 0 {
				t.Errorf("%s has a visit %+v", raw, v)
			}
		}
	})
}
