package wavix

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The tests of this file read days of pages of three rows.

// today is a fake whose calls placed today are rows of letters, one second after the other:
// capitals have an id, small ones don't, and the same letter is the same row.
func today(t *testing.T, letters string) *fakeWavix {
	return &fakeWavix{
		t: t, paths: generationA, maxPerPage: 3,
		rows: map[string][]listedRow{kindPlaced: lettered(letters)},
	}
}

func lettered(letters string) []listedRow {
	var rows []listedRow
	for _, letter := range letters {
		id := ""
		if letter < 'a' {
			id = `"uuid":"` + string(letter) + `",`
		}
		at := noon.Add(-time.Hour).Add(time.Duration(strings.ToUpper(string(letter))[0]) * time.Second).
			Format(time.RFC3339)
		rows = append(rows, listedRow{"2026-03-02", `{"date":"` + at + `",` + id + `"from":"` + string(letter) + `"}`})
	}
	return rows
}

// list lists other rows from now on.
func (f *fakeWavix) list(letters string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows[kindPlaced] = lettered(letters)
}

// pagesAsked are the pages of calls placed today that were asked since the last call; totals are t.
func (f *fakeWavix) pagesAsked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var pages []string
	for _, asked := range f.asked {
		_, query, _ := strings.Cut(asked, "?")
		if strings.Contains(query, "from=2026-03-02") && strings.Contains(query, "type=placed") {
			_, number, _ := strings.Cut(query, "&page=")
			number, _, _ = strings.Cut(number, "&")
			if strings.Contains(query, "per_page=1&") {
				number = "t"
			}
			pages = append(pages, number)
		}
	}
	f.asked = nil
	return strings.Join(pages, " ")
}

// letterReader reads the last hour, at a later second each time, and returns the letters that came
// as new ones in order.
type letterReader struct {
	t      *testing.T
	fake   *fakeWavix
	reader collector.RangeReader
	book   *book
	counts map[string]int
	reads  int
}

func readLetters(t *testing.T, fake *fakeWavix, format string) *letterReader {
	t.Helper()
	r := &letterReader{t: t, fake: fake, book: newBook(), counts: map[string]int{}}
	r.reader = polled(fake.open("format: "+format+"\ncall_log: {types: [placed]}\n", nil))
	return r
}

func (r *letterReader) read() (counted string, err error) {
	r.t.Helper()
	var all []string
	r.book.count = func(record *cdr.Record) {
		all = append(all, record.CallerNumber)
		r.counts[record.CallerNumber]++
	}
	r.reads++
	now := noon
	if r.fake.now != nil {
		now = r.fake.now()
	}
	err = r.book.read(r.t.Context(), r.reader, now.Add(-time.Hour), now.Add(time.Duration(r.reads)*time.Second))
	slices.Sort(all)
	return strings.Join(all, ""), err
}

// want reads and compares what was new and which pages were asked.
func (r *letterReader) want(name, counted, pages string) {
	r.t.Helper()
	got, err := r.read()
	if asked := r.fake.pagesAsked(); err != nil || got != counted || asked != pages {
		r.t.Errorf("%s: counted %q after asking %q, want %q after %q; error %v", name, got, asked, counted, pages, err)
	}
	if total := r.book.totals["2026-03-02"]; err == nil && total.Ours != total.Theirs {
		r.t.Errorf("%s: %d of %d", name, total.Ours, total.Theirs)
	}
}

// TestDay (counting.md 13): a day without news costs its total; what is new is read from the end
// where the day grows, and what isn't there by reading the day whole.
func TestDay(t *testing.T) {
	for name, order := range map[string]func(string) string{
		"oldest first": func(letters string) string { return letters },
		"newest first": func(letters string) string {
			all := []byte(letters)
			slices.Reverse(all)
			return string(all)
		},
	} {
		t.Run(name, func(t *testing.T) {
			pages := func(oldestFirst, newestFirst string) string {
				if name == "oldest first" {
					return oldestFirst
				}
				return newestFirst
			}
			fake := today(t, order("ABCDEFG"))
			r := readLetters(t, fake, formatJSON)
			r.want("the first read", "ABCDEFG", "t 1 2 3")
			r.want("nothing new", "", "t")
			fake.list(order("ABCDEFGH"))
			r.want("a new row", "H", pages("t 3", "t 1"))
			fake.list(order("ABCDEFGHIJKL"))
			r.want("several", "IJKL", pages("t 4 3", "t 1 2"))
			r.want("nothing new again", "", "t")
			fake.list(order("AABCDEFGHIJKL"))
			fake.list(order("ABCDEFGHIJKLM")[:12])
			fake.list(order("ABCCDEFGHIJKLM"))
			fake.list(order("ABZCDEFGHIJKL"))
			r.want("a late row", "Z", pages("t 5 1 2 3 4 5", "t 1 1 2 3 4 5"))
			r.want("known by then", "", "t")
			fake.list(order("ABCDEFGHIJKL"))
			r.want("a row less", "", "t 1 2 3 4")
			restarted := readLetters(t, fake, formatJSON)
			restarted.book = r.book
			restarted.want("after a restart", "", "t 1 2 3 4")
		})
	}
}

// TestSmallDay: a day of one page grows on it.
func TestSmallDay(t *testing.T) {
	for _, format := range formats {
		fake := today(t, "")
		fake.maxPerPage = 0
		r := readLetters(t, fake, format)
		for _, day := range []struct{ list, counted, pages string }{
			{"", "", "t"},
			{"A", "A", "t 1"},
			{"ABc", "Bc", "t 1"},
			{"ABcc", "c", "t 1"},
			{"ABcc", "", "t"},
		} {
			fake.list(day.list)
			r.want(format+" "+day.list, day.counted, day.pages)
		}
	}
}

// TestDeepReads: a charge that changed moves no total, so reads beyond the lookback read each day whole.
func TestDeepReads(t *testing.T) {
	fake := today(t, "ABCD")
	r := readLetters(t, fake, formatJSON)
	r.want("the first read", "ABCD", "t 1 2")
	for name, from := range map[string]time.Duration{"deep": 48 * time.Hour, "not deep": 47 * time.Hour} {
		for range 2 { // the first goes further back than any before
			fake.pagesAsked()
			if err := r.book.read(t.Context(), r.reader, noon.Add(-from), noon); err != nil {
				t.Fatal(err)
			}
		}
		if asked, want := fake.pagesAsked(), map[string]string{"deep": "t 1 2", "not deep": "t"}[name]; asked != want {
			t.Errorf("%s: asked %q, want %q", name, asked, want)
		}
	}
	came := len(r.book.came)
	if err := r.book.read(t.Context(), r.reader, noon.Add(-time.Hour), noon.Add(-atPresent-time.Second)); err != nil ||
		len(r.book.came) != came+4 {
		t.Errorf("a read of the past has %d rows, want 4; error %v", len(r.book.came)-came, err)
	}
}

// TestTwins (counting.md 18): equal rows without an id are several calls, on any page. A row that
// moved to the next page during the read isn't a twin.
func TestTwins(t *testing.T) {
	for _, test := range []struct {
		name string
		// lists are what the provider lists, one for each page request.
		lists []string
	}{
		{"on one page", []string{"aaB"}},
		{"on two pages", []string{"abCa"}},
		{"at the end of a page and the begin of the next", []string{"ABccDE"}},
		{"one that moved", []string{"abcd", "Xabcd"}},
		{"two that moved", []string{"abcd", "XYabcd"}},
		{"one that moved, and its twin", []string{"abccd", "Xabccd"}},
		{"more came than moved", []string{"Abcdef", "AbcdefXYZ"}},
		{"all of a page moved", []string{"abcdef", "XYZabcdef"}},
		{"a late one in between", []string{"ABcDEf", "ABcDEf", "ABcDEZf"}},
	} {
		for _, format := range formats {
			t.Run(test.name+" "+format, func(t *testing.T) {
				fake := today(t, test.lists[0])
				r := readLetters(t, fake, format)
				pages := 0
				fake.wrong = func(q *http.Request, right reply) reply {
					if query := q.URL.Query(); query.Get("from") == "2026-03-02" && query.Get("per_page") != "1" {
						pages++
						fake.rows[kindPlaced] = lettered(test.lists[min(pages, len(test.lists)-1)])
					}
					return right
				}
				// A read counts what was listed when it began; the next read counts what came
				// later.
				for _, list := range []string{test.lists[0], test.lists[len(test.lists)-1]} {
					if _, err := r.read(); err != nil {
						t.Fatal(err)
					}
					for _, letter := range list {
						if r.counts[string(letter)] < strings.Count(list, string(letter)) {
							t.Errorf("%c was counted %d times of %q", letter, r.counts[string(letter)], list)
						}
					}
				}
				fake.wrong = nil
				if _, err := r.read(); err != nil || len(r.book.known) != len(test.lists[len(test.lists)-1]) {
					t.Errorf("counted %v of %q, error %v", r.counts, test.lists, err)
				}
			})
		}
	}
}

// TestPassesUntilComplete (counting.md 13): a day whose rows aren't all seen is read again, and a
// day that lists fewer rows than its total is an error.
func TestPassesUntilComplete(t *testing.T) {
	fake := today(t, "ABCDEF")
	r := readLetters(t, fake, formatJSON)
	asked := 0
	const missing = 1
	fake.wrong = func(q *http.Request, right reply) reply {
		if query := q.URL.Query(); query.Get("from") == "2026-03-02" && query.Get("page") == "2" {
			if asked++; asked <= missing {
				// E is hidden by a row that comes twice
				right.body = strings.ReplaceAll(right.body, `"uuid":"E"`, `"uuid":"D"`)
			}
		}
		return right
	}
	r.want("a pass that misses a row", "ABCDEF", "t 1 2 3 t 1 2")
	fake.list("ABCDEFG")
	fake.wrong = func(q *http.Request, right reply) reply {
		if query := q.URL.Query(); query.Get("from") == "2026-03-02" && query.Get("per_page") != "1" {
			right.body = strings.ReplaceAll(right.body, `"total":7`, `"total":9`)
		} else {
			right.body = strings.ReplaceAll(right.body, `"total":7`, `"total":8`)
		}
		return right
	}
	_, err := r.read()
	if d, ok := errors.AsType[*dayError](err); !ok ||
		!strings.Contains(d.Error(), "are incomplete: Wavix listed 7 of 8 in 5 passes") {
		t.Errorf("error %v", err)
	}
	if httpclient.KindOf(err) == httpclient.KindThrottled {
		t.Error("the span isn't held to be at fault, so what follows it would wait for ever (counting.md 31)")
	}
	fake.wrong = nil
	if _, err := r.read(); err != nil {
		t.Errorf("error %v when all is well again", err)
	}
}

// TestCopies: a row that is listed twice is one call, whether the provider counts it once or twice.
func TestCopies(t *testing.T) {
	fake := today(t, "AABCCDE")
	r := readLetters(t, fake, formatJSON)
	if got, err := r.read(); err != nil || got != "ABCDE" {
		t.Errorf("counted %q, error %v", got, err)
	}
	fake.pagesAsked()
	fake.list("AABCCDEF")
	got, err := r.read()
	if asked := fake.pagesAsked(); err != nil || got != "F" || asked != "t 3" {
		t.Errorf("counted %q after asking %q, error %v", got, asked, err)
	}
}

// TestSamePage: a provider, or a cache, that doesn't know pages is noticed: the day stays
// incomplete, and no row counts twice.
func TestSamePage(t *testing.T) {
	for _, format := range formats {
		fake := today(t, "abcdefghi")
		r := readLetters(t, fake, format)
		fake.wrong = func(q *http.Request, right reply) reply {
			values := q.URL.Query()
			if values.Get("from") != "2026-03-02" || values.Get("per_page") == "1" {
				return right
			}
			q = q.Clone(q.Context())
			values.Set("page", "1")
			q.URL.RawQuery = values.Encode()
			return fake.answer(q)
		}
		counted, err := r.read()
		if _, ok := errors.AsType[*dayError](err); !ok || counted != "abc" ||
			!strings.Contains(err.Error(), "Wavix listed 3 of 9 in 5 passes") {
			t.Errorf("%s: counted %q, error %v", format, counted, err)
		}
	}
}

// TestExportWithoutPages: an export that returns the whole day for any page is read as one page.
func TestExportWithoutPages(t *testing.T) {
	fake := today(t, "ABCDEFGHI")
	fake.wrong = func(q *http.Request, right reply) reply {
		if strings.HasSuffix(q.URL.Path, "/all") && q.URL.Query().Get("from") == "2026-03-02" {
			right.body = ""
			for _, row := range fake.rows[kindPlaced] {
				right.body += row.raw + "\n"
			}
		}
		return right
	}
	r := readLetters(t, fake, formatStream)
	r.want("all", "ABCDEFGHI", "t 1")
	r.want("nothing new", "", "t")
	const many = 2*pageRows + pageRows/2
	fake.mu.Lock()
	for i := range many {
		fake.rows[kindPlaced] = append(fake.rows[kindPlaced],
			listedRow{"2026-03-02", fmt.Sprintf(`{"date":%q,"uuid":"n%d","from":"n"}`,
				noon.Add(-time.Hour).Format(time.RFC3339), i)})
	}
	fake.mu.Unlock()
	if _, err := r.read(); err != nil || r.counts["n"] != many {
		t.Errorf("counted %d of %d, error %v", r.counts["n"], many, err)
	}
}

// TestOvertakenPages (counting.md 18): when more rows come in between two pages than a page has, no
// row without an id is counted twice, and none is missed.
func TestOvertakenPages(t *testing.T) {
	fake := today(t, "abcdefghi")
	done := false
	fake.wrong = func(q *http.Request, right reply) reply {
		query := q.URL.Query()
		if query.Get("from") != "2026-03-02" || query.Get("per_page") == "1" || query.Get("page") != "2" || done {
			return right
		}
		done = true
		fake.rows[kindPlaced] = lettered("wxyzabcdefghi")
		return fake.answer(q)
	}
	r := readLetters(t, fake, formatJSON)
	_, err := r.read()
	for _, letter := range "wxyzabcdefghi" {
		if n := r.counts[string(letter)]; n != 1 {
			t.Errorf("%c was counted %d times", letter, n)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// TestLastPageRepeated: a provider that repeats its last page for numbers beyond it, and counts
// copies, has a complete day all the same.
func TestLastPageRepeated(t *testing.T) {
	fake := today(t, "ABCDEFGHAB")
	fake.wrong = func(q *http.Request, right reply) reply {
		query := q.URL.Query()
		if number, _ := strconv.Atoi(query.Get("page")); query.Get("from") == "2026-03-02" && number > 4 {
			q = q.Clone(q.Context())
			query.Set("page", "4")
			q.URL.RawQuery = query.Encode()
			return fake.answer(q)
		}
		return right
	}
	r := readLetters(t, fake, formatJSON)
	if got, err := r.read(); err != nil || got != "ABCDEFGH" {
		t.Errorf("counted %q, error %v", got, err)
	}
}

// TestRest (counting.md 13): a day that takes longer to read than the interval rests as long as it
// took. Meanwhile what is new at its end is counted, and the error says when it is read whole
// again; no span is held to be at fault for it (counting.md 30).
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := today(t, "ABCDEFG")
		fake.now = func() time.Time { return noon.Add(time.Since(begun)) }
		begun = time.Now()
		slow := 45 * time.Second
		fake.wrong = func(q *http.Request, right reply) reply {
			if query := q.URL.Query(); query.Get("from") == "2026-03-02" && query.Get("per_page") != "1" {
				<-time.After(slow)
			}
			return right
		}
		r := readLetters(t, fake, formatJSON)
		r.want("the first read", "ABCDEFG", "t 1 2 3")
		fake.list("AZBCDEFGH")
		got, err := r.read()
		what, todo := "", ""
		if err != nil {
			what, todo = Advise(err)
		}
		if got != "H" || httpclient.KindOf(err) != httpclient.KindThrottled || httpclient.RetryAfter(err) != 0 ||
			!strings.Contains(what, "the calls placed on 2026-03-02 are too many to read in full each time: "+
				"it took 2m15s; the next full read is at 00:04") ||
			!strings.Contains(todo, "requests_per_minute") {
			t.Errorf("counted %q, error %v: %s: %s", got, err, what, todo)
		}
		<-time.After(2 * time.Minute)
		fake.pagesAsked()
		if got, err := r.read(); err != nil || got != "Z" {
			t.Errorf("counted %q after the rest, error %v", got, err)
		}
		// It rests again: but a read that goes further back may want rows that were left out.
		fake.pagesAsked()
		if err := r.book.read(t.Context(), r.reader, noon.Add(-4*time.Hour), fake.now()); err != nil {
			t.Errorf("a deeper read during the rest: %v", err)
		}
		if asked := fake.pagesAsked(); asked != "t 1 2 3" {
			t.Errorf("a deeper read during the rest asked %q", asked)
		}
	})
}

var begun time.Time

// TestRestIsNoMatterOfTheProvidersClock: a clock of the provider's that is set while a day is read
// doesn't make it rest.
func TestRestIsNoMatterOfTheProvidersClock(t *testing.T) {
	fake, ahead := today(t, "ABCDEFG"), time.Duration(0)
	fake.now = func() time.Time { return noon.Add(ahead) }
	fake.wrong = func(q *http.Request, right reply) reply {
		if query := q.URL.Query(); query.Get("from") == "2026-03-02" && query.Get("page") == "2" {
			ahead = 3 * time.Hour
		}
		return right
	}
	r := readLetters(t, fake, formatJSON)
	r.want("the first read", "ABCDEFG", "t 1 2 3")
	fake.list("AZBCDEFG")
	if got, err := r.read(); err != nil || got != "Z" {
		t.Errorf("counted %q, error %v", got, err)
	}
}
