package msgraph

import (
	"os"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestGolden maps the sample pages, which have the shape of Microsoft's own samples.
func TestGolden(t *testing.T) {
	for name, feed := range map[string]*callLog{"pstn": pstnLog(), "direct_routing": directRoutingLog()} {
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile("testdata/" + name + ".json")
			require.NoError(t, err)
			got, err := decodePage(t, feed, string(page))
			if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 {
				t.Fatalf("error %v, invalid %q, unmapped %v", err, got.invalid, got.unmapped)
			}
			golden.JSON(t, "testdata/"+name+".records.json", got.rows)
		})
	}
}
