package web

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// view is what the templates show: the status, and what needs more than a function of one value.
type view struct {
	Status

	// MetricsPath is the path of the metrics.
	MetricsPath string
	Demo        bool
	Rows        []row // the templates show the first hundred, and the first four findings
	Chart       *chart
	// Lost is how many calls failed since LostSince; empty: none is known.
	Lost      string
	LostSince Time
}

var functions = template.FuncMap{
	"clock": func(t time.Time) string { return t.Format("15:04") },
	"stamp": func(t time.Time) string { return t.Format(time.RFC3339) },
	"count": countText, "words": func(state any) string { return stateText(fmt.Sprint(state)) },
	"megabytes": func(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) },
	"charges":   charges,
}

func newView(status Status, rows []row, activity []Activity) view {
	v := view{Status: status, Rows: rows, Chart: new(newChart(activity, status.Now.Time))}
	v.Lost, v.LostSince = lostCalls(status, activity)
	return v
}

// Replica is a replica by its name.
func (v view) Replica(name string) Replica {
	if i := slices.IndexFunc(v.Replicas, func(r Replica) bool { return r.Name == name }); i >= 0 {
		return v.Replicas[i]
	}
	return Replica{Name: name}
}

// lostCalls says how many calls failed since the first finding began, or in the last day: what an outage has cost
// until now.
func lostCalls(status Status, activity []Activity) (text string, since Time) {
	since = status.Now
	for _, f := range status.Verdict.Findings {
		if (f.Level == LevelBad || f.Level == LevelWarn) && !f.Since.IsZero() && f.Since.Before(since.Time) {
			since = f.Since
		}
	}
	if kept := status.Now.Add(-ActivityKept); since.Before(kept) { // what was before isn't known
		since = Time{kept}
	}
	var calls, failures int64
	for _, a := range activity {
		if a.Start.After(since.Add(-ActivityStep)) {
			calls, failures = calls+a.Calls, failures+a.Failures
		}
	}
	if since == status.Now || failures == 0 {
		return "", since
	}
	return fmt.Sprintf("%s of %s calls failed", countText(failures), countText(calls)), since
}

// TrunkRows says why there are more rows than trunks; empty: there aren't.
func (v view) TrunkRows() string {
	trunks := len(trunkLevels(v.Rows))
	if trunks == len(v.Rows) {
		return ""
	}
	return fmt.Sprintf("%s in %s, one for each trunk, feed and direction.", things(trunks, "trunk"),
		things(len(v.Rows), "row"))
}

// things counts what has a regular plural.
func things(n int, name string) string {
	if n != 1 {
		name += "s"
	}
	return countText(int64(n)) + " " + name
}

// moment is an instant for a time element.
type moment struct{ Stamp, Text string }

// At is an instant, without its day if that is today.
func (v view) At(at Time) moment {
	layout := "2 Jan 15:04 UTC"
	t, now := at.UTC(), v.Now.UTC()
	if t.Truncate(24 * time.Hour).Equal(now.Truncate(24 * time.Hour)) {
		layout = "15:04 UTC"
	}
	return moment{Stamp: t.Format(time.RFC3339), Text: t.Format(layout)}
}

// instant is a Time or a time.Time.
type instant interface {
	Sub(from time.Time) time.Duration
}

// Ago is how long ago an instant was, or how long it is until then.
func (v view) Ago(at instant) string {
	since := -at.Sub(v.Now.Time)
	if since < 0 {
		return "in " + spanText(-since)
	}
	return spanText(since) + " ago"
}

// Path draws the attempts of a strip that have a result so high, the newest at the right.
func (r row) Path(result string, height int) string {
	var path strings.Builder
	for i := range r.Results {
		if r.Results[i:i+1] == result {
			fmt.Fprintf(&path, "M%d 10v-%dh.8v%dz", keptAttempts-len(r.Results)+i, height, height)
		}
	}
	return path.String()
}

// Newest is when the newest attempt started.
func (r row) Newest() Time { return Time{r.LastAttempts.Newest()} }

// Count is how many attempts have a result.
func (r row) Count(result string) int { return strings.Count(r.Results, result) }

// Percent is the same as a share of all attempts.
func (r row) Percent(result string) int { return 100 * r.Count(result) / max(len(r.Results), 1) }

// Failure is the most frequent failure, whose it is and whom it hits; empty: none is known.
func (r *row) Failure() string {
	f := r.Finding
	if f.Whose == "" {
		top, faults := r.TopFailure(metrics.Faults)
		if faults == 0 {
			return ""
		}
		f.Cause, f.Whose = failureText(top), faultDomains[top.FaultDomain][0]
	}
	if f.Affected != "" {
		f.Whose += "; " + f.Affected
	}
	return f.Cause + "; " + f.Whose
}

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
