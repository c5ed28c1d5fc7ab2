package wavix

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// TestStreamThenPages: a day that nobody has read is asked for as a stream and compared
// with the list's total; what came since is asked for as pages.
func TestStreamThenPages(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{kindPlaced: rowsAt("2026-03-02T11:00:00Z", "2026-03-02T11:00:01Z")}}
	reader := fake.open("format: stream\n"+callLogOnly, nil).Feeds[0].Reader
	if got, err := ids(t.Context(), reader, noon.Add(-time.Hour), noon); err != nil || len(got) != 2 || !slices.Contains(fake.pathsAsked(), "/v1/cdrs/all") {
		t.Errorf("asked %q, read %q, error %v", fake.pathsAsked(), got, err)
	}
	fake.asked = nil
	fake.rows[kindPlaced] = append(fake.rows[kindPlaced], rowsAt("2026-03-02T11:59:00Z")...)
	got, err := ids(t.Context(), reader, noon.Add(-time.Hour), noon.Add(time.Second))
	if err != nil || !slices.Contains(got, "placed:2026-03-02T11:59:00Z") || slices.Contains(fake.pathsAsked(), "/v1/cdrs/all") {
		t.Errorf("asked %q, read %q, error %v", fake.pathsAsked(), got, err)
	}
}

// TestShortStream: a stream that ends early without an error is asked for again, and one
// that always gives a page only is given up.
func TestShortStream(t *testing.T) {
	var times []string
	for i := range 60 {
		times = append(times, noon.Add(-time.Duration(i+1)*time.Second).Format(time.RFC3339))
	}
	for _, always := range []bool{false, true} {
		fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{kindPlaced: rowsAt(times...), kindReceived: rowsAt(times...)}}
		streams := 0
		fake.wrong = func(r *http.Request, right answer) answer {
			if strings.HasSuffix(r.URL.Path, "/all") {
				if streams++; always || streams < 3 {
					right.body = strings.Join(strings.Split(right.body, "\n")[:25], "\n")
				}
			}
			return right
		}
		got, err := ids(t.Context(), fake.open("format: stream\n"+callLogOnly, nil).Feeds[0].Reader, noon.Add(-time.Hour), noon)
		slices.Sort(got)
		if got = slices.Compact(got); err != nil || len(got) != 2*len(times) || streams < 3 {
			t.Errorf("%d calls of %d streams, error %v", len(got), streams, err)
		}
		if always && streams != 3 {
			t.Errorf("%d streams were asked for, want 3", streams)
		}
	}
}

// manyRows are rows with an id of the hour before noon, oldest first, after one without an
// id that is a part of another call.
func manyRows(n int) []listedRow {
	rows := []listedRow{{"2026-03-02", `{"date":"2026-03-02T11:00:00Z","from":"1","parent_uuid":"A"}`}}
	var times []string
	for i := range n {
		times = append(times, noon.Add(-time.Duration(n-i)*time.Second).Format(time.RFC3339))
	}
	return append(rows, rowsAt(times...)...)
}

// TestKeptBackIsReadAgain: whoever takes the rows may fail in any way. What was kept back
// until then is read again, once, though it is on a page that was read.
func TestKeptBackIsReadAgain(t *testing.T) {
	full := errors.New("the disk is full")
	for name, fail := range map[string]func() error{
		"error": func() error { return full },
		"panic": func() error { panic(full) },
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{kindPlaced: manyRows(2200)}}
			reader := fake.open(callLogOnly, nil).Feeds[0].Reader
			failed := false
			func() {
				defer func() { failed = failed || recover() != nil }()
				err := readPages(t.Context(), reader, noon.Add(-time.Hour), noon, func(b *collector.Page) error {
					if len(b.Records) == 1 && b.Records[0].Parent != "" {
						return fail()
					}
					return nil
				})
				failed = errors.Is(err, full)
			}()
			parts := 0
			err := readPages(t.Context(), reader, noon.Add(-time.Hour), noon.Add(time.Second), func(b *collector.Page) error {
				for _, r := range b.Records {
					if r.Parent != "" {
						parts++
					}
				}
				return nil
			})
			if err != nil || !failed || parts != 1 {
				t.Errorf("the part came %d times, want once; error %v", parts, err)
			}
		})
	}
}

// TestFailedReadGoesOn: the same range again goes on where it stopped.
func TestFailedReadGoesOn(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{kindPlaced: manyRows(4200)}}
	fake.wrong = func(r *http.Request, right answer) answer {
		if r.URL.Query().Get("page") == "4" {
			return answer{status: http.StatusForbidden}
		}
		return right
	}
	reader := fake.open(callLogOnly, nil).Feeds[0].Reader
	first, err := ids(t.Context(), reader, noon.Add(-2*time.Hour), noon)
	if err == nil {
		t.Fatal("a read without its last page is complete")
	}
	fake.wrong, fake.asked = nil, nil
	second, err := ids(t.Context(), reader, noon.Add(-2*time.Hour), noon)
	all := append(first, second...)
	slices.Sort(all)
	if all = slices.Compact(all); err != nil || len(all) != 4201 {
		t.Errorf("%d calls, want 4201; error %v", len(all), err)
	}
	for _, asked := range fake.asked {
		if strings.Contains(asked, "from=2026-03-02&page=1&") && strings.Contains(asked, "type=placed") {
			t.Errorf("page 1 was asked for again: %s", asked)
		}
	}
}

// TestSameRangeAgain: who reads a range a second time, up to the same end, gets all of it
// again, also of a day of several pages.
func TestSameRangeAgain(t *testing.T) {
	var times []string
	for i := range 2200 {
		times = append(times, noon.Add(-time.Duration(i+1)*time.Second).Format(time.RFC3339))
	}
	slices.Reverse(times)
	fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{kindPlaced: rowsAt(times...)}}
	reader := fake.open(callLogOnly, nil).Feeds[0].Reader
	for i, end := range []time.Time{noon, noon, noon.Add(time.Second)} {
		got, err := ids(t.Context(), reader, noon.Add(-time.Hour), end)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		got = slices.Compact(got)
		if i < 2 && len(got) != len(times) {
			t.Errorf("read %d: %d calls, want %d", i+1, len(got), len(times))
		}
		if i == 2 && len(got) >= len(times) {
			t.Errorf("read %d: %d calls were read again, want the last page's", i+1, len(got))
		}
	}
}

// TestRowsListedTwice: a row that stands twice in a row, beyond the size of a page or the
// total, is one of those that were counted.
func TestRowsListedTwice(t *testing.T) {
	for _, test := range []struct {
		letters        string
		page, per, all int
		keys           int
	}{
		{"ABBC", 1, 3, 9, 3}, // more than a page
		{"ABB", 2, 3, 5, 2},  // more than there are
		{"ABB", 1, 3, 9, 3},  // as many as there can be
		{"AABA", 1, 3, 3, 3}, // only neighbours
		{"ABBB", 1, 4, 2, 2}, // thrice
		{"ABC", 1, 2, -1, 3}, // none
		{"AAB", 1, 5, -1, 3}, // nobody says how many
		{"", 1, 5, 0, 0},
	} {
		l := newListing(t)
		body := fmt.Sprintf(`{"items":[%s],"pagination":{"per_page":%d,"total":%d}}`, strings.Join(listed(test.letters), ","), test.per, max(test.all, 0))
		if test.all < 0 {
			body = fmt.Sprintf(`{"items":[%s],"pagination":{"per_page":%d}}`, strings.Join(listed(test.letters), ","), test.per)
		}
		info, err := l.reading.pages.decode(strings.NewReader(body), test.page, test.per)
		if err != nil || len(info.Keys) != test.keys || len(info.Times) != test.keys {
			t.Errorf("%s: %d keys and %d times, want %d; error %v", test.letters, len(info.Keys), len(info.Times), test.keys, err)
		}
	}
}

// TestTimesOfRows: each row's start, in the order of the keys, and 0 for one without.
func TestTimesOfRows(t *testing.T) {
	rows := []string{at + `"uuid":"1"}`, `5`, `{"uuid":"2","date":"x"}`, at + `"uuid":"3","duration":"x"}`, at + `"from":"1"}`}
	begin := day1.Add(10 * time.Hour).Unix()
	want := []int64{begin, 0, 0, begin, begin}
	l := newListing(t)
	info, err := l.reading.pages.decode(strings.NewReader(page(rows...)), 1, 10)
	if err != nil || !slices.Equal(info.Times, want) {
		t.Errorf("times %v, want %v; error %v", info.Times, want, err)
	}
}
