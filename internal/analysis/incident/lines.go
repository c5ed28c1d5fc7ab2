package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostSamples is how many calls, from the first, a report shows for the longest outage of a trunk
// and direction.
const mostSamples = 10

// words describe the codes, in the taxonomy's words.
func (c *cause) words() string {
	text := words(cmp.Or(c.reason, c.outcome.String()))
	if meaning := cdr.SIPCause(c.sip.Value).Reason; c.sip.Known && meaning != c.reason && meaning != "" {
		text += " (" + words(meaning) + ")"
	}
	return text
}

func words(slug string) string { return strings.ReplaceAll(slug, "_", " ") }

// network says whether the network failed the call, or may have failed it: the feed doesn't say why
// a call didn't connect.
func (c *cause) network() bool { return c.outcome == cdr.Failed || c.outcome == cdr.NotConnected }

// failures are sorted by start.
type failures []*failedCall

func (f failures) first() time.Time { return f[0].start.UTC() }

func (f failures) last() time.Time { return f[len(f)-1].start.UTC() }

// lineCalls are the calls of a line.
type lineCalls struct {
	Line

	attempts, connected int
	failures            failures   // the network's failures
	causes              []failures // by cause, the most frequent first, with misdialled and refused calls
	longest             failureRun
}

// failureRun are consecutive failures, with the connected calls before and after, if there are any.
type failureRun struct {
	failures

	before, after time.Time // connected calls
}

// found is what was found of the failures.
type found struct {
	from, to time.Time
	trunk    string                  // empty means all
	read     map[[2]string]time.Time // start of the newest call, by source and feed
	lines    []*lineCalls            // of the trunk
	failing  []*lineCalls            // lines with failures of the network, the longest outage first
}

func find(from, to time.Time, trunk string, calls map[Line][]call) *found {
	f := &found{from: from, to: to, trunk: trunk, read: make(map[[2]string]time.Time)}
	for _, line := range slices.SortedFunc(maps.Keys(calls),
		func(a, b Line) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		of := calls[line]
		slices.SortStableFunc(of, func(a, b call) int { return a.at.Compare(b.at) })
		if feed := [2]string{line.Source, line.Feed}; of[len(of)-1].at.After(f.read[feed]) {
			f.read[feed] = of[len(of)-1].at
		}
		if trunk == "" || strings.EqualFold(trunk, line.Trunk) {
			f.lines = append(f.lines, newLineCalls(line, of))
		}
	}
	f.failing = slices.DeleteFunc(slices.Clone(f.lines), func(l *lineCalls) bool { return len(l.failures) == 0 })
	slices.SortStableFunc(f.failing, func(a, b *lineCalls) int {
		return cmp.Or(cmp.Compare(len(b.longest.failures), len(a.longest.failures)),
			cmp.Compare(len(b.failures), len(a.failures)))
	})
	return f
}

// span is from the first to the last of the longest runs, or the whole range without failures.
func (f *found) span() (from, to time.Time) {
	for i, l := range f.failing {
		if i == 0 || l.longest.first().Before(from) {
			from = l.longest.first()
		}
		if l.longest.last().After(to) {
			to = l.longest.last()
		}
	}
	if to.IsZero() {
		return f.from, f.to
	}
	return from, to
}

// others are the calls of other lines during that time. Other trunks may belong to other carriers, so
// they are summed without names.
func (f *found) others(calls map[Line][]call) []*lineCalls {
	first, last := f.span()
	others := make(map[Line][]call)
	for line, of := range calls {
		if slices.ContainsFunc(f.failing, func(l *lineCalls) bool { return l.Line == line }) {
			continue
		}
		if f.trunk == "" || !strings.EqualFold(f.trunk, line.Trunk) {
			line = Line{Trunk: "other trunks", Direction: line.Direction}
		}
		for i := range of {
			if !of[i].at.Before(first) && !of[i].at.After(last) {
				others[line] = append(others[line], of[i])
			}
		}
	}
	return find(first, last, "", others).lines
}

// newLineCalls counts the calls of a line, which must be in order. A call with an unknown outcome
// isn't an attempt. A call that a user misdialled or that policy refused isn't a failure of the
// network, and doesn't show that the network works either.
func newLineCalls(line Line, calls []call) *lineCalls {
	l, run := &lineCalls{Line: line}, failureRun{}
	causes := make(map[cause]failures)
	for i := range calls {
		c := &calls[i]
		if c.failure != nil || c.outcome.Attempt() {
			l.attempts++
		}
		if c.outcome.Connected() {
			l.connected++
		}
		if c.failure != nil {
			causes[c.failure.cause] = append(causes[c.failure.cause], c.failure)
		}
		switch {
		case c.failure != nil && c.failure.network():
			l.failures, run.failures = append(l.failures, c.failure), append(run.failures, c.failure)
			if len(run.failures) > len(l.longest.failures) {
				l.longest = run
			}
		case c.outcome.Effective():
			if l.longest.after.IsZero() { // otherwise it is an earlier run
				l.longest.after = c.at
			}
			run = failureRun{before: c.at}
		}
	}
	l.causes = slices.SortedFunc(maps.Values(causes), func(a, b failures) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), a.first().Compare(b.first()),
			cmp.Compare(a[0].words(), b[0].words()), cmp.Compare(a[0].id, b[0].id))
	})
	return l
}

// affected counts the network's failures by value of the operator's labels, the most frequent
// first.
func (l *lineCalls) affected() (rows []Affected) {
	counts := cdr.CountLabels(func(yield func(cdr.Labels) bool) {
		for _, f := range l.failures {
			if !yield(f.labels) {
				return
			}
		}
	})
	for _, whose := range counts[:min(len(counts), mostSamples)] {
		rows = append(rows, Affected{Line: l.Line, Label: whose.Name, Value: whose.Value, Count: whose.Count})
	}
	return rows
}
