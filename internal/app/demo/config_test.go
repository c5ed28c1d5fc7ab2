package demo

import (
	"regexp"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestLookbacksReachLateRecords: a record that is published long after the start of a long call
// is found, so that an audit of the demo finds nothing missing.
func TestLookbacksReachLateRecords(t *testing.T) {
	const longCall = 4 * time.Hour
	var latest time.Duration
	for _, d := range simulator.QuickDelays() {
		latest = max(latest, d.Max)
	}
	found := regexp.MustCompile(`\blookback: (\w+)`).FindAllStringSubmatch(configurationText, -1)
	if len(found) == 0 {
		t.Fatal("the configuration has no lookback: this shows nothing")
	}
	for _, lookback := range found {
		if reach, err := time.ParseDuration(lookback[1]); err != nil || reach < longCall+latest {
			t.Errorf("lookback %s (%v): a call of %s whose record is published %s after its end isn't found",
				lookback[1], err, longCall, latest)
		}
	}
}
