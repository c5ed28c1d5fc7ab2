package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// calls is the compared number: each call counts once, with or without later changes.
const calls = "cdr_calls_total"

// feed is one feed and the owner of its totals.
type feed struct{ Source, Feed string }

// figure is one feed's number of calls in each of the three places.
type figure struct {
	feed

	Simulator, Exporter, Prometheus int64
}

// counted is a feed's count in the exporter, and since when it counts.
type counted struct {
	calls int64
	since time.Time
}

// figures reads all three. It reads the simulator last, so that the number of calls in transit is
// never negative.
func (s *stack) figures(ctx context.Context) ([]figure, error) {
	samples, err := s.prometheus.Query(ctx, "sum by (source, feed) ("+calls+")")
	if err != nil {
		return nil, err
	}
	scraped := make(map[feed]int64)
	for _, x := range samples {
		scraped[feed{string(x.Metric["source"]), string(x.Metric["feed"])}] = int64(x.Value)
	}
	shown, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	var all []figure
	for f, has := range shown {
		all = append(all, figure{f, s.total(f, has.since), has.calls, scraped[f]})
	}
	slices.SortFunc(all, func(a, b figure) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.Feed, b.Feed))
	})
	return all, nil
}

func (s *stack) shown(ctx context.Context) (map[feed]counted, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	format := expfmt.NewFormat(expfmt.TypeProtoDelim) // it has the start of counting
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

// total is the number of a feed's calls that began at an instant or later and that the simulated
// providers have published.
func (s *stack) total(f feed, since time.Time) int64 {
	p := s.providers
	graph := p.Tenant.Visible()
	published := func(at time.Time) simulator.View { return simulator.View{From: since, At: []time.Time{at}} }
	var t simulator.Totals
	switch f {
	case feed{"contoso", "pstn"}:
		t = p.PSTN.Totals(published(graph))
	case feed{"contoso", "direct_routing"}:
		t = p.DirectRouting.Totals(published(graph))
	case feed{"contoso", "call_records"}:
		// A record without sessions is counted when it settles, which continues while publication
		// is held.
		settle := demo.Settle - p.Tenant.Now().Sub(graph)
		t = p.Records.Totals(simulator.View{From: since, At: []time.Time{graph}, Settle: settle}).Totals
	case feed{"acme", "call_log"}:
		t = p.Log.Totals(published(p.Office.Visible()))
	case feed{"pbx", "cdr"}:
		return p.PBX.Calls(since)
	case feed{"wave", "call_log"}:
		t = p.Carrier.Totals(published(p.Carrier.Visible()))
	}
	return t.Metrics.Sum(calls) / 1_000_000
}
