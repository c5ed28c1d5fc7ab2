package history

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestPiecesAndPasses (counting.md 9): the range is read in pieces that overlap by a
// second and aren't longer than the provider allows, each until a pass finds nothing new.
func TestPiecesAndPasses(t *testing.T) {
	f := &fakeFeed{page: 2, limits: collector.Limits{MaxRange: 30 * time.Hour}}
	late := call(3, noon.Add(90*time.Hour))
	f.calls = []cdr.Record{call(1, noon.Add(time.Hour)), call(2, noon.Add(80*time.Hour))}
	var asked []string
	f.before = func(from, to time.Time) error {
		asked = append(asked, fmt.Sprint(from.Sub(noon), " ", to.Sub(noon)))
		if len(asked) == 5 {
			f.calls = append(f.calls, late) // paging had left it out
		}
		return nil
	}
	if sum, _ := newBench(t).read(only(f, noon.Add(96*time.Hour+time.Millisecond))); sum.Calls != 3 {
		t.Errorf("%d calls", sum.Calls)
	}
	want := []string{
		"0s 24h0m0s", "0s 24h0m0s", "23h59m59s 48h0m0s", "47h59m59s 72h0m0s",
		"71h59m59s 96h0m0s", "71h59m59s 96h0m0s", "95h59m59s 96h0m1s",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q", asked)
	}
}

// TestPieceLengths: a long range is read in longer pieces, but for what is fetched one by
// one, which is kept in memory until it is.
func TestPieceLengths(t *testing.T) {
	day := 24 * time.Hour
	for name, tc := range map[string]struct {
		days    int
		limit   time.Duration
		fetcher collector.Fetcher
		want    time.Duration
	}{
		"a week":            {7, 0, nil, day},
		"a month":           {40, 0, nil, 2 * day},
		"years":             {800, 0, nil, 7 * day},
		"as the limit says": {800, 3 * day, nil, 3*day - 2*time.Second},
		"fetched":           {800, 0, &fakeFetcher{}, day},
	} {
		t.Run(name, func(t *testing.T) {
			f := only(&fakeFeed{limits: collector.Limits{MaxRange: tc.limit}}, noon.AddDate(0, 0, tc.days))
			f.Info.Fetcher = tc.fetcher
			if got := (&historyRead{History: &History{settings: Settings{From: noon}, feed: &f}}).
				piece(); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// TestRetries: a failed piece is retried a few times, with half its length after a pause.
// Its calls count once. Errors that a retry can't help fail at once.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeFeed{page: 1, calls: []cdr.Record{call(1, noon.Add(time.Hour)), call(2, noon.Add(20*time.Hour))}}
		var lengths []time.Duration
		f.before = func(from, to time.Time) error {
			lengths = append(lengths, to.Sub(from))
			if len(lengths) < 4 {
				return errors.New("it hiccups")
			}
			return nil
		}
		if sum, _ := newBench(t).read(only(f, noon.Add(24*time.Hour))); sum.Calls != 2 {
			t.Errorf("%d calls", sum.Calls)
		}
		want := []time.Duration{24 * time.Hour, 12 * time.Hour, 6 * time.Hour, 3 * time.Hour}
		if !slices.Equal(lengths[:4], want) {
			t.Errorf("pieces of %v", lengths)
		}
	})
	for name, tc := range map[string]struct {
		err   error
		reads int
	}{
		"what may pass": {errors.New("it hiccups"), collector.MaxTries},
		"ours":          {fmt.Errorf("%w: disk", ErrLocal), 1},
		"interrupted":   {context.Canceled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeFeed{before: func(time.Time, time.Time) error { return tc.err }}
				h, err := Open(t.Context(), newBench(t).set)
				require.NoError(t, err)
				_, err = h.Read(t.Context(), only(f, noon.Add(time.Hour)))
				if !errors.Is(err, tc.err) || f.reads != tc.reads {
					t.Errorf("%d reads, %v", f.reads, err)
				}
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestUnfinished (counting.md 17): a record that isn't final doesn't count while it may become so, and counts as it
// stands later, or when the next pass finds it finished.
func TestUnfinished(t *testing.T) {
	for _, finished := range []bool{false, true} {
		young, old := call(1, noon.Add(50*time.Hour)), call(2, noon.Add(time.Hour))
		young.Provisional, old.Provisional = true, true
		f := &fakeFeed{page: 5, calls: []cdr.Record{old, young, call(3, noon.Add(51*time.Hour))}}
		asked := 0
		f.before = func(_, to time.Time) error {
			if to.After(young.Start) {
				asked++
				f.calls[1].Provisional = !finished || asked == 1
			}
			return nil
		}
		b := newBench(t)
		b.set.Now = func() time.Time { return noon.Add(60 * time.Hour) }
		want := Summary{Calls: 2, Unfinished: 1}
		if finished {
			want = Summary{Calls: 3}
		}
		if sum, _ := b.read(only(f, noon.Add(55*time.Hour))); sum != want {
			t.Errorf("%+v, want %+v", sum, want)
		}
	}
}

// TestTwins (counting.md 18): rows without an id count as often as one read has them.
func TestTwins(t *testing.T) {
	f := &fakeFeed{page: 2}
	for i := range 3 {
		c := call(1, noon.Add(time.Duration(i/2)*time.Hour))
		c.ID, c.Synthetic = "", fmt.Sprint("same ", i/2)
		f.calls = append(f.calls, c)
	}
	if sum, _ := newBench(t).read(only(f, noon.Add(50*time.Hour))); sum.Calls != 3 {
		t.Errorf("%d calls", sum.Calls)
	}
}

// TestRetention: time that the provider no longer keeps isn't requested but reported. The
// series still begin at the wanted time.
func TestRetention(t *testing.T) {
	f := &fakeFeed{
		page: 2, limits: collector.Limits{Retention: 30 * 24 * time.Hour},
		calls: []cdr.Record{call(1, noon.Add(-time.Hour))},
	}
	first := noon
	f.before = func(from, _ time.Time) error {
		if from.Before(first) {
			first = from
		}
		return nil
	}
	b := newBench(t)
	b.set.From, b.set.Now = noon.AddDate(0, 0, -90), func() time.Time { return noon }
	_, past := b.read(only(f, noon))
	if want := noon.Add(-30*24*time.Hour + 10*time.Minute); !first.Equal(want) {
		t.Errorf("asked from %s, want %s", first, want)
	}
	if len(b.notes) != 1 || !strings.Contains(b.notes[0], "acme/call_log: the provider keeps records for 30 days") {
		t.Errorf("noted %q", b.notes)
	}
	for name, points := range past {
		if points[0] != (point{noon.AddDate(0, 0, -90).UnixMilli(), "0"}) {
			t.Errorf("%s begins with %v", name, points[0])
		}
	}
}

// fakeFetcher fetches what naming names.
type fakeFetcher struct {
	fetched map[string]int
	gone    string
}

// Parallel implements collector.Fetcher.
func (*fakeFetcher) Parallel() int { return 1 }

// Fetch implements collector.Fetcher.
func (f *fakeFetcher) Fetch(_ context.Context, tasks []work.Item) (*collector.Page, error) {
	key := tasks[0].Key
	f.fetched[key]++
	if key == f.gone {
		return nil, fmt.Errorf("404: %w", collector.ErrGone)
	}
	c := call(len(key), noon.Add(time.Hour))
	c.ID = key
	b := &collector.Page{Records: []*cdr.Record{&c}}
	if key == "young" {
		b.Enqueue = []work.Item{{Kind: "settle", Key: key}}
	}
	return b, nil
}

// naming is a reader that names records.
type naming struct{ names []string }

// Read implements collector.RangeReader.
func (n naming) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	b := &collector.Page{}
	for _, name := range n.names {
		b.Enqueue = append(b.Enqueue, work.Item{Kind: work.Record, Key: name, Version: 1})
	}
	return func(yield func(*collector.Page, error) bool) { yield(b, nil) }
}

// TestFetched: records that a list only names are fetched once; missing ones are reported.
func TestFetched(t *testing.T) {
	fetcher := &fakeFetcher{fetched: make(map[string]int), gone: "gone"}
	f := only(&fakeFeed{}, noon.Add(3*time.Hour))
	f.Info.Reader, f.Info.Fetcher, f.Info.Rules.Grows = naming{[]string{"a", "bb", "a", "gone", "young"}}, fetcher,
		true
	b := newBench(t)
	sum, _ := b.read(f)
	if want := (Summary{Calls: 3, Missing: 1, Unsettled: 1}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
	if !maps.Equal(fetcher.fetched, map[string]int{"a": 1, "bb": 1, "gone": 1, "young": 1}) {
		t.Errorf("fetched %v", fetcher.fetched)
	}
	if len(b.notes) != 1 || !strings.Contains(b.notes[0], "record gone: left out") {
		t.Errorf("noted %q", b.notes)
	}
}

// TestProgress: who watches sees it go on piece by piece, to the end.
func TestProgress(t *testing.T) {
	for name, newest := range map[string]bool{"oldest first": false, "newest first": true} {
		t.Run(name, func(t *testing.T) {
			f := &fakeFeed{page: 10, newest: newest}
			for i := range 300 {
				f.calls = append(f.calls, call(i, noon.Add(time.Duration(i)*10*time.Minute)))
			}
			b := newBench(t)
			var steps []time.Duration
			var last Progress
			b.set.Progress = func(p Progress) {
				if p.Written > 0 {
					return
				}
				steps, last = append(steps, p.Read), p
			}
			b.read(only(f, noon.Add(50*time.Hour)))
			if last != (Progress{Read: 50 * time.Hour, Calls: 300}) || !slices.IsSorted(steps) ||
				len(slices.Compact(steps)) < 3 {
				t.Errorf("it ends at %v: %v", last, steps)
			}
		})
	}
}
