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
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/history"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// incident prints what failed in a span of time, for a ticket to a carrier.
type incident struct {
	config, source, trunk string
	from, to              string
	output                string
}

func newIncident(c *kingpin.CmdClause) command {
	k := &incident{}
	c.Flag("config.file", "Configuration file.").Default("config.yaml").StringVar(&k.config)
	c.Flag("source", "Name of the source; all sources by default.").StringVar(&k.source)
	c.Flag("trunk", "Trunk whose failures are reported; all trunks by default.").StringVar(&k.trunk)
	rangeFlags(c, &k.from, &k.to, "now", "0s")
	c.Flag("output", "text, json or csv.").Default("text").EnumVar(&k.output, "text", "json", "csv")
	return k.run
}

func (k *incident) run(ctx context.Context, s streams) error {
	span, err := newPastSpan(k.from, k.to)
	if err != nil {
		return err
	}
	c, err := app.LoadConfig(k.config, app.Providers())
	if err != nil {
		return err
	}
	redactor, err := newRedactor(ctx, c)
	if err != nil {
		return err
	}
	defer span.close()
	feeds, err := span.feeds(c, k.source, k.config)
	if err != nil {
		return err
	}
	calls := &callCollector{redactor: redactor, byLine: make(map[callLine][]incidentCall)}
	if err := calls.read(ctx, c, span, withoutOverlaps(feeds), s); err != nil {
		return err
	}
	if err := calls.knowTrunk(k.trunk); err != nil {
		return err
	}
	return newIncidentReport(span.from, span.to, k.trunk, calls.byLine).print(k.output, s.out)
}

// knowTrunk refuses a trunk that has no call: a name with a mistake must not read as one without failures.
func (c *callCollector) knowTrunk(trunk string) error {
	names := make(map[string]bool)
	for line := range c.byLine {
		if trunk == "" || strings.EqualFold(trunk, line.Trunk) {
			return nil
		}
		names[cmp.Or(line.Trunk, "no trunk")] = true
	}
	return fmt.Errorf("--trunk: no call of trunk %s in this range; there are calls of: %s", trunk, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}

// withoutOverlaps leaves out feeds whose calls are in another feed of the source too.
func withoutOverlaps(feeds []*pastFeed) []*pastFeed {
	overlapping := app.Feeds(func(p collector.FeedProperties) bool { return p.Overlaps })
	return slices.DeleteFunc(slices.Clone(feeds), func(f *pastFeed) bool {
		return slices.Contains(overlapping, f.Info.Name) && slices.ContainsFunc(feeds, func(other *pastFeed) bool {
			return other.Source == f.Source && !slices.Contains(overlapping, other.Info.Name)
		})
	})
}

// callCollector collects calls as the exporter counts them.
type callCollector struct {
	redactor *cdr.Redactor
	byLine   map[callLine][]incidentCall
}

// read reads the feeds.
func (c *callCollector) read(ctx context.Context, conf *config.Config, span *pastSpan, feeds []*pastFeed, s streams) error {
	m := newMeter(s.errors)
	defer m.end()
	h, err := history.Open(ctx, history.Settings{
		From: span.from, Step: time.Minute, SeriesLimit: conf.Metrics.SeriesLimit, Now: time.Now,
		Note: m.note, Progress: m.progress, OnChange: c.add,
	})
	if err != nil {
		return err
	}
	defer h.Close() //nolint:errcheck // nothing of it is kept
	for _, f := range feeds {
		if _, err := f.read(ctx, h, m); err != nil {
			return err
		}
	}
	return nil
}

// add takes a call when it is counted, and its failure, which is counted after it if it isn't another call's.
func (c *callCollector) add(f *history.Feed, r *cdr.Record, d *metrics.Delta) {
	if d.Def != metrics.Calls && d.Def != metrics.CallFailures {
		return
	}
	// A record's texts lie in a page that is used again, and a map takes the text of the last assignment.
	line := callLine{Source: f.Source, Feed: f.Info.Name, Direction: r.Direction.String(), Trunk: strings.Clone(r.Trunk)}
	if d.Def == metrics.Calls {
		c.byLine[line] = append(c.byLine[line], incidentCall{at: r.Start, outcome: r.Outcome})
		return
	}
	calls := c.byLine[line]
	if failed(r.Outcome, f.Info.Name) {
		calls[len(calls)-1].failure = c.failure(r)
	}
}

// failure is what the report may show of a call that failed.
func (c *callCollector) failure(r *cdr.Record) *failedCall {
	shown := *r
	shown.Extra, shown.Sessions, shown.ReasonPhrase = slices.Clone(r.Extra), nil, ""
	c.redactor.Redact(&shown)
	return &failedCall{
		cause: cause{outcome: r.Outcome, sip: r.SIPCode, sub: r.SubCode, reason: strings.Clone(r.Reason), domain: r.Fault()},
		start: r.Start, id: strings.Clone(r.ID), callID: strings.Clone(shown.CallID),
		caller: strings.Clone(shown.CallerNumber), callee: strings.Clone(shown.CalleeNumber),
	}
}

// failed says whether the network failed a call (NER, ITU-T E.425). Of feeds that give no reasons it is any call that didn't connect.
func failed(o cdr.Outcome, feed string) bool {
	if o == cdr.NotConnected {
		return !slices.Contains(app.Feeds(func(p collector.FeedProperties) bool { return p.Reasons }), feed)
	}
	return o.Attempt() && !o.Effective()
}
