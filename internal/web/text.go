package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The texts of the page.

// clockText is an instant as the page shows it, in UTC.
func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// nearText is an instant beside which the page's own time stands: its day is left out if
// it is the same.
func nearText(t, now time.Time) string {
	text := clockText(t)
	if day := clockText(now)[:11]; strings.HasPrefix(text, day) {
		return text[len(day):]
	}
	return text
}

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

// budgetText is what is left of a provider's limit.
func budgetText(b *Budget, now time.Time) string {
	if b == nil {
		return ""
	}
	text := fmt.Sprintf("at most %s requests", countText(int64(b.Limit)))
	if b.Remaining != nil {
		text = fmt.Sprintf("%s of %s requests left", countText(int64(*b.Remaining)), countText(int64(b.Limit)))
	}
	text += fmt.Sprintf(" in any %s s", countText(b.WindowSeconds))
	if b.Group != "" {
		text = b.Group + ": " + text
	}
	if !b.FrozenUntil.IsZero() {
		text += ", frozen until " + nearText(time.Time(b.FrozenUntil), now)
	}
	return text
}

// readsText is how a feed is read, where there are several ways.
func readsText(reads string) string {
	if reads == "" {
		return ""
	}
	return "read by " + stateText(reads)
}

// workText is what a feed has still to fetch, if it fetches records one by one, and what of its time can't be read.
func workText(feed Feed) string {
	var parts []string
	if feed.Waiting != nil {
		parts = append(parts, countText(int64(*feed.Waiting))+" to be fetched")
	}
	if feed.Parked != nil && *feed.Parked > 0 {
		parts = append(parts, countText(int64(*feed.Parked))+" given up")
	}
	if n := len(feed.Unread); n == 1 {
		parts = append(parts, "can't be read: "+feed.Unread[0])
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("can't be read: %s and %d more spans", feed.Unread[0], n-1))
	}
	return strings.Join(parts, ", ")
}

// subscriptionText says how long the provider notifies us, and when it last did.
func subscriptionText(s *Subscription, now time.Time) string {
	if s == nil {
		return ""
	}
	text := "not subscribed"
	if !s.Expires.IsZero() {
		text = "subscribed until " + nearText(time.Time(s.Expires), now)
	}
	if !s.LastNotification.IsZero() {
		text += ", notified " + spanText(now.Sub(time.Time(s.LastNotification))) + " ago"
	}
	return text
}

// bytesText is a size in the largest unit that leaves a whole number.
func bytesText(n int64) string {
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

// seriesText is how many series a feed has, and whether that was too many.
func seriesText(feed Feed) string {
	if feed.Snapshot {
		return ""
	}
	text := countedText(int64(feed.Series), "series", "series")
	if feed.SeriesOverflow > 0 {
		text += ", overflow"
	}
	return text
}

// overflowText says what too many series led to and what to do.
func overflowText(folded int64) string {
	if folded == 0 {
		return "none over the limit"
	}
	return countedText(folded, "observation", "observations") + " folded into overflow: raise metrics.series_limit, or see which label grows"
}

// inProgressText is how many calls a feed sees now.
func inProgressText(n *int) string {
	if n == nil {
		return ""
	}
	return countedText(int64(*n), "call", "calls") + " in progress"
}

// delayCell is how late half of the records come, and nine in ten.
func delayCell(d *Delay) cell {
	if d == nil {
		return cell{Main: "–"}
	}
	return cell{Main: "half in " + secondsText(d.MedianSeconds), Note: "90 % in " + secondsText(d.P90Seconds)}
}

func secondsText(s float64) string { return spanText(time.Duration(s * float64(time.Second))) }

// stateText is a state in words.
func stateText(state string) string { return strings.ReplaceAll(state, "_", " ") }
