//go:build e2e

package main_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// jsonSpan is a span in OTLP's JSON.
type jsonSpan struct {
	TraceID, SpanID, ParentSpanID      string
	Name                               string
	StartTimeUnixNano, EndTimeUnixNano string
	Attributes                         []keyValue
	Links                              []struct{ TraceID, SpanID string }
	Status                             struct{ Code int }
}

func (s *jsonSpan) id() string { return s.TraceID + " " + s.SpanID }

// spans are the distinct spans that the Collector has, by their ids. A repeat is the same span.
func (c *otelcol) spans() map[string]jsonSpan {
	c.t.Helper()
	type request struct {
		ResourceSpans []struct{ ScopeSpans []struct{ Spans []jsonSpan } }
	}
	all := make(map[string]jsonSpan)
	for _, r := range lines[request](c.t, filepath.Join(c.folder, "traces.json")) {
		for _, resource := range r.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					if was, known := all[s.id()]; known && !reflect.DeepEqual(was, s) {
						c.t.Fatalf("a span came as %+v and as %+v", was, s)
					}
					all[s.id()] = s
				}
			}
		}
	}
	return all
}

// hasTraces waits until the Collector has one root span of each call, and checks that each child has its parent and its
// log record. TestSpansOfACall and TestSpanTimes of exporters/otlp have times and status.
func (c *otelcol) hasTraces(x *exporter) {
	c.t.Helper()
	var spans map[string]jsonSpan
	eventually(c.t, "have a root span of each call in the Collector", func() error {
		x.running()
		c.running()
		spans = c.spans()
		roots := make(map[string]int) // by source and feed
		for _, s := range spans {
			if has := attributes(s.Attributes); s.ParentSpanID == "" {
				roots[has["cdr.source"]+"/"+has["cdr.feed"]]++
			}
		}
		m, calls := x.scrape(), make(map[string]int)
		for _, series := range m.series("cdr_calls_total") {
			labels := labelsOf(series)
			calls[labels["source"]+"/"+labels["feed"]] += int(value(series))
		}
		for feed, n := range calls {
			if roots[feed] != n || n == 0 {
				return fmt.Errorf("%s: %d roots of %d calls", feed, roots[feed], n)
			}
		}
		return m.is(0, "cdr_exporter_otlp_outbox_spans")
	})
	uids := make(map[string]bool)
	c.eachLog(func(uid, _ string) { uids[uid] = true })
	for _, s := range spans {
		has := attributes(s.Attributes)
		if uid := has["log.record.uid"]; uid != "" && !uids[uid] || uid == "" && s.ParentSpanID == "" {
			c.t.Errorf("%s: the log record %q is missing", s.Name, uid)
		}
		if _, known := spans[s.TraceID+" "+s.ParentSpanID]; s.ParentSpanID != "" && !known {
			c.t.Errorf("%s is an orphan", s.Name)
		}
	}
}

// names are how many spans of each name the Collector has.
func (c *otelcol) names() map[string]int {
	all := make(map[string]int)
	for _, s := range c.spans() {
		all[s.Name]++
	}
	return all
}

// TestE2ETraces: a real Collector has one root span of every call that is counted, once it has settled,
// with its children and no orphan. Where the process dies is of no matter: a repeat is the same
// span.
func TestE2ETraces(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 61, calls: 300, era: unfoldingEra, graph: sim.Settings{PageSize: 50},
		// By the exporter's own clock no time passes, and for a day a charge that isn't known is waited for.
		worlds: func(s *simulator.Settings) { s.To = time.Now().Add(-25 * time.Hour) },
	})
	e.hold()
	c := newOtelcol(t)
	c.start()
	otlp := fmt.Sprintf("{endpoint: %q, protocol: grpc, interval: 1s, traces: true, traces_history: true}",
		"http://"+c.grpc)
	for range 4 {
		x := e.start(settings{OTLP: otlp}).serving()
		served := e.answered()
		eventually(t, "read some pages", func() error {
			x.running()
			if n := e.answered() - served; n < 6 && len(c.spans()) == 0 {
				return fmt.Errorf("%d were read", n)
			}
			return nil
		})
		x.kill()
	}
	x := e.start(settings{OTLP: otlp}).serving()
	x.countsAll(e)
	e.pass(25 * time.Hour) // rows come late and change
	x.countsAll(e)
	c.hasTraces(x)
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			want := p.tables(feed, e.at(p)...)
			eventually(t, "have the metrics of "+p.source()+"/"+feed+" in the Collector", func() error {
				shown, err := c.shows(x)
				return errors.Join(err, diff(shown.tables(p.source(), feed), want))
			})
		}
	}
	if names := c.names(); names["Set-up"] == 0 || names["Set-up"] != names["Talk"] || names["Leg"] == 0 {
		t.Errorf("spans %v", names)
	}
	x.stop()
	e.vault.searchFolder(c.folder)
}
