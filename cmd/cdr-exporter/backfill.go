package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/exporters/openmetrics"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

type backfill struct {
	pastFlags

	step   string
	labels []string
	output string
}

func newBackfill(c *kingpin.CmdClause) command {
	b := &backfill{}
	run := configCommand(c, b.run)
	b.define(c, "the start of live counting", "")
	c.Flag("step", "Time between samples, such as 30s or 5m.").Default("1m").StringVar(&b.step)
	c.Flag("label", "NAME=VALUE, a label for every series, to distinguish it from the live one. Repeatable.").
		StringsVar(&b.labels)
	c.Flag("output", "File to write; - means standard output.").Required().StringVar(&b.output)
	return run
}

func (b *backfill) run(ctx context.Context, r *commandConfig, s streams) error {
	step, labels, err := b.parse(r.labels.Names())
	if err != nil {
		return err
	}
	span, err := b.span()
	if err != nil {
		return err
	}
	span.ledger = r.storage
	if span.summary, err = ledger.ReadSummary(ctx, r.storage); err != nil {
		return err
	}
	feeds, err := b.feeds(r, span)
	if err != nil {
		return err
	}
	out, finish, err := createFile(b.output, s.out)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	report := s.out
	if b.output == standardOutput {
		report = s.errors
	}
	w := openmetrics.NewWriter(out, labels)
	err = finish(span.read(ctx, r, history.Settings{Step: step}, feeds, s.errors,
		func(h *history.History, m *meter) error {
			m.step("writing", int64(h.Series()), "series")
			if err := h.Write(ctx, w); err != nil {
				return err
			}
			m.end()
			for _, f := range feeds {
				fmt.Fprintf(report, "%s: %d calls from %s to %s\n", f.name(), f.summary.Calls,
					span.from.Format(time.RFC3339), f.To.UTC().Format(time.RFC3339))
				f.printLeftOut(report)
			}
			fmt.Fprintf(report, "%d series, %d samples\n", h.Series(), w.Samples())
			return nil
		}))
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: no history was written")
	}
	if err == nil {
		err = span.reportLost(s.errors)
	}
	return err
}

// parse parses the flags except for the range. operator are the names of the operator's labels.
func (b *backfill) parse(operator []string) (step time.Duration, labels []openmetrics.Label, err error) {
	d, err := model.ParseDuration(b.step)
	step = time.Duration(d)
	if err != nil || step < time.Second || step%time.Second != 0 {
		return 0, nil, usageError{errors.New("--step: must be a duration of whole seconds, such as 30s, 1m or 1h")}
	}
	if labels, err = openmetrics.ParseLabels(b.labels, operator...); err != nil {
		return 0, nil, usageError{fmt.Errorf("--label: %w", err)}
	}
	return step, labels, nil
}
