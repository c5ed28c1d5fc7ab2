package match_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// record makes a record of a text: id, start and duration in seconds (- for none), then a price,
// `to=NUMBER`, `from=NUMBER`, `in` or `out`.
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
		default:
			amount, err := cdr.ParseMoney(word)
			if err != nil {
				t.Fatal(err)
			}
			r.Charges = []cdr.Charge{{Component: "usage", Amount: amount}}
		}
	}
	return r
}

// bench joins two books.
type bench struct {
	settings match.Settings
	country  string
	zone     *time.Location
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
		if i == 1 {
			s.Zone = b.zone
		}
		books[i] = match.NewBook(s)
		for _, r := range records {
			if err := books[i].Add(r); err != nil {
				t.Fatal(err)
			}
		}
		defer func() {
			if err := books[i].Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	var err error
	b.result, err = match.Run(t.Context(), b.settings, books[0], books[1])
	slices.Sort(b.found)
	return err
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

var pairs = []struct{ name, left, right, want string }{
	{"the same", "a 0 60 0.1", "x 0 60 0.10", "same a x"},
	{"only left and only right", "a 0 60; b 100 60", "x 0 60; y 500 60", "only_left b -, only_right - y, same a x"},
	{
		"a start within the tolerance", "a 0 60; b 100 60; c 200 60", "x 0 60; y 100 60; z 202.9 60",
		"same a x, same b y, same c z",
	},
	{
		"a start beyond it", "a 0 60; b 100 60; c 200 60", "x 0 60; y 100 60; z 203.1 60",
		"only_left c -, only_right - z, same a x, same b y",
	},
	{"a duration within a second", "a 0 60", "x 0 61", "same a x"},
	{"a duration beyond it", "a 0 60", "x 0 61.1", "duration a x"},
	{"a price", "a 0 60 0.1", "x 0 60 0.1001", "price a x"},
	{"no price is zero", "a 0 60 0.1; b 99 60", "x 0 60 0.1; y 99 60 0", "same a x, same b y"},
	{"prices on one side only", "a 0 60 0.1", "x 0 60", "same a x"},
	{"durations on one side only", "a 0 60", "x 0 -", "same a x"},
	{"duration before price", "a 0 60 1", "x 0 99 2", "duration a x"},
	{"rounded before price", "a 0 61 1", "x 0 120 2", "rounded a x"},
	{"other numbers", "a 0 60 to=+4940222223", "x 0 60", "only_left a -, only_right - x"},
	{
		"other directions", "a 0 60 in; b 99 60 out; c 200 60 out", "x 0 60 out; y 99 60 out; z 200 60 out",
		"only_left a -, only_right - x, same b y, same c z",
	},
	{"a direction on one side", "a 0 60 in", "x 0 60", "same a x"},
	{"each end's directions", "a 0 60 in; b 99 60 out", "x 0 60 out; y 99 60 in", "same a x, same b y"},
	{"twins", "a 0 60; b 2 60", "x 0 60; y 2 60", "ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -"},
	{
		"twins in a row", "a 0 60; b 2 60; c 4 60", "x 0 60; y 2 60; z 4 60",
		"ambiguous - x, ambiguous - y, ambiguous - z, ambiguous a -, ambiguous b -, ambiguous c -",
	},
	{"twins of which one is missing", "a 0 60; b 2 60", "x 1 60", "ambiguous - x, ambiguous a -, ambiguous b -"},
	{"twins of the right book", "a 1 60", "x 0 60; y 2 60", "ambiguous - x, ambiguous - y, ambiguous a -"},
	{
		"twins that the left book doesn't have", "a 99 60", "x 0 60; y 2 60; z 99 60",
		"ambiguous - x, ambiguous - y, same a z",
	},
	{
		"twins, of which the other call is within the tolerance of one",
		"a 99 60; b 101.5 60; c 0 60", "x 97 60; z 0 60",
		"ambiguous - x, ambiguous a -, ambiguous b -, same c z",
	},
	{
		"twins that each fit one call", "a 0 60; b 2.5 60; c 99 60; d 200 60", "x -2 60; y 4.5 60; z 99 60; w 200 60",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -, same c z, same d w",
	},
	{"close calls of other durations", "a 0 60; b 2 300", "x 2 300; y 0 60", "same a y, same b x"},
	{"close calls of other prices", "a 0 60 1; b 2 60 2", "x 2 60 2; y 0 60 1", "same a y, same b x"},
	{
		"close calls, prices on one side", "a 0 60 1; b 2 60 2", "x 2 60; y 0 60",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -",
	},
	{"a close call is missing", "a 0 60; b 2 300", "x 2 300", "only_left a -, same b x"},
	{"nothing speaks for either", "a 0 60; b 2 300", "x 1 100", "ambiguous - x, ambiguous a -, ambiguous b -"},
	{
		"two prices fit one", "a 0 60 1; b 1 60 2", "x 0 60 3",
		"ambiguous - x, ambiguous a -, ambiguous b -",
	},
	{
		"two prices fit two", "a 0 60 1; b 1 60 2", "x 0 60 3; y 1 60 4",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -",
	},
	{
		"two prices fit one of a book without prices", "a 0 60 1; b 2 60 2", "x 0 60",
		"ambiguous - x, ambiguous a -, ambiguous b -",
	},
	{
		"two directions fit one of a book without directions", "a 0 60 in; b 2 60 out", "x 0 60",
		"ambiguous - x, ambiguous a -, ambiguous b -",
	},
	{
		"two numbers fit one masked number", "a 0 60; b 0 60 to=+4940222999", "x 0 60 to=+4940222***",
		"ambiguous - x, ambiguous a -, ambiguous b -",
	},
	{
		"two durations within a second fit one", "a 0 60", "x 0 60.2; y 1 60.1",
		"ambiguous - x, ambiguous - y, ambiguous a -",
	},
	{
		"durations within a second, none the same", "a 0 60; b 1 60.5", "x 0 60.1; y 1 60.6",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -",
	},
	{
		"durations within a second, one the same", "a 0 60; b 1 61", "x 0 61; y 1 62",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -",
	},
	{"durations within a second, all the same", "a 0 60; b 1 60.5", "x 1 60; y 0 60.5", "same a x, same b y"},
	{
		"one fits two, another only one of these", "a 0 60; b 4 60; c 100 60; d 200 60",
		"x -1 60.3; y 2 60.5; z 100 60; w 200 60",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -, same c z, same d w",
	},
	{
		"two that fit two leave none for a third", "a 0 60; b 1 60.5; c 1 99", "x 0 60.2; y 1 60.3",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -, only_left c -",
	},
	{
		"what two leave over fits a third", "a 0 60; b 1 99", "x 0 60.2; y 1 60.3",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -",
	},
	{
		"a third one near twins", "a 0 60; b 1 60; c 2 300", "x 0 60; y 1 60; z 2 300",
		"ambiguous - x, ambiguous - y, ambiguous a -, ambiguous b -, same c z",
	},
	{
		"repeated calls just beyond the tolerance", "a 0 60; b 3.1 60; c 6.2 60", "x 0 60; y 3.05 60; z 6.2 60",
		"same a x, same b y, same c z",
	},
	{
		"mixed numbers", "a 0 60 from=030111111", "x 0 60 from=004930111111 to=sip:+4940222222@carrier.example",
		"same a x",
	},
	{
		"masked last digits", "a 0 60; b 99 60 to=+4940222999", "x 0 60 to=+4940222***; y 99 60 to=+4940222***",
		"same a x, same b y",
	},
	{
		"masked first digits", "a 0 60; b 0 60 to=+4940223333", "x 0 60 to=*******2222; y 0 60 to=*******3333",
		"same a x, same b y",
	},
	{"callers are hidden on one side", "a 0 60", "x 0 60 from=anonymous", "same a x"},
}

func TestPairs(t *testing.T) {
	for _, c := range pairs {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			b.country = "DE"
			if err := b.run(t, records(t, c.left), records(t, c.right)); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(b.found, ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTariff(t *testing.T) {
	for _, c := range []struct{ name, given, left, right, tariff, want string }{
		{
			"minutes", "", "a 0 61; b 99 5; c 300 125.2", "x 0 120; y 99 60; z 300 180", "60/60",
			"rounded a x, rounded b y, rounded c z",
		},
		{
			"30/6", "", "a 0 3; b 99 32; c 300 50", "x 0 30; y 99 36; z 300 54", "30/6",
			"rounded a x, rounded b y, rounded c z",
		},
		{
			"a minimum", "", "a 0 3; b 99 5; c 300 76.5", "x 0 30; y 99 30; z 300 77", "30/1",
			"rounded a x, rounded b y, same c z",
		},
		{
			"not all", "", "a 0 61; b 99 5; c 300 125", "x 0 120; y 99 60; z 300 300", "",
			"duration a x, duration b y, duration c z",
		},
		{
			"given", "60/60", "a 0 61; b 99 5; c 300 125", "x 0 120; y 99 60; z 300 300", "60/60",
			"duration c z, rounded a x, rounded b y",
		},
		{
			"close calls", "", "a 0 61; b 2 250; c 99 5", "x 2 300; y 0 120; z 99 60", "60/60",
			"rounded a y, rounded b x, rounded c z",
		},
		{
			"a close call is billed what another one takes",
			"60/60", "a 0 60.5; b 2 5; c 99 5", "x 2 60; y 0 120; z 99 60", "60/60",
			"rounded a y, rounded b x, rounded c z",
		},
		{
			"prices tell rounded calls apart",
			"60/60", "a 0 70 1; b 2 80 2; c 99 5 1", "x 2 120 2; y 0 120 1; z 99 60 1", "60/60",
			"rounded a y, rounded b x, rounded c z",
		},
		{"calls that nobody answered", "", "a 0 0; b 99 5", "x 0 0; y 99 60", "60/60", "rounded b y, same a x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			if c.given != "" {
				tariff, err := match.ParseTariff(c.given)
				if err != nil {
					t.Fatal(err)
				}
				b.settings.Tariff = tariff
			}
			if err := b.run(t, records(t, c.left), records(t, c.right)); err != nil {
				t.Fatal(err)
			}
			tariff := ""
			if b.result.Tariff != nil {
				tariff = b.result.Tariff.String()
			}
			if got := strings.Join(b.found, ", "); got != c.want && tariff == c.tariff || tariff != c.tariff {
				t.Errorf("got  %s by %q\nwant %s by %q", got, tariff, c.want, c.tariff)
			}
		})
	}
}

func TestSums(t *testing.T) {
	b := newBench()
	if err := b.run(t, records(t, "a 0 60 0.1; b 99 30 0.02; c 300 1 0.003"),
		records(t, "x 0 60 0.1; y 99 60 0.04")); err != nil {
		t.Fatal(err)
	}
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
		{"fewer that can't be told apart", "", "a 0 60; b 1 60", "x 0 60", true},
		{"rounded", "", "a 0 59", "x 0 120", true},
		{"rounded as agreed", "60/60", "a 0 5", "x 0 60", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			if tariff, err := match.ParseTariff(c.tariff); err == nil {
				b.settings.Tariff = tariff
			}
			if err := b.run(t, records(t, c.left), records(t, c.right)); err != nil {
				t.Fatal(err)
			}
			if got := b.result.Differs(); got != c.want {
				t.Errorf("got %t: %v", got, b.found)
			}
		})
	}
}

func TestRange(t *testing.T) {
	b := newBench()
	b.settings.From, b.settings.To = noon, noon.Add(time.Minute)
	left, right := "a -0.5 9; b 0 9 to=22222222; c 59.9 9; d 60 9 to=22222222",
		"w 0.1 9; x 0.6 9 to=22222222; y 60.5 9; z 60.6 9 to=22222222"
	if err := b.run(t, records(t, left), records(t, right)); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(b.found, ", "), "same b x, same c y"; got != want {
		t.Errorf("got %s, want %s", got, want)
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

func none(int) float64 { return 0 }

func TestBadInput(t *testing.T) {
	hide := func(r *cdr.Record) { r.CallerNumber, r.CalleeNumber = "anonymous", "***" }
	one := func(r *cdr.Record) { r.CallerNumber, r.CalleeNumber = "+4930111111", "+4940222222" }
	for _, c := range []struct {
		name        string
		left, right []*cdr.Record
		want        string
	}{
		{
			"an hour", many(t, 50, none, plain), many(t, 50, func(int) float64 { return 3600 }, plain),
			"all pairs differ by 3600 s: the time zone",
		},
		{
			"an hour less, and a clock", many(t, 50, none, plain),
			many(t, 50, func(int) float64 { return -3599.3 }, plain), "all pairs differ by -3600 s",
		},
		{"hidden numbers", many(t, 9, none, plain), many(t, 9, none, hide), "the numbers of one book are hidden"},
		{
			"no overlap", many(t, 9, none, plain), many(t, 9, func(int) float64 { return 9e6 }, plain),
			"the books don't overlap in time",
		},
		{
			"other days of the range", many(t, 9, none, plain), many(t, 9, func(int) float64 { return 3e6 }, plain),
			"the books don't overlap in time",
		},
		{"no calls", many(t, 9, none, plain), nil, "the bill has no calls from"},
		{
			"too many of one pair", many(t, 15_000, func(i int) float64 { return -59.9 * float64(i) }, one),
			many(t, 15_000, func(i int) float64 { return -59.9 * float64(i) }, one), "can't be told apart",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newBench().run(t, c.left, c.right)
			if _, is := errors.AsType[match.Error](err); !is || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an Error with %q", err, c.want)
			}
		})
	}
}

func TestManyOfOnePair(t *testing.T) {
	one := func(r *cdr.Record) { r.CallerNumber, r.CalleeNumber = "+4930111111", "+4940222222" }
	b := newBench()
	b.settings.To = noon.AddDate(1, 0, 0)
	if err := b.run(t, many(t, 30_000, none, one), many(t, 30_000, none, one)); err != nil {
		t.Fatal(err)
	}
	if same := b.result.Classes[match.Same][0].Calls; same != 30_000 {
		t.Errorf("%d are the same", same)
	}
}

// TestCrowd: thousands of calls between one pair of numbers start within the tolerance. One of them has another
// duration, so it can be told apart from its neighbours.
func TestCrowd(t *testing.T) {
	b := newBench()
	crowd := many(t, 2_000, func(i int) float64 { return -59.9999 * float64(i) }, func(r *cdr.Record) {
		r.CallerNumber, r.CalleeNumber, r.Duration = "+4930111111", "+4940222222", time.Minute
	})
	crowd[1_900].Duration = time.Hour
	if err := b.run(t, crowd, crowd); err != nil {
		t.Fatal(err)
	}
	ambiguous, same := b.result.Classes[match.Ambiguous][0].Calls, b.result.Classes[match.Same][0].Calls
	if ambiguous != 1_999 || same != 1 {
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
		{"0.7 s", func(int) float64 { return 0.7 }, 0.7},
		{"before", func(int) float64 { return -12 }, -12},
		{"minutes", func(int) float64 { return 400 }, 400},
		{"drifts by a minute", func(i int) float64 { return float64(i) * 0.003 }, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			if err := b.run(t, many(t, 20_000, none, plain), many(t, 20_000, c.later, plain)); err != nil {
				t.Fatal(err)
			}
			if got := b.result.Offset.Seconds(); got < c.want-1 || got > c.want+1 {
				t.Errorf("the clock is %g s ahead, want %g", got, c.want)
			}
			if same := b.result.Classes[match.Same][0].Calls; same != 20_000 {
				t.Errorf("%d are the same", same)
			}
		})
	}
}

// In the hour that clocks repeat, a time without a zone is of two instants.
func TestRepeatedHour(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	change := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC).Sub(noon).Seconds()
	call := func(id string, at float64, more string) *cdr.Record {
		return record(t, fmt.Sprintf("%s %f %s", id, change+at, more))
	}
	b := newBench()
	b.zone = zone
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
	if err := b.run(t, left, right); err != nil {
		t.Fatal(err)
	}
	want := "ambiguous - s, ambiguous - t, ambiguous g -, ambiguous h -, same a w, same b x, same c y, same d " +
		"z, same e v, same f u"
	if got := strings.Join(b.found, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVersions(t *testing.T) {
	book := func(rules counting.Rules, trunk string, all ...*cdr.Record) *match.Book {
		b := match.NewBook(match.BookSettings{
			Name: "ours", Rules: rules, Trunk: trunk, Folder: t.TempDir(),
			Currency: "EUR",
		})
		for _, r := range all {
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	leg := func(text, key, trunk string) *cdr.Record {
		r := record(t, text)
		r.CallKey, r.Trunk, r.Answer = key, trunk, r.Start
		r.End = r.Start.Add(r.Duration)
		return r
	}
	child := leg("b 5 60", "", "sbc")
	child.Parent = "a"
	later := record(t, "a 0 70")
	later.Version = 2
	open := record(t, "a 0 70")
	open.Provisional = true
	for _, c := range []struct {
		name  string
		rules counting.Rules
		trunk string
		left  []*cdr.Record
		right string
		want  string
	}{
		{
			"a row that is there twice",
			counting.Rules{},
			"",
			[]*cdr.Record{record(t, "a 0 60"), record(t, "a 0 60")},
			"x 0 60", "same 1",
		},
		{"the newest version", counting.Rules{}, "", []*cdr.Record{later, record(t, "a 0 60")}, "x 0 70", "same 1"},
		{
			"the last one, without versions",
			counting.Rules{},
			"",
			[]*cdr.Record{record(t, "a 1 60"), record(t, "a 0 70")},
			"x 0 70", "same 1",
		},
		{"one that isn't final", counting.Rules{}, "", []*cdr.Record{record(t, "b 0 60"), open}, "x 0 60", "same 1"},
		{
			"an id that is used again",
			counting.Rules{ByArrival: true},
			"",
			[]*cdr.Record{record(t, "a 0 60"), record(t, "a 9999 60")},
			"x 0 60; y 9999 60", "same 2",
		},
		{
			"legs of one call",
			counting.Rules{Legs: true},
			"",
			[]*cdr.Record{leg("a 0 60 1", "k", ""), leg("b 60 30 2", "k", "")},
			"x 0 90 3", "same 1",
		},
		{
			"legs of two calls",
			counting.Rules{Legs: true},
			"",
			[]*cdr.Record{leg("a 0 60", "k", ""), leg("b 60 30", "l", "")},
			"x 0 60; y 60 30", "same 2",
		},
		{
			"a child before its parent",
			counting.Rules{Legs: true, Parents: true},
			"",
			[]*cdr.Record{child, leg("a 0 65", "", "")},
			"x 0 60", "same 1",
		},
		{
			"legs that used a trunk",
			counting.Rules{Legs: true},
			"sbc",
			[]*cdr.Record{leg("a 0 60", "k", "sbc"), leg("b 60 30", "k", "sbc"), leg("c 90 9", "k", "other")},
			"x 0 60; y 60 30", "same 2",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			b.settings.Note = func(string) {}
			left, right := book(c.rules, c.trunk, c.left...), book(counting.Rules{}, "", records(t, c.right)...)
			defer left.Close()  //nolint:errcheck // temporary
			defer right.Close() //nolint:errcheck // temporary
			result, err := match.Run(t.Context(), b.settings, left, right)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for class, sides := range result.Classes {
				if n := cmp.Or(sides[0].Calls, sides[1].Calls); n > 0 {
					got = append(got, fmt.Sprintf("%s %d", match.Class(class), n))
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}
