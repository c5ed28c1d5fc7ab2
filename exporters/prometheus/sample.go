package prometheus

import (
	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// counter is one counter of one scrape. It holds the object that Write hands
// out, so a family of any size costs one allocation.
type counter struct {
	desc  *prom.Desc
	pairs []*dto.LabelPair
	value float64
	out   dto.Counter
}

// Desc implements prometheus.Metric.
func (c *counter) Desc() *prom.Desc { return c.desc }

// Write implements prometheus.Metric.
func (c *counter) Write(m *dto.Metric) error {
	m.Label, m.Counter = c.pairs, &c.out
	return nil
}

func (f *family) sendCounters(points []metrics.Point, ch chan<- prom.Metric) {
	slab := make([]counter, len(f.order))
	f.shown(points, func(i int, s *series, p *metrics.Point) {
		c := &slab[i]
		c.desc, c.pairs, c.value = f.desc, s.pairs, p.Value
		c.out.Value, c.out.CreatedTimestamp = &c.value, s.created
		if len(p.Exemplars) == 1 {
			c.out.Exemplar = s.exemplars(p.Exemplars)[0]
		}
		ch <- c
	})
}

// gauge is one gauge of one scrape; see counter.
type gauge struct {
	desc  *prom.Desc
	pairs []*dto.LabelPair
	value float64
	out   dto.Gauge
}

// Desc implements prometheus.Metric.
func (g *gauge) Desc() *prom.Desc { return g.desc }

// Write implements prometheus.Metric.
func (g *gauge) Write(m *dto.Metric) error {
	m.Label, m.Gauge = g.pairs, &g.out
	return nil
}

func (f *family) sendGauges(points []metrics.Point, ch chan<- prom.Metric) {
	slab := make([]gauge, len(f.order))
	f.shown(points, func(i int, s *series, p *metrics.Point) {
		g := &slab[i]
		g.desc, g.pairs, g.value = f.desc, s.pairs, p.Value
		g.out.Value = &g.value
		ch <- g
	})
}
