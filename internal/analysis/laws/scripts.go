package laws

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// byTime says whether requests name times of calls.
func (b *bench) byTime() bool { return b.info.Stream == nil && b.info.Posted == nil }

func (b *bench) hasIDs() bool { return b.feed.Record.ID.IsSet() }

// reused is after how long an id is another call's, and a key of legs too.
const reused = 72 * time.Hour

// once: a row that comes twice counts once.
func (b *bench) once() (scripts []script, why string) {
	switch {
	case b.definition.HTTP != nil && !b.hasIDs():
		return nil, "rows have no id, so two that are equal are two calls"
	case b.definition.HTTP != nil:
		for _, size := range []int{1, 2} {
			if b.pages() && b.feed.Next.Offset == "" { // an offset says which row comes first
				scripts = append(scripts, script{name: fmt.Sprintf("pages of %d rows, whose last row is on "+
					"the next page too", size), page: size, overlap: true})
			}
		}
		var twice []*row
		for _, r := range b.base {
			again := *r
			twice = append(twice, r, &again)
		}
		scripts = append(scripts, script{name: "each row twice on a page", steps: []step{{rows: twice}}})
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
				{after: reused, rows: slices.Concat(b.base, again)},
			},
			judge: func(out *played) string {
				calls, visits := b.plain.calls()
				return out.miscounts(2*calls, 2*visits)
			},
		})
	}
	return scripts, ""
}

// order: rows count the same in any order, split in any way.
func (b *bench) order() (scripts []script, why string) {
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
	if b.definition.SQL != nil && !b.byTime() {
		if later := b.moved(day); later != nil {
			scripts = append(scripts, script{
				name:   "the first rows are a day later than those after them",
				begins: b.began.Add(day), judge: b.sameCalls,
				steps: []step{{rows: append(later[:1:1], b.base[1:]...)}},
			})
		}
	}
	if l := b.layout(); l.names && b.feed.Lines() != nil && b.feed.Lines().Read == "lines" {
		scripts = append(scripts, script{name: "each row behind the names of its columns", steps: grows, headed: true})
	}
	return scripts, ""
}

// shifting: rows are added and removed while the list is read.
func (b *bench) shifting() (scripts []script, why string) {
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
	for i, first := range b.base[:min(len(b.base), 4)] {
		others := slices.Delete(slices.Clone(b.base), i, i+1)
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
func (b *bench) late() (scripts []script, why string) {
	if why = b.apart(); why != "" {
		return nil, why
	}
	var early []*row
	for i, r := range b.base {
		if i%2 == 0 || !b.standsAlone(r) {
			early = append(early, r)
		}
	}
	late := len(b.base) - len(early)
	if late == 0 {
		return nil, "no call of one row that could come later than others"
	}
	after := 2 * time.Hour
	if b.byTime() {
		after = b.info.Lookback * 4 / 10
	}
	return []script{{
		name:  fmt.Sprintf("%d rows come %s after the others", late, after),
		steps: []step{{rows: early}, {after: after, rows: b.base}},
	}}, ""
}

// revised: a row that changes doesn't add a call.
func (b *bench) revised() (scripts []script, why string) {
	scripts = b.versions(func(base, other *row) bool {
		return base.counts() && other.counts() && b.together(base, other)
	})
	if scripts == nil {
		return nil, "no call of one row in two versions with one id"
	}
	for i := range scripts {
		scripts[i].judge = b.sameCalls
	}
	return scripts, ""
}

// final: a row that becomes final counts once, as it is then.
func (b *bench) final() (scripts []script, why string) {
	if b.feed.Final == nil {
		return nil, "the definition has no final"
	}
	scripts = b.versions(func(base, other *row) bool { return base.counts() && other.mapped.Record.Provisional })
	if scripts == nil {
		return nil, "no call of one row that is open in one version and final in another, with one id"
	}
	return scripts, ""
}

// versions are scripts in which a row has another version of tests at first, if the two fit.
func (b *bench) versions(fit func(base, other *row) bool) (scripts []script) {
	const most = 5
	if !b.hasIDs() || b.definition.SQL != nil {
		return nil
	}
	for _, r := range b.base {
		for _, other := range b.rows {
			if other == r || other.key != r.key || r.mapped.Record == nil || other.mapped.Record == nil ||
				!fit(r, other) || !b.standsAlone(r) {
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
			if len(scripts) == most {
				return scripts
			}
		}
	}
	return scripts
}

// refusedPages is how many pages a script of faults refuses.
const refusedPages = 6

// faults are what a request gets in place of its answer, in the order in which they are played.
var faults = []struct{ kind, name string }{
	{"429", "status 429"},
	{"500", "status 500"},
	{"cut", "an answer that is cut off"},
	{"html", "a page of HTML"},
	{"empty", "an empty answer"},
	{"host", "a next page on another host"},
	{"total", "a total that is one too many"},
}

// refused: whatever a request gets in place of its answer, nothing is lost or counted twice.
func (b *bench) refused() (scripts []script, why string) {
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
	for _, f := range faults {
		size := 2
		switch {
		case f.kind == "host" && b.feed.Next.URL == nil && b.feed.Next.Link == "":
			continue
		case f.kind == "host":
			size = 1
		case f.kind == "total" && b.feed.Total == nil:
			continue
		}
		scripts = append(scripts, script{
			name: fmt.Sprintf("the first request for each of %d pages gets %s", refusedPages, f.name),
			page: size, fault: &fault{kind: f.kind, pages: refusedPages, each: 1},
		})
	}
	return append(scripts, script{
		name: "five requests for the second page get status 500", page: 2,
		fault: &fault{kind: "500", from: 1, pages: 1, each: 5},
	}), ""
}

// killed: a kill at any commit, before or after it is durable.
func (b *bench) killed() (scripts []script, why string) {
	// What is on the disk before a commit is what the one before it left. Only who posts learns more: he posts again.
	kinds := []bool{true}
	if b.info.Posted != nil {
		kinds = []bool{false, true}
	}
	const most = 8
	for n := 1; n <= b.plain.commits; n++ {
		if n > most && n%max(b.plain.commits/4, 1) != 0 {
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
