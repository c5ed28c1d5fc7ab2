package laws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// law is a law of counting: the scripts that it must hold in, or why it can't be judged.
type law struct {
	name    string
	scripts func(b *bench, plain *played) (all []script, why string)
	// judge says how a script broke the law; nil: it must come to what the plain one came to.
	judge func(b *bench, plain, out *played) string
	// remark goes behind the verdict that the law is held; nil: nothing.
	remark func(b *bench) string
}

var all = []law{
	{name: "once", scripts: (*bench).once},
	{name: "order", scripts: (*bench).order},
	{name: "shifting", scripts: (*bench).shifting},
	{name: "late", scripts: (*bench).late},
	{name: "revised", scripts: (*bench).revised, judge: sameCalls},
	{name: "final", scripts: (*bench).final},
	{name: "edges", scripts: (*bench).edges},
	{name: "unknown", scripts: (*bench).unknown, judge: sameCalls},
	{name: "damaged", scripts: (*bench).damaged, judge: (*bench).judgeDamaged, remark: (*bench).ignoredHalves},
	{name: "refused", scripts: (*bench).refused},
	{name: "killed", scripts: (*bench).killed},
}

// byTime says whether requests name times of calls.
func (b *bench) byTime() bool { return b.info.Stream == nil && b.info.Posted == nil }

func (b *bench) hasIDs() bool { return b.feed.Record.ID.IsSet() }

// once: a row that comes twice counts once.
func (b *bench) once(*played) (scripts []script, why string) {
	switch {
	case b.definition.HTTP != nil:
		for _, size := range []int{1, 2} {
			if b.hasIDs() && b.pages() && b.feed.Next.Offset == "" { // an offset says which row comes first
				scripts = append(scripts, script{name: fmt.Sprintf("pages of %d rows, whose last row is on "+
					"the next page too", size), page: size, overlap: true})
			}
		}
		if b.hasIDs() {
			var twice []*row
			for _, r := range b.base {
				again := *r
				twice = append(twice, r, &again)
			}
			scripts = append(scripts, script{name: "each row twice on a page", steps: []step{{rows: twice}}})
		} else {
			return nil, "rows have no id, so two that are equal are two calls"
		}
	case b.definition.SQL != nil:
		scripts = append(scripts, script{
			name:  "the same table again",
			steps: []step{{rows: b.base}, {after: time.Hour, rows: b.base}},
		})
	case b.feed.Lines() != nil:
		scripts = append(scripts, script{name: "a copy of each file", copied: true})
	}
	if b.definition.Push != nil && b.feed.Files == nil && b.hasIDs() {
		scripts = append(scripts, script{name: "each record is posted twice", posted: true, twice: true})
	}
	if again := b.moved(reused); again != nil && b.hasIDs() && !b.byTime() && b.definition.SQL == nil {
		for _, r := range again {
			r.key += " again"
		}
		scripts = append(scripts, script{
			name: fmt.Sprintf("each id is used again %s later", reused),
			steps: []step{
				{rows: b.base},
				{after: time.Hour, rows: b.base},
				{after: reused, rows: append(slices.Clone(b.base), again...)},
			},
			judge: func(_ *bench, plain, out *played) string {
				return out.miscounts(2*plain.sum("cdr_calls_total"), 2*plain.sum("cdr_queue_calls_total"))
			},
		})
	}
	return scripts, ""
}

const day = 24 * time.Hour

// reused is after how long an id is another call's, and a key of legs too.
const reused = 72 * time.Hour

// moved are the rows, all of whose times are later; nil: they can't be written so.
func (b *bench) moved(by time.Duration) (all []*row) {
	if b.definition.SQL != nil {
		return b.movedTables(by)
	}
	for _, r := range b.base {
		text := r.text
		for _, source := range b.feed.Sources() {
			var document any
			if !strings.HasPrefix(text, "{") || decode(text, &document) != nil {
				return nil
			}
			was, _ := valueAt(document, source.Steps)
			if at := source.Shift(fmt.Sprint(was), by, b.zone); at == "" {
				continue
			} else if _, isText := was.(string); isText {
				document = replace(document, source.Steps, at, false)
			} else {
				document = replace(document, source.Steps, json.Number(at), false)
			}
			text = encode(document)
		}
		other := b.remapped(r, text)
		other.at = r.at.Add(by)
		if text == r.text || other.mapped.Record == nil != (r.mapped.Record == nil) {
			return nil
		}
		all = append(all, other)
	}
	return all
}

// order: rows count the same in any order, split in any way.
func (b *bench) order(*played) (scripts []script, why string) {
	if len(b.base) < 2 {
		return nil, "fewer than two rows"
	}
	reversed := slices.Clone(b.base)
	slices.Reverse(reversed)
	scripts = append(scripts, script{name: "the last row first", steps: []step{{rows: reversed}}, page: 2})
	shuffled := slices.Clone(b.base)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same order each time
	for _, size := range []int{1, 3} {
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		scripts = append(scripts, script{
			name:  fmt.Sprintf("in another order, %d at a time", size),
			steps: []step{{rows: slices.Clone(shuffled)}}, page: size,
		})
	}
	var grows []step
	for i := range reversed {
		grows = append(grows, step{rows: reversed[:i+1]})
	}
	if b.apart() == "" {
		scripts = append(scripts, script{name: "one row after the other, the last one first", steps: grows})
	}
	if later := b.moved(day); later != nil && b.definition.SQL != nil && !b.byTime() {
		scripts = append(scripts, script{
			name: "the first rows are a day later than those after them", begins: b.began.Add(day), judge: sameCalls,
			steps: []step{{rows: append(later[:1:1], b.base[1:]...)}},
		})
	}
	if l := b.layout(); l.names && b.feed.Lines() != nil && b.feed.Lines().Read == "lines" {
		scripts = append(scripts, script{name: "each row behind the names of its columns", steps: grows, headed: true})
	}
	return scripts, ""
}

// shifting: rows are added and removed while the list is read.
func (b *bench) shifting(*played) (scripts []script, why string) {
	switch {
	case b.definition.HTTP == nil:
		return nil, "nothing is read in pages"
	case !b.pages():
		return nil, "the definition has no next"
	case !b.hasIDs():
		return nil, "rows have no id"
	case !b.byTime():
		return nil, "rows are only added behind those that were read"
	case len(b.base) < 3:
		return nil, "fewer than three rows"
	}
	for i := range min(len(b.base), 4) {
		first := b.base[i]
		others := slices.DeleteFunc(slices.Clone(b.base), func(r *row) bool { return r == first })
		scripts = append(scripts, script{
			name: first.name + " is added behind the first page", page: 2,
			steps:   []step{{rows: others}, {rows: b.base}},
			between: func(rows []*row) []*row { return append([]*row{first}, rows...) },
		}, script{
			name: first.name + " is removed behind the first page", page: 2,
			steps:   []step{{rows: append([]*row{first}, others...)}},
			between: func(rows []*row) []*row { return rows[1:] },
		})
	}
	return scripts, ""
}

// apart says why rows can't come later than others; empty: they can.
func (b *bench) apart() string {
	for _, r := range b.base {
		if b.byTime() && !r.at.IsZero() && b.began.Sub(r.at) > b.info.Lookback*6/10 {
			return fmt.Sprintf("%s is too long before the newest for a lookback of %s; give them times closer together",
				r.name, b.info.Lookback)
		}
	}
	return ""
}

// late: a row comes long after its call.
func (b *bench) late(*played) (scripts []script, why string) {
	if why = b.apart(); why != "" {
		return nil, why
	}
	var early, lateRows []*row
	for i, r := range b.base {
		if i%2 == 1 && b.standsAlone(r) {
			lateRows = append(lateRows, r)
		} else {
			early = append(early, r)
		}
	}
	if len(lateRows) == 0 {
		return nil, "no call of one row that could come later than others"
	}
	after := 2 * time.Hour
	if b.byTime() {
		after = b.info.Lookback * 4 / 10
	}
	return []script{{
		name:  fmt.Sprintf("%d rows come %s after the others", len(lateRows), after),
		steps: []step{{rows: early}, {after: after, rows: b.base}},
	}}, ""
}

// standsAlone says whether no other row is of the same call.
func (b *bench) standsAlone(r *row) bool {
	return !slices.ContainsFunc(b.base, func(other *row) bool { return other != r && b.together(r, other) })
}

// together says whether two rows are of the same call.
func (b *bench) together(r, other *row) bool {
	if b.definition.SQL == nil {
		return r.mapped.Record != nil && other.mapped.Record != nil && b.callOf(other) == b.callOf(r)
	}
	call := func(r *cdr.Record) string {
		return cmp.Or(callOf(r, slices.Values(b.read.Records)), "row "+nameOf(r))
	}
	return slices.ContainsFunc(r.gives, func(one *cdr.Record) bool {
		return slices.ContainsFunc(other.gives, func(o *cdr.Record) bool { return call(o) == call(one) })
	})
}

// pairs are rows, and further versions of them for which a condition holds.
func (b *bench) pairs(fits func(base, other *row) bool) (scripts []script) {
	if !b.hasIDs() || b.definition.SQL != nil {
		return nil
	}
	for _, r := range b.base {
		for _, other := range b.rows {
			if other == r || other.key != r.key || r.mapped.Record == nil || other.mapped.Record == nil ||
				!fits(r, other) || !b.standsAlone(r) {
				continue
			}
			before := *other
			before.at = r.at
			begins := latest(r.at, r.mapped.Record.End)
			after := max(3*b.info.Interval, 10*time.Minute)
			scripts = append(scripts, script{
				name: fmt.Sprintf("%s is %s at first", r.name, other.name), begins: begins,
				steps: []step{
					{rows: []*row{&before}},
					{after: after, rows: []*row{r}},
					{after: b.began.Sub(begins), rows: b.base},
				},
			})
			if len(scripts) == 5 {
				return scripts
			}
		}
	}
	return scripts
}

// revised: a row that changes doesn't add a call.
func (b *bench) revised(*played) (scripts []script, why string) {
	scripts = b.pairs(func(base, other *row) bool {
		return base.counts() && other.counts() && b.callOf(base) == b.callOf(other)
	})
	if scripts == nil {
		return nil, "no call of one row in two versions with one id"
	}
	return scripts, ""
}

// final: a row that becomes final counts once, as it is then.
func (b *bench) final(*played) (scripts []script, why string) {
	if b.feed.Final == nil {
		return nil, "the definition has no final"
	}
	scripts = b.pairs(func(base, other *row) bool { return base.counts() && other.mapped.Record.Provisional })
	if scripts == nil {
		return nil, "no call of one row that is open in one version and final in another, with one id"
	}
	return scripts, ""
}

// edges: the exporter looks at the very times of rows, and a second later, while they come.
func (b *bench) edges(*played) (scripts []script, why string) {
	if why = b.apart(); why != "" && b.definition.SQL != nil { // a statement's rows come together
		return nil, why
	}
	scripts = []script{b.live(b.base)}
	change := b.began
	for range 2 {
		if _, change = change.In(b.zone).ZoneBounds(); change.IsZero() {
			break
		}
		oldest := slices.MinFunc(b.base, func(a, b *row) int { return a.at.Compare(b.at) }).at.Truncate(time.Second)
		if rows := b.moved(change.Add(-30 * time.Minute).Sub(oldest)); rows != nil {
			s := b.live(rows)
			s.name, s.judge = s.name+", half an hour before clocks change on "+change.Format(time.DateOnly), sameCalls
			scripts = append(scripts, s)
		}
		if rows := b.moved(change.Add(day).Sub(oldest)); rows != nil && b.definition.SQL != nil && b.byTime() {
			scripts = append(scripts, script{
				name:  "a day after clocks change on " + change.Format(time.DateOnly),
				steps: []step{{rows: b.base}}, // the query is judged, not what is counted
				judge: func(b *bench, _, _ *played) string { return b.readSeconds(rows) },
			})
		}
	}
	if longest := max(2*b.tests.MaxRange, b.tests.Retention*11/10); longest > 0 && b.definition.HTTP != nil {
		scripts = append(scripts, script{name: "a long history", history: longest})
	}
	return scripts, ""
}

// live is a script in which the exporter looks at the very times of rows.
func (b *bench) live(all []*row) script {
	type arrival struct {
		row *row
		at  time.Time
	}
	var arrivals []arrival
	var times []time.Time
	for _, r := range all {
		at := r.at
		for _, other := range all { // the rows of a call come together
			if !b.together(r, other) {
				continue
			}
			for _, record := range other.records() {
				at = latest(latest(at, b.filtered(record)), record.End)
			}
		}
		arrivals = append(arrivals, arrival{r, at})
		times = append(times, r.begins(), r.at, r.at.Add(time.Second), at, at.Add(time.Second))
		for _, record := range r.gives { // a statement may have several
			times = append(times, b.filtered(record), b.filtered(record).Add(time.Second))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	now := times[0].Add(-time.Minute)
	times = times[:min(len(times), 150)]
	s := script{
		name: "rows come while the exporter runs, which looks at their very times", live: true, begins: times[0],
		steps: []step{{}},
	}
	for _, at := range times {
		at = at.Truncate(time.Second).Add(b.feed.Filter.MinAge)
		if !at.After(now) {
			continue
		}
		var rows []*row
		for _, a := range arrivals {
			if !a.at.After(at) {
				rows = append(rows, a.row)
			}
		}
		s.steps = append(s.steps, step{after: at.Sub(now), rows: rows})
		now = at
	}
	s.steps = append(s.steps, step{after: time.Minute, rows: all})
	return s
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest is the earlier of two times. Zero is unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// refused: whatever a request gets in place of its answer, nothing is lost or counted twice.
func (b *bench) refused(*played) (scripts []script, why string) {
	switch {
	case b.definition.SQL != nil:
		return []script{{name: "the database isn't there at first", away: true}}, ""
	case b.definition.HTTP == nil && b.feed.Lines() != nil:
		if b.feed.Lines().Read != "lines" {
			return nil, "a file is written once"
		}
		return []script{{name: "a file is written in two halves", torn: true}}, ""
	case b.definition.HTTP == nil:
		return nil, "nothing is asked"
	}
	kinds := []string{"429", "500", "cut", "html", "empty"}
	if b.feed.Next.URL != nil || b.feed.Next.Link != "" {
		kinds = append(kinds, "host")
	}
	if b.feed.Total != nil {
		kinds = append(kinds, "total")
	}
	for _, kind := range kinds {
		s := script{
			name: fmt.Sprintf("the first request for each of %d pages gets %s", refusedPages, faultNames[kind]),
			page: 2, fault: &fault{kind: kind, pages: refusedPages, each: 1},
		}
		if kind == "host" {
			s.page = 1
		}
		scripts = append(scripts, s)
	}
	return append(scripts, script{
		name: "five requests for the second page get status 500", page: 2,
		fault: &fault{kind: "500", from: 1, pages: 1, each: 5},
	}), ""
}

// refusedPages is how many pages a script of faults refuses.
const refusedPages = 6

var faultNames = map[string]string{
	"429": "status 429", "500": "status 500", "cut": "an answer that is cut off", "html": "a page of HTML",
	"empty": "an empty answer",
	"host":  "a next page on another host", "total": "a total that is one too many",
}

// killed: a kill at any commit, before or after it is durable.
func (b *bench) killed(plain *played) (scripts []script, why string) {
	// What is on the disk before a commit is what the one before it left. Only who posts learns more: he posts again.
	kinds := []bool{true}
	if b.info.Posted != nil {
		kinds = []bool{false, true}
	}
	const most = 8
	for n := 1; n <= plain.commits; n++ {
		if n > most && n%max(plain.commits/4, 1) != 0 {
			continue
		}
		for _, durable := range kinds {
			when := map[bool]string{false: "before", true: "after"}[durable]
			scripts = append(scripts, script{
				name: fmt.Sprintf("killed %s commit %d is durable", when, n), page: 2,
				kill: &kill{n, durable},
			})
		}
	}
	return scripts, ""
}
