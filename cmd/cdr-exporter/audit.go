package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/audit"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
)

// auditCommand compares what providers list with what the ledger has counted.
type auditCommand struct {
	pastFlags

	against string // a file in place of the provider
	file    recordFile
	share   float64
	output  string

	noAmounts bool // the file has none
}

func newAudit(c *kingpin.CmdClause) command {
	a := &auditCommand{}
	run := configCommand(c, a.run)
	a.define(c, "now", "0s")
	c.Flag("feed", "Feed of the sources; all feeds by default.").StringVar(&a.feed)
	c.Flag("against", "File of one feed's records, such as a portal's export, instead of the provider's list.").
		PlaceHolder("FILE").StringVar(&a.against)
	a.file.define(c, "Definition of the file; it has one feed, or a feed with the name of --feed. Without it the "+
		"file is CSV with the columns id and start, and amount and currency if they are to be compared, or a known "+
		"portal's export.")
	c.Flag("share", "Part of the provider's limit of requests that the audit uses, so that a running exporter "+
		"goes first.").Default("0.1").FloatVar(&a.share)
	c.Flag("output", "table or json.").Default("table").EnumVar(&a.output, "table", "json")
	return run
}

func (a *auditCommand) run(ctx context.Context, r *commandConfig, s streams) error {
	if !(a.share > 0 && a.share <= 1) {
		return usageError{errors.New("--share: give a part above 0, at most 1, such as 0.1")}
	}
	r.share = a.share
	span, feeds, err := a.open(r)
	if err == nil && a.against != "" {
		err = a.readExport(ctx, r, feeds, s.errors)
	}
	if err != nil {
		return err
	}
	days, err := a.audit(ctx, r, span, feeds, s)
	if err != nil {
		return err
	}
	if a.output == "json" {
		err = printJSON(s.out, days)
	} else {
		err = printText(s.out, "audit.tmpl", days)
	}
	err = errors.Join(err, span.reportLost(s.errors))
	if err == nil && slices.ContainsFunc(days, func(d audit.Day) bool { return d.Differs() }) {
		return errSilent
	}
	return err
}

// readExport has the file read in place of the provider.
func (a *auditCommand) readExport(ctx context.Context, r *commandConfig, feeds []*pastFeed, problems io.Writer) error {
	if len(feeds) != 1 {
		return errors.New("--against: say with --source and --feed of which feed the file is")
	}
	a.file.audited = feeds[0].Info.Name
	export, err := a.openExport(ctx, r, problems)
	if err != nil {
		return err
	}
	info := *feeds[0].Info
	info.Reader, info.Fetcher, info.Limits = export, nil, collector.Limits{}
	feeds[0].Info = &info
	return nil
}

// audit audits one feed after the other.
func (a *auditCommand) audit(
	ctx context.Context, r *commandConfig, span *pastSpan, feeds []*pastFeed, s streams,
) ([]audit.Day, error) {
	m := newMeter(s.errors)
	defer m.end()
	all := []audit.Day{}
	for _, f := range feeds {
		m.step(f.name(), int64(f.To.Sub(span.from)/time.Minute), "min")
		spec := app.SpecOf(r.Source(f.Source), f.Info)
		days, err := audit.Run(ctx, audit.Settings{
			From: span.from, To: f.To.UTC().Truncate(time.Second), Now: time.Now, Note: m.note,
			Ledger:   r.storage,
			Progress: func(read time.Duration) { m.set(int64(read / time.Minute)) },
		}, audit.Feed{Info: f.Info, NoAmounts: a.noAmounts, Spec: spec})
		if ctx.Err() != nil {
			return nil, errors.New("interrupted")
		}
		if errors.Is(err, audit.ErrProvider) {
			err = advised(f.source, err)
		}
		if err != nil {
			return nil, fmt.Errorf("audit %s: %w", f.name(), err)
		}
		all = append(all, days...)
		if a.against != "" {
			continue // which says nothing of the provider
		}
		if err := audit.Store(ctx, r.storage, spec, days); err != nil && ctx.Err() == nil {
			m.note(f.name() + ": the exporter won't show this audit, since its result can't be kept: " + err.Error())
		}
	}
	return all, nil
}

// auditCharges are a day's amounts in a table, by currency.
func auditCharges(d audit.Day) string {
	var texts []string
	all := maps.Clone(d.Charges.Listed)
	all.AddAll(d.Charges.Counted)
	for _, currency := range all.Currencies() {
		listed, counted := d.Charges.Listed.Text(currency), d.Charges.Counted.Text(currency)
		text := strings.TrimSpace(listed + " " + printable(currency))
		if listed != counted {
			text += ", counted " + counted
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
