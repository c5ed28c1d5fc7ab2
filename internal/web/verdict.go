package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Level is how well calls get through.
type Level string

// The levels.
const (
	LevelBad     Level = "bad"     // calls don't get through
	LevelWarn    Level = "warn"    // a part of the calls fails
	LevelUnknown Level = "unknown" // can't tell
	LevelOK      Level = "ok"
)

// severity orders levels, worst first.
func severity(l Level) int {
	return slices.Index([]Level{LevelBad, LevelWarn, LevelUnknown, LevelOK}, l)
}

// Verdict says whether calls get through. Findings are what is wrong or can't be told, worst first.
type Verdict struct {
	Level    Level     `json:"level"`
	Text     string    `json:"text"`
	Findings []Finding `json:"findings"`
}

// Finding is what is wrong or can't be told. It reads "Subject: What, since Since; Cause; Whose".
type Finding struct {
	Level   Level  `json:"level"`
	Subject string `json:"subject"`
	What    string `json:"what"`
	// Since is when it began; zero: not known. AsOf is how far a feed that is behind has been read.
	Since Time `json:"since"`
	AsOf  Time `json:"as_of"`
	// Cause is the most frequent failure, or why the feed isn't read; Whose is whose fault that probably is.
	Cause  string `json:"cause,omitempty"`
	Whose  string `json:"whose,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

const (
	// keptAttempts is how many attempts are kept of a trunk and direction, and drawn.
	keptAttempts = 64
	// newestAttempts is how many of them say how it is now.
	newestAttempts = 16
	// warnFaults or downFaults of these, or warnRun or downRun in a row, mean that calls fail now and then, or that the trunk is down.
	warnFaults, downFaults = 6, 14
	warnRun, downRun       = 3, 5
	// quietAfter its newest call it isn't known whether a trunk still works.
	quietAfter = 24 * time.Hour
	// throttledBehind is how far behind a feed may be for a throttled one still to count as read.
	throttledBehind = 10 * time.Minute
)

// The letters of row.Results.
const (
	resultConnected = "c"
	resultFault     = "f"
	resultOther     = "o"
)

// row is a trunk in one direction, and what its last attempts mean.
type row struct {
	metrics.Recent

	Results string // a letter for each attempt, oldest first
	Finding Finding
}

func newRow(r metrics.Recent, now time.Time) row {
	var results strings.Builder
	for _, a := range r.Attempts {
		switch {
		case a.Outcome.Connected():
			results.WriteString(resultConnected)
		case metrics.Faults.Has(a.Outcome):
			results.WriteString(resultFault)
		default:
			results.WriteString(resultOther)
		}
	}
	row := row{Recent: r, Results: results.String()}
	row.Finding = row.judge(now)
	return row
}

// judge judges feeds by their state and trunks by their last attempts. The rows are worst first.
func judge(status Status) (Verdict, []row) {
	v := Verdict{Findings: []Finding{}}
	var rows []row
	for _, source := range status.Sources {
		for _, feed := range source.Feeds {
			behind := isBehind(feed, status.Now.Time)
			if behind {
				v.Findings = append(v.Findings, behindFinding(source.Name, feed))
			}
			for _, t := range feed.Trunks {
				r := newRow(t, status.Now.Time)
				if behind {
					r.Finding.AsOf = feed.Watermark
				}
				if behind && r.Finding.Level == LevelOK {
					r.Finding.Level, r.Finding.What = LevelUnknown, "can't tell"
				}
				rows = append(rows, r)
			}
		}
	}
	behindFeeds := len(v.Findings)
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(severity(a.Finding.Level)-severity(b.Finding.Level), b.Count(resultFault)-a.Count(resultFault), cmp.Compare(a.Finding.Subject, b.Finding.Subject))
	})
	for _, r := range rows {
		// What a feed that is behind leaves open was said once, of the feed.
		if f := r.Finding; f.Level != LevelOK && (f.Level != LevelUnknown || f.AsOf.IsZero()) {
			v.Findings = append(v.Findings, f)
		}
	}
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return severity(a.Level) - severity(b.Level) })
	v.Level, v.Text = headline(status, rows, behindFeeds)
	return v, rows
}

// isBehind reports whether the calls of now are missing from a feed's records. A snapshot has none.
func isBehind(f Feed, now time.Time) bool {
	if f.State == StateThrottled && now.Sub(f.Watermark.Time) < throttledBehind {
		return false
	}
	return !f.Snapshot && f.State != StateElsewhere && (f.State != StateOK || f.LastSuccess.IsZero())
}

func behindFinding(source string, feed Feed) Finding {
	cause := "older calls are being read first"
	if feed.LastSuccess.IsZero() {
		cause = "nothing has been read yet"
	}
	return Finding{
		Level: LevelUnknown, Subject: source + " " + feed.Feed, What: "can't tell", Since: feed.Watermark,
		Cause: cmp.Or(feed.LastError, cause), Remedy: feed.Advice,
	}
}

// judge says what the last attempts mean.
func (r *row) judge(now time.Time) Finding {
	f := Finding{Level: LevelOK, Subject: cmp.Or(r.Trunk, r.Source+" "+r.Feed) + ", " + r.Direction, What: "calls get through"}
	newest := r.Results[max(0, len(r.Results)-newestAttempts):]
	faults, connected := strings.Count(newest, resultFault), strings.Count(newest, resultConnected)
	run := len(r.Results) - len(strings.TrimRight(r.Results, resultFault))
	unconnected := len(r.Results) - 1 - strings.LastIndex(r.Results, resultConnected) // in a row
	ending := metrics.Faults
	switch {
	case run >= downRun, faults >= downFaults:
		f.Level, f.What = LevelBad, r.failedText(newest, run)
	case unconnected >= newestAttempts:
		f.Level, f.What = LevelBad, fmt.Sprintf("none of the last %d attempts connected", unconnected)
		run, ending = unconnected, metrics.Unconnected
	case run >= warnRun, faults >= warnFaults:
		f.Level, f.What = LevelWarn, r.failedText(newest, run)
	case now.Sub(r.Recent.Newest()) > quietAfter:
		f.Level, f.What, f.Since = LevelUnknown, "can't tell, no call", r.Newest()
		return f
	case connected == 0, r.NoReasons && connected*2 < len(newest):
		f.Level, f.What = LevelUnknown, fmt.Sprintf("can't tell, %d of the last %d attempts connected", connected, len(newest))
		return f
	default:
		return f
	}
	if run >= warnRun { // less is no beginning
		f.Since = Time{r.Since(ending)}
	}
	top, _ := r.TopFailure(ending)
	if f.Cause = failureText(top); r.NoReasons {
		f.Cause = "the provider doesn't say why"
	}
	who := faultDomains[top.FaultDomain]
	f.Whose, f.Remedy = who[0], who[1]
	return f
}

// failedText counts the failures among all attempts if nearly all of them failed, else the newest ones.
func (r *row) failedText(newest string, run int) string {
	switch faults := strings.Count(r.Results, resultFault); {
	case faults*10 >= len(r.Results)*9:
		return fmt.Sprintf("%d of the last %d attempts failed", faults, len(r.Results))
	case run >= warnRun:
		return fmt.Sprintf("the last %d attempts failed", run)
	default:
		return fmt.Sprintf("%d of the last %d attempts failed", strings.Count(newest, resultFault), len(newest))
	}
}

// failureText is a failure in words, with its most specific code.
func failureText(f metrics.Failure) string {
	text := cmp.Or(strings.ReplaceAll(f.Reason, "_", " "), "no reason given")
	if code := cmp.Or(f.SubCode, f.SIPCode); code != "" {
		text += " (" + code + ")"
	}
	return text
}

// faultDomains are, by the label fault_domain, whose fault a failure probably is and what to do.
var faultDomains = map[string][2]string{
	"user":     {"users", "Look at the numbers that are dialled, and at the rules that rewrite them."},
	"policy":   {"your policy, licence or credit", "See what was changed there, and whether the account has credit."},
	"sbc":      {"your SBC", "Look at its log, its certificate, its network and the carrier behind it."},
	"carrier":  {"the carrier", "Open a ticket with the carrier; cdr-exporter incident writes it."},
	"provider": {"the provider", "See the provider's service health; cdr-exporter incident writes a ticket."},
	"unknown":  {"unclear whose fault", "Look at the SBC or trunk first, then at the provider's service health."},
}

// headline is the verdict in one sentence. It holds no time, since screen readers announce each change.
func headline(status Status, rows []row, behind int) (Level, string) {
	// A trunk is as bad as its worst direction; one direction that works is enough to know that it works. Calls without a trunk count as
	// one only where the source names none, or if they fail: Teams call records are of calls that other feeds have with their trunk.
	trunks, named, counts := map[[2]string]bool{}, map[string]bool{}, map[Level]int{}
	for _, r := range rows {
		named[r.Source] = named[r.Source] || r.Trunk != ""
	}
	for _, level := range []Level{LevelBad, LevelWarn, LevelOK, LevelUnknown} {
		for _, r := range rows {
			trunk, fails := [2]string{r.Source, r.Trunk}, level == LevelBad || level == LevelWarn
			if r.Finding.Level == level && !trunks[trunk] && (fails || r.Trunk != "" || !named[r.Source]) {
				trunks[trunk] = true
				counts[level]++
			}
		}
	}
	on := func(n int) string {
		switch {
		case n < len(trunks):
			return fmt.Sprintf("on %d of %d trunks", n, len(trunks))
		case n == 1:
			return "on the only trunk"
		default:
			return fmt.Sprintf("on all %d trunks", n)
		}
	}
	text := "Calls get through " + on(counts[LevelOK])
	switch {
	case counts[LevelBad] > 0:
		return LevelBad, "Calls fail " + on(counts[LevelBad]) + "."
	case counts[LevelWarn] > 0:
		return LevelWarn, "Some calls fail " + on(counts[LevelWarn]) + "."
	case counts[LevelOK] > 0 && behind > 0:
		return LevelUnknown, text + "; not every feed is up to date."
	case counts[LevelOK] > 0 && counts[LevelOK] < len(trunks):
		return LevelOK, text + "; too few recent calls to tell of the rest."
	case counts[LevelOK] > 0:
		return LevelOK, text + "."
	}
	text = "Can't tell whether calls get through"
	switch {
	case len(status.Sources) == 0:
		text += ": no source is configured"
	case !status.Ready:
		text += " yet: " + strings.TrimSuffix(status.NotReady, ".")
	case len(rows) == 0 && behind == 0 && len(status.Replicas) > 1:
		text += " from here: see the other replicas"
	case len(rows) == 0 && behind == 0:
		text += ": no calls yet"
	}
	return LevelUnknown, text + "."
}
