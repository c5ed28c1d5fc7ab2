// Package incident finds the failures in a range of time, for a ticket to a carrier: which trunk
// failed, since when, with which codes, and a sample of its calls. It reads providers and never
// changes the ledger.
package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// Settings say what is reported.
type Settings struct {
	// Trunk is the trunk whose failures are reported; empty means all.
	Trunk string
	// Meanwhile also counts the calls of other trunks, and of the trunk's other direction.
	Meanwhile bool
	// Callers also lists who made the outbound calls. Country lists only callers of this country.
	Callers bool
	Country string
	// Redactor redacts what is shown of a call.
	Redactor *cdr.Redactor
}

// Finder collects all calls of the range: since providers list in any order, the longest run of
// failures is known only when all calls are read.
type Finder struct {
	settings Settings
	calls    map[Line][]call
	callers  map[callerKey]*callerSums
}

// New makes a Finder.
func New(s Settings) *Finder {
	return &Finder{settings: s, calls: make(map[Line][]call), callers: make(map[callerKey]*callerSums)}
}

// Line is a trunk in one direction.
type Line struct {
	Source    string `json:"source,omitempty"`
	Feed      string `json:"feed,omitempty"`
	Trunk     string `json:"trunk,omitempty"`
	Direction string `json:"direction,omitempty"`
}

type call struct {
	at      time.Time
	outcome cdr.Outcome
	failure *failedCall // nil if the call connected
}

// failedCall is a call of the sample, redacted.
type failedCall struct {
	cause

	start                                 time.Time
	id, callID, sipCallID, caller, callee string
	labels                                cdr.Labels // the operator's
}

type cause struct {
	outcome  cdr.Outcome
	sip, sub cdr.Int
	reason   string
	domain   cdr.FaultDomain
}

// Add adds an attempt. So a carrier's failures are counted even if another carrier took the calls.
func (f *Finder) Add(feed *history.Feed, fact *facts.Fact) {
	r, s := fact.Record, &f.settings
	if (s.Callers || s.Country != "") && (s.Trunk == "" || strings.EqualFold(s.Trunk, r.Trunk)) {
		f.addCaller(feed, fact)
	}
	if fact.Kind != facts.Attempt {
		return
	}
	// A record's texts lie in a page that is reused, and a map stores the text of the last
	// assignment.
	line := Line{
		Source: feed.Source, Feed: feed.Info.Name, Direction: r.Direction.String(),
		Trunk: strings.Clone(r.Trunk),
	}
	one := call{at: r.Start, outcome: r.Outcome}
	if failed(r.Outcome, feed.Info.Properties) {
		one.failure = f.failure(r)
	}
	f.calls[line] = append(f.calls[line], one)
}

// failure is the part of a failed call that the report may show.
func (f *Finder) failure(r *cdr.Record) *failedCall {
	shown := f.redacted(r)
	return &failedCall{
		cause: cause{
			outcome: r.Outcome, sip: r.SIPCode, sub: r.SubCode, reason: strings.Clone(r.Reason),
			domain: r.Fault(),
		},
		start: r.Start, id: strings.Clone(r.ID), callID: strings.Clone(shown.CallID),
		sipCallID: strings.Clone(extra(&shown, "sip_call_id")),
		caller:    strings.Clone(shown.CallerNumber), callee: strings.Clone(shown.CalleeNumber), labels: r.Labels,
	}
}

// extra is the first of the provider's own fields with a text.
func extra(r *cdr.Record, keys ...string) string {
	for _, key := range keys {
		if i := slices.IndexFunc(r.Extra, func(a cdr.Attr) bool { return a.Key == key }); i >= 0 &&
			r.Extra[i].Str != "" {
			return r.Extra[i].Str
		}
	}
	return ""
}

// redacted is a record in the form that may be shown.
func (f *Finder) redacted(r *cdr.Record) cdr.Record {
	shown := *r
	shown.Extra, shown.Sessions, shown.ReasonPhrase = slices.Clone(r.Extra), nil, ""
	f.settings.Redactor.Redact(&shown)
	return shown
}

// failed says whether the network failed a call (NER, ITU-T E.425). In feeds without reasons, it is
// any call that didn't connect.
func failed(o cdr.Outcome, feed collector.FeedProperties) bool {
	if o == cdr.NotConnected {
		return !feed.Reasons
	}
	return o.Attempt() && !o.Effective()
}

// Report makes the report of the calls that were added; from and to are the range that was read. A
// trunk without calls is an error: a misspelt name must not look like a trunk without failures.
func (f *Finder) Report(from, to time.Time) (*Report, error) {
	s := &f.settings
	if err := f.knowTrunk(); err != nil {
		return nil, err
	}
	found := find(from, to, s.Trunk, f.calls)
	report := found.report()
	if s.Meanwhile {
		report.Meanwhile = found.meanwhile(f.calls)
	}
	if s.Callers || s.Country != "" {
		report.Callers = f.longestCallers()
	}
	return report, nil
}

func (f *Finder) knowTrunk() error {
	names := make(map[string]bool)
	for line := range f.calls {
		if strings.EqualFold(f.settings.Trunk, line.Trunk) {
			return nil
		}
		names[cmp.Or(line.Trunk, "no trunk")] = true
	}
	if f.settings.Trunk == "" {
		return nil
	}
	known := cmp.Or(strings.Join(slices.Sorted(maps.Keys(names)), ", "), "none")
	return fmt.Errorf("trunk %s has no calls in this range; these have: %s", f.settings.Trunk, known)
}
