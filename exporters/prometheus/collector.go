package prometheus

import (
	"sync"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Collector is a prometheus.Collector over one or more sources of snapshots. It
// is safe for concurrent use; concurrent scrapes of one source take turns while
// they collect, not while they are written.
type Collector struct {
	defs  []*metrics.Def
	views []*view
}

var _ prom.Collector = (*Collector)(nil)

// NewCollector makes a collector of the metrics in defs, which the sources bring
// between them. A metric comes from one source only.
func NewCollector(defs []*metrics.Def, sources ...metrics.Source) *Collector {
	c := &Collector{defs: defs}
	for _, source := range sources {
		c.views = append(c.views, &view{source: source, families: make(map[*metrics.Def]*family)})
	}
	return c
}

// Describe implements prometheus.Collector: every metric is announced, shown or
// not, so that a name that another collector has already is refused when this
// one is registered and not at a scrape.
func (c *Collector) Describe(ch chan<- *prom.Desc) {
	for _, d := range c.defs {
		ch <- newDesc(d)
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prom.Metric) {
	for _, v := range c.views {
		v.collect(ch)
	}
}

// view is one source with what is kept of its series.
type view struct {
	source metrics.Source

	mu       sync.Mutex
	families map[*metrics.Def]*family // guarded by mu
}

// collect sends all metrics of the source. The lock is held while sending: the
// registry always receives, and it waits for no network.
func (v *view) collect(ch chan<- prom.Metric) {
	v.mu.Lock()
	defer v.mu.Unlock()
	snapshot := v.source.Snapshot()
	shown := make(map[*metrics.Def]*family, len(snapshot.Families))
	for i := range snapshot.Families {
		d := snapshot.Families[i].Def
		f := v.families[d]
		if f == nil {
			f = newFamily(d)
		}
		shown[d] = f
		f.collect(snapshot.Families[i].Points, ch)
	}
	v.families = shown
}

func newDesc(d *metrics.Def) *prom.Desc {
	return prom.NewDesc(d.Name, d.Help, d.LabelNames(), nil)
}
