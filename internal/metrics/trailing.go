package metrics

import (
	"slices"
	"strings"
	"time"
)

// TrailRow is what the ledger keeps of the trailing gauge: calls of one trunk
// first seen in one second, of which some bypassed (counting.md 25).
type TrailRow struct {
	Trunk           string
	Second          int64
	Bypassed, Total int64
}

// trailing counts, per trunk, the calls by the second in which they were first
// seen, oldest first.
type trailing map[string]*trunkTrail

// trunkTrail is the trailing tally of one trunk.
type trunkTrail struct {
	labels *LabelSet
	rows   []TrailRow
}

// trail counts a call that says whether media bypassed. A commit has one row
// per trunk, since all that it brings is first seen together.
func (t *Tally) trail(trunk string, bypassed bool) {
	trunk = t.trailName(trunk)
	at := t.trailOf(trunk)
	if at < 0 {
		t.trails = append(t.trails, TrailRow{Trunk: strings.Clone(trunk), Second: t.now.Unix()})
		at = len(t.trails) - 1
	}
	t.trails[at].Total++
	if bypassed {
		t.trails[at].Bypassed++
	}
}

// trailName is the label under which a trunk is tallied, folded past the limit.
func (t *Tally) trailName(trunk string) string {
	trunk = cleanLabel(trunk)
	if _, known := t.feed.trailing[trunk]; known || t.trailOf(trunk) >= 0 {
		return trunk
	}
	if len(t.feed.trailing)+t.newTrunks >= t.store.options.SeriesLimit {
		return OverflowValue
	}
	t.newTrunks++
	return trunk
}

// trailOf is where a trunk's row of this commit is, -1 if there is none.
func (t *Tally) trailOf(trunk string) int {
	return slices.IndexFunc(t.trails, func(r TrailRow) bool { return r.Trunk == trunk })
}

// Trails are the rows of the trailing gauge that the commit adds to.
func (t *Tally) Trails() []TrailRow { return t.trails }

// addTrail adds a committed row.
func (f *FeedSeries) addTrail(row TrailRow) {
	t := f.trailing[row.Trunk]
	if t == nil {
		t = &trunkTrail{labels: &LabelSet{
			Def: MediaBypassRatio, Values: []string{f.source, f.provider, f.feed, row.Trunk},
		}}
		f.trailing[row.Trunk] = t
	}
	if last := len(t.rows) - 1; last >= 0 && t.rows[last].Second == row.Second {
		t.rows[last].Total += row.Total
		t.rows[last].Bypassed += row.Bypassed
		return
	}
	t.rows = append(t.rows, row)
}

// ratio is bypassed ÷ all within the window, and whether there are any.
func ratio(rows []TrailRow, now time.Time, window time.Duration) (float64, bool) {
	from := now.Add(-window).Unix()
	var bypassed, total int64
	for _, r := range rows {
		if r.Second > from {
			bypassed, total = bypassed+r.Bypassed, total+r.Total
		}
	}
	if total == 0 {
		return 0, false
	}
	return float64(bypassed) / float64(total), true
}

// forget drops what was seen at a second or before.
func (w trailing) forget(second int64) {
	for trunk, t := range w {
		t.rows = slices.DeleteFunc(t.rows, func(r TrailRow) bool { return r.Second <= second })
		if len(t.rows) == 0 {
			delete(w, trunk)
		}
	}
}
