package callrecords

import (
	"testing"
	"time"
)

func TestParseISO(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		bad  bool
	}{
		{text: "PT0.016S", want: 16 * time.Millisecond},
		{text: "PT0S"},
		{text: "PT1M2.5S", want: 62500 * time.Millisecond},
		{text: "P0DT0H0M1S", want: time.Second},
		{text: "P1DT2H3M4.000000001S", want: 26*time.Hour + 3*time.Minute + 4*time.Second + 1},
		{text: "P2D", want: 48 * time.Hour},
		{text: "-PT1S", bad: true},
		{text: "PT0.0000000019S", want: 1},
		{text: "PT90000S", want: 25 * time.Hour},
		{text: "", bad: true},
		{text: "P", bad: true},
		{text: "PT", bad: true},
		{text: "P1DT", bad: true},
		{text: "P1Y", bad: true},
		{text: "P1M", bad: true},
		{text: "P1S", bad: true},
		{text: "PT1S1M", bad: true},
		{text: "PT1S2S", bad: true},
		{text: "PT1.5M", bad: true},
		{text: "PT1.S", bad: true},
		{text: "PT.5S", bad: true},
		{text: "PT1.5.5S", bad: true},
		{text: "PT-1S", bad: true},
		{text: "PT5", bad: true},
		{text: "PTT5S", bad: true},
		{text: "P99999999999D", bad: true},
		{text: "P40000D", bad: true},
		{text: "P36525D", want: 36525 * 24 * time.Hour},
		{text: "P36525DT1S", bad: true},
		{text: "P36525DT876600H52596000M3155760000S", bad: true}, // more than fits
		{text: "00:00:01", bad: true},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := parseISO(c.text)
			if (err != nil) != c.bad || got != c.want {
				t.Errorf("read as %s, %v, want %s", got, err, c.want)
			}
		})
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
	whole, rest := d/time.Second, d%time.Second
	digits := (1_000_000_000 + rest).Nanoseconds()
	return "PT" + itoa(int64(whole)) + "." + itoa(digits)[1:] + "S"
}

func itoa(n int64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
