package metrics

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Snapshot is every series as it may be shown at one instant. It shares nothing that changes with its source.
type Snapshot struct {
	// Families are sorted by name, their points not.
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
	// Value is the value of everything but a histogram, in the metric's unit.
	Value float64
	// Hist is the value of a histogram, which mustn't be changed; Native says that its native buckets are shown too.
	Hist   *HistValue
	Native bool
	// Exemplars are those of a histogram's classic buckets, nil where there is none, or the one of a counter. They don't change.
	Exemplars []*Exemplar
}

// LabelSet is the identity of one series. It doesn't change once made.
type LabelSet struct {
	Def *Def
	// Values are in the order of Def.LabelNames, with the operator's labels behind them if there are any.
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
