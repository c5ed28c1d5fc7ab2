package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	msgraph "github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// calls is what is compared: each call counts once, whatever becomes of it later.
const calls = "cdr_calls_total"

// feed is one feed and who has its totals.
type feed struct{ Source, Feed string }

// figure is one feed's calls as each of the three has them.
type figure struct {
	feed

	Simulator, Exporter, Prometheus int64
}

// counted is what the exporter shows of a feed, and from when on it counts.
type counted struct {
	calls int64
	since time.Time
}

// figures asks all three. The simulator is asked last: so what is on its way is never
// negative.
func (s *stack) figures(ctx context.Context) ([]figure, error) {
	samples, err := s.prometheus.Query(ctx, "sum by (source, feed) ("+calls+")")
	if err != nil {
		return nil, err
	}
	scraped := make(map[feed]int64)
	for _, x := range samples {
		scraped[feed{x.Labels["source"], x.Labels["feed"]}] = int64(x.Value)
	}
	shown, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	var all []figure
	for _, f := range s.totals() {
		if has, ok := shown[f.feed]; ok {
			all = append(all, figure{f.feed, f.total(has.since), has.calls, scraped[f.feed]})
		}
	}
	return all, nil
}

func (s *stack) shown(ctx context.Context) (map[feed]counted, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	format := expfmt.NewFormat(expfmt.TypeProtoDelim) // which says since when is counted
	request.Header.Set("Accept", string(format))
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	decoder := expfmt.NewDecoder(response.Body, format)
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); err == io.EOF { //nolint:errorlint // as documented
			return nil, fmt.Errorf("the exporter shows no %s", calls)
		} else if err != nil {
			return nil, fmt.Errorf("read the exporter's metrics: %w", err)
		}
		if family.GetName() == calls {
			return sum(&family), nil
		}
	}
}

func sum(family *dto.MetricFamily) map[feed]counted {
	all := make(map[feed]counted)
	for _, m := range family.GetMetric() {
		var f feed
		for _, l := range m.GetLabel() {
			switch l.GetName() {
			case "source":
				f.Source = l.GetValue()
			case "feed":
				f.Feed = l.GetValue()
			}
		}
		c := all[f]
		c.calls += int64(m.GetCounter().GetValue())
		// The feed's first series were created when it began; others came later.
		if at := m.GetCounter().GetCreatedTimestamp(); at != nil && (c.since.IsZero() || at.AsTime().Before(c.since)) {
			c.since = at.AsTime()
		}
		all[f] = c
	}
	return all
}

// total is a feed's calls that began at an instant or later and are published.
type total struct {
	feed

	total func(since time.Time) int64
}

// totals are those of the simulated providers at present.
func (s *stack) totals() []total {
	p := s.providers
	of := func(w *simulator.World, at time.Time) func(time.Time) int64 {
		return func(since time.Time) int64 { return sumCalls(w.TotalsFor(since, time.Time{}, at)) }
	}
	graph := p.Tenant.Visible()
	// A record without sessions is counted when it settles, which goes on while publication is held.
	settle := demo.Settle - p.Tenant.Now().Sub(graph)
	return []total{
		{feed{"contoso", "pstn"}, of(p.PSTN, graph)},
		{feed{"contoso", "direct_routing"}, of(p.DirectRouting, graph)},
		{feed{"contoso", "call_records"}, func(since time.Time) int64 {
			return sumCalls(p.Records.TotalsOf(msgraph.CallView{From: since, At: []time.Time{graph}, Settle: settle}).Totals)
		}},
		{feed{"acme", "call_log"}, of(p.Log, p.Office.Visible())},
		{feed{"wave", "call_log"}, func(since time.Time) int64 {
			return sumCalls(p.Carrier.Account().TotalsFor(since, time.Time{}, p.Carrier.Visible()))
		}},
	}
}

func sumCalls(t simulator.Totals) int64 { return t.Metrics.Sum(calls) / 1_000_000 }
