package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// The names of events.
const (
	eventCall    = "cdr.call"
	eventRevised = "cdr.call.revised"
)

// receiver is an OTLP endpoint.
type receiver struct {
	*otlpsink.Sink
	t testing.TB
}

// newReceiver starts an OTLP endpoint. The test searches everything that it receives for secrets.
func newReceiver(t testing.TB, v *vault, s otlpsink.Settings) *receiver {
	t.Helper()
	sink, err := otlpsink.Start(s)
	require.NoError(t, err)
	r := &receiver{sink, t}
	t.Cleanup(func() {
		sink.Close()
		r.search(v)
	})
	return r
}

// free is an address on loopback that nobody listens on, and that nobody is given who
// asks for any port: for who comes back to where it was, or doesn't say where it is.
func free(t testing.TB) string {
	t.Helper()
	address, err := simulator.FreeAddress(t.Context())
	require.NoError(t, err)
	return address
}

// search searches all that came for secrets.
func (r *receiver) search(v *vault) {
	var text []byte
	for _, l := range r.Logs() {
		text = append(append(text, l.Body...), '\n')
		for _, value := range l.Attributes {
			text = appendText(text, value)
		}
		for _, value := range l.Resource {
			text = appendText(text, value)
		}
	}
	v.search("the OTLP logs", text)
	text = text[:0]
	for _, p := range r.Metrics() {
		text = append(append(text, p.Name...), '\n')
		for _, value := range p.Attributes {
			text = appendText(text, value)
		}
	}
	v.search("the OTLP metrics", text)
}

// appendText appends an attribute's value on a separate line.
func appendText(text []byte, value any) []byte {
	if s, ok := value.(string); ok {
		return append(append(text, s...), '\n')
	}
	return append(fmt.Append(text, value), '\n')
}

// overHTTP and overGRPC are the exporter's settings for the endpoint, with more keys.
func (r *receiver) overHTTP(more string) string {
	return fmt.Sprintf("{endpoint: %q, interval: 1s%s}", r.URL(), more)
}

func (r *receiver) overGRPC(more string) string {
	return fmt.Sprintf("{endpoint: %q, protocol: grpc, interval: 1s%s}", r.URL(), more)
}

// calls counts the distinct log records of a feed by their event.
func (r *receiver) calls(p place, feed, event string) int {
	n := 0
	for _, l := range r.FeedLogs(p.source(), feed) {
		if l.Event == event {
			n++
		}
	}
	return n
}

// delivered waits until exactly the records of a feed that was read at these instants have arrived:
// one for each call and one for each change of a record.
func (r *receiver) delivered(p place, feed string, at ...time.Time) {
	r.t.Helper()
	want := p.tally(feed, at...)
	eventually(r.t, "deliver every log record of "+p.source()+"/"+feed, func() error {
		if calls, changed := r.calls(p, feed, eventCall), r.calls(p, feed, eventRevised); calls != want.calls ||
			changed != want.revised {
			return fmt.Errorf("%d calls and %d revisions have come, want %d and %d", calls, changed, want.calls,
				want.revised)
		}
		return nil
	})
	if n := r.Unnamed(); n != 0 {
		r.t.Errorf("%d log records have no log.record.uid", n)
	}
}

// complete is delivered for every feed of a place whose records each have an id.
func (r *receiver) complete(p place, at ...time.Time) {
	r.t.Helper()
	for _, feed := range p.feeds() {
		r.delivered(p, feed, at...)
		ids := make(map[string]bool)
		for _, l := range r.FeedLogs(p.source(), feed) {
			if l.Event == eventCall {
				ids[l.RecordID] = true
			}
		}
		if want := p.tally(feed, at...).calls; len(ids) != want {
			r.t.Errorf("the log records of %s/%s have %d ids, want %d", p.source(), feed, len(ids), want)
		}
	}
}

// agrees waits until the received metrics match the metrics port.
func (r *receiver) agrees(x *exporter) {
	r.t.Helper()
	names := make(map[string]*metrics.Def)
	for _, d := range metrics.Catalogue() {
		names[d.OTel] = d
	}
	eventually(r.t, "OTLP metrics equal to the metrics port's", func() error {
		x.running()
		return diff(pointTables(r.Metrics(), names), x.scrape().allTables())
	})
	if down := r.Decreased(); len(down) > 0 {
		r.t.Errorf("OTLP metrics went down: %q", down)
	}
}

// pointTables are the points of the metrics that come from records, by their
// Prometheus names, with every label.
func pointTables(points []otlpsink.Point, names map[string]*metrics.Def) tables {
	all := make(tables)
	for _, p := range points {
		d := names[p.Name]
		if d == nil {
			continue
		}
		labels := labelText(p.Attributes)
		if p.Kind == otlpsink.Histogram {
			all.Add(d.Name+"_count", int64(p.Count)*1_000_000, labels)
			all.Add(d.Name+"_sum", harness.Millionths(p.Sum), labels)
			for i, n := range p.Buckets {
				all.Add(fmt.Sprintf("%s_bucket_%d", d.Name, i), int64(n)*1_000_000, labels)
			}
		} else {
			all.Add(d.Name, harness.Millionths(p.Value), labels)
		}
	}
	return all
}

// allTables are all metrics that come from records, with every label.
func (f families) allTables() tables {
	all := make(tables)
	for _, d := range metrics.Catalogue() {
		for _, m := range f.series(d.Name) {
			labels := labelText(labelsOf(m))
			h := m.GetHistogram()
			if h == nil {
				all.Add(d.Name, harness.Millionths(value(m)), labels)
				continue
			}
			all.Add(d.Name+"_count", int64(h.GetSampleCount())*1_000_000, labels)
			all.Add(d.Name+"_sum", harness.Millionths(h.GetSampleSum()), labels)
			below := uint64(0)
			for i, b := range h.GetBucket() {
				all.Add(fmt.Sprintf("%s_bucket_%d", d.Name, i), int64(b.GetCumulativeCount()-below)*1_000_000, labels)
				below = b.GetCumulativeCount()
			}
		}
	}
	return all
}

// labelText is all labels that aren't empty, in order: to Prometheus an empty label
// and none are the same.
func labelText(labels map[string]string) string {
	var pairs []string
	for name, v := range labels {
		if v != "" {
			pairs = append(pairs, name+"="+v)
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}
