package match_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// oracle pairs two small books by comparing each call with each, as docs/match.md says it.
type oracle struct {
	tariff *match.Tariff
	given  bool // the tariff was
	calls  []oracleCall
}

type oracleCall struct {
	*cdr.Record

	side  int
	start time.Time // by the left clock
	set   int       // calls that may be the same have the same set
}

func newOracle(books [2][]*cdr.Record, b *bench) *oracle {
	result := b.result
	o := &oracle{tariff: result.Tariff, given: b.settings.Tariff != nil}
	for side, book := range books {
		for _, r := range book {
			start := r.Start.Add(-time.Duration(side) * result.Offset)
			o.calls = append(o.calls, oracleCall{r, side, start, len(o.calls)})
		}
	}
	return o
}

// areNear says whether calls are between the same numbers and start within the tolerance.
func areNear(a, b *oracleCall) bool {
	return a.CallerNumber == b.CallerNumber && a.CalleeNumber == b.CalleeNumber &&
		a.start.Sub(b.start).Abs() <= 3*time.Second
}

// areTwins is the definition of calls that can't be told apart.
func areTwins(a, b *oracleCall) bool {
	return a.side == b.side && areNear(a, b) && a.Duration == b.Duration && price(a) == price(b)
}

func price(c *oracleCall) string {
	if len(c.Charges) == 0 {
		return "0"
	}
	return c.Charges[0].Amount.String()
}

func (o *oracle) class(a, b *oracleCall) match.Class {
	differ := (a.Duration - b.Duration).Abs() > time.Second
	agreed := o.tariff != nil && roundUp(*o.tariff, a.Duration) == b.Duration
	switch {
	case differ && !agreed:
		return match.Duration
	case price(a) != price(b) && (!differ || o.given):
		return match.Price
	case differ:
		return match.Rounded
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

// members are the calls of a set, by book.
func (o *oracle) members(set int) (of [2][]*oracleCall) {
	for i := range o.calls {
		if c := &o.calls[i]; c.set == set {
			of[c.side] = append(of[c.side], c)
		}
	}
	return of
}

// join joins the sets of all pairs.
func (o *oracle) join(pairs [][2]*oracleCall) {
	for _, p := range pairs {
		from, to := p[1].set, p[0].set
		for i := range o.calls {
			if o.calls[i].set == from {
				o.calls[i].set = to
			}
		}
	}
}

// pairsOf are the pairs of calls that a condition holds for.
func (o *oracle) pairsOf(is func(a, b *oracleCall) bool) (pairs [][2]*oracleCall) {
	for i := range o.calls {
		for j := range o.calls {
			if a, b := &o.calls[i], &o.calls[j]; i != j && is(a, b) {
				pairs = append(pairs, [2]*oracleCall{a, b})
			}
		}
	}
	return pairs
}

// run is what the books come to.
func (o *oracle) run() string {
	o.join(o.pairsOf(areTwins))
	differ := func(class match.Class) bool { return class == match.Duration }
	for _, fits := range []func(a, b *oracleCall) bool{
		func(a, b *oracleCall) bool { return !differ(o.class(a, b)) && price(a) == price(b) },
		func(a, b *oracleCall) bool { return !differ(o.class(a, b)) && price(a) != price(b) },
		func(a, b *oracleCall) bool { return differ(o.class(a, b)) },
	} {
		lacks := func(c *oracleCall) bool { // fewer calls of the other book than of this one
			of := o.members(c.set)
			return len(of[c.side]) > len(of[1-c.side])
		}
		o.join(o.pairsOf(func(a, b *oracleCall) bool {
			return a.side < b.side && areNear(a, b) && fits(a, b) && lacks(a) && lacks(b)
		}))
	}
	var found []string
	for set := range o.calls {
		found = append(found, o.describe(o.members(set))...)
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// describe says what the calls of a set come to.
func (o *oracle) describe(of [2][]*oracleCall) (found []string) {
	left, right := of[0], of[1]
	switch {
	case len(left) == 1 && len(right) == 0:
		return []string{fmt.Sprintf("only_left %s -", left[0].ID)}
	case len(left) == 0 && len(right) == 1:
		return []string{fmt.Sprintf("only_right - %s", right[0].ID)}
	}
	areSame := func(l, r *oracleCall) bool {
		isBilled := o.tariff != nil && roundUp(*o.tariff, l.Duration) == r.Duration
		return areNear(l, r) && (l.Duration == r.Duration || isBilled || len(left)+len(right) == 2)
	}
	for _, l := range left {
		for _, r := range right {
			if areSame(l, r) {
				found = append(found, fmt.Sprintf("%s %s %s", o.class(l, r), l.ID, r.ID))
			}
		}
	}
	isOnce := func(c *oracleCall) bool {
		return strings.Count(strings.Join(found, " ")+" ", " "+c.ID+" ") == 1
	}
	isClear, all := true, slices.Concat(left, right)
	for _, c := range all {
		hasTwin := slices.ContainsFunc(all, func(o *oracleCall) bool { return o != c && areTwins(c, o) })
		isClear = isClear && isOnce(c) && !hasTwin
	}
	if isClear {
		return found
	}
	found = nil
	for _, l := range left {
		found = append(found, fmt.Sprintf("ambiguous %s -", l.ID))
	}
	for _, r := range right {
		found = append(found, fmt.Sprintf("ambiguous - %s", r.ID))
	}
	return found
}

// randomBooks are books dense enough for each rule to matter.
func randomBooks(t *testing.T, random *rand.Rand, more ...[]string) (books [2][]*cdr.Record) {
	pick := func(texts []string) string { return texts[random.IntN(len(texts))] }
	for side := range books {
		for n := range 1 + random.IntN(14) {
			text := fmt.Sprintf("%c%d %g %s %d to=+494022222%d", "lr"[side], n, float64(random.IntN(600))/10,
				pick(strings.Fields("0 5 60 60 60.5 61 120 300")), 1+random.IntN(2), random.IntN(2))
			for _, texts := range more {
				text += " " + pick(texts)
			}
			books[side] = append(books[side], record(t, text))
		}
	}
	return books
}

// TestOracle compares small random books with what a naive matcher finds.
func TestOracle(t *testing.T) {
	for seed := range uint64(1000) {
		books := randomBooks(t, rand.New(rand.NewPCG(seed, 7)))
		b := newBench()
		if seed%2 == 0 {
			b.settings.Tariff = &match.Tariff{First: 60, Next: 60}
		}
		b.mustRun(t, books[0], books[1])
		if got, want := strings.Join(b.found, ", "), newOracle(books, b).run(); got != want {
			t.Fatalf("seed %d, offset %s, tariff %v:\ngot  %s\nwant %s", seed, b.result.Offset, b.result.Tariff, got,
				want)
		}
	}
}

// TestOrderOfRows: the order of the rows of a book changes nothing.
func TestOrderOfRows(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 8))
		books := randomBooks(t, random, []string{"", "in", "out"}, []string{"", "", "from=+49301111**"})
		var found [3][]string
		for i := range found {
			b := newBench()
			b.mustRun(t, books[0], books[1])
			found[i] = b.found
			for _, book := range books {
				random.Shuffle(len(book), func(i, j int) { book[i], book[j] = book[j], book[i] })
			}
		}
		if !slices.Equal(found[0], found[1]) || !slices.Equal(found[0], found[2]) {
			t.Fatalf("seed %d:\n%v\n%v\n%v", seed, found[0], found[1], found[2])
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
	b.mustRun(t, books[0], books[1])
	slices.Sort(want)
	for i := range max(len(want), len(b.found)) {
		if i >= len(want) || i >= len(b.found) || want[i] != b.found[i] {
			t.Fatalf("%d of %d and %d: got %v\nwant %v", i, len(b.found), len(want),
				b.found[min(i, len(b.found)):min(i+5, len(b.found))], want[min(i, len(want)):min(i+5, len(want))])
		}
	}
	total := b.result.Total()
	for i, sums := range total {
		var calls int64
		var duration time.Duration
		var money cdr.Money
		for _, r := range books[i] {
			calls, duration = calls+1, duration+r.Duration
			for _, c := range r.Charges {
				money = money.Add(&c.Amount)
			}
		}
		if sums.Calls != calls || sums.Charges.Text("EUR") != money.String() ||
			!strings.HasPrefix(sums.Minutes(), fmt.Sprint(int(duration.Minutes()))) {
			t.Errorf("book %d: %d calls, %s minutes, %v; want %d, %f, %s", i, sums.Calls, sums.Minutes(),
				sums.Charges, calls, duration.Minutes(), money.String())
		}
	}
}
