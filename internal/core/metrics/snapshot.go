package metrics

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Snapshot is every series that may be shown at one instant. It shares no changing data with its
// source.
type Snapshot struct {
	// Families are sorted by name, their points aren't.
	Families []Family
}

// Family is one metric with its series, at least one.
type Family struct {
	Def    *Def
	Points []Point
}

// Point is one series at one instant.
type Point struct {
	Labels *LabelSet
	// Start is the created timestamp; zero if it must not be exposed.
	Start time.Time
	// Value is the value in the metric's unit, except for a histogram.
	Value float64
	// Hist is the value of a histogram, which must not be changed; Native says that its native
	// buckets are shown too.
	Hist   *HistValue
	Native bool
	// Exemplars are by classic bucket of a histogram, nil without one; a counter has one. They are
	// immutable.
	Exemplars []*Exemplar
}

// LabelSet is the identity of one series. It is immutable.
type LabelSet struct {
	Def *Def
	// Values are in the order of Def.LabelNames, followed by the operator's labels if there are
	// any.
	Values []string
}

// Operator are the operator's labels among them.
func (l *LabelSet) Operator() cdr.Labels {
	if n := len(baseNames[l.Def.Base]) + len(l.Def.Labels); len(l.Values) > n {
		return cdr.Labels(l.Values[n])
	}
	return ""
}

// Source gives the snapshot to show now. Implementations are safe for concurrent use.
type Source interface {
	Snapshot() Snapshot
}
