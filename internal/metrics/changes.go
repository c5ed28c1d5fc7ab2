package metrics

import (
	"strings"
	"time"
	"unicode/utf8"
)

// maxLabelBytes bounds a label value that a provider brings.
const maxLabelBytes = 256

// Changes are the series that one commit of one feed changes. Apply ends them, or the next Begin discards them: no two of
// the store are open at once (the ledger's commit lock sees to it).
type Changes struct {
	store *Store
	feed  *FeedSeries
	now   time.Time

	dirty    []*Series
	fresh    []*Series // new in this commit
	overflow map[string]int

	key     []byte
	vals    []string
	failure Failure // of the attempt in hand
}

// Begin opens the changes of a commit at a time. It discards those of a commit that failed.
func (s *Store) Begin(f *FeedSeries, now time.Time) *Changes {
	c := &s.changes
	c.discard()
	*c = Changes{
		store: s, feed: f, now: now,
		dirty: c.dirty[:0], fresh: c.fresh[:0], key: c.key[:0], vals: c.vals[:0],
	}
	return c
}

// Add adds a delta to the working copy of its series, which is folded into another past
// the series limit, and returns that series. source numbers the commit's records from 1,
// for exemplars; 0 is none.
func (c *Changes) Add(d *Delta, source int) *Series {
	s := c.series(d.Def, d.Own())
	bucket, buckets := 0, 1
	switch d.Def.Kind {
	case Histogram:
		bucket, buckets = s.next.hist.observe(d.Def, d.N), len(d.Def.Bounds)+1
	case Money:
		s.next.money = s.next.money.Add(&d.Money)
	case Counter, Seconds, Gauge:
		s.next.n += d.N
	}
	if d.Def.Exemplars && source > 0 {
		if s.marks == nil {
			s.marks = make([]mark, buckets)
		}
		s.marks[bucket] = mark{source: source, parts: d.N}
	}
	return s
}

// Changed are the series that the commit changes, to be written.
func (c *Changes) Changed() []*Series { return c.dirty }

// Overflow are the observations folded so far, by metric name; nil for none.
func (c *Changes) Overflow() map[string]int { return c.overflow }

// Wrote sets the ledger's row id of a new series.
func (c *Changes) Wrote(s *Series, id int64) { s.id = id }

// Apply makes the working copy visible. The commit has succeeded.
func (c *Changes) Apply() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	for _, s := range c.dirty {
		s.cur, s.next = s.next, s.cur
		if s.nextExemplars != nil {
			s.exemplars, s.nextExemplars = s.nextExemplars, nil
		}
		s.shownHist.Store(nil)
		s.closeChanges()
	}
	for _, s := range c.fresh {
		s.since = c.now
		c.feed.list = append(c.feed.list, s)
	}
	c.dirty, c.fresh = c.dirty[:0], c.fresh[:0]
}

// discard forgets the working copy. The commit has failed.
func (c *Changes) discard() {
	for _, s := range c.dirty {
		s.closeChanges()
	}
	for _, s := range c.fresh {
		own := s.Own()
		delete(c.feed.byKey, string(appendKey(nil, s.Labels.Def, own)))
		if !overflowed(s.Labels.Def, own) {
			c.feed.counts[s.Labels.Def]--
		}
	}
}

// closeChanges closes the working copy.
func (s *Series) closeChanges() {
	s.dirty = false
	clear(s.marks)
}

// series finds or makes the series of a label set and opens its working copy.
// The hot path, a known series, doesn't allocate.
func (c *Changes) series(d *Def, own []string) *Series {
	// Values that aren't clean make no key of a series: it would have another number of 0xff, or be too long.
	c.key = appendKey(c.key[:0], d, own)
	s := c.feed.byKey[string(c.key)]
	if s == nil {
		s = c.seriesOf(d, own)
	}
	if !s.dirty {
		s.dirty = true
		s.next.set(&s.cur)
		c.dirty = append(c.dirty, s)
	}
	return s
}

// seriesOf finds or makes the series of values that may not be clean.
func (c *Changes) seriesOf(d *Def, own []string) *Series {
	c.vals = append(c.vals[:0], own...)
	for i, v := range c.vals {
		c.vals[i] = CleanLabel(v)
	}
	c.key = appendKey(c.key[:0], d, c.vals)
	if s := c.feed.byKey[string(c.key)]; s != nil {
		return s
	}
	return c.makeSeries(d)
}

// makeSeries makes the series of c.vals, folded if the metric is past its limit
// (counting.md 22).
func (c *Changes) makeSeries(d *Def) *Series {
	if c.feed.counts[d] >= c.store.options.SeriesLimit && foldLabels(d, c.vals) {
		if c.overflow == nil {
			c.overflow = make(map[string]int)
		}
		c.overflow[d.Name]++
		c.key = appendKey(c.key[:0], d, c.vals)
		if s := c.feed.byKey[string(c.key)]; s != nil {
			return s
		}
	}
	s := c.feed.newSeries(d, c.vals)
	s.start = c.now
	s.shown = !c.feed.revealed || c.store.options.ZeroFor <= 0 || d.Kind == Gauge
	c.fresh = append(c.fresh, s)
	c.feed.byKey[string(c.key)] = s
	if !overflowed(d, c.vals) {
		c.feed.counts[d]++
	}
	return s
}

// foldLabels replaces the open labels and says whether there were any.
func foldLabels(d *Def, own []string) bool {
	folded := false
	for i, l := range d.Labels {
		if l.Open {
			own[i], folded = OverflowValue, true
		}
	}
	return folded
}

// CleanLabel makes a provider's value fit for a label.
func CleanLabel(v string) string {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	if len(v) <= maxLabelBytes {
		return v
	}
	return strings.ToValidUTF8(v[:maxLabelBytes], "")
}

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

// Exemplars makes the exemplars of the commit, which has succeeded, before Apply. Only of
// the records that are the last of a series or bucket it is asked who they are.
func (c *Changes) Exemplars(identify func(source int) (traceID [16]byte, recordUID [32]byte)) {
	for _, s := range c.dirty {
		for bucket, m := range s.marks {
			if m.source == 0 {
				continue
			}
			if s.nextExemplars == nil { // a list of its own: snapshots share the one that is shown
				s.nextExemplars = make([]*Exemplar, len(s.marks))
				copy(s.nextExemplars, s.exemplars)
			}
			e := &Exemplar{Value: float64(m.parts), At: c.now}
			if d := s.Labels.Def; d.Kind == Histogram {
				e.Value /= float64(d.Scale)
			}
			e.TraceID, e.RecordUID = identify(m.source)
			s.nextExemplars[bucket] = e
		}
	}
}
