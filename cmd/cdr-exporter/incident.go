package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// incident prints the failures in a range of time, for a ticket to a carrier.
type incident struct {
	pastFlags

	trunk       string
	numbers     string // if empty, privacy.numbers applies
	meanwhile   bool
	showCallers bool
	output      string

	redactor *cdr.Redactor
	// calls are all calls of the range: since providers list in any order, the longest run of
	// failures is known only when all calls are read.
	calls   map[callLine][]incidentCall
	callers callers
}

func newIncident(c *kingpin.CmdClause) command {
	k := &incident{
		calls:   make(map[callLine][]incidentCall),
		callers: callers{sums: make(map[callerKey]*callerSums)},
	}
	run := configCommand(c, k.run)
	k.define(c, "now", "0s")
	c.Flag("trunk", "Trunk whose failures are reported; default: all trunks.").StringVar(&k.trunk)
	c.Flag("numbers", "keep, mask, hash or drop, in place of the configuration's privacy.numbers: a carrier "+
		"needs whole numbers to search for calls.").
		PlaceHolder("MODE").EnumVar(&k.numbers, "keep", "mask", "hash", "drop")
	c.Flag("meanwhile", "Also count the calls that worked meanwhile: in the trunk's other direction, and on "+
		"all other trunks together, without their names.").BoolVar(&k.meanwhile)
	c.Flag("callers",
		"Also list who made the outbound calls, redacted as configured, the longest first, to find fraud.").
		BoolVar(&k.showCallers)
	c.Flag("country", "Only list callers of this country: an ISO 3166-1 code such as LV, or 001 for satellites.").
		PlaceHolder("CODE").StringVar(&k.callers.country)
	c.Flag("output", "text, json or csv.").Default("text").EnumVar(&k.output, "text", "json", "csv")
	return run
}

func (k *incident) run(ctx context.Context, r *commandConfig, s streams) error {
	span, feeds, err := k.open(r)
	if err != nil {
		return err
	}
	k.callers.country = strings.ToUpper(k.callers.country)
	r.Privacy.Numbers = cmp.Or(k.numbers, r.Privacy.Numbers)
	if k.redactor, err = r.redactor(ctx); err != nil {
		return err
	}
	settings := history.Settings{Step: time.Minute, OnFact: k.add}
	err = span.read(ctx, r, settings, withoutOverlaps(feeds), s.errors, func(*history.History, *meter) error {
		if err := k.knowTrunk(); err != nil {
			return err
		}
		report := newIncidentReport(span.from, feeds[0].To, k.trunk, k.calls)
		report.numbers = k.numbers
		if k.showCallers || k.callers.country != "" {
			report.callers = &k.callers
		}
		if k.meanwhile {
			report.countMeanwhile(k.calls)
		}
		return report.print(k.output, s.out)
	})
	if err == nil {
		err = span.reportLost(s.errors)
	}
	return err
}

// knowTrunk refuses a trunk without calls: a misspelt name must not look like a trunk without
// failures.
func (k *incident) knowTrunk() error {
	if k.trunk == "" {
		return nil
	}
	names := make(map[string]bool)
	for line := range k.calls {
		if strings.EqualFold(k.trunk, line.Trunk) {
			return nil
		}
		names[cmp.Or(line.Trunk, "no trunk")] = true
	}
	known := cmp.Or(strings.Join(slices.Sorted(maps.Keys(names)), ", "), "none")
	return fmt.Errorf("--trunk: trunk %s has no calls in this range; these have: %s", k.trunk, known)
}

// add adds an attempt. So a carrier's failures are counted even if another carrier took the calls.
func (k *incident) add(feed *history.Feed, f *facts.Fact) {
	r := f.Record
	if (k.showCallers || k.callers.country != "") && (k.trunk == "" || strings.EqualFold(k.trunk, r.Trunk)) {
		k.callers.add(feed, f, k.redacted)
	}
	if f.Kind != facts.Attempt {
		return
	}
	// A record's texts lie in a page that is reused, and a map stores the text of the last
	// assignment.
	line := callLine{
		Source: feed.Source, Feed: feed.Info.Name, Direction: r.Direction.String(),
		Trunk: strings.Clone(r.Trunk),
	}
	one := incidentCall{at: r.Start, outcome: r.Outcome}
	if failed(r.Outcome, feed.Info.Properties) {
		one.failure = k.failure(r)
	}
	k.calls[line] = append(k.calls[line], one)
}

// failure is the part of a failed call that the report may show.
func (k *incident) failure(r *cdr.Record) *failedCall {
	shown := k.redacted(r)
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
func (k *incident) redacted(r *cdr.Record) cdr.Record {
	shown := *r
	shown.Extra, shown.Sessions, shown.ReasonPhrase = slices.Clone(r.Extra), nil, ""
	k.redactor.Redact(&shown)
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
