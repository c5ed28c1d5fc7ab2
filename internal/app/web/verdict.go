package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
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

// Verdict says whether calls get through. Findings are what is wrong or unknown, worst first.
type Verdict struct {
	Level    Level     `json:"level"`
	Text     string    `json:"text"`
	Findings []Finding `json:"findings"`
}

// Finding is what is wrong or unknown. It reads "Subject: What, since Since; Cause; Whose; Affected".
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
	// Affected says by the operator's labels whose calls these are.
	Affected string `json:"affected,omitempty"`
}

const (
	// keptAttempts is how many attempts are kept of a trunk and direction, and drawn.
	keptAttempts = 64
	// newestAttempts is how many of them say how it is now.
	newestAttempts = 16
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
	metrics.LastAttempts

	Results string // a letter for each attempt, oldest first
	Finding Finding
}

func newRow(r metrics.LastAttempts) row {
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
	return row{LastAttempts: r, Results: results.String()}
}

// tally counts attempts: kept are all that are kept, burning those that a burn rate may count.
type tally struct{ kept, burning thresholds.Counts }

func (r *row) tally(now time.Time) (t tally) {
	t.kept = counts(r.Results)
	first := slices.IndexFunc(r.Attempts,
		func(a metrics.Attempt) bool { return now.Sub(a.Start()) < thresholds.BurnWindow })
	if first >= 0 {
		t.burning = counts(r.Results[first:])
	}
	return t
}

// counts are how attempts ended, by their letters.
func counts(results string) thresholds.Counts {
	return thresholds.Counts{
		Attempts: len(results), Faults: strings.Count(results, resultFault),
		Connected: strings.Count(results, resultConnected),
	}
}

// feedTrunk is a trunk of a feed. The rules on faults add up its directions, but for internal calls.
type feedTrunk struct{ source, feed, trunk string }

func (r *row) feedTrunk() feedTrunk { return feedTrunk{r.Source, r.Feed, r.Trunk} }

func tallies(rows []row, now time.Time) map[feedTrunk]tally {
	all := make(map[feedTrunk]tally)
	for i := range rows {
		if r := &rows[i]; r.Direction != "internal" {
			sum, t := all[r.feedTrunk()], r.tally(now)
			all[r.feedTrunk()] = tally{sum.kept.Add(t.kept), sum.burning.Add(t.burning)}
		}
	}
	return all
}

// judge judges feeds by their state and trunks by their last attempts. The rows are worst first.
func judge(status Status) (Verdict, []row) {
	v := Verdict{Findings: []Finding{}}
	var rows []row
	var premium []Finding
	for _, source := range status.Sources {
		for _, feed := range source.Feeds {
			behind := isBehind(feed, status.Now.Time)
			if behind {
				v.Findings = append(v.Findings, behindFinding(source.Name, feed))
			}
			premium = append(premium, premiumFindings(&status, source.Name, &feed)...)
			for _, t := range feed.Trunks {
				rows = append(rows, newRow(t))
				if behind {
					rows[len(rows)-1].Finding.AsOf = feed.Watermark
				}
			}
		}
	}
	all := tallies(rows, status.Now.Time)
	for i := range rows {
		rows[i].setFinding(&status.Thresholds, all[rows[i].feedTrunk()], status.Now.Time)
	}
	behindFeeds := len(v.Findings)
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(severity(a.Finding.Level)-severity(b.Finding.Level), b.Count(resultFault)-a.Count(resultFault),
			cmp.Compare(a.Finding.Subject, b.Finding.Subject))
	})
	for _, r := range rows {
		// If its feed is behind, the finding about the feed already says that the row is unknown.
		if f := r.Finding; f.Level != LevelOK && (f.Level != LevelUnknown || f.AsOf.IsZero()) {
			v.Findings = append(v.Findings, f)
		}
	}
	v.Findings = append(v.Findings, premium...)
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

// setFinding says what the last attempts mean, and of a feed that is behind what they meant.
func (r *row) setFinding(limits *thresholds.Thresholds, ofTrunk tally, now time.Time) {
	asOf := r.Finding.AsOf
	r.Finding = r.finding(limits, ofTrunk, now)
	if r.Finding.AsOf = asOf; !asOf.IsZero() && r.Finding.Level == LevelOK {
		r.Finding.Level, r.Finding.What = LevelUnknown, "can't tell"
	}
}

// finding judges a row by its last attempts and by the last attempts of its trunk. The lower of the two
// shares of faults decides.
func (r *row) finding(limits *thresholds.Thresholds, ofTrunk tally, now time.Time) Finding {
	f := Finding{
		Level: LevelOK, Subject: cmp.Or(r.Trunk, r.Source+" "+r.Feed) + ", " + r.Direction,
		What: "calls get through",
	}
	newest := r.Results[max(0, len(r.Results)-newestAttempts):]
	own, recent := r.tally(now), counts(newest)
	if own.kept.FaultShare() < ofTrunk.kept.FaultShare() {
		ofTrunk.kept = own.kept // another direction has the faults
	}
	if own.burning.FaultShare() < ofTrunk.burning.FaultShare() {
		ofTrunk.burning = own.burning
	}
	run := len(r.Results) - len(strings.TrimRight(r.Results, resultFault))
	unconnected := len(r.Results) - 1 - strings.LastIndex(r.Results, resultConnected) // in a row
	ending := metrics.Faults
	switch {
	case limits.Down(counts(r.Results[len(r.Results)-run:])), limits.Down(recent), recent.Faults > 0 &&
		(limits.MostFail(own.kept) || limits.MostFail(ofTrunk.kept)):
		f.Level, f.What = LevelBad, r.failedText(limits, newest, run)
	case unconnected >= limits.AnswerFloor:
		f.Level, f.What = LevelBad, fmt.Sprintf("none of the last %d attempts connected", unconnected)
		run, ending = unconnected, metrics.Unconnected
	case limits.NoneConnect(own.kept):
		f.Level, f.What = LevelBad, fmt.Sprintf("%d of the last %d attempts connected", own.kept.Connected,
			own.kept.Attempts)
		ending = metrics.Unconnected
	case limits.SomeFail(recent), limits.SomeFail(ofTrunk.burning), limits.MostFail(own.kept),
		limits.MostFail(ofTrunk.kept):
		f.Level, f.What = LevelWarn, r.failedText(limits, newest, run)
	case now.Sub(r.LastAttempts.Newest()) > thresholds.QuietAfter:
		f.Level, f.What, f.Since = LevelUnknown, "can't tell, no call", r.Newest()
		return f
	case recent.Connected == 0, r.NoReasons && float64(recent.Connected) < thresholds.HalfConnect*float64(len(newest)):
		f.Level, f.What = LevelUnknown, fmt.Sprintf("can't tell, %d of the last %d attempts connected",
			recent.Connected, len(newest))
		return f
	default:
		return f
	}
	if run >= thresholds.LeastFaults { // a shorter run doesn't mark a beginning
		f.Since = Time{r.Since(ending)}
	}
	top, _ := r.TopFailure(ending)
	if f.Cause = failureText(top); r.NoReasons {
		f.Cause = "the provider doesn't say why"
	}
	who := faultDomains[top.FaultDomain]
	f.Whose, f.Remedy, f.Affected = who[0], who[1], r.affected(ending)
	return f
}

// affected says of each label of the operator's which value most of the attempts have that ended
// so; empty without labels.
func (r *row) affected(ending metrics.Ending) string {
	labels, all := r.TopLabels(ending)
	var text strings.Builder
	for i, l := range labels {
		if i > 0 {
			fmt.Fprintf(&text, ", %d", l.Count)
		} else if ending == metrics.Faults {
			fmt.Fprintf(&text, "%d of %d failed attempts are", l.Count, all)
		} else {
			fmt.Fprintf(&text, "%d of %d attempts that didn't connect are", l.Count, all)
		}
		fmt.Fprintf(&text, " of %s %s", strings.ReplaceAll(l.Name, "_", " "), l.Value)
	}
	return text.String()
}

// failedText counts the failures among the newest attempts if these are too many and not nearly all
// failed, else among all.
func (r *row) failedText(limits *thresholds.Thresholds, newest string, run int) string {
	all, recent := counts(r.Results), counts(newest)
	text := fmt.Sprintf("%d of the last %d attempts failed", all.Faults, all.Attempts)
	switch {
	case recent.Faults == 0:
		return fmt.Sprintf("%s, none of the newest %d", text, recent.Attempts)
	case all.FaultShare() >= limits.DownRatio, !limits.SomeFail(recent), all.FaultShare() >= recent.FaultShare():
		return text
	case run >= thresholds.LeastFaults:
		return fmt.Sprintf("the last %d attempts failed", run)
	default:
		return fmt.Sprintf("%d of the last %d attempts failed", recent.Faults, recent.Attempts)
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

// trunkLevels are the levels of the trunks, by source and trunk. A trunk is as bad as its worst
// direction; if one direction is known to work, the trunk isn't unknown. Calls without a trunk
// count as a trunk only if the source names none, or if they fail: calls of Teams call records are
// also in other feeds, with their trunk.
func trunkLevels(rows []row) map[[2]string]Level {
	trunks, named := map[[2]string]Level{}, map[string]bool{}
	for _, r := range rows {
		named[r.Source] = named[r.Source] || r.Trunk != ""
	}
	for _, level := range []Level{LevelBad, LevelWarn, LevelOK, LevelUnknown} {
		for _, r := range rows {
			trunk, fails := [2]string{r.Source, r.Trunk}, level == LevelBad || level == LevelWarn
			if r.Finding.Level == level && trunks[trunk] == "" && (fails || r.Trunk != "" || !named[r.Source]) {
				trunks[trunk] = level
			}
		}
	}
	return trunks
}

// headline is the verdict in one sentence. It holds no time, since screen readers announce each change.
func headline(status Status, rows []row, behind int) (Level, string) {
	trunks, number := trunkLevels(rows), map[Level]int{}
	for _, level := range trunks {
		number[level]++
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
	text := "Calls get through " + on(number[LevelOK])
	switch {
	case number[LevelBad] > 0:
		return LevelBad, "Calls fail " + on(number[LevelBad]) + "."
	case number[LevelWarn] > 0:
		return LevelWarn, "Some calls fail " + on(number[LevelWarn]) + "."
	case number[LevelOK] > 0 && behind > 0:
		return LevelUnknown, text + "; not every feed is up to date."
	case number[LevelOK] > 0 && number[LevelOK] < len(trunks):
		return LevelOK, text + "; too few recent calls to tell of the rest."
	case number[LevelOK] > 0:
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
