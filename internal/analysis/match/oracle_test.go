package match_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// oracle pairs two small books by comparing each call with each.
type oracle struct {
	books  [2][]*cdr.Record
	tariff *match.Tariff
	offset time.Duration
	groups [2][][]int // indexes of calls that can't be told apart
	rest   [2][]int   // by groups
	hazy   [2][]bool
	pairs  map[int]int
}

func (o *oracle) at(side, i int) time.Time {
	if side == 1 {
		return o.books[1][i].Start.Add(-o.offset)
	}
	return o.books[0][i].Start
}

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= 3*time.Second }

func price(r *cdr.Record) string {
	if len(r.Charges) == 0 {
		return "0"
	}
	return r.Charges[0].Amount.String()
}

func sameNumbers(a, b *cdr.Record) bool {
	return a.CallerNumber == b.CallerNumber && a.CalleeNumber == b.CalleeNumber
}

func (o *oracle) findGroups(side int) {
	book := o.books[side]
	of := make([]int, len(book))
	for i := range of {
		of[i] = i
	}
	for range book {
		for i, a := range book {
			for j, b := range book {
				if sameNumbers(a, b) && a.Duration == b.Duration && price(a) == price(b) &&
					near(o.at(side, i), o.at(side, j)) {
					of[i] = min(of[i], of[j])
				}
			}
		}
	}
	for i := range book {
		var group []int
		for j := range book {
			if of[j] == i {
				group = append(group, j)
			}
		}
		if len(group) > 0 {
			o.groups[side] = append(o.groups[side], group)
			o.rest[side] = append(o.rest[side], len(group))
			o.hazy[side] = append(o.hazy[side], side == 0 && len(group) > 1)
		}
	}
}

// link says what speaks for two groups; the least rank is the best.
func (o *oracle) link(l, r int) (rank int, duration, start time.Duration, is bool) {
	start = time.Hour
	for _, i := range o.groups[0][l] {
		for _, j := range o.groups[1][r] {
			if sameNumbers(o.books[0][i], o.books[1][j]) && near(o.at(0, i), o.at(1, j)) {
				start, is = min(start, o.at(0, i).Sub(o.at(1, j)).Abs()), true
			}
		}
	}
	a, b := o.books[0][o.groups[0][l][0]], o.books[1][o.groups[1][r][0]]
	class := o.class(a, b)
	duration = (a.Duration - b.Duration).Abs()
	if class == match.Rounded {
		duration = 0
	}
	return slices.Index([]match.Class{match.Same, match.Price, match.Rounded, match.Duration}, class), duration, start,
		is
}

func (o *oracle) class(a, b *cdr.Record) match.Class {
	switch differ := (a.Duration - b.Duration).Abs() > time.Second; {
	case differ && o.tariff != nil && roundUp(*o.tariff, a.Duration) == b.Duration:
		return match.Rounded
	case differ:
		return match.Duration
	case price(a) != price(b):
		return match.Price
	}
	return match.Same
}

func roundUp(t match.Tariff, d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	billed := time.Duration(t.First) * time.Second
	for billed < d {
		billed += time.Duration(t.Next) * time.Second
	}
	return billed
}

// run is what the books come to.
func (o *oracle) run() string {
	o.pairs = make(map[int]int)
	o.findGroups(0)
	o.findGroups(1)
	type edge struct {
		l, r, rank      int
		duration, start time.Duration
	}
	edges := func() (all []edge) {
		for l := range o.groups[0] {
			for r := range o.groups[1] {
				if rank, duration, start, is := o.link(l, r); is && o.rest[0][l] > 0 && o.rest[1][r] > 0 {
					all = append(all, edge{l, r, rank, duration, start})
				}
			}
		}
		slices.SortFunc(all, func(a, b edge) int {
			return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.duration, b.duration),
				cmp.Compare(a.start, b.start))
		})
		return all
	}
	take := func(e edge) {
		if len(o.groups[0][e.l]) == 1 && len(o.groups[1][e.r]) == 1 {
			o.pairs[o.groups[0][e.l][0]] = o.groups[1][e.r][0]
		} else {
			o.hazy[0][e.l], o.hazy[1][e.r] = true, true
		}
		n := min(o.rest[0][e.l], o.rest[1][e.r])
		o.rest[0][e.l] -= n
		o.rest[1][e.r] -= n
	}
	all := edges()
	for ; len(all) > 0 && all[0].rank < 3; all = edges() {
		take(all[0])
	}
	for _, e := range all {
		if slices.ContainsFunc(all, func(f edge) bool { return (f.l == e.l) != (f.r == e.r) }) {
			o.hazy[0][e.l], o.hazy[1][e.r] = true, true
		} else {
			take(e)
		}
	}
	var found []string
	paired := make(map[int]bool)
	for l, group := range o.groups[0] {
		for _, i := range group {
			j, is := o.pairs[i]
			id := o.books[0][i].ID
			switch {
			case o.hazy[0][l]:
				found = append(found, fmt.Sprintf("ambiguous %s -", id))
			case is:
				paired[j] = true
				found = append(found, fmt.Sprintf("%s %s %s", o.class(o.books[0][i], o.books[1][j]), id,
					o.books[1][j].ID))
			default:
				found = append(found, fmt.Sprintf("only_left %s -", id))
			}
		}
	}
	for r, group := range o.groups[1] {
		for _, j := range group {
			switch id := o.books[1][j].ID; {
			case o.hazy[1][r]:
				found = append(found, fmt.Sprintf("ambiguous - %s", id))
			case !paired[j]:
				found = append(found, fmt.Sprintf("only_right - %s", id))
			}
		}
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// TestOracle compares small random books, dense enough for each rule to matter, with what a naive matcher finds.
func TestOracle(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 7))
		var books [2][]*cdr.Record
		for i := range books {
			for n := range 1 + random.IntN(14) {
				text := fmt.Sprintf("%c%d %g %d %d to=+494022222%d", "lr"[i], n, float64(random.IntN(600))/10,
					[]int{0, 5, 60, 60, 61, 120, 300}[random.IntN(7)],
					1+random.IntN(2), random.IntN(2))
				books[i] = append(books[i], record(t, text))
			}
		}
		b := newBench()
		if seed%2 == 0 {
			b.settings.Tariff = &match.Tariff{First: 60, Next: 60}
		}
		if err := b.run(t, books[0], books[1]); err != nil {
			t.Fatal(err)
		}
		o := &oracle{books: books, offset: b.result.Offset, tariff: b.result.Tariff}
		if got, want := strings.Join(b.found, ", "), o.run(); got != want {
			t.Fatalf("seed %d, offset %s, tariff %v:\ngot  %s\nwant %s", seed, b.result.Offset, b.result.Tariff, got,
				want)
		}
	}
}

// TestDistortions distorts a book whose pairs are known: 1 % of its calls are missing, and 1 % are
// added. Its clock is 0.7 s off and drifts, its minutes are rounded up, its numbers are written in
// several ways, and some calls are within 3 s of each other.
func TestDistortions(t *testing.T) {
	const n = 12_000
	random := rand.New(rand.NewPCG(3, 4))
	var books [2][]*cdr.Record
	var want []string
	expect := func(class match.Class, l, r string) { want = append(want, fmt.Sprintf("%s %s %s", class, l, r)) }
	format := func(number string) string {
		return []string{number, "00" + number[1:], "0" + number[3:], number[1:], "sip:" + number + "@x"}[random.IntN(5)]
	}
	add := func(id string, at, duration float64, pair int, missing bool) {
		l := record(t, fmt.Sprintf("%s %f %f %f from=+4930%07d to=+4940%07d", id, at, duration, duration/100,
			1_000_000+pair, 2_000_000+pair))
		books[0] = append(books[0], l)
		if missing {
			return
		}
		r := *l
		r.ID, r.Start = "r"+id, l.Start.Add(seconds(0.7+at*4e-6+random.Float64()*0.4-0.2))
		r.Duration = roundUp(match.Tariff{First: 60, Next: 60}, l.Duration)
		r.CallerNumber, r.CalleeNumber = format(r.CallerNumber), format(r.CalleeNumber)
		books[1] = append(books[1], &r)
	}
	for i := range n {
		id, at, duration, missing := fmt.Sprintf("c%d", i), float64(i*200)+random.Float64()*60,
			float64(1+random.IntN(900)), random.IntN(100) == 0
		pair := i % 3000
		add(id, at, duration, pair, missing)
		class := match.Rounded
		if up := roundUp(match.Tariff{First: 60, Next: 60}, seconds(duration)); up-seconds(duration) <= time.Second {
			class = match.Same
		}
		twin := random.IntN(50)
		switch {
		case missing:
			expect(match.OnlyLeft, id, "-")
		case twin == 0: // can't be told apart
			add(id+"t", at+2*random.Float64(), duration, pair, false)
			for _, id := range []string{id, id + "t"} {
				expect(match.Ambiguous, id, "-")
				expect(match.Ambiguous, "-", "r"+id)
			}
		default:
			if twin == 1 { // within 3 s, and another duration
				add(id+"o", at+2*random.Float64(), duration+3600, pair, false)
				expect(class, id+"o", "r"+id+"o")
			}
			expect(class, id, "r"+id)
		}
		if random.IntN(100) == 0 {
			r := record(t, fmt.Sprintf("m%d %f 60 from=+4930%07d to=+4940%07d", i, at+100, 1_000_000+pair,
				2_000_000+pair))
			books[1] = append(books[1], r)
			expect(match.OnlyRight, "-", r.ID)
		}
	}
	random.Shuffle(len(books[1]), func(i, j int) { books[1][i], books[1][j] = books[1][j], books[1][i] })
	b := newBench()
	b.country = "DE"
	if err := b.run(t, books[0], books[1]); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	for i := range max(len(want), len(b.found)) {
		if i >= len(want) || i >= len(b.found) || want[i] != b.found[i] {
			t.Fatalf("%d of %d and %d: got %v\nwant %v", i, len(b.found), len(want),
				b.found[min(i, len(b.found)):min(i+5, len(b.found))], want[min(i, len(want)):min(i+5, len(want))])
		}
	}
	total := b.result.Total()
	for i, sums := range []match.Sums{total.Left, total.Right} {
		var calls int64
		var duration time.Duration
		var money cdr.Money
		for _, r := range books[i] {
			calls, duration = calls+1, duration+r.Duration
			for _, c := range r.Charges {
				money = money.Add(&c.Amount)
			}
		}
		if sums.Calls != calls || sums.Charges()["EUR"] != money.String() ||
			!strings.HasPrefix(sums.Minutes(), fmt.Sprint(int(duration.Minutes()))) {
			t.Errorf("book %d: %d calls, %s minutes, %v; want %d, %f, %s", i, sums.Calls, sums.Minutes(),
				sums.Charges(), calls, duration.Minutes(), money.String())
		}
	}
}
