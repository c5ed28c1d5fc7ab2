package prometheus

import (
	"slices"
	"strings"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// family is what is kept of one metric between scrapes. The lock of its view
// guards it.
type family struct {
	def  *metrics.Def
	desc *prom.Desc
	// names are the label names sorted; columns are where their values stand.
	names   []string
	columns []int

	// order holds every series that is shown, as the registry sorts them.
	order []*series
	// last holds the series of each point of the last snapshot: most snapshots
	// bring the same series at the same place, which saves the look-up.
	last     []*series
	byLabels map[*metrics.LabelSet]*series
}

// series is what is kept of one series. pairs, created and exemplars may be read by a
// scrape that has left the lock: they are replaced, never changed.
type series struct {
	labels  *metrics.LabelSet
	pairs   []*dto.LabelPair
	start   time.Time
	created *timestamppb.Timestamp
	made    []madeExemplar
	// point is where the series stands in the snapshot being collected.
	point int
}

func newFamily(d *metrics.Def) *family {
	f := &family{def: d, desc: newDesc(d), byLabels: make(map[*metrics.LabelSet]*series)}
	names := d.LabelNames()
	f.names = slices.Sorted(slices.Values(names))
	for _, name := range f.names {
		f.columns = append(f.columns, slices.Index(names, name))
	}
	return f
}

// collect sends the metrics of the points.
func (f *family) collect(points []metrics.Point, ch chan<- prom.Metric) {
	f.arrange(points)
	switch f.def.Kind {
	case metrics.Histogram:
		f.sendHistograms(points, ch)
	case metrics.Gauge:
		f.sendGauges(points, ch)
	case metrics.Counter, metrics.Seconds, metrics.Money:
		f.sendCounters(points, ch)
	}
}

// arrange brings order up to date with the points and notes where each series
// stands among them.
func (f *family) arrange(points []metrics.Point) {
	same := len(points) == len(f.order)
	last := f.last
	f.last = slices.Grow(f.last[:0], len(points))[:len(points)]
	for i := range points {
		var s *series
		if i < len(last) && last[i].labels == points[i].Labels {
			s = last[i]
		} else if s = f.byLabels[points[i].Labels]; s == nil {
			s = f.newSeries(points[i].Labels)
			f.byLabels[s.labels] = s
			same = false
		}
		s.point = i
		s.setStart(points[i].Start)
		f.last[i] = s
	}
	if !same {
		f.rebuild()
	}
}

// rebuild keeps the series of the last snapshot and forgets all others.
func (f *family) rebuild() {
	f.order = slices.Clone(f.last)
	slices.SortFunc(f.order, compareSeries)
	f.byLabels = make(map[*metrics.LabelSet]*series, len(f.order))
	for _, s := range f.order {
		f.byLabels[s.labels] = s
	}
}

// compareSeries is the registry's order: by values, in the order of label names.
func compareSeries(a, b *series) int {
	for i := range min(len(a.pairs), len(b.pairs)) {
		if c := strings.Compare(a.pairs[i].GetValue(), b.pairs[i].GetValue()); c != 0 {
			return c
		}
	}
	return 0
}

// newSeries builds the label pairs in two allocations; names and values are
// pointed at where they already are.
func (f *family) newSeries(set *metrics.LabelSet) *series {
	s := &series{labels: set, pairs: make([]*dto.LabelPair, len(f.names))}
	pairs := make([]dto.LabelPair, len(f.names))
	for i, column := range f.columns {
		pairs[i].Name = &f.names[i]
		pairs[i].Value = validValue(&set.Values[column])
		s.pairs[i] = &pairs[i]
	}
	return s
}

// validValue is the value itself if it is UTF-8, else a copy that is.
func validValue(value *string) *string {
	if valid := strings.ToValidUTF8(*value, "\uFFFD"); valid != *value {
		return &valid
	}
	return value
}

// setStart keeps the created timestamp of a start; none for the zero time.
func (s *series) setStart(start time.Time) {
	if start.Equal(s.start) {
		return
	}
	s.start, s.created = start, nil
	if !start.IsZero() {
		s.created = timestamppb.New(start)
	}
}

// shown yields the series in order, each with its point.
func (f *family) shown(points []metrics.Point, yield func(i int, s *series, p *metrics.Point)) {
	for i, s := range f.order {
		// A snapshot that holds one series twice would leave another's place stale.
		if p := &points[s.point]; p.Labels == s.labels {
			yield(i, s, p)
		}
	}
}
