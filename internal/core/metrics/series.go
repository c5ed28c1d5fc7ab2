package metrics

import (
	"strings"
	"time"
)

// Series is one series that comes from records.
type Series struct {
	// Labels is its identity, and includes Def.
	Labels *LabelSet
	// ID is the ledger's row; 0 until it was written.
	ID int64
	// Start is the created timestamp; zero if it must not be exposed.
	Start time.Time
	// Shown says whether the ledger has recorded that the value may be shown.
	Shown bool

	since time.Time // since when it is exposed, in this process; zero until it was committed

	// cur is the committed value. It is immutable: snapshots share it. next is the working copy of
	// the commit with that number.
	cur, next Value
	commit    uint64

	earlier []earlierValue // of MediaBypassCalls, the oldest first; guarded by Store.mu
}

// LabelValues are the values after the base labels.
func (s *Series) LabelValues() []string { return s.Labels.Values[len(baseNames[RecordBase]):] }

// Totals sums a counter's committed values by one of its labels. The caller must hold the commit
// lock.
func (f *FeedSeries) Totals(d *Def, label string) map[string]int64 {
	at := d.Index(label)
	all := make(map[string]int64)
	for _, s := range f.list {
		if s.Labels.Def == d {
			all[s.LabelValues()[at]] += s.cur.n
		}
	}
	return all
}

// AppendNext appends the stored form of the working copy.
func (s *Series) AppendNext(dst []byte) []byte { return s.next.append(dst, s.Labels.Def) }

// FeedSeries are the series of one feed.
type FeedSeries struct {
	source, provider, feed string
	// NoReasons says that the feed's records don't say why a call didn't connect. It is set before
	// Replace, and by SetNoReasons.
	NoReasons bool

	// Store.mu guards the fields below; the commit lock orders their writers.
	revealed bool // the first history was read
	byKey    map[string]*Series
	list     []*Series
	counts   map[*Def]int    // series that aren't folded
	trunks   [][]string      // the labels of their gauges, by their number from 1
	peaks    map[int64]int64 // by trunk number; nil shows none
}

// Each calls use with the labels after the base labels and the committed value of each series of a
// metric. The commit lock must be held.
func (f *FeedSeries) Each(d *Def, use func(own []string, v *Value)) {
	for _, s := range f.list {
		if s.Labels.Def == d {
			use(s.LabelValues(), &s.cur)
		}
	}
}

// appendKey appends the map key of a label set. 0xff can't occur in UTF-8.
func appendKey(dst []byte, d *Def, own []string) []byte {
	dst = append(dst, d.Name...)
	for _, v := range own {
		dst = append(dst, 0xff)
		dst = append(dst, v...)
	}
	return dst
}

// newSeries makes a series with copies of its label values.
func (f *FeedSeries) newSeries(d *Def, own []string) *Series {
	values := append(make([]string, 0, len(baseNames[RecordBase])+len(own)), f.source, f.provider, f.feed)
	for _, v := range own {
		values = append(values, strings.Clone(v))
	}
	return &Series{Labels: &LabelSet{Def: d, Values: values}, cur: NewValue(d)}
}

// isFolded says whether the label set is a folded one.
func isFolded(d *Def, own []string) bool {
	for i, l := range d.Labels {
		if l.Open {
			return own[i] == OverflowValue
		}
	}
	return false
}

func (f *FeedSeries) addSeries(s *Series) {
	own := s.LabelValues()
	f.byKey[string(appendKey(nil, s.Labels.Def, own))] = s
	f.list = append(f.list, s)
	if !isFolded(s.Labels.Def, own) {
		f.counts[s.Labels.Def]++
	}
}
