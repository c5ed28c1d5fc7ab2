package web

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// spanText is a length of time in its two largest units; a negative one is 0 s.
func spanText(d time.Duration) string {
	seconds := max(int64(d/time.Second), 0)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min", seconds/60)
	case seconds < 2*86400:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", seconds/3600, seconds%3600/60), " 0 min")
	default:
		return strings.TrimSuffix(fmt.Sprintf("%d d %d h", seconds/86400, seconds%86400/3600), " 0 h")
	}
}

// countText is a number with its digits in threes.
func countText(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// stateText is a state or a level in words.
func stateText(state string) string {
	words := map[string]string{
		"bad": "calls fail", "warn": "some calls fail", "unknown": "can't tell", "catching_up": "catching up",
		"elsewhere": "read elsewhere", "unowned": "not read",
	}
	return cmp.Or(words[state], state)
}
