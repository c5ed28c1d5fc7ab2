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

	"github.com/cdr-exporter/cdr-exporter/internal/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// calls is what is compared: each call counts once, with or without later changes.
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
	slices.SortFunc(all, func(a, b figure) int { return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Feed, b.Feed)) })
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

// total is what the simulated providers have published of a feed's calls that began at an instant or later.
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
		// A record without sessions is counted when it settles, which goes on while publication is held.
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
