package ringcentral_test

import (
	"os"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestGolden maps a page, which has the shape of RingCentral's own samples.
func TestGolden(t *testing.T) {
	page, err := os.ReadFile("testdata/call_log.json")
	require.NoError(t, err)
	got, err := decodePage(t, accountLog(), string(page))
	if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 || len(got.ignored) != 1 {
		t.Fatalf("error %v, invalid %q, unmapped %v, ignored %q", err, got.invalid, got.unmapped, got.ignored)
	}
	golden.JSON(t, "testdata/call_log.records.json", got.rows)
}
