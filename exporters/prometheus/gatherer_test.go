package prometheus

import (
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// line is a metric as a reader would write it down.
func line(m *dto.Metric) string {
	var parts []string
	for _, pair := range m.GetLabel() {
		parts = append(parts, pair.GetName()+"="+pair.GetValue())
	}
	return strings.Join(parts, ",")
}

func lines(f *dto.MetricFamily) []string {
	var all []string
	for _, m := range f.GetMetric() {
		all = append(all, line(m))
	}
	return all
}

func TestSeveralSourcesAreOneCollector(t *testing.T) {
	ledger, own := &fakeSource{}, &fakeSource{}
	families := sample()
	ledger.show(families[0], families[1])
	own.show(families[2])
	got := gather(t, checked(Gatherer{ledger, own}))
	if len(got) != 3 {
		t.Fatalf("got %d families, want 3", len(got))
	}
	if v := got[ratio.Name].GetMetric()[0].GetGauge().GetValue(); v != 0.25 {
		t.Errorf("%s = %v, want 0.25", ratio.Name, v)
	}
	if v := got[calls.Name].GetMetric()[1].GetCounter().GetValue(); v != 12 {
		t.Errorf("%s = %v, want 12", calls.Name, v)
	}
}

func TestCreatedTimestamps(t *testing.T) {
	source := &fakeSource{}
	source.show(sample()...)
	r := checked(Gatherer{source})
	got := gather(t, r)
	inbound, outbound := got[calls.Name].GetMetric()[0], got[calls.Name].GetMetric()[1]
	if created := inbound.GetCounter().GetCreatedTimestamp(); created != nil {
		t.Errorf("a series without a start has the created timestamp %v", created.AsTime())
	}
	if created := outbound.GetCounter().GetCreatedTimestamp().AsTime(); !created.Equal(start) {
		t.Errorf("created = %v, want %v", created, start)
	}
	if created := got[duration.Name].GetMetric()[0].GetHistogram().GetCreatedTimestamp().
		AsTime(); !created.Equal(start) {
		t.Errorf("created of the histogram = %v, want %v", created, start)
	}

	families := sample()
	families[1].Points[0].Start = start.Add(time.Hour)
	families[1].Points[0].Labels = source.Snapshot().Families[1].Points[0].Labels
	source.show(families...)
	moved := gather(t, r)[calls.Name].GetMetric()[1]
	if created := moved.GetCounter().GetCreatedTimestamp().AsTime(); !created.Equal(start.Add(time.Hour)) {
		t.Errorf("created after the start moved = %v", created)
	}
}

func TestVanishedSeriesAreForgotten(t *testing.T) {
	source := &fakeSource{}
	a := metrics.Point{Labels: set(calls, "s", "p", "f", "inbound", "a"), Value: 1}
	b := metrics.Point{Labels: set(calls, "s", "p", "f", "inbound", "b"), Value: 2}
	c := metrics.Point{Labels: set(calls, "s", "p", "f", "inbound", "c"), Value: 3}
	r := checked(Gatherer{source})
	steps := []struct {
		name   string
		points []metrics.Point
		want   []string
	}{
		{"three", []metrics.Point{c, a, b}, []string{"a", "b", "c"}},
		{"one vanishes", []metrics.Point{c, a}, []string{"a", "c"}},
		{"another takes its place", []metrics.Point{b, a}, []string{"a", "b"}},
		{"their order changes", []metrics.Point{a, b}, []string{"a", "b"}},
		{"one alone", []metrics.Point{c}, []string{"c"}},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			source.show(metrics.Family{Def: calls, Points: step.points})
			family := gather(t, r)[calls.Name]
			if len(family.GetMetric()) != len(step.want) {
				t.Fatalf("got %q, want the call types %q", lines(family), step.want)
			}
			for i, m := range family.GetMetric() {
				if got := m.GetLabel()[0].GetValue(); got != step.want[i] {
					t.Errorf("series %d has call type %q, want %q", i, got, step.want[i])
				}
				if want := float64(step.want[i][0] - 'a' + 1); m.GetCounter().GetValue() != want {
					t.Errorf("call type %q has value %v, want %v", step.want[i], m.GetCounter().GetValue(), want)
				}
			}
		})
	}
	source.show()
	if got := gather(t, r); len(got) != 0 {
		t.Errorf("after all vanished: %d families shown", len(got))
	}
}

func TestValuesThatAreNotUTF8(t *testing.T) {
	source := &fakeSource{}
	source.show(metrics.Family{Def: calls, Points: []metrics.Point{
		{Labels: set(calls, "s", "p", "f", "inbound", "a\xffb"), Value: 1},
	}})
	got := lines(gather(t, checked(Gatherer{source}))[calls.Name])
	if want := "call_type=a\uFFFDb,direction=inbound,feed=f,provider=p,source=s"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConcurrentScrapesOfAChangingSource(t *testing.T) {
	source := &fakeSource{}
	var all []metrics.Point
	for i := range 64 {
		all = append(all, metrics.Point{
			Labels: set(calls, "s", "p", "f", "inbound", string(rune('0'+i))),
			Start:  start,
		})
	}
	show := func(round int) {
		points := make([]metrics.Point, 0, len(all))
		for i := range all {
			if (i+round)%3 != 0 {
				p := all[i]
				p.Value, p.Start = float64(round), start.Add(time.Duration(round)*time.Second)
				points = append(points, p)
			}
		}
		source.show(metrics.Family{Def: calls, Points: points})
	}
	show(0)
	r := checked(Gatherer{source})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				family := gather(t, r)[calls.Name]
				first := family.GetMetric()[0].GetCounter().GetValue()
				for _, m := range family.GetMetric() {
					if m.GetCounter().GetValue() != first {
						t.Error("one scrape shows two snapshots")
						return
					}
				}
			}
		})
	}
	wg.Go(func() {
		for round := range 200 {
			show(round)
		}
	})
	wg.Wait()
}
