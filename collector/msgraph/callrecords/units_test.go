package callrecords

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseISO(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0.016S": 16 * time.Millisecond, "PT0S": 0, "PT1M2.5S": 62500 * time.Millisecond, "P0DT0H0M1S": time.Second,
		"P1DT2H3M4.000000001S": 26*time.Hour + 3*time.Minute + 4*time.Second + 1, "P2D": 48 * time.Hour,
		"PT0.0000000019S": 1, "PT90000S": 25 * time.Hour, "P36525D": 36525 * 24 * time.Hour,
	} {
		if got, err := parseISO(text); err != nil || got != want {
			t.Errorf("%s is read as %s, %v, want %s", text, got, err, want)
		}
	}
	const fits = " P36525DT876600H52596000M3155760000S" // the sum doesn't fit
	for text := range strings.SplitSeq(" -PT1S P PT P1DT P1Y P1M P1S PT1S1M PT1S2S PT1.5M PT1.S PT.5S PT1.5.5S PT-1S "+
		"PT5 PTT5S P99999999999D P40000D P36525DT1S 00:00:01"+fits, " ") {
		if got, err := parseISO(text); err == nil || got != 0 {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

// FuzzParseISO: whatever is read is what it says when written out again.
func FuzzParseISO(f *testing.F) {
	for _, text := range []string{"PT0.016S", "P1DT2H3M4.5S", "P", "PT1S1M"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseISO(text)
		if err != nil {
			if got != 0 {
				t.Errorf("%q is refused and still read as %s", text, got)
			}
			return
		}
		again, err := parseISO(isoText(got))
		if err != nil || again != got {
			t.Errorf("%q is read as %s, and %s again as %s, %v", text, got, isoText(got), again, err)
		}
	})
}

// isoText writes a duration in seconds.
func isoText(d time.Duration) string {
	return fmt.Sprintf("PT%d.%09dS", d/time.Second, d%time.Second)
}
