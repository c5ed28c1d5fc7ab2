package prometheus

import (
	"strings"
	"testing"

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
