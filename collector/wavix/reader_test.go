package wavix

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

var formats = []string{formatJSON, formatStream, formatCSV}

// TestGenerationIsFoundOutOnce: a path that failed isn't tried a second time. If neither path
// exists for a moment, nothing is remembered.
func TestGenerationIsFoundOutOnce(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationA}
	source := fake.open(callLogOnly+"active_calls: {}\n", nil)
	read := func() error {
		_, err := ids(t.Context(), source.Feeds[0].Reader, noon.Add(-time.Hour), noon)
		return err
	}
	for range 3 {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"/v1/cdrs", "/v1/cdr"}; !slices.Equal(fake.pathsAsked(), want) {
		t.Errorf("asked %q, want %q", fake.pathsAsked(), want)
	}
	if n := len(slices.DeleteFunc(slices.Clone(fake.asked),
		func(a string) bool { return !strings.HasPrefix(a, "/v1/cdrs") })); n != 1 {
		t.Errorf("the newer path was asked %d times, want once", n)
	}

	// If the path is missing for a moment, that is an error, and nothing is remembered.
	fake.asked, fake.paths = nil, nil
	if err := read(); httpclient.KindOf(err) != httpclient.KindNotFound {
		t.Errorf("error %v, want 404", err)
	}
	fake.asked, fake.paths = nil, generationA
	if err := read(); err != nil || !slices.Equal(fake.pathsAsked(), []string{"/v1/cdr"}) {
		t.Errorf("asked %q, error %v", fake.pathsAsked(), err)
	}
}

// TestNoGeneration: an error of the newer path isn't hidden by the older one, and
// nothing is remembered.
func TestNoGeneration(t *testing.T) {
	fake := &fakeWavix{t: t}
	reader := fake.open(callLogOnly, nil).Feeds[0].Reader
	_, err := ids(t.Context(), reader, noon.Add(-time.Hour), noon)
	if httpclient.KindOf(err) != httpclient.KindNotFound ||
		!strings.HasSuffix(fmt.Sprint(err), `GET cdrs: 404 Not Found, Wavix says "Record not found"`) {
		t.Errorf("error %v", err)
	}
	fake.paths = generationA
	fake.first = []reply{{status: http.StatusForbidden}}
	if _, err = ids(t.Context(), reader, noon.Add(-time.Hour),
		noon); httpclient.KindOf(err) != httpclient.KindForbidden {
		t.Errorf("error %v, want 403", err)
	}
	if _, err = ids(t.Context(), reader, noon.Add(-time.Hour), noon); err != nil {
		t.Error(err)
	}
}

func TestNoCSV(t *testing.T) {
	fake := &fakeWavix{
		t: t, paths: generationC,
		rows: map[string][]listedRow{kindPlaced: rowsAt("2026-03-02T11:00:00Z")},
	}
	source := fake.open("format: csv\n"+callLogOnly, nil)
	_, err := ids(t.Context(), source.Feeds[0].Reader, noon.Add(-time.Hour), noon)
	what, todo := source.Advise(err)
	if !errors.Is(err, errNoCSV) || !strings.Contains(todo, "set format to json or stream") {
		t.Errorf("error %v: %s: %s", err, what, todo)
	}
}

// TestTrap4AllDispositions: without asking for all, only answered calls come. The fake
// gives nothing to who doesn't ask.
func TestTrap4AllDispositions(t *testing.T) {
	q := query{Day: day1, Kind: kindPlaced}
	if got := q.parameters(2, 100).
		Encode(); got != "disposition=all&from=2026-03-01&page=2&per_page=100&to=2026-03-01&type=placed" {
		t.Errorf("asked %s", got)
	}
}

// TestTrap12NoAnswers: what isn't an answer fails the read, whatever its status; the
// next one has all.
func TestTrap12NoAnswers(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	for _, format := range formats {
		for name, wrong := range map[string]reply{
			"success false":     {body: `{"success":false,"message":"Service temporary unavailable"}`},
			"error true":        {body: `{"success":true,"error":true}`},
			"HTML":              {header: html, body: "<html>maintenance</html>"},
			"HTML as something": {body: "\n<!DOCTYPE html>"},
			"no list":           {body: `{"pagination":{}}`},
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				if format == formatStream && name == "no list" {
					t.Logf("a stream has no list: this is a row without a date")
					return
				}
				synctest.Test(t, func(t *testing.T) {
					fake := &fakeWavix{
						t: t, paths: generationA,
						rows: map[string][]listedRow{kindReceived: rowsAt("2026-03-02T11:00:00Z")},
					}
					reader := fake.open("format: "+format+"\n"+callLogOnly, nil).Feeds[0].Reader
					fake.wrong = func(*http.Request, reply) reply { return wrong }
					b := newBook()
					err := b.read(t.Context(), reader, noon.Add(-time.Hour), noon)
					if err == nil || len(b.totals)+b.last != 0 || len(fake.asked) < httpclient.Repeats+1 ||
						len(fake.asked) > httpclient.Repeats+2 {
						t.Errorf("error %v after asking %d times, %d totals, %d last pages", err, len(fake.asked),
							len(b.totals), b.last)
					}
					fake.wrong = nil
					if got, err := ids(t.Context(), reader, noon.Add(-time.Hour), noon); err != nil || len(got) != 1 {
						t.Errorf("read %q, error %v", got, err)
					}
				})
			})
		}
	}
}

// TestBrokenOnce: the client retries a cut answer, and yields nothing twice.
func TestBrokenOnce(t *testing.T) {
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row := listedRow{"2026-03-02", `{"date":"2026-03-02T11:00:00Z","from":"1"}`}
				fake := &fakeWavix{
					t: t, paths: generationA,
					rows: map[string][]listedRow{kindReceived: {row, row, row}},
				}
				broken := map[string]bool{}
				fake.wrong = func(r *http.Request, right reply) reply {
					if key := r.URL.Path + r.URL.RawQuery; right.status == 0 && !broken[key] && len(right.body) > 20 {
						broken[key] = true
						right.body = strings.TrimRight(right.body, "}\n")
						right.body = right.body[:len(right.body)-3]
					}
					return right
				}
				got, err := ids(t.Context(), fake.open("format: "+format+"\n"+callLogOnly, nil).Feeds[0].Reader,
					noon.Add(-time.Hour), noon)
				if err != nil || len(got) != 3 || len(broken) == 0 {
					t.Errorf("%d calls, want the three; %d answers were cut, error %v", len(got), len(broken), err)
				}
			})
		})
	}
}

// TestOneDayFails (counting.md 31): a day that the provider can't give delays the calls of no other day.
func TestOneDayFails(t *testing.T) {
	for name, wrong := range map[string]reply{
		"a fault": {status: http.StatusInternalServerError},
		"no JSON": {body: `{"items":[`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{
					kindPlaced:   rowsAt("2026-03-01T10:00:00Z", "2026-03-02T11:00:00Z"),
					kindReceived: rowsAt("2026-03-02T11:00:00Z"),
				}}
				fake.wrong = func(r *http.Request, right reply) reply {
					if q := r.URL.Query(); q.Get("from") == "2026-03-01" && q.Get("type") == kindPlaced {
						return wrong
					}
					return right
				}
				reader := fake.open(callLogOnly, nil).Feeds[0].Reader
				b := newBook()
				for range 2 {
					if err := b.read(t.Context(), reader, noon.Add(-time.Hour), noon); err == nil {
						t.Error("the read is complete without a day")
					}
				}
				if len(b.known) != 2 {
					t.Errorf("read %q, want both calls of the second of March", b.came)
				}
				fake.wrong = nil
				if err := b.read(t.Context(), reader, noon.Add(-48*time.Hour), noon); err != nil || len(b.known) != 3 {
					t.Errorf("then read %q, error %v, want all", b.came, err)
				}
			})
		})
	}
}

// TestFloor: rows from before the earliest read are left out, but never rows of the range.
func TestFloor(t *testing.T) {
	const day20, day26, day27, march2 = "placed:2026-02-20T10:00:00Z", "placed:2026-02-26T23:59:59Z",
		"placed:2026-02-27T00:00:01Z", "placed:2026-03-02T11:00:00Z"
	var rows []listedRow
	for _, id := range []string{day20, day26, day27, march2} {
		row := rowsAt(strings.TrimPrefix(id, "placed:"))[0]
		row.day = "2026-03-02" // whatever day they are listed on
		rows = append(rows, row)
	}
	at := noon
	fake := &fakeWavix{
		t: t, paths: generationC, rows: map[string][]listedRow{kindPlaced: rows},
		now: func() time.Time { return at },
	}
	reader := polled(fake.open(callLogOnly, nil))
	for _, read := range []struct {
		name string
		from time.Duration
		want []string
	}{
		{"the first read", time.Hour, []string{march2}},
		{"further back", 11 * 24 * time.Hour, []string{day20, day26, day27, march2}},
		{"less far, with late rows", time.Hour, []string{
			day20, day26, day27, march2, "placed:2026-02-26T23:59:58Z",
			"placed:2026-02-27T00:00:02Z",
		}},
		{
			"further back again", 11 * 24 * time.Hour,
			[]string{day20, day26, day27, march2, "placed:2026-02-26T23:59:58Z", "placed:2026-02-27T00:00:02Z"},
		},
	} {
		if strings.Contains(read.name, "late") {
			for _, late := range rowsAt("2026-02-26T23:59:58Z", "2026-02-27T00:00:02Z") {
				fake.rows[kindPlaced] = append(fake.rows[kindPlaced], listedRow{"2026-03-02", late.raw})
			}
		}
		got, err := ids(t.Context(), reader, noon.Add(-read.from), at)
		if err != nil || !slices.Equal(got, read.want) {
			t.Errorf("%s: read %q, want %q, error %v", read.name, got, read.want, err)
		}
		at = at.Add(time.Second / 100)
	}
}

// TestConsumerError: what wasn't taken comes again.
func TestConsumerError(t *testing.T) {
	full := errors.New("the disk is full")
	for _, format := range formats {
		fake := &fakeWavix{
			t: t, paths: generationA,
			rows: map[string][]listedRow{kindReceived: rowsAt("2026-03-02T11:00:00Z")},
		}
		reader := polled(fake.open("format: "+format+"\n"+callLogOnly, nil))
		b := newBook()
		b.fail = func(*collector.Page) error { return full }
		for range 2 {
			if err := b.read(t.Context(), reader, noon.Add(-time.Hour), noon); !errors.Is(err, full) {
				t.Errorf("%s: error %v", format, err)
			}
		}
		if got, err := ids(t.Context(), reader, noon.Add(-time.Hour), noon); err != nil || len(got) != 1 {
			t.Errorf("%s: read %q, error %v", format, got, err)
		}
	}
}

// TestWholeRangesForEachReader: who reads a range for the first time gets all of it,
// whatever was read before.
func TestWholeRangesForEachReader(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationC, rows: map[string][]listedRow{
		kindPlaced: rowsAt("2026-02-27T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-01T10:00:00Z",
			"2026-03-02T10:00:00Z"),
	}}
	reader := polled(fake.open(callLogOnly, nil))
	at := func(day int) time.Time { return time.Date(2026, 2, day, 0, 0, 0, 0, time.UTC) }
	for _, piece := range []struct {
		from, to time.Time
		want     string
	}{
		{at(27), at(28), "placed:2026-02-27T10:00:00Z"},
		{at(28), at(29), "placed:2026-02-28T10:00:00Z"},
		{at(29), noon, "placed:2026-03-02T10:00:00Z"},
		{at(28), noon.Add(time.Second), "placed:2026-02-28T10:00:00Z"},
		{at(27), at(28), "placed:2026-02-27T10:00:00Z"},
	} {
		got, err := ids(t.Context(), reader, piece.from, piece.to)
		if err != nil || !slices.Contains(got, piece.want) {
			t.Errorf("from %s to %s: read %q, want %s among them; error %v", piece.from, piece.to, got, piece.want, err)
		}
	}
}

// TestReadsOfOthers: an audit, a search or a history has all rows of the present day each time,
// whatever it or the polls have read.
func TestReadsOfOthers(t *testing.T) {
	rows := map[string][]listedRow{kindPlaced: rowsAt("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z")}
	fake := &fakeWavix{t: t, paths: generationC, rows: rows}
	source := fake.open(callLogOnly, nil)
	for i, c := range []struct {
		name   string
		reader collector.RangeReader
		want   int
	}{
		{"a poll", polled(source), 2},
		{"the next poll", polled(source), 0},
		{"an audit", source.Feeds[0].Reader, 2},
		{"its second pass", source.Feeds[0].Reader, 2},
		{"the poll after it", polled(source), 0},
	} {
		b := newBook()
		err := b.read(t.Context(), c.reader, noon.Add(-2*time.Hour), noon.Add(time.Duration(i)*time.Second))
		if err != nil || len(b.came) != c.want {
			t.Errorf("%s: read %q, want %d rows; error %v", c.name, b.came, c.want, err)
		}
	}
}

// TestReadsAtOnce: two reads at a time don't share what they know.
func TestReadsAtOnce(t *testing.T) {
	fake := &fakeWavix{
		t: t, paths: generationC,
		rows: map[string][]listedRow{kindReceived: rowsAt("2026-03-02T11:00:00Z")},
	}
	reader := polled(fake.open(callLogOnly, nil))
	var inner []string
	outer := newBook()
	outer.fail = func(page *collector.Page) (err error) {
		if len(page.Records) > 0 {
			inner, err = ids(t.Context(), reader, noon.Add(-time.Hour), noon)
		}
		return err
	}
	if err := outer.read(t.Context(), reader, noon.Add(-time.Hour), noon); err != nil || len(outer.came) != 1 ||
		len(inner) != 1 {
		t.Errorf("read %q and %q, error %v", outer.came, inner, err)
	}
}

// TestTotals: our totals and the provider's, for each day that was read, over both types.
func TestTotals(t *testing.T) {
	for _, format := range formats {
		fake := &fakeWavix{t: t, paths: generationA, rows: map[string][]listedRow{
			kindReceived: rowsAt("2026-03-01T10:00:00Z", "2026-03-02T11:00:00Z"),
			kindPlaced:   rowsAt("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"),
		}}
		reader := polled(fake.open("format: "+format+"\n"+callLogOnly, nil))
		b := newBook()
		for i := range 2 {
			err := b.read(t.Context(), reader, noon.Add(-time.Hour), noon.Add(time.Duration(i)*time.Second))
			got := map[string]string{}
			for day, total := range b.totals {
				got[day] = fmt.Sprint(total.Ours, " of ", total.Theirs)
			}
			if want := "map[2026-03-01:1 of 1 2026-03-02:3 of 3 2026-03-03:0 of 0]"; err != nil ||
				fmt.Sprint(got) != want || b.last != i+1 {
				t.Errorf("%s, read %d: totals %v, want %s; %d last pages, error %v", format, i+1, got, want, b.last,
					err)
			}
		}
	}
}

func TestProbe(t *testing.T) {
	for _, format := range formats {
		fake := &fakeWavix{t: t, paths: generationA, rows: map[string][]listedRow{
			kindPlaced: {{"2026-03-02", `{"date":"2026-03-02T10:00:00Z","uuid":"B","parent_uuid":"A"}`}},
		}}
		if format == formatCSV {
			fake.rows = map[string][]listedRow{kindPlaced: rowsAt("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z")}
		}
		probe := fake.open("format: "+format+"\n"+callLogOnly, nil).Feeds[0].Probe
		if rows, err := probe(t.Context()); rows != 1 || err != nil {
			t.Errorf("%s: %d rows, error %v", format, rows, err)
		}
		if last := fake.asked[len(fake.asked)-1]; !strings.Contains(last, "per_page=1&") ||
			!strings.Contains(last, "from=2026-03-02") {
			t.Errorf("%s: asked %s", format, last)
		}
		fake.first = slices.Repeat([]reply{{status: http.StatusForbidden}}, 2)
		if _, err := probe(t.Context()); httpclient.KindOf(err) != httpclient.KindForbidden {
			t.Errorf("%s: error %v, want 403", format, err)
		}
	}
}
