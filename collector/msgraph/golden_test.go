package msgraph

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden maps the sample pages, which have the shape of Microsoft's own samples.
func TestGolden(t *testing.T) {
	for name, feed := range map[string]*callLog{"pstn": pstnLog(), "direct_routing": directRoutingLog()} {
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile("testdata/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodePage(t, feed, string(page))
			if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 {
				t.Fatalf("error %v, invalid %q, unmapped %v", err, got.invalid, got.unmapped)
			}
			var records bytes.Buffer
			encoder := json.NewEncoder(&records)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(got.rows); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name + ".records.json"
			if *update {
				if err := os.WriteFile(golden, records.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(records.Bytes(), want) {
				t.Errorf("the records differ from %s:\n%s", golden, records.Bytes())
			}
		})
	}
}
