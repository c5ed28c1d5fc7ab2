package metrics

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxLabelBytes bounds a label value that a provider brings.
const maxLabelBytes = 256

// Tally is the working copy of one commit of one feed. Exactly one of Apply and
// Discard ends it; no other Tally of the store may be open meanwhile (the
// ledger's commit lock sees to it).
type Tally struct {
	store *Store
	feed  *FeedSeries
	now   time.Time

	dirty  []*Series
	fresh  []*Series // new in this commit
	trails []TrailRow
	// newTrunks are those among trails that weren't tallied before.
	newTrunks int
	overflow  map[string]int

	connecting connecting

	source    int // of the commit's records, the one being counted; 0 for none
	exemplars []newExemplar

	// record is what is being counted; watched by the store's watcher alone.
	record *cdr.Record

	key  []byte
	vals []string
}

// Begin opens the working copy of a commit at a time.
func (s *Store) Begin(f *FeedSeries, now time.Time) *Tally {
	t := &s.tally
	t.connecting.reset()
	*t = Tally{
		store: s, feed: f, now: now, connecting: t.connecting, exemplars: t.exemplars[:0],
		dirty: t.dirty[:0], fresh: t.fresh[:0], trails: t.trails[:0], key: t.key[:0], vals: t.vals[:0],
	}
	return t
}

// Changed are the series that the commit changes, to be written.
func (t *Tally) Changed() []*Series { return t.dirty }

// Fresh are the series among them that are new.
func (t *Tally) Fresh() []*Series { return t.fresh }

// Overflow are the observations folded so far, by metric name; nil for none.
func (t *Tally) Overflow() map[string]int { return t.overflow }

// Wrote tells a new series the ledger's row id.
func (t *Tally) Wrote(s *Series, id int64) { s.id = id }

// Apply makes the working copy visible. The commit has succeeded.
func (t *Tally) Apply() {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.applyExemplars()
	for _, s := range t.dirty {
		s.cur, s.next = s.next, s.cur
		s.clean()
	}
	for _, s := range t.fresh {
		s.since = t.now
		t.feed.list = append(t.feed.list, s)
	}
	for _, row := range t.trails {
		t.feed.addTrail(row)
	}
	t.connecting.apply(&t.feed.connected)
}

// Discard forgets the working copy. The commit has failed.
func (t *Tally) Discard() {
	for _, s := range t.dirty {
		s.clean()
	}
	for _, s := range t.fresh {
		own := s.Own()
		delete(t.feed.byKey, string(appendKey(nil, s.Labels.Def, own)))
		if !overflowed(s.Labels.Def, own) {
			t.feed.counts[s.Labels.Def]--
		}
	}
	t.connecting.discard(&t.feed.connected)
}

// clean closes the working copy.
func (s *Series) clean() {
	s.dirty = false
	clear(s.marks)
}

func (t *Tally) inc(d *Def, own ...string) { t.addN(d, 1, own...) }

func (t *Tally) addN(d *Def, n int64, own ...string) {
	s := t.series(d, own)
	s.next.n += n
	if d.Exemplars {
		t.mark(s, 0, 1, n)
	}
	if t.store.watch != nil {
		t.store.watch(Delta{Labels: s.Labels, Record: t.record, N: n})
	}
}

func (t *Tally) addMoney(d *Def, amount *cdr.Money, own ...string) {
	s := t.series(d, own)
	s.next.money = s.next.money.Add(amount)
	if t.store.watch != nil {
		t.store.watch(Delta{Labels: s.Labels, Record: t.record, Money: *amount})
	}
}

func (t *Tally) observe(d *Def, parts int64, own ...string) {
	s := t.series(d, own)
	bucket := s.next.hist.observe(d, parts)
	if d.Exemplars {
		t.mark(s, bucket, len(d.Bounds)+1, parts)
	}
	if t.store.watch != nil {
		t.store.watch(Delta{Labels: s.Labels, Record: t.record, N: parts, Bucket: bucket})
	}
}

// series finds or makes the series of a label set and opens its working copy.
// The hot path, a known series, doesn't allocate.
func (t *Tally) series(d *Def, own []string) *Series {
	t.vals = append(t.vals[:0], own...)
	for i, v := range t.vals {
		t.vals[i] = cleanLabel(v)
	}
	t.key = appendKey(t.key[:0], d, t.vals)
	s := t.feed.byKey[string(t.key)]
	if s == nil {
		s = t.make(d)
	}
	if !s.dirty {
		s.dirty = true
		s.next.set(&s.cur)
		t.dirty = append(t.dirty, s)
	}
	return s
}

// make makes the series of t.vals, folded if the metric is past its limit
// (counting.md 22).
func (t *Tally) make(d *Def) *Series {
	if t.feed.counts[d] >= t.store.options.SeriesLimit && fold(d, t.vals) {
		if t.overflow == nil {
			t.overflow = make(map[string]int)
		}
		t.overflow[d.Name]++
		t.key = appendKey(t.key[:0], d, t.vals)
		if s := t.feed.byKey[string(t.key)]; s != nil {
			return s
		}
	}
	s := t.feed.newSeries(d, t.vals)
	s.start = t.now
	s.shown = !t.feed.revealed || t.store.options.ZeroFor <= 0
	t.fresh = append(t.fresh, s)
	t.feed.byKey[string(t.key)] = s
	if !overflowed(d, t.vals) {
		t.feed.counts[d]++
	}
	return s
}

// fold replaces the open labels and says whether there were any.
func fold(d *Def, own []string) bool {
	folded := false
	for i, l := range d.Labels {
		if l.Open {
			own[i], folded = OverflowValue, true
		}
	}
	return folded
}

// cleanLabel makes a provider's value fit for a label.
func cleanLabel(v string) string {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	if len(v) <= maxLabelBytes {
		return v
	}
	return strings.ToValidUTF8(v[:maxLabelBytes], "")
}

// digits is the label value of an integer, empty if it wasn't given.
func digits(n cdr.Int) string {
	if !n.Known {
		return ""
	}
	if n.Value >= 0 && n.Value < int64(len(smallNumbers)) {
		return smallNumbers[n.Value]
	}
	return strconv.FormatInt(n.Value, 10)
}

// smallNumbers are the texts of SIP codes, so that a label costs no allocation.
var smallNumbers = func() (all [700]string) {
	for i := range all {
		all[i] = strconv.Itoa(i)
	}
	return all
}()
