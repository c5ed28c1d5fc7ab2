package prometheus

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// copying gives each scrape a copy, as the ledger's store does.
type copying struct{ points []metrics.Point }

func (c copying) Snapshot() metrics.Snapshot {
	return metrics.Snapshot{Families: []metrics.Family{{Def: metrics.Calls, Points: slices.Clone(c.points)}}}
}

// callLabels are the label values of the i-th series of cdr_calls_total.
func callLabels(i int) []string {
	outcomes := []string{"answered", "busy", "failed", "no_answer"}
	return []string{
		"contoso", "msgraph", "direct_routing", []string{"inbound", "outbound"}[i%2], "byot_out_user_forwarding",
		outcomes[i/2%len(outcomes)], "sbc" + strconv.Itoa(i/8) + ".example.com", "false",
	}
}

// BenchmarkGather compares the gatherer with client_golang's own counters of
// the same label sets; the work of a scrape before it is written.
func BenchmarkGather(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("series=%d/raw", n), func(b *testing.B) {
			vec := prom.NewCounterVec(prom.CounterOpts{Name: metrics.Calls.Name, Help: metrics.Calls.Help}, metrics.Calls.LabelNames())
			for i := range n {
				vec.WithLabelValues(callLabels(i)...).Add(float64(i))
			}
			r := prom.NewRegistry()
			r.MustRegister(vec)
			benchmarkGather(b, r, n)
		})
		b.Run(fmt.Sprintf("series=%d/ours", n), func(b *testing.B) {
			var source copying
			for i := range n {
				source.points = append(source.points, metrics.Point{
					Labels: &metrics.LabelSet{Def: metrics.Calls, Values: callLabels(i)}, Start: start, Value: float64(i),
				})
			}
			benchmarkGather(b, Gatherer{source}, n)
		})
	}
}

func benchmarkGather(b *testing.B, r prom.Gatherer, n int) {
	b.ReportAllocs()
	for b.Loop() {
		all, err := r.Gather()
		if err != nil {
			b.Fatal(err)
		}
		if len(all) != 1 || len(all[0].GetMetric()) != n || all[0].GetMetric()[n-1].GetCounter() == nil {
			b.Fatal("the series aren't all there")
		}
	}
}
