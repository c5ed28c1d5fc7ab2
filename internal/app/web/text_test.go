package web

import (
	"math"
	"testing"
	"time"
)

func TestSpanText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour:                      "0 s",
		0:                               "0 s",
		999 * time.Millisecond:          "0 s",
		59*time.Second + 999999999:      "59 s",
		time.Minute:                     "1 min",
		59*time.Minute + 59*time.Second: "59 min",
		time.Hour:                       "1 h",
		time.Hour + 60*time.Second:      "1 h 1 min",
		47*time.Hour + 59*time.Minute:   "47 h 59 min",
		48 * time.Hour:                  "2 d",
		73*time.Hour + 59*time.Minute:   "3 d 1 h",
		time.Duration(math.MaxInt64):    "106751 d 23 h",
	} {
		if got := spanText(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestCountText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 999999: "999,999", 1234567: "1,234,567",
		-1: "-1", -1000: "-1,000", math.MaxInt64: "9,223,372,036,854,775,807",
		math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := countText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
