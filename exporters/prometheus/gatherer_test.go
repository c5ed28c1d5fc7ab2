package prometheus

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

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
	r := checked(Gatherer{source})
	for _, step := range []struct{ name, shown, want string }{
		{"three", "cab", "a1 b2 c3"},
		{"one vanishes", "ca", "a1 c3"},
		{"another takes its place", "ba", "a1 b2"},
		{"their order changes", "ab", "a1 b2"},
		{"one alone", "c", "c3"},
		{"none", "", ""},
	} {
		family := metrics.Family{Def: calls}
		for _, letter := range step.shown {
			family.Points = append(family.Points, metrics.Point{
				Labels: set(calls, "s", "p", "f", "inbound", string(letter)), Value: float64(letter - 'a' + 1),
			})
		}
		source.show(family)
		var got []string
		for _, m := range gather(t, r)[calls.Name].GetMetric() {
			got = append(got, fmt.Sprint(m.GetLabel()[0].GetValue(), m.GetCounter().GetValue()))
		}
		if text := strings.Join(got, " "); text != step.want {
			t.Errorf("%s: got %q, want %q", step.name, text, step.want)
		}
	}
	source.show()
	if got := gather(t, r); len(got) != 0 {
		t.Errorf("after all vanished: %d families shown", len(got))
	}
}

func TestValuesThatAreNotUTF8(t *testing.T) {
	source := &fakeSource{}
	points := []metrics.Point{{Labels: set(calls, "s", "p", "f", "inbound", "a\xffb"), Value: 1}}
	source.show(metrics.Family{Def: calls, Points: points})
	var got []string
	for _, pair := range gather(t, checked(Gatherer{source}))[calls.Name].GetMetric()[0].GetLabel() {
		got = append(got, pair.GetName()+"="+pair.GetValue())
	}
	if want := "call_type=a\uFFFDb,direction=inbound,feed=f,provider=p,source=s"; strings.Join(got, ",") != want {
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
