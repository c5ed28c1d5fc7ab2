package laws

import (
	"slices"
	"time"
)

// edges: the exporter looks at the very times of rows, and a second later, while they come.
func (b *bench) edges() (scripts []script, why string) {
	if why = b.apart(); why != "" && b.definition.SQL != nil { // a statement's rows come together
		return nil, why
	}
	scripts = []script{b.live(b.base)}
	oldest := slices.MinFunc(b.base, func(a, b *row) int { return a.at.Compare(b.at) }).at.Truncate(time.Second)
	change := b.began
	for range 2 {
		if _, change = change.In(b.zone).ZoneBounds(); change.IsZero() {
			break
		}
		if rows := b.moved(change.Add(-30 * time.Minute).Sub(oldest)); rows != nil {
			s := b.live(rows)
			s.name, s.judge = s.name+", half an hour before clocks change on "+change.Format(time.DateOnly), b.sameCalls
			scripts = append(scripts, s)
		}
		if b.definition.SQL == nil || !b.byTime() {
			continue
		}
		if rows := b.moved(change.Add(day).Sub(oldest)); rows != nil {
			scripts = append(scripts, script{
				name:  "a day after clocks change on " + change.Format(time.DateOnly),
				steps: []step{{rows: b.base}}, // the query is judged, not what is counted
				judge: func(*played) string { return b.readSeconds(rows) },
			})
		}
	}
	if longest := max(2*b.tests.MaxRange, b.tests.Retention*11/10); longest > 0 && b.definition.HTTP != nil {
		scripts = append(scripts, script{name: "a long history", history: longest})
	}
	return scripts, ""
}

// live is a script in which the exporter looks at the very times of rows. The rows of a call come together, once the
// last of them has ended.
func (b *bench) live(all []*row) script {
	const mostTimes = 150
	comes := make(map[*row]time.Time)
	var times []time.Time
	note := func(at time.Time) { times = append(times, at, at.Add(time.Second)) }
	for _, r := range all {
		at := r.at
		for _, other := range all {
			if !b.together(r, other) {
				continue
			}
			for _, record := range other.records {
				at = latest(at, latest(b.filtered(record), record.End))
			}
		}
		comes[r] = at
		times = append(times, r.begins())
		note(r.at)
		note(at)
		for _, record := range r.records { // a statement may have several
			note(b.filtered(record))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	s := script{
		name: "rows come while the exporter runs, which looks at their very times", live: true, begins: times[0],
		steps: []step{{}},
	}
	now := times[0].Add(-time.Minute)
	for _, at := range times[:min(len(times), mostTimes)] {
		at = at.Truncate(time.Second).Add(b.feed.Filter.MinAge)
		if !at.After(now) {
			continue
		}
		rows := slices.DeleteFunc(slices.Clone(all), func(r *row) bool { return comes[r].After(at) })
		s.steps = append(s.steps, step{after: at.Sub(now), rows: rows})
		now = at
	}
	s.steps = append(s.steps, step{after: time.Minute, rows: all})
	return s
}
