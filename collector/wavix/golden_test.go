package wavix

import (
	"os"
	"reflect"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

func testdata(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestGolden maps the sample answers, as both types.
func TestGolden(t *testing.T) {
	for _, test := range []struct{ format, file, golden string }{
		{formatJSON, "guide.json", "guide"},
		{formatJSON, "page.json", "page"},
		{formatStream, "stream.ndjson", "page"},
		{formatCSV, "calls.csv", "page"},
	} {
		for _, kind := range []string{kindPlaced, kindReceived} {
			t.Run(kind+" "+test.file, func(t *testing.T) {
				got, err := decode(t, test.format, kind, testdata(t, test.file))
				if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 {
					t.Fatalf("error %v, invalid %q, unmapped %v", err, got.invalid, got.unmapped)
				}
				golden.JSON(t, "testdata/"+test.golden+"."+kind+".records.json", got.rows)
			})
		}
	}
}

// TestFormatsGiveTheSameRecords: not only what the golden files show.
func TestFormatsGiveTheSameRecords(t *testing.T) {
	want, err := decode(t, formatJSON, kindPlaced, testdata(t, "page.json"))
	if err != nil || len(want.records) != 5 {
		t.Fatalf("%d records, error %v", len(want.records), err)
	}
	for format, file := range map[string]string{formatStream: "stream.ndjson", formatCSV: "calls.csv"} {
		got, err := decode(t, format, kindPlaced, testdata(t, file))
		if err != nil || len(got.records) != len(want.records) {
			t.Fatalf("%s: %d records, error %v", format, len(got.records), err)
		}
		for i := range want.records {
			if !reflect.DeepEqual(got.records[i], want.records[i]) {
				t.Errorf("%s: record %d is %+v, want %+v", format, i+1, got.records[i], want.records[i])
			}
		}
	}
}
