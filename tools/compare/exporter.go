package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
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

// look is an exporter's metrics of calls, and the log records that it has sent.
type look struct {
	series  map[string]string // values, by name and labels
	records map[string]string // a plus for each, by text
}

// look reads the metrics of the exporter and the records of its endpoint.
func (x *exporter) look(ctx context.Context) (look, error) {
	if err := x.Ended(); err != nil {
		return look{}, err
	}
	l := look{series: map[string]string{}, records: map[string]string{}}
	for _, r := range x.sink.Logs() {
		if r.Attributes["cdr.source"] == "pbx" { // its records have no ids: each ledger's key makes different ones
			delete(r.Attributes, "cdr.record.id")
			delete(r.Attributes, "log.record.uid")
			r.TraceID = ""
		}
		text := fmt.Sprint(r.Event, " ", r.Body, " ", r.TraceID, " ", r.Attributes) // maps are printed by key
		l.records[text] += "+"
	}
	return l, x.scrape(ctx, l.series)
}

// scrape adds the counters and histograms of calls. An exporter that doesn't answer yet has none.
func (x *exporter) scrape(ctx context.Context, series map[string]string) error {
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
			series[name+fmt.Sprint(m.GetLabel())] = fmt.Sprint(m.GetCounter().GetValue(), m.GetHistogram())
		}
	}
	return nil
}

// differences has a line for each series and each log record that differs.
func (l look) differences(other look) []string {
	return slices.Concat(differing(l.series, other.series), differing(l.records, other.records))
}

func differing(earlier, present map[string]string) (lines []string) {
	for _, side := range []map[string]string{earlier, present} {
		for key := range side {
			if was, is := earlier[key], present[key]; was != is {
				lines = append(lines, fmt.Sprintf("%s: was %q, is %q", key, was, is))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
