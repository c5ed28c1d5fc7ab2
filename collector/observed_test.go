package collector

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// observed is a feed's own metrics, which can be asked for their values.
type observed struct {
	*metrics.FeedMetrics

	own *metrics.SelfMetrics
}

func newObserved() *observed {
	own := metrics.NewSelfMetrics(time.Now, false)
	return &observed{own.Feed("contoso", "call_log"), own}
}

// value sums what a metric shows of labels that begin so; of a histogram it is how much was observed.
func (o *observed) value(d *metrics.Def, labels ...string) (sum float64) {
	for _, family := range o.own.Snapshot().Families {
		if family.Def != d {
			continue
		}
		for _, p := range family.Points {
			if !slices.Equal(p.Labels.Values[2:2+len(labels)], labels) { // source and feed come first
				continue
			}
			if sum += p.Value; p.Hist != nil {
				sum += float64(p.Hist.Count)
			}
		}
	}
	return sum
}

// duration is a value in seconds.
func (o *observed) duration(d *metrics.Def) time.Duration {
	return time.Duration(o.value(d) * float64(time.Second))
}
