package ringcentral

import (
	"regexp"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestTablesAreFolded: keys are as folded makes them, reasons are slugs, and what counts
// as a failure has a reason.
func TestTablesAreFolded(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z0-9_]{1,30}$`)
	for name, table := range map[string]map[string]outcomeMapping{"results": results, "reasons": reasons} {
		for key, v := range table {
			failure := v.outcome != cdr.Unknown && !v.outcome.Connected()
			if key != folded(key) || failure != slug.MatchString(v.reason) || (v.reason != "") != failure {
				t.Errorf("%s: %q is %+v", name, key, v)
			}
		}
	}
	for _, table := range []map[string]bool{callActions, noCallActions} {
		for key := range table {
			if key != folded(key) {
				t.Errorf("action %q isn't folded", key)
			}
		}
	}
}
