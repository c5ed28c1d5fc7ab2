package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// exporter is one of the two processes, with its endpoint for log records.
type exporter struct {
	*program.Process

	address string
	sink    *otlpsink.Sink
}

// startExporter starts a program with its own ledger and its own listener for notifications. No
// call is late in it, because lateness depends on the second at which a call is read.
func startExporter(ctx context.Context, file, config, hook string) (*exporter, error) {
	ownHook, hookErr := simulator.FreeAddress(ctx)
	address, addressErr := simulator.FreeAddress(ctx)
	text, readErr := os.ReadFile(config)
	sink, err := otlpsink.Start(otlpsink.Settings{})
	if err = errors.Join(hookErr, addressErr, readErr, err); err != nil {
		return nil, err
	}
	folder, name := filepath.Split(file)
	own := strings.NewReplacer(hook, ownHook, filepath.Join(folder, "ledger"), file+"-ledger", "late_after: 10m",
		"late_after: 24h").Replace(string(text))
	own += fmt.Sprintf("privacy: {hash_key: the same in both exporters}\notlp: {endpoint: %q, interval: 1s}\n",
		sink.URL())
	if err := os.WriteFile(file+".yaml", []byte(own), 0o600); err != nil {
		return nil, err
	}
	p, err := program.Start(folder, name, program.Command(ctx, file, "run", "--config.file="+file+".yaml",
		"--web.listen-address="+address, "--webhook.listen-address="+ownHook))
	if err != nil {
		return nil, err
	}
	return &exporter{Process: p, address: address, sink: sink}, nil
}

func (x *exporter) close() {
	_ = x.Stop() // its counts were compared
	x.sink.Close()
}

// logRecords is the table of log records, by their text.
const logRecords = "log records"

// look reads the metrics of calls and the log records at the exporter's endpoint.
func (x *exporter) look(ctx context.Context) (simulator.Tables, error) {
	if err := x.Ended(); err != nil {
		return nil, err
	}
	all := make(simulator.Tables)
	for _, r := range x.sink.Logs() {
		if r.Attributes["cdr.source"] == "pbx" { // its records have no ids: each ledger's key makes different ones
			delete(r.Attributes, "cdr.record.id")
			delete(r.Attributes, "log.record.uid")
			r.TraceID = ""
		}
		all.Count(logRecords, fmt.Sprint(r.Event, " ", r.Body, " ", r.TraceID, " ", r.Attributes)) // printed by key
	}
	return all, x.scrape(ctx, all)
}

// scrape adds the counters and histograms of calls. An exporter that doesn't answer yet has none.
func (x *exporter) scrape(ctx context.Context, all simulator.Tables) error {
	body, err := program.Get(ctx, "http://"+x.address+"/metrics")
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err != nil {
		return err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("scrape %s: %w", x.Name, err)
	}
	for name, family := range families {
		if !strings.HasPrefix(name, "cdr_") || strings.HasPrefix(name, "cdr_exporter_") ||
			family.GetType() == dto.MetricType_GAUGE {
			continue
		}
		for _, m := range family.GetMetric() {
			labels, h := fmt.Sprint(m.GetLabel()), m.GetHistogram()
			if h == nil {
				all.Add(name, harness.Millionths(m.GetCounter().GetValue()), labels)
				continue
			}
			all.Add(name+"_sum", harness.Millionths(h.GetSampleSum()), labels)
			all.Add(name+"_count", int64(h.GetSampleCount())*1e6, labels)
			for _, b := range h.GetBucket() {
				all.Add(name+"_bucket", int64(b.GetCumulativeCount())*1e6, labels, b.GetUpperBound())
			}
		}
	}
	return nil
}
