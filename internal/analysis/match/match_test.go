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
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// record makes a record of a text: id, start and duration in seconds (- for none), then a price,
// `to=NUMBER`, `from=NUMBER`, `in` or `out`, `version=N`, `open`, and of a leg `key=`, `trunk=`, `parent=` and
// `channel=`.
func record(t testing.TB, text string) *cdr.Record {
	t.Helper()
	words := strings.Fields(text)
	r := &cdr.Record{
		ID: words[0], Start: noon, CallerNumber: "+4930111111", CalleeNumber: "+4940222222",
		Outcome: cdr.Answered,
	}
	number := func(text string) float64 {
		var n float64
		if _, err := fmt.Sscanf(text, "%g", &n); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return n
	}
	r.Start = noon.Add(seconds(number(words[1])))
	if r.NoDuration = words[2] == "-"; !r.NoDuration {
		r.Duration = seconds(number(words[2]))
	}
	for _, word := range words[3:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "to":
			r.CalleeNumber = value
		case "from":
			r.CallerNumber = value
		case "in":
			r.Direction = cdr.Inbound
		case "out":
			r.Direction = cdr.Outbound
		case "version":
			r.Version = int64(number(value))
		case "open":
			r.Provisional = true
		case "key", "trunk", "parent", "channel":
			*map[string]*string{
				"key": &r.CallKey, "trunk": &r.Trunk, "parent": &r.Parent, "channel": &r.Channel,
			}[key] = value
			r.Answer, r.End = r.Start, r.Start.Add(r.Duration)
		default:
			amount, err := cdr.ParseMoney(word)
			require.NoError(t, err)
			r.Charges = []cdr.Charge{{Component: "usage", Amount: amount}}
		}
	}
	return r
}

// bench joins two books.
type bench struct {
	settings match.Settings
	country  string
	zones    [2]*time.Location // of the books' times without one
	rules    counting.Rules    // of the left book
	open     time.Time         // since when records of the left book may become final
	trunk    string
	notes    []string
	// found has the pairs: class and ids, without the class `same`.
	found  []string
	result *match.Result
}

func newBench() *bench {
	return &bench{settings: match.Settings{
		From: noon.Add(-24 * time.Hour), To: noon.AddDate(0, 2, 0),
		Tolerance: 3 * time.Second,
	}}
}

func (b *bench) run(t testing.TB, left, right []*cdr.Record) error {
	t.Helper()
	b.settings.Note = func(text string) { b.notes = append(b.notes, text) }
	b.settings.Visit = func(c match.Class, l, r *match.Call) error {
		id := func(call *match.Call) string {
			if call == nil {
				return "-"
			}
			return call.ID
		}
		b.found = append(b.found, fmt.Sprintf("%s %s %s", c, id(l), id(r)))
		return nil
	}
	var books [2]*match.Book
	for i, records := range [...][]*cdr.Record{left, right} {
		s := match.BookSettings{
			Name: [...]string{"ours", "the bill"}[i], Country: b.country, Currency: "EUR",
			Folder: t.TempDir(),
		}
		s.Zone = b.zones[i]
		if i == 0 {
			s.Rules, s.Trunk, s.OpenSince = b.rules, b.trunk, b.open
		}
		books[i] = match.NewBook(s)
		for _, r := range records {
			require.NoError(t, books[i].Add(r))
		}
		defer func() {
			if err := books[i].Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	result, err := match.Run(t.Context(), b.settings, books[0], books[1])
	b.result = result
	slices.Sort(b.found)
	return err
}

func (b *bench) mustRun(t testing.TB, left, right []*cdr.Record) {
	t.Helper()
	require.NoError(t, b.run(t, left, right))
}

// mustFind joins two books and checks what is found.
func (b *bench) mustFind(t testing.TB, left, right []*cdr.Record, want string) {
	t.Helper()
	b.mustRun(t, left, right)
	if got := strings.Join(b.found, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// mustPair joins two books whose calls are all the same.
func (b *bench) mustPair(t testing.TB, left, right []*cdr.Record) {
	t.Helper()
	b.mustRun(t, left, right)
	if same := b.result.Classes[match.Same][0].Calls; same != int64(len(left)) {
		t.Errorf("%d of %d are the same, the clock is %s ahead", same, len(left), b.result.Offset)
	}
}

func (b *bench) tariff(t testing.TB, text string) {
	t.Helper()
	var err error
	b.settings.Tariff, err = match.ParseTariff(text)
	require.NoError(t, err)
}

func records(t testing.TB, text string) (all []*cdr.Record) {
	t.Helper()
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) != "" {
			all = append(all, record(t, part))
		}
	}
	return all
}

// pairs are examples of each class, and what TestOracle's books don't have: one side without prices, durations or
// directions, and numbers that are masked or written in another way. A line has a name, both books and what is found.
const pairs = `
the same | a 0 60 0.1 | x 0 60 0.10 | same a x
only left and only right | a 0 60; b 100 60 | x 0 60; y 500 60 | only_left b -, only_right - y, same a x
start within the tolerance | a 0 60; b 99 60; c 199 60 | x 0 60; y 99 60; z 201.9 60 | same a x, same b y, same c z
beyond it | a 0 60; b 99 60; c 199 60 | x 0 60; y 99 60; z 202.1 60 | only_left c -, only_right - z, same a x, same b y
durations within and beyond a second | a 0 60; b 99 60 | x 0 61; y 99 61.1 | duration b y, same a x
a price | a 0 60 0.1 | x 0 60 0.1001 | price a x
no price is zero | a 0 60 0.1; b 99 60 | x 0 60 0.1; y 99 60 0 | same a x, same b y
prices on one side only | a 0 60 0.1 | x 0 60 | same a x
free calls that the other side charges | a 0 60 0 | x 0 60 0.1 | price a x
durations on one side only | a 0 60 | x 0 - | same a x
duration before price | a 0 60 1 | x 0 99 2 | duration a x
rounded before price | a 0 61 1 | x 0 120 2 | rounded a x
other numbers | a 0 60 to=+4940222223 | x 0 60 | only_left a -, only_right - x
other directions | a 0 60 in; b 99 60 out | x 0 60 out; y 99 60 out | only_left a -, only_right - x, same b y
a direction on one side | a 0 60 in | x 0 60 | same a x
each end's directions | a 0 60 in; b 99 60 out | x 0 60 out; y 99 60 in | same a x, same b y
twins | a 0 60; b 2 60 | x 0 60; y 2 60 | ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -
close calls of other durations | a 0 60; b 2 300 | x 2 300; y 0 60 | same a y, same b x
close calls of other prices | a 0 60 1; b 2 60 2 | x 2 60 2; y 0 60 1 | same a y, same b x
two prices fit one without | a 0 60 1; b 2 60 2 | x 0 60 | ambiguous - x, ambiguous a -, ambiguous b -
two directions fit one without | a 0 60 in; b 2 60 out | x 0 60 | ambiguous - x, ambiguous a -, ambiguous b -
a masked number | a 0 60; b 0 60 to=+4940222999 | x 0 60 to=+4940222*** | ambiguous - x, ambiguous a -, ambiguous b -
mixed numbers | a 0 60 from=030111111 | x 0 60 from=004930111111 to=sip:+4940222222@carrier.example | same a x
masked last digits | a 0 60; b 99 60 to=+4940222999 | x 0 60 to=+4940222***; y 99 60 to=+4940222*** | same a x, same b y
masked first digits | a 0 60; b 0 60 to=+4940223333 | x 0 60 to=*******2222; y 0 60 to=*******3333 | same a x, same b y
masks | a 0 9 to=+4941229 | x 0 9 to=+49402**; y 99 9 to=+49***** | only_left a -, only_right - x, only_right - y
callers | a 0 9 from=+4931229 | x 0 9 from=+49302**; y 9 9 from=+49***** | only_left a -, only_right - x, only_right - y
directions and none | a 0 60 in; b 9 60 out; c 19 60 | x 0 60 out; y 9 60 in; z 19 60 in | same a x, same b y, same c z
one without a duration | a 0 -; b 2 60 | x 0 0; y 2 60 | ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -
callers are hidden on one side | a 0 60 | x 0 60 from=anonymous | same a x
`

func TestPairs(t *testing.T) {
	for line := range strings.SplitSeq(strings.TrimSpace(pairs), "\n") {
		c := strings.Split(line, " | ")
		t.Run(c[0], func(t *testing.T) {
			b := newBench()
			b.country = "DE"
			b.mustFind(t, records(t, c[1]), records(t, c[2]), c[3])
		})
	}
}

// tariffs have a name, both books, the tariff that is given or recognized, and what is found.
const tariffs = `
minutes | a 0 61; b 99 5; c 300 125.2 | x 0 120; y 99 60; z 300 180 | 60/60 | rounded a x, rounded b y, rounded c z
30/6 | a 0 3; b 99 32; c 300 50 | x 0 30; y 99 36; z 300 54 | 30/6 | rounded a x, rounded b y, rounded c z
a minimum | a 0 3; b 99 5; c 300 76.5 | x 0 30; y 99 30; z 300 77 | 30/1 | rounded a x, rounded b y, same c z
not all | a 0 61; b 99 5; c 300 125 | x 0 120; y 99 60; z 300 300 | none | duration a x, duration b y, duration c z
given | a 0 61; b 99 5; c 300 125 | x 0 120; y 99 60; z 300 300 | given 60/60 | duration c z, rounded a x, rounded b y
close calls | a 0 61; b 2 250; c 99 5 | x 2 300; y 0 120; z 99 60 | 60/60 | rounded a y, rounded b x, rounded c z
calls that nobody answered | a 0 0; b 99 5 | x 0 0; y 99 60 | given 60/60 | rounded b y, same a x
other prices | a 0 61 1; b 99 5 1 | x 0 120 2; y 99 60 1 | given 60/60 | price a x, rounded b y
`

// TestPricesOfATrunk: prices of calls over other trunks don't make a book one with prices.
func TestPricesOfATrunk(t *testing.T) {
	for ours, want := range map[string]string{
		"a 0 60 trunk=t; b 99 60 1 trunk=other": "same a x",
		"a 0 60 0 trunk=t; b 99 60 trunk=other": "price a x",
	} {
		b := newBench()
		b.trunk = "t"
		b.mustFind(t, records(t, ours), records(t, "x 0 60 1"), want)
	}
}

func TestTariff(t *testing.T) {
	for line := range strings.SplitSeq(strings.TrimSpace(tariffs), "\n") {
		c := strings.Split(line, " | ")
		t.Run(c[0], func(t *testing.T) {
			b := newBench()
			want, given := strings.CutPrefix(c[3], "given ")
			if given {
				b.tariff(t, want)
			}
			b.mustFind(t, records(t, c[1]), records(t, c[2]), c[4])
			tariff := "none"
			if b.result.Tariff != nil {
				tariff = b.result.Tariff.String()
			}
			if tariff != want {
				t.Errorf("the tariff is %q, want %q", tariff, want)
			}
		})
	}
}

func TestParseTariff(t *testing.T) {
	for _, text := range []string{"", "60", "60/0", "0/60", "60/60s", "060/60", "60/3000000000"} {
		if tariff, err := match.ParseTariff(text); err == nil {
			t.Errorf("%q is %v", text, tariff)
		}
	}
}

func TestSums(t *testing.T) {
	b := newBench()
	b.mustRun(t, records(t, "a 0 60 0.1; b 99 30 0.02; c 300 1 0.003"), records(t, "x 0 60 0.1; y 99 60 0.04"))
	total := b.result.Total()
	difference := total[1].Minus(total[0])
	got := fmt.Sprintln(total[0].Calls, total[0].Minutes(), total[0].Charges.Texts(), difference.Calls,
		difference.Minutes(), difference.Charges.Texts())
	if want := "3 1.516667 map[EUR:0.123] -1 0.483333 map[EUR:0.017]\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDiffers(t *testing.T) {
	for _, c := range []struct {
		name, tariff, left, right string
		want                      bool
	}{
		{"the same", "", "a 0 60", "x 0 60", false},
		{"one less", "", "a 0 60; b 99 60", "x 0 60", true},
		{"a price", "", "a 0 60 1", "x 0 60 2", true},
		{"as many that can't be told apart", "", "a 0 60; b 1 60", "x 0 60; y 1 60", false},
		{"as many that can't be told apart, at other prices", "", "a 0 60 1; b 1 60 1", "x 0 60 2; y 1 60 2", true},
		{"as many that can't be told apart, and longer", "", "a 0 60; b 1 60", "x 0 90; y 1 90", true},
		{"fewer that can't be told apart", "", "a 0 60; b 1 60", "x 0 60", true},
		{"rounded", "", "a 0 59", "x 0 120", true},
		{"rounded as agreed", "60/60", "a 0 5", "x 0 60", false},
		{"rounded as agreed, at another price", "60/60", "a 0 5 1", "x 0 60 2", true},
	} {
		b := newBench()
		if c.tariff != "" {
			b.tariff(t, c.tariff)
		}
		b.mustRun(t, records(t, c.left), records(t, c.right))
		if got := b.result.Differs(); got != c.want {
			t.Errorf("%s: got %t: %v", c.name, got, b.found)
		}
	}
}

func TestRange(t *testing.T) {
	b := newBench()
	b.settings.From, b.settings.To = noon, noon.Add(time.Minute)
	b.mustFind(t, records(t, "a -0.5 9; b 0 9 to=22222222; c 59.9 9; d 60 9 to=22222222"),
		records(t, "w 0.1 9; x 0.6 9 to=22222222; y 60.5 9; z 60.6 9 to=22222222"), "same b x, same c y")
}

// TestRangeByAnotherClock: the calls at the ends of the range are paired although the right clock says that they lie
// outside it.
func TestRangeByAnotherClock(t *testing.T) {
	for _, seconds := range []float64{800, 1200, -1200} {
		b := newBench()
		b.settings.From, b.settings.To = noon, noon.Add(500*time.Minute)
		b.mustPair(t, many(t, 500, none, plain), many(t, 500, later(seconds), plain))
	}
}

// TestFileOfAnotherDay: calls around the range don't make a file one of the range. All calls would be missing.
func TestFileOfAnotherDay(t *testing.T) {
	b := newBench()
	b.settings.From, b.settings.To = noon.Add(24*time.Hour), noon.Add(48*time.Hour)
	err := b.run(t, many(t, 2800, none, plain), many(t, 1400, none, plain))
	if err == nil || !strings.Contains(err.Error(), "don't overlap in time") {
		t.Errorf("error %v", err)
	}
}

// many are calls of different numbers, a minute apart.
func many(t testing.TB, n int, later func(i int) float64, numbers func(r *cdr.Record)) (all []*cdr.Record) {
	t.Helper()
	for i := range n {
		r := record(t, fmt.Sprintf("c%d %g 60 to=+4940%07d from=+4930%07d", i, later(i)+60*float64(i), i/5, i%7))
		numbers(r)
		all = append(all, r)
	}
	return all
}

func plain(*cdr.Record) {}

// onePair makes a call one between the same two numbers as all others.
func onePair(r *cdr.Record) { r.CallerNumber, r.CalleeNumber = "+4930111111", "+4940222222" }

func none(int) float64 { return 0 }

func later(seconds float64) func(int) float64 { return func(int) float64 { return seconds } }

func TestBadInput(t *testing.T) {
	hide := func(r *cdr.Record) { r.CallerNumber, r.CalleeNumber = "anonymous", "***" }
	crowd := many(t, 15_000, func(i int) float64 { return -59.9 * float64(i) }, onePair)
	often := func(later int) (all []*cdr.Record) { // each number is called five times
		for i := range 60 {
			text := "%d %d %d to=+49402222%03d"
			all = append(all, record(t, fmt.Sprintf(text, i, i*360+(i*i*37)%300+later, 60+i, i%12)))
		}
		return all
	}
	nine, fifty := many(t, 9, none, plain), many(t, 50, none, plain)
	for _, c := range []struct {
		name, want  string
		left, right []*cdr.Record
	}{
		{"an hour", "3600 s: the time zone of one book is wrong by 1h", fifty, many(t, 50, later(3600), plain)},
		{"an hour less, and a clock", "all pairs differ by -3600 s", fifty, many(t, 50, later(-3599.3), plain)},
		{"an hour, of few numbers", "all pairs differ by 3600 s: the time zone", often(0), often(3600)},
		{"hidden numbers", "the numbers of one book are hidden", nine, many(t, 9, none, hide)},
		{"no overlap", "the books don't overlap in time", nine, many(t, 9, later(9e6), plain)},
		{"other days of the range", "the books don't overlap in time", nine, many(t, 9, later(3e6), plain)},
		{"no calls", "the bill has no calls from", nine, nil},
		{"too many of one pair", "can't be told apart", crowd, crowd},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newBench().run(t, c.left, c.right)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestManyOfOnePair(t *testing.T) {
	b := newBench()
	b.settings.To = noon.AddDate(1, 0, 0)
	b.mustPair(t, many(t, 30_000, none, onePair), many(t, 30_000, none, onePair))
}

// TestCrowd: hundreds of calls between one pair of numbers start within the tolerance. One of them has another
// duration, so it can be told apart from its neighbours.
func TestCrowd(t *testing.T) {
	b := newBench()
	crowd := many(t, 500, func(i int) float64 { return -59.9995 * float64(i) }, func(r *cdr.Record) {
		r.CallerNumber, r.CalleeNumber, r.Duration = "+4930111111", "+4940222222", time.Minute
	})
	crowd[450].Duration = time.Hour
	b.mustRun(t, crowd, crowd)
	ambiguous, same := b.result.Classes[match.Ambiguous][0].Calls, b.result.Classes[match.Same][0].Calls
	if ambiguous != 499 || same != 1 {
		t.Errorf("%d are ambiguous, %d the same", ambiguous, same)
	}
}

func TestClock(t *testing.T) {
	for _, c := range []struct {
		name  string
		later func(i int) float64
		want  float64
	}{
		{"as late", none, 0},
		{"0.7 s", later(0.7), 0.7},
		{"before", later(-12), -12},
		{"minutes", later(400), 400},
		{"drifts by a minute", func(i int) float64 { return float64(i) * 0.012 }, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			b.mustPair(t, many(t, 5_000, none, plain), many(t, 5_000, c.later, plain))
			if got := b.result.Offset.Seconds(); got < c.want-1 || got > c.want+1 {
				t.Errorf("the clock is %g s ahead, want %g", got, c.want)
			}
		})
	}
}

// The right clock runs ahead more and more, whether calls are many or few, and numbers are called often or seldom.
func TestDrift(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name           string
		calls, numbers int
		during, aDay   time.Duration
	}{
		{"many calls to few numbers", 2000, 50, day, 20 * time.Second},
		{"many calls to many numbers", 2000, 1000, day, 20 * time.Second},
		{"a month of few calls to few numbers", 300, 20, 30 * day, time.Second / 2},
		{"a month of few calls to many numbers", 300, 200, 30 * day, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same calls each time
			var books [2][]*cdr.Record
			for i := range c.calls {
				at, to := random.Float64()*c.during.Seconds(), random.IntN(c.numbers)
				for side, later := range [...]float64{0, at * c.aDay.Seconds() / day.Seconds()} {
					text := fmt.Sprintf("c%d %f %d to=+4940%07d", i, at+later, 20+i%300, to)
					books[side] = append(books[side], record(t, text))
				}
			}
			newBench().mustPair(t, books[0], books[1])
		})
	}
}

// In the hour that clocks repeat, a time without a zone is of two instants.
func TestRepeatedHour(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	change := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC).Sub(noon).Seconds()
	call := func(id string, at float64, more string) *cdr.Record {
		return record(t, fmt.Sprintf("%s %f %s", id, change+at, more))
	}
	left := []*cdr.Record{
		call("a", -7200, "60"), call("b", -1800, "70"), call("c", 1800, "80"), call("d", 7200, "90"),
		call("e", -900, "60 to=22222222"), call("f", 900, "66 to=22222222"), call("g", -600, "60 to=33333333"),
		call("h", 3000, "60 to=33333333"),
	}
	right := []*cdr.Record{
		call("w", -7200, "60"), call("x", -1800, "70"), call("y", 1800-3600, "80"), call("z", 7200, "90"),
		call("u", 900-3600, "66 to=22222222"), call("v", -900, "60 to=22222222"), call("s", -600, "60 to=33333333"),
		call("t", -600, "60 to=33333333"),
	}
	want := "ambiguous - s, ambiguous - t, ambiguous g -, ambiguous h -, same a w, same b x, same c y, same d " +
		"z, same e v, same f u"
	for name, zones := range map[string][2]*time.Location{
		"the left book's zone": {zone, nil}, "the right book's zone": {nil, zone}, "both books' zone": {zone, zone},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			b.zones = zones
			b.mustFind(t, left, right, want)
		})
	}
}

// versions have a name, the rules of the left book and its trunk, both books, and the number of the same calls. A text
// names the call of a leg with key=, its trunk with trunk=, and its parent with parent=.
const versions = `
a row that is there twice |  | a 0 60; a 0 60 | x 0 60 | 1
the newest version |  | a 0 70 version=2; a 0 60 | x 0 70 | 1
the last one, without versions |  | a 1 60; a 0 70 | x 0 70 | 1
one that isn't final |  | b 0 60; a 0 70 open | x 0 60 | 1
an id that is used again | arrival | a 0 60; a 9999 60 | x 0 60; y 9999 60 | 2
legs of one call | legs | a 0 60 1 key=k; b 60 30 2 key=k | x 0 90 3 | 1
legs of two calls | legs | a 0 60 key=k; b 60 30 key=l | x 0 60; y 60 30 | 2
a child before its parent | legs parents | b 5 60 trunk=sbc parent=a; a 0 65 key= | x 0 60 | 1
legs on a trunk | legs sbc | a 0 60 key=k TRUNK; b 60 30 key=k TRUNK; c 90 9 key=k trunk=o | x 0 60; y 60 30 | 2
one channel | legs sbc | a 0 60 key=k CHANNEL 1; b 60 30 key=k CHANNEL 2; b 60 90 key=k CHANNEL 2 | x 0 150 3 | 1
a channel that calls use again | sbc | a 0 60 CHANNEL; b 600 70 CHANNEL | x 0 60; y 600 70 | 2
one of calls of several legs | legs sbc | a 0 60 key=k CHANNEL; b 600 70 key=l CHANNEL | x 0 60; y 600 70 | 2
`

// TestVersions: a book counts the versions and legs of a call as the exporter does.
func TestVersions(t *testing.T) {
	text := strings.NewReplacer("TRUNK", "trunk=sbc", "CHANNEL", "trunk=sbc channel=1").Replace(versions)
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		c := strings.Split(line, " | ")
		t.Run(c[0], func(t *testing.T) {
			b, rules := newBench(), strings.Fields(c[1])
			has := func(rule string) bool { return slices.Contains(rules, rule) }
			b.rules = counting.Rules{Legs: has("legs"), Parents: has("parents"), ByArrival: has("arrival")}
			if has("sbc") {
				b.trunk = "sbc"
			}
			b.mustRun(t, records(t, c[2]), records(t, c[3]))
			var got []string
			for class, sides := range b.result.Classes {
				if n := max(sides[0].Calls, sides[1].Calls); n > 0 {
					got = append(got, fmt.Sprintf("%s %d", match.Class(class), n))
				}
			}
			if want := "same " + c[4]; strings.Join(got, ", ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
}

// A call whose end was never recorded, such as one of Kamailio without a BYE, counts as it is once it can't become
// final any more, so it isn't missing in the book.
func TestNeverFinal(t *testing.T) {
	b := newBench()
	b.rules, b.open = counting.Rules{Legs: true}, noon.Add(time.Hour)
	ours := records(t, "l1 0 - key=a open; l2 60 30 key=b; l3 7200 - key=c open")
	ours[0].End, ours[2].End = time.Time{}, time.Time{}
	b.mustFind(t, ours, records(t, "r1 0 95; r2 60 30; r3 7200 30"), "only_right - r3, same l1 r1, same l2 r2")
}
