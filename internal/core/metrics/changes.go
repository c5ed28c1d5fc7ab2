package metrics

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// maxLabelBytes limits a label value from a provider.
const maxLabelBytes = 256

// Changes are the series that one commit of one feed changes. Apply makes them visible. If a commit
// fails, the next one's Begin drops its changes. A store has only one open Changes at a time,
// because of the ledger's commit lock.
type Changes struct {
	store  *Store
	feed   *FeedSeries
	now    time.Time
	number uint64 // number of the commit in this process

	// Changed are the series that the commit has to write, in the order of their first change.
	Changed []*Series
	// Overflow counts the folded observations, and those that didn't fit into a sum, by metric
	// name.
	Overflow map[string]int

	fresh  map[string]*Series // the new ones among the changed series, by key
	counts map[*Def]int       // the new ones by metric

	key    []byte
	vals   []string
	deltas []Delta // of the current fact
}

// Begin opens the changes of a commit at a time.
func (s *Store) Begin(f *FeedSeries, now time.Time) *Changes {
	c := &s.changes // reuses the memory of the last one
	clear(c.fresh)
	clear(c.counts)
	*c = Changes{
		store: s, feed: f, now: now, number: c.number + 1,
		Changed: c.Changed[:0], fresh: c.fresh, counts: c.counts, key: c.key, vals: c.vals, deltas: c.deltas,
		Overflow: make(map[string]int),
	}
	return c
}

// Add adds a fact's changes to the working copies of its series. Past the series limit they are
// folded into another series. It returns the changes, valid until the next call.
func (c *Changes) Add(f *facts.Fact) []Delta {
	if f.Kind == facts.Attempt {
		c.addAttempt(f)
		return nil
	}
	c.deltas = Count(c.deltas[:0], f)
	for i := range c.deltas {
		d := &c.deltas[i]
		d.Series = c.addDelta(d, f.New)
	}
	return c.deltas
}

// addDelta adds a delta. source numbers the commit's records from 1, for exemplars; 0 means none.
func (c *Changes) addDelta(d *Delta, source int) *LabelSet {
	s := c.series(d.Def, d.LabelValues())
	bucket, fits := s.next.Add(d.Def, d.N, &d.Money)
	if !fits {
		c.Overflow[d.Def.Name]++
	}
	if d.Def.Exemplars && source > 0 {
		if s.next.exemplars == nil {
			s.next.exemplars = make([]*Exemplar, len(d.Def.Bounds)+1)
		}
		e := s.next.exemplars[bucket]
		if e == nil || e.source == 0 { // else this commit made it
			e = new(Exemplar)
			s.next.exemplars[bucket] = e
		}
		*e = Exemplar{source: source, Value: d.Def.InUnit(d.N), At: c.now}
	}
	return s.Labels
}

// Apply makes the working copy visible after the commit has succeeded. identify gives exemplars the
// ids of its records.
func (c *Changes) Apply(identify func(source int, e *Exemplar)) {
	for _, s := range c.Changed {
		for _, e := range s.next.exemplars {
			if e != nil && e.source != 0 {
				identify(e.source, e)
				e.source = 0
			}
		}
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	for _, s := range c.Changed {
		if s.Labels.Def == MediaBypassCalls {
			s.noteValue(c.now)
		}
		s.cur = s.next
		if s.since.IsZero() { // it is new
			s.since = c.now
			c.feed.addSeries(s)
		}
	}
}

// series finds or makes the series of a label set and opens its working copy. If the metric is past
// its limit, it folds the label set (counting.md 22). The hot path, a series that this commit has
// already changed, doesn't allocate.
func (c *Changes) series(d *Def, own []string) *Series {
	c.vals = c.vals[:0]
	for i, v := range own {
		if i < len(d.Labels) { // the operator's labels were checked when they were read
			v = CleanLabel(v)
		}
		c.vals = append(c.vals, v)
	}
	s := c.find(d)
	if s == nil && c.feed.counts[d]+c.counts[d] >= c.store.options.SeriesLimit && foldLabels(d, c.vals) {
		c.Overflow[d.Name]++
		s = c.find(d)
	}
	if s == nil {
		s = c.makeSeries(d)
	}
	if s.commit != c.number {
		s.commit, s.next = c.number, s.cur.clone()
		c.Changed = append(c.Changed, s)
	}
	return s
}

// find finds the series of c.vals, or nil, and leaves its key in c.key.
func (c *Changes) find(d *Def) *Series {
	c.key = appendKey(c.key[:0], d, c.vals)
	if s := c.feed.byKey[string(c.key)]; s != nil {
		return s
	}
	return c.fresh[string(c.key)]
}

// makeSeries makes the series of c.vals, whose key is in c.key.
func (c *Changes) makeSeries(d *Def) *Series {
	s := c.feed.newSeries(d, c.vals)
	s.Start = c.now.Truncate(time.Microsecond) // as the ledger keeps it
	s.Shown = !c.feed.revealed || c.store.options.ZeroFor <= 0 || d.Kind == Gauge
	c.fresh[string(c.key)] = s
	c.counts[d]++
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
	if len(own) > len(d.Labels) {
		own[len(d.Labels)] = string(cdr.Labels(own[len(d.Labels)]).With(OverflowValue))
	}
	return folded
}

// CleanLabel makes a provider's value valid as a label.
func CleanLabel(v string) string {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	v = strings.ReplaceAll(v, "\x00", "\uFFFD") // PostgreSQL doesn't accept a zero byte in a text
	if len(v) <= maxLabelBytes {
		return v
	}
	return strings.ToValidUTF8(v[:maxLabelBytes], "")
}

// Exemplar refers to the last call, in this process, that changed a series or one of its buckets.
// Once set it is immutable.
type Exemplar struct {
	// TraceID and RecordUID are the ids of the call's log record (docs/otlp.md).
	TraceID   [16]byte
	RecordUID [32]byte
	// SpanID is the id of the call's root span; zero if the call has none.
	SpanID [8]byte
	// Value is how much the call added to the counter, or the observed value.
	Value float64
	// At is when the call was counted.
	At time.Time

	source int // number of the record in the current commit; 0 once its ids are known
}
