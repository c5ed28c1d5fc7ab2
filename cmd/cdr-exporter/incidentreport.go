package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostSamples is how many failed calls, the first ones, a report shows of a trunk and direction.
const mostSamples = 10

// callLine is a trunk in one direction.
type callLine struct{ Source, Feed, Trunk, Direction string }

// incidentCall is what a report needs of a call.
type incidentCall struct {
	at      time.Time
	outcome cdr.Outcome
	failure *failedCall // nil: it got through, or its failure is another call's
}

// failedCall is a call of the sample, redacted.
type failedCall struct {
	cause

	start                      time.Time
	id, callID, caller, callee string
}

// cause is why a call failed.
type cause struct {
	outcome  cdr.Outcome
	sip, sub cdr.Int
	reason   string
	domain   cdr.FaultDomain
}

// words are the codes in words: those of the taxonomy.
func (c *cause) words() string {
	text := slugWords(cmp.Or(c.reason, c.outcome.String()))
	var codes []string
	if c.sip.Known && c.sip.Value != 0 {
		code := fmt.Sprintf("SIP %d", c.sip.Value)
		if meaning := cdr.SIPReason(c.sip.Value); meaning != c.reason && meaning != "" {
			code += " " + slugWords(meaning)
		}
		codes = append(codes, code)
	}
	if c.sub.Known && c.sub.Value != 0 {
		codes = append(codes, fmt.Sprintf("sub code %d", c.sub.Value))
	}
	if len(codes) > 0 {
		text += " (" + strings.Join(codes, ", ") + ")"
	}
	return text
}

// counts are the calls of a line.
type counts struct {
	callLine

	attempts, connected, failed int
}

// add counts a call, but for one whose outcome isn't known.
func (n *counts) add(c *incidentCall) {
	if c.failure != nil || c.outcome.Attempt() {
		n.attempts++
	}
	if c.outcome.Connected() {
		n.connected++
	}
	if c.failure != nil {
		n.failed++
	}
}

// failingLine is a line on which calls failed.
type failingLine struct {
	counts

	first, last time.Time // failures
	longest     failureRun
	causes      []causeCount // the most frequent first
	sample      []*failedCall
}

// failureRun are failures in a row between two calls that got through, if there were any.
type failureRun struct {
	failed        int
	since, until  time.Time
	before, after time.Time // calls that got through
}

// causeCount is how often a cause occurred, and when.
type causeCount struct {
	cause

	count       int
	first, last time.Time
}

// incidentReport says what failed, and what got through between the first failure and the last.
type incidentReport struct {
	from, to    time.Time
	trunk       string // empty: all
	failing     []*failingLine
	first, last time.Time
	meanwhile   []counts
}

// newIncidentReport is the report of a trunk, or of all.
func newIncidentReport(from, to time.Time, trunk string, calls map[callLine][]incidentCall) *incidentReport {
	r := &incidentReport{from: from, to: to, trunk: trunk, first: from, last: to}
	lines := slices.SortedFunc(maps.Keys(calls), func(a, b callLine) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	var others []callLine
	for _, line := range lines {
		slices.SortStableFunc(calls[line], func(a, b incidentCall) int { return a.at.Compare(b.at) })
		if f := newFailingLine(line, calls[line]); f != nil && (trunk == "" || strings.EqualFold(trunk, line.Trunk)) {
			r.failing = append(r.failing, f)
		} else {
			others = append(others, line)
		}
	}
	slices.SortStableFunc(r.failing, func(a, b *failingLine) int { return cmp.Compare(b.failed, a.failed) })
	if len(r.failing) > 0 {
		r.first = slices.MinFunc(r.failing, func(a, b *failingLine) int { return a.first.Compare(b.first) }).first
		r.last = slices.MaxFunc(r.failing, func(a, b *failingLine) int { return a.last.Compare(b.last) }).last
	}
	for _, line := range others {
		n := counts{callLine: line}
		for i := range calls[line] {
			if c := &calls[line][i]; !c.at.Before(r.first) && !c.at.After(r.last) {
				n.add(c)
			}
		}
		if n.attempts > 0 {
			r.meanwhile = append(r.meanwhile, n)
		}
	}
	return r
}

// newFailingLine is what the calls of a line, in order, say of its failures; nil if none failed.
func newFailingLine(line callLine, calls []incidentCall) *failingLine {
	f := &failingLine{counts: counts{callLine: line}}
	causes, run, sampled := make(map[cause]*causeCount), failureRun{}, []*failedCall(nil)
	for i := range calls {
		c := &calls[i]
		f.add(c)
		switch {
		case c.failure != nil:
			if run.failed++; run.failed == 1 {
				run.since = c.at
			}
			run.until = c.at
			n := causes[c.failure.cause]
			if n == nil {
				n = &causeCount{cause: c.failure.cause, first: c.at}
				causes[c.failure.cause] = n
			}
			n.count++
			n.last = c.at
			sampled = append(sampled, c.failure)
		case c.outcome.Effective():
			run.after = c.at
			f.keepLongest(run)
			run = failureRun{before: c.at}
		}
	}
	if f.failed == 0 {
		return nil
	}
	f.keepLongest(run)
	f.first, f.last, f.sample = sampled[0].start, sampled[len(sampled)-1].start, sampled[:min(len(sampled), mostSamples)]
	for _, n := range causes {
		f.causes = append(f.causes, *n)
	}
	slices.SortFunc(f.causes, func(a, b causeCount) int {
		return cmp.Or(cmp.Compare(b.count, a.count), a.first.Compare(b.first), cmp.Compare(a.words(), b.words()))
	})
	return f
}

func (f *failingLine) keepLongest(run failureRun) {
	if run.failed > f.longest.failed {
		f.longest = run
	}
}
