package wavix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// listing is a list of rows that pages are read from: letters in capitals have an id,
// small ones don't.
type listing struct {
	t       *testing.T
	batch   *batch
	reading *reading
	got     []string // the callers of what was handed on
	keys    map[uint64]bool
}

func newListing(t *testing.T) *listing {
	l := &listing{t: t, batch: newTestBatch(), keys: map[uint64]bool{}}
	l.reading = newReading(asker{}, formatJSON, l.batch)
	l.batch.open(day1, func(b *collector.Page) error {
		for _, r := range b.Records {
			l.got = append(l.got, strings.Clone(r.CallerNumber))
		}
		return nil
	})
	l.batch.query(query{Day: day1, Kind: kindPlaced})
	return l
}

func listed(letters string) []string {
	var rows []string
	for _, letter := range letters {
		id := ""
		if letter < 'a' {
			id = `"uuid":"` + string(letter) + `",`
		}
		rows = append(rows, at+id+`"from":"`+string(letter)+`"}`)
	}
	return rows
}

// page reads a page of rows where there are so many in all.
func (l *listing) page(number int, letters string, total int) {
	body := fmt.Sprintf(`{"items":[%s],"pagination":{"total":%d}}`, strings.Join(listed(letters), ","), total)
	info, err := l.reading.pages.decode(strings.NewReader(body), number, 3)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, key := range info.Keys {
		l.keys[key] = true
	}
}

func (l *listing) want(got string, keys int) {
	l.t.Helper()
	if err := l.batch.settle(); err != nil {
		l.t.Fatal(err)
	}
	slices.Sort(l.got)
	if all := strings.Join(l.got, ""); all != got || len(l.keys) != keys {
		l.t.Errorf("handed on %q with %d keys, want %q with %d", all, len(l.keys), got, keys)
	}
}

func TestTwins(t *testing.T) {
	for _, test := range []struct {
		name string
		read func(*listing)
		want string
		keys int
	}{
		{"on one page", func(l *listing) { l.page(1, "aab", 3) }, "aab", 3},
		{"on two pages", func(l *listing) { l.page(1, "abc", 4); l.page(2, "a", 4) }, "aabc", 4},
		{"a page again", func(l *listing) { l.page(1, "aab", 3); l.page(1, "aab", 3) }, "aab", 3},
		{"all pages again", func(l *listing) {
			for range 3 {
				l.page(1, "abc", 4)
				l.page(2, "c", 4)
			}
		}, "abcc", 4},
		{"a row that moved on while the first page was read", func(l *listing) { l.page(1, "abc", 4); l.page(2, "cd", 5) }, "abcd", 4},
		{"two that moved", func(l *listing) { l.page(1, "abc", 4); l.page(2, "bcd", 6) }, "abcd", 4},
		{"more came than moved", func(l *listing) { l.page(1, "Abc", 4); l.page(2, "cDe", 9) }, "ADbce", 5},
		{"one that moved and comes again", func(l *listing) { l.page(1, "abc", 5); l.page(2, "ccd", 6) }, "abccd", 5},
		{"none moved, so it is a twin", func(l *listing) { l.page(1, "abc", 5); l.page(2, "cd", 5) }, "abccd", 5},
		{"a move that the second pass shows", func(l *listing) {
			l.page(1, "Abc", 5)
			l.page(2, "cDe", 5)
			l.page(1, "Zab", 5)
			l.page(2, "CcD", 5)
		}, "ACDDZabce", 9},
		{"moved between passes", func(l *listing) {
			l.page(1, "abc", 4)
			l.page(2, "d", 4)
			l.page(1, "xab", 5)
			l.page(2, "cd", 5)
		}, "abcdx", 5},
		{"another size of pages", func(l *listing) {
			l.reading.batch.begin(1, 1)
			l.batch.reset()
			l.page(1, "abc", 3)
			body := page(listed("abc")...)
			if _, err := l.reading.pages.decode(strings.NewReader(body), 2, 7); err != nil {
				l.t.Fatal(err)
			}
		}, "abc", 3},
		{"a stream, then pages", func(l *listing) {
			if err := l.reading.stream.decode(strings.NewReader(strings.Join(listed("aab"), "\n"))); err != nil {
				l.t.Fatal(err)
			}
			l.page(1, "aab", 4)
			l.page(2, "b", 4)
		}, "aabb", 4},
		{"pages, then a stream twice", func(l *listing) {
			l.page(1, "aab", 4)
			for range 2 {
				if err := l.reading.stream.decode(strings.NewReader(strings.Join(listed("aabb"), "\n"))); err != nil {
					l.t.Fatal(err)
				}
			}
		}, "aabb", 3},
		{"rows with an id come as often as they are listed", func(l *listing) { l.page(1, "AAB", 2); l.page(1, "AAB", 2) }, "AAAABB", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newListing(t)
			test.read(l)
			l.want(test.want, test.keys)
		})
	}
}

// TestTwinsOfCSV: pages that say no total leave a doubt where two of them meet, which a
// total that is asked for by itself ends.
func TestTwinsOfCSV(t *testing.T) {
	row := func(from string) string { return `{"date":"2026-03-02T11:00:00Z","from":"` + from + `"}` }
	for _, test := range []struct {
		name  string
		moves bool
	}{{"twins", false}, {"moved", true}} {
		t.Run(test.name, func(t *testing.T) {
			fake := &fakeWavix{t: t, paths: generationA}
			list := []listedRow{{"2026-03-02", row("b")}, {"2026-03-02", row("a")}, {"2026-03-02", row("a")}, {"2026-03-02", row("c")}}
			if test.moves {
				list = slices.Delete(list, 2, 3)
			}
			fake.rows = map[string][]listedRow{kindPlaced: list}
			log, ok := fake.open("format: csv\n"+callLogOnly, nil).Feeds[0].Reader.(*callLog)
			if !ok {
				t.Fatal("the reader isn't a call log")
			}
			r := log.newReading()
			count := map[string]int{}
			r.batch.open(day1, func(b *collector.Page) error {
				for _, record := range b.Records {
					count[strings.Clone(record.CallerNumber)]++
				}
				return nil
			})
			q := query{Day: noon.Truncate(dayLength), Kind: kindPlaced}
			r.batch.query(q)
			for page := range 3 {
				perPage := 2
				if page == 0 {
					perPage = 1 // the total
				}
				if _, err := r.Page(t.Context(), q, max(page, 1), perPage); err != nil {
					t.Fatal(err)
				}
				if page == 1 && test.moves {
					fake.rows[kindPlaced] = slices.Insert(list, 0, listedRow{"2026-03-02", row("new")})
				}
			}
			if err := r.batch.settle(); err != nil {
				t.Fatal(err)
			}
			want := map[string]int{"a": 2, "b": 1, "c": 1}
			if test.moves {
				want["a"] = 1
			}
			if fmt.Sprint(count) != fmt.Sprint(want) {
				t.Errorf("read %v, want %v", count, want)
			}
		})
	}
}

// TestTwinsOfABrokenPage: what was handed on before a page broke isn't handed on again.
func TestTwinsOfABrokenPage(t *testing.T) {
	l := newListing(t)
	rows := slices.Repeat(listed("a"), chunkRows)
	for i := range rows {
		rows[i] = strings.Replace(rows[i], `"a"`, fmt.Sprintf(`"a%03d"`, i), 1)
	}
	whole := page(append(rows, listed("bb")...)...)
	for _, body := range []string{whole[:len(whole)-200], whole[:1000], whole} {
		_, err := l.reading.pages.decode(strings.NewReader(body), 1, 3000)
		if (err == nil) != (body == whole) {
			t.Fatal(err)
		}
	}
	if err := l.batch.settle(); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(l.got); len(l.got) != chunkRows+2 || len(slices.Compact(l.got)) != chunkRows+1 {
		t.Errorf("%d rows were handed on, want %d", len(l.got), chunkRows+2)
	}
}

// TestKeysOfSpoiltRows: rows that can't be read are known by their id or content.
func TestKeysOfSpoiltRows(t *testing.T) {
	rows := []string{`5`, `5`, `{"uuid":"1"}`, `{"uuid":"1","x":2}`, `{"uuid":8}`, at + `"uuid":"1"}`}
	for range 2 {
		got, err := decode(t, formatJSON, kindPlaced, page(rows...))
		if err != nil || len(got.info.Keys) != len(rows) {
			t.Fatalf("%d keys, error %v", len(got.info.Keys), err)
		}
		slices.Sort(got.info.Keys)
		if distinct := len(slices.Compact(got.info.Keys)); distinct != 3 {
			t.Errorf("%d keys differ, want 3: five, and two ids", distinct)
		}
	}
}

// TestKinRemembersBoundedly: more failures than are remembered are forgotten, oldest first.
func TestKinRemembersBoundedly(t *testing.T) {
	k := newTestBatch().kin
	r := decodedRecord(t, at+`"uuid":"1","disposition":"failed"}`)
	for i := range 3*maxFailed + 1 {
		r.ID = fmt.Sprintf("placed:%d", i)
		k.note(r)
	}
	if len(k.failed)+len(k.older) > 2*maxFailed || !k.hasFailed(fmt.Sprintf("placed:%d", 3*maxFailed)) || k.hasFailed("placed:0") {
		t.Errorf("%d and %d are remembered", len(k.failed), len(k.older))
	}
	r.Parent = "x"
	for range maxParts + 10 {
		k.keep(r)
	}
	if n := len(k.release()); n != maxParts {
		t.Errorf("%d parts were kept back, want %d", n, maxParts)
	}
}

func decodedRecord(t *testing.T, raw string) *cdr.Record {
	t.Helper()
	got, err := decode(t, formatJSON, kindPlaced, page(raw))
	if err != nil || len(got.records) != 1 {
		t.Fatalf("%d rows, error %v", len(got.records), err)
	}
	return got.records[0]
}
