package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// clockText is an instant in UTC.
func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

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

// sizeText is a size in the largest unit that leaves a whole number; 0 isn't known.
func sizeText(n int64) string {
	if n <= 0 {
		return "–"
	}
	value, unit := float64(n), 0
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

// workText is what a feed has yet to fetch one by one, which of its time can't be read, or how many calls it sees now.
func workText(feed Feed) string {
	var parts []string
	if feed.Snapshot && feed.InProgress != nil {
		parts = append(parts, countedText(int64(*feed.InProgress), "call", "calls")+" in progress")
	}
	if feed.Waiting != nil {
		parts = append(parts, countText(int64(*feed.Waiting))+" waiting to be fetched")
	}
	if feed.SetAside != nil && *feed.SetAside > 0 {
		parts = append(parts, countText(int64(*feed.SetAside))+" deferred after failures")
	}
	if n := len(feed.Unread); n == 1 {
		parts = append(parts, "unreadable: "+feed.Unread[0])
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("unreadable: %s and %d more time ranges", feed.Unread[0], n-1))
	}
	return strings.Join(parts, ", ")
}

// overflowText says what too many series led to and what to do.
func overflowText(folded int64) string {
	if folded == 0 {
		return "none over the limit"
	}
	return countedText(folded, "observation", "observations") + " folded into overflow: raise metrics.series_limit, or see which label grows"
}

// stateText is a state in words.
func stateText(state string) string { return strings.ReplaceAll(state, "_", " ") }
