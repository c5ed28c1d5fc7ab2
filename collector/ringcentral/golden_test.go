package ringcentral

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden maps a page, which has the shape of RingCentral's own samples.
func TestGolden(t *testing.T) {
	page, err := os.ReadFile("testdata/call_log.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodePage(t, accountLog(), string(page))
	if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 || len(got.ignored) != 1 {
		t.Fatalf("error %v, invalid %q, unmapped %v, ignored %q", err, got.invalid, got.unmapped, got.ignored)
	}
	var records bytes.Buffer
	encoder := json.NewEncoder(&records)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(got.rows); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/call_log.records.json"
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
}
