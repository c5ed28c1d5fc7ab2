package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The texts of the page. page.js writes the same ones when it refreshes them.

// clockText is an instant as the page shows it, in UTC.
func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// spanText is a length of time in its two largest units; a negative one is none.
func spanText(d time.Duration) string {
	seconds := max(int64(d/time.Second), 0)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min", seconds/60)
	case seconds < 2*86400:
		return twoUnits(seconds/3600, "h", seconds%3600/60, "min")
	default:
		return twoUnits(seconds/86400, "d", seconds%86400/3600, "h")
	}
}

func twoUnits(large int64, largeUnit string, small int64, smallUnit string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", large, largeUnit)
	}
	return fmt.Sprintf("%d %s %d %s", large, largeUnit, small, smallUnit)
}

// countText is a number with its digits in threes.
func countText(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// stateText is a state in words.
func stateText(state string) string { return strings.ReplaceAll(state, "_", " ") }
