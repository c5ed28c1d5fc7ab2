package metrics

import (
	"slices"
	"time"
)

// Exemplar leads from a series to the last call that changed it, or one of its buckets, in
// this process. It doesn't change once made.
type Exemplar struct {
	// TraceID and RecordUID are those of the call's log record (contract 4).
	TraceID   [16]byte
	RecordUID [32]byte
	// Value is by how much the call changed the counter, or what was observed of it.
	Value float64
	// At is when the call was counted.
	At time.Time
}

// mark is the last source of the commit under way that changed a bucket, and by how much.
type mark struct {
	source int
	parts  int64
}

// newExemplar is an exemplar of the commit under way.
type newExemplar struct {
	series *Series
	bucket int
	*Exemplar
}

// mark notes what changed a bucket of a series, of which there are so many.
func (s *Series) mark(bucket, buckets int, m mark) {
	if s.marks == nil {
		s.marks = make([]mark, buckets)
	}
	s.marks[bucket] = m
}

// Exemplars makes the exemplars of the commit, which has succeeded, before Apply. Only of
// the records that are the last of a series or bucket it is asked who they are.
func (c *Changes) Exemplars(identify func(source int) (traceID [16]byte, recordUID [32]byte)) {
	for _, s := range c.dirty {
		for bucket, m := range s.marks {
			if m.source == 0 {
				continue
			}
			e := &Exemplar{Value: float64(m.parts), At: c.now}
			if d := s.Labels.Def; d.Kind == Histogram {
				e.Value /= float64(d.Scale)
			}
			e.TraceID, e.RecordUID = identify(m.source)
			c.exemplars = append(c.exemplars, newExemplar{series: s, bucket: bucket, Exemplar: e})
		}
	}
}

// applyExemplars makes the new ones visible; Store.mu is held. Snapshots share the lists,
// so they are replaced.
func (c *Changes) applyExemplars() {
	for i, one := range c.exemplars {
		s := one.series
		if s.exemplars == nil {
			s.exemplars = make([]*Exemplar, len(s.marks))
		} else if i == 0 || c.exemplars[i-1].series != s {
			s.exemplars = slices.Clone(s.exemplars)
		}
		s.exemplars[one.bucket] = one.Exemplar
	}
}
