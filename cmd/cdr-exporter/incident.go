package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/incident"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// incidentCommand prints the failures in a range of time, for a ticket to a carrier.
type incidentCommand struct {
	pastFlags
	incident.Settings

	numbers string // if empty, privacy.numbers applies
	output  string
}

func newIncident(c *kingpin.CmdClause) command {
	k := &incidentCommand{}
	run := configCommand(c, k.run)
	k.define(c, "now", "0s")
	c.Flag("trunk", "Trunk whose failures are reported; default: all trunks.").StringVar(&k.Trunk)
	c.Flag("numbers", "keep, mask, hash or drop, instead of the configuration's privacy.numbers: a carrier "+
		"needs whole numbers to search for calls.").
		PlaceHolder("MODE").EnumVar(&k.numbers, "keep", "mask", "hash", "drop")
	c.Flag("meanwhile", "Also count the calls that worked meanwhile: in the trunk's other direction, and on "+
		"all other trunks together, without their names.").BoolVar(&k.Meanwhile)
	c.Flag("callers",
		"Also list who made the outbound calls, redacted as configured, the longest first, to find fraud.").
		BoolVar(&k.Callers)
	c.Flag("country", "Only list callers of this country: an ISO 3166-1 code such as LV, or 001 for satellites.").
		PlaceHolder("CODE").StringVar(&k.Country)
	c.Flag("output", "text, json or csv.").Default("text").EnumVar(&k.output, "text", "json", "csv")
	return run
}

func (k *incidentCommand) run(ctx context.Context, r *commandConfig, s streams) error {
	span, feeds, err := k.open(r)
	if err != nil {
		return err
	}
	k.Country = strings.ToUpper(k.Country)
	r.Privacy.Numbers = cmp.Or(k.numbers, r.Privacy.Numbers)
	if k.Redactor, err = r.redactor(ctx); err != nil {
		return err
	}
	finder := incident.New(k.Settings)
	settings := history.Settings{OnFact: finder.Add, Parties: true}
	feeds = withoutOverlaps(feeds)
	if err := span.read(ctx, r, settings, feeds, s.errors, nil); err != nil {
		return err
	}
	printLeftOut(feeds, s.errors)
	report, err := finder.Report(span.from, feeds[0].To)
	if err != nil {
		return fmt.Errorf("--trunk: %w", err)
	}
	report.Numbers = cmp.Or(k.numbers, report.Numbers)
	if err := printIncident(report, k.output, s.out); err != nil {
		return err
	}
	return span.reportLost(s.errors)
}

func printIncident(r *incident.Report, output string, out io.Writer) (err error) {
	switch output {
	case "json":
		err = printJSON(out, r)
	case "csv":
		err = printIncidentRows(r, out)
	default:
		err = printText(out, "incident.tmpl", r)
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// printIncidentRows prints a report as rows of six kinds, with the same columns as the JSON.
func printIncidentRows(r *incident.Report, out io.Writer) (err error) {
	write, flush := rowWriter("csv", out)
	_ = write(slices.Clone(incidentColumns)) // buffered: an error shows at the flush
	row := func(kind string, value any) {
		text, failed := json.Marshal(value)
		var cells map[string]json.RawMessage
		err = cmp.Or(err, failed, json.Unmarshal(text, &cells))
		texts := make([]string, len(incidentColumns))
		for column, cell := range cells {
			text := string(cell)
			if text[0] == '"' {
				err = cmp.Or(err, json.Unmarshal(cell, &text))
			}
			texts[slices.Index(incidentColumns, column)] = text
		}
		texts[0] = kind
		_ = write(texts)
	}
	for _, line := range r.Failing {
		row("failing", line)
		for _, one := range r.AffectedOf(line.Line) {
			row("affected", one)
		}
		for _, one := range r.CallsOf(line.Line) {
			row("call", one)
		}
	}
	for _, one := range r.Causes {
		row("cause", one)
	}
	for _, one := range r.Meanwhile {
		row("meanwhile", one)
	}
	for _, one := range r.Callers {
		row("caller", one)
	}
	return cmp.Or(err, flush())
}

var incidentColumns = []string{
	"row", "source", "feed", "trunk", "direction", "attempts", "connected", "failed", "not_connected", "first", "last",
	"in_a_row", "since", "until", "last_before", "next_after", "read_to",
	"outcome", "sip_code", "sub_code", "reason", "words", "fault_domain", "count", "start", "id", "call_id",
	"sip_call_id", "caller", "callee", "label", "value",
	"country", "number_class", "user", "extension", "minutes", "charges",
}

// share is a number of calls, with its share of the attempts.
func share(calls, attempts int) string {
	return fmt.Sprintf("%d (%.0f %%)", calls, 100*float64(calls)/float64(max(1, attempts)))
}

var domainWords = map[string]string{
	cdr.FaultUnknown.String(): "unknown", cdr.FaultUser.String(): "the caller or the called",
	cdr.FaultPolicy.String(): "our policy",
	cdr.FaultSBC.String():    "our SBC or trunk", cdr.FaultCarrier.String(): "the carrier",
	cdr.FaultProvider.String(): "the provider's cloud",
}
