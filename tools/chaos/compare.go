package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// settleTimeout is how long the exporters may take to count and to send everything.
const settleTimeout = 3 * time.Minute

// compare stops publication, waits until the exporters agree with the totals, stops them, and
// returns the differences.
func (r *round) compare(ctx context.Context) (differences []string, err error) {
	r.delivered = len(r.sink.Logs())
	var want simulator.Tables
	r.calls, want = r.Pause()
	deadline := time.Now().Add(settleTimeout)
	for agreed := 0; agreed < 3 && time.Now().Before(deadline); { // consecutive checks
		for _, x := range r.exporters {
			if err := x.wait(ctx, time.Second/time.Duration(len(r.exporters))); err != nil {
				return nil, err
			}
		}
		if differences = harness.Differences(r.figures(ctx), want); len(differences) == 0 {
			agreed++
		} else {
			agreed = 0
		}
	}
	for _, x := range r.exporters {
		if err := x.Stop(); err != nil {
			return nil, err
		}
	}
	if output, err := r.exporters[0].command("ledger", "verify").CombinedOutput(); err != nil {
		differences = append(differences, fmt.Sprintf("ledger verify: %s: %s", err, output))
	}
	return differences, nil
}

// figures are the metrics of all exporters together, and the data at the OTLP endpoint.
func (r *round) figures(ctx context.Context) simulator.Tables {
	got := make(simulator.Tables)
	for _, x := range r.exporters {
		if err := r.scrape(ctx, x, got); err != nil {
			got.Count(err.Error())
		}
	}
	harness.AddLogs(got, r.sink.Logs())
	for what, n := range map[string]int{
		"log records without uid": r.sink.Unnamed(), "points that went down over OTLP": len(r.sink.Decreased()),
	} {
		if n > 0 {
			got.Add(what, int64(n)*1e6)
		}
	}
	return got
}

// scrape adds the metrics of an exporter.
func (r *round) scrape(ctx context.Context, x *exporter, got simulator.Tables) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body, err := program.Get(ctx, "http://"+x.address+"/metrics")
	if err == nil {
		err = r.AddMetrics(got, bytes.NewReader(body))
	}
	if err != nil {
		return fmt.Errorf("scrape %s: %w", x.name, err)
	}
	return nil
}
