package web_test

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
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const inserted = "    request: {path: /calls, query: {q: '{from|15:04:05}-{to|15:04:05}'}}\n" +
	"    filter: {by: inserted, min_age: 1m, max_range: 2h, retention: 5h}\n    next: {link: next}\n"

// TestInsertedSpans (definitions.md 3): a first start reads as far back as the provider keeps rows,
// in spans of max_range; then each span once with a minute of what was read before, however old the
// calls are; what a long outage loses is logged once.
func TestInsertedSpans(t *testing.T) {
	f := declaredtest.Always(declaredtest.Rows(600))
	info := f.Open(t, "", inserted)
	if !info.Rules.ByArrival || info.Limits.MaxRange != 0 {
		t.Errorf("rules %+v, limits %+v", info.Rules, info.Limits)
	}
	var position []byte
	for _, c := range []struct {
		name    string
		after   time.Duration
		asked   string
		log     string
		deleted time.Duration
	}{
		{"first start", 0, "07:01:01-09:01:01 09:01:00-11:01:00 11:00:59-11:59:00", "shorter than configured", 0},
		{"a minute later", time.Minute, "11:58:00-12:00:00", "", 0},
		{"nothing new", 0, "", "", 0},
		{
			"after an outage", 8 * time.Hour, "15:02:01-17:02:01 17:02:00-19:02:00 19:01:59-20:00:00",
			"has deleted rows before", 3*time.Hour + 2*time.Minute + time.Second,
		},
		{"a minute later", time.Minute, "19:59:00-20:01:00", "", 3*time.Hour + 2*time.Minute + time.Second},
	} {
		f.Now = f.Now.Add(c.after)
		f.Asked = nil
		f.Log.Reset()
		var got []string
		var err error
		position, got, err = declaredtest.Poll(t, info,
			collector.StreamPosition{Resume: position, Origin: declaredtest.Noon.Add(-24 * time.Hour), Now: f.Now})
		asked := strings.ReplaceAll(strings.Join(f.Asked, " "), "/calls?q=", "")
		if err != nil || asked != c.asked || len(got) != len(f.Asked) {
			t.Errorf("%s: asked for %s, %v; want %s", c.name, asked, err, c.asked)
		}
		if text := f.Log.String(); strings.Count(text, "\n") != min(len(c.log), 1) || !strings.Contains(text, c.log) {
			t.Errorf("%s: logged %q, want %s", c.name, text, c.log)
		}
		if got := info.Unread(); got != c.deleted {
			t.Errorf("%s: %s are unread, want %s", c.name, got, c.deleted)
		}
	}
}

// TestInsertedPosition (counting.md 2): a span that isn't read to its end moves no position, and none moves to
// where the provider's clock isn't yet.
func TestInsertedPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now() // the local clock, ten minutes ahead of the provider's
		f := &declaredtest.API{Now: now, Date: now.Add(-10 * time.Minute)}
		f.Answer = func(r *http.Request) (string, http.Header) {
			if strings.HasPrefix(r.URL.RawQuery, "p=2") {
				return "!404", nil
			}
			return declaredtest.Rows(1), http.Header{"Link": {`</calls?p=2>; rel="next"`}}
		}
		from := collector.StreamPosition{Origin: now.Add(-time.Hour), Now: now}
		position, got, err := declaredtest.Poll(t, f.Open(t, "", inserted), from)
		if position != nil || len(got) != 1 || err == nil {
			t.Errorf("position %v, rows %v, error %v of a page that is missing", position, got, err)
		}
		f.Answer = func(*http.Request) (string, http.Header) { return declaredtest.Rows(1), nil }
		info := f.Open(t, "", inserted) // knows no clock again
		f.Asked = nil
		if from.Resume, _, err = declaredtest.Poll(t, info, from); err != nil {
			t.Fatal(err)
		}
		f.Now = now.Add(20 * time.Minute)
		from.Now = f.Now
		if _, _, err = declaredtest.Poll(t, info, from); err != nil {
			t.Fatal(err)
		}
		if want := []string{"/calls?q=22:59:00-23:59:00", "/calls?q=23:48:00-00:09:00"}; !slices.Equal(f.Asked, want) {
			t.Errorf("asked for %q, want %q", f.Asked, want)
		}
	})
}

// TestInsertedClock: a position that a wrong clock has moved ahead is stepped back by the lookback,
// and a clock that was set is noticed.
func TestInsertedClock(t *testing.T) {
	const ahead = 2 * time.Hour
	noon := declaredtest.Noon
	for _, c := range []struct {
		name   string
		offset []time.Duration // of the provider's clock, of three polls; nil: it isn't known
		asked  string
	}{
		{
			"no other clock is known", nil,
			"10:59:00-12:59:00 12:58:59-13:59:00, 11:04:00-12:04:00, 12:03:00-12:05:00",
		},
		{
			"the provider's is known",
			[]time.Duration{-ahead, 0, 0},
			"10:59:00-12:59:00, 11:58:00-11:59:00 11:58:59-12:04:00, 12:03:00-12:05:00",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := declaredtest.Always(declaredtest.Rows(600))
				info := f.Open(t, "", inserted)
				from := collector.StreamPosition{Origin: noon.Add(-time.Hour)}
				var asked []string
				for i, local := range []time.Duration{ahead, 5 * time.Minute, 6 * time.Minute} {
					f.Now, f.Asked = noon.Add(local), nil
					if from.Now = f.Now; c.offset != nil {
						f.Date = time.Now().Add(c.offset[i])
					}
					var err error
					from.Resume, _, err = declaredtest.Poll(t, info, from)
					require.NoError(t, err)
					asked = append(asked, strings.ReplaceAll(strings.Join(f.Asked, " "), "/calls?q=", ""))
				}
				if got := strings.Join(asked, ", "); got != c.asked {
					t.Errorf("asked for %s, want %s", got, c.asked)
				}
			})
		})
	}
}

// TestInsertedOverlap: as much as the definition says of what was read is read again, also where
// that is longer than max_range.
func TestInsertedOverlap(t *testing.T) {
	for _, c := range []struct{ overlap, asked string }{
		{"", "11:58:00-12:04:00"},
		{", overlap: 0s", "11:59:00-12:04:00"},
		{", overlap: 25m", "11:34:00-12:04:00"},
		{", overlap: 2h", "09:59:00-10:59:00 10:58:59-11:58:59 11:58:58-12:04:00"},
	} {
		t.Run(c.overlap, func(t *testing.T) {
			f := declaredtest.Always(declaredtest.Rows(600))
			info := f.Open(t, "", strings.Replace(inserted, "max_range: 2h", "max_range: 1h"+c.overlap, 1))
			from := collector.StreamPosition{Origin: declaredtest.Noon.Add(-time.Hour), Now: declaredtest.Noon}
			position, _, err := declaredtest.Poll(t, info, from)
			require.NoError(t, err)
			f.Now, f.Asked = declaredtest.Noon.Add(5*time.Minute), nil
			next, _, err := declaredtest.Poll(t, info, collector.StreamPosition{Resume: position, Now: f.Now})
			if asked := strings.ReplaceAll(strings.Join(f.Asked, " "), "/calls?q=", ""); err != nil ||
				asked != c.asked {
				t.Errorf("asked for %s, %v; want %s", asked, err, c.asked)
			}
			f.Asked = nil
			again, _, err := declaredtest.Poll(t, info, collector.StreamPosition{Resume: next, Now: f.Now})
			if err != nil || len(f.Asked) > 0 || !slices.Equal(again, next) {
				t.Errorf("then asked for %q, %v", f.Asked, err)
			}
		})
	}
}

// TestInsertedFewerRows: a span with fewer rows than its total is read five times; the position
// stands before it, and newer spans are read.
func TestInsertedFewerRows(t *testing.T) {
	f, short := new(declaredtest.API), 3
	f.Answer = func(r *http.Request) (string, http.Header) {
		total := 1
		if short > 0 && strings.HasPrefix(r.URL.Query().Get("q"), "09:01:00") {
			short--
			total = 2
		}
		return fmt.Sprintf(`{"rows":%s,"total":%d}`, declaredtest.Rows(600), total), nil
	}
	info := f.Open(t, "", inserted+"    rows: rows\n    total: total\n")
	from := collector.StreamPosition{Origin: declaredtest.Noon.Add(-24 * time.Hour), Now: declaredtest.Noon}
	position, got, err := declaredtest.Poll(t, info, from)
	if err != nil || len(got) != 6 {
		t.Errorf("after three reads too short: %d rows, %v", len(got), err)
	}
	whole := position
	f.Asked, short = nil, 100
	position, got, err = declaredtest.Poll(t, info, from)
	_, isPartial := errors.AsType[*collector.Partial](err)
	if !isPartial || !collector.IsFewerRows(err) || len(got) != 7 || len(f.Asked) != 7 ||
		slices.Equal(position, whole) || position == nil {
		t.Errorf("position %v, %d rows of %q, %v", position, len(got), f.Asked, err)
	}
	from.Resume, f.Asked, short = position, nil, 0
	position, _, err = declaredtest.Poll(t, info, from)
	if err != nil || !slices.Equal(position, whole) || len(f.Asked) != 2 {
		t.Errorf("later: position %v, want %v, of %q, %v", position, whole, f.Asked, err)
	}
}

// TestInsertedForCommands: the calls of a span are found among the rows that were inserted from its
// begin to its end and the lookback.
func TestInsertedForCommands(t *testing.T) {
	f := declaredtest.Always(declaredtest.Rows(100, 130, 190))
	info := f.Open(t, "", inserted)
	from := declaredtest.Noon.Add(-3 * time.Hour)
	got, _, err := declaredtest.ReadIDs(t, info, from, from.Add(time.Hour))
	if err != nil || strings.Join(got, " ") != "130" || !slices.Equal(f.Asked, []string{"/calls?q=09:00:00-11:00:00"}) {
		t.Errorf("rows %v of %q, %v", got, f.Asked, err)
	}
}
