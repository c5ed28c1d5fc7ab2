package history

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/exporters/openmetrics"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// fakeFeed is a provider's feed: calls in the order of their starts, or newest first, in
// pages that use memory again.
type fakeFeed struct {
	calls  []cdr.Record
	page   int
	limits collector.Limits
	// before is called before each read; its error fails the read.
	before func(from, to time.Time) error
	reads  int
	newest bool
	// repeat repeats each row whose number it divides; 0: none.
	repeat int
}

// Pages implements collector.RangeReader. It brings a minute more on either side.
func (f *fakeFeed) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		f.reads++
		if f.before != nil {
			if err := f.before(from, to); err != nil {
				yield(nil, err)
				return
			}
		}
		var rows []*cdr.Record
		for i := range f.calls {
			c := f.calls[i]
			if c.Start.Before(from.Add(-time.Minute)) || !c.Start.Before(to.Add(time.Minute)) {
				continue
			}
			c.ID = strings.Clone(c.ID)
			rows = append(rows, &c)
			if f.repeat > 0 && i%f.repeat == 0 {
				again := f.calls[i]
				rows = append(rows, &again)
			}
		}
		if f.newest {
			slices.Reverse(rows)
		}
		for page := range slices.Chunk(rows, max(1, f.page)) {
			if !yield(&collector.Page{Records: page}, nil) {
				return
			}
			for _, r := range page {
				r.Reset()
			}
		}
	}
}

// info is the feed as a source has it.
func (f *fakeFeed) info() *collector.FeedInfo {
	return &collector.FeedInfo{
		Name: "call_log", Reader: f, Limits: f.limits, Lookback: 48 * time.Hour, Currency: "EUR",
		Fingerprint: "fake",
	}
}

// call makes the n-th call; what it is follows from n.
func call(n int, start time.Time) cdr.Record {
	r := cdr.Record{
		ID: fmt.Sprintf("call-%d", n), Start: start, Direction: cdr.Outbound, CallType: "voip_call",
		Trunk:   "sbc" + strconv.Itoa(n%3),
		Country: "DE", Outcome: cdr.Answered, Duration: time.Duration(n%4000) * 123 * time.Millisecond,
	}
	if n%4 == 0 {
		r.Outcome, r.Duration, r.SIPCode, r.Reason = cdr.Failed, 0, cdr.KnownInt(503), "timeout"
	}
	r.End = start.Add(r.Duration)
	amount, err := cdr.ParseMoney(fmt.Sprintf("0.%04d", n%777))
	if err != nil {
		panic(err)
	}
	r.Charges = []cdr.Charge{{Component: "usage", Amount: amount}}
	return r
}

// callsIn returns n calls at random times of a range, in order.
func callsIn(r *rand.Rand, from, to time.Time, n int) []cdr.Record {
	var starts []time.Time
	for range n {
		starts = append(starts, from.Add(time.Duration(r.Int64N(int64(to.Sub(from))))))
	}
	slices.SortFunc(starts, time.Time.Compare)
	all := make([]cdr.Record, n)
	for i, start := range starts {
		all[i] = call(i, start)
	}
	return all
}

// bench is a history under test.
type bench struct {
	t     testing.TB
	set   Settings
	notes []string
	text  bytes.Buffer
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t}
	b.set = Settings{
		From: noon, Step: time.Minute, SeriesLimit: 100,
		Now:  func() time.Time { return noon.AddDate(1, 0, 0) },
		Note: func(text string) { b.notes = append(b.notes, text) },
	}
	return b
}

// read reads feeds, and what they come to.
func (b *bench) read(feeds ...Feed) (Summary, past) {
	b.t.Helper()
	var sum Summary
	h, err := Open(b.t.Context(), b.set)
	require.NoError(b.t, err)
	defer func() {
		if err := h.Close(); err != nil {
			b.t.Error(err)
		}
	}()
	for _, f := range feeds {
		if sum, err = h.Read(b.t.Context(), f); err != nil {
			b.t.Fatal(err)
		}
	}
	require.NoError(b.t, h.Write(b.t.Context(), openmetrics.NewWriter(&b.text, nil)))
	return sum, pastOf(b.t, b.text.String())
}

// point is a sample.
type point struct {
	at    int64 // in milliseconds
	value string
}

// past are the samples of each series, by its text without a value.
type past map[string][]point

func pastOf(t testing.TB, text string) past {
	t.Helper()
	all := make(past)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		at, err := strconv.ParseFloat(fields[2], 64)
		require.NoError(t, err)
		all[fields[0]] = append(all[fields[0]], point{int64(at*1000 + 0.5), fields[1]})
	}
	return all
}

// ends are the last values of the series of a metric, without source, provider and feed.
func (p past) ends(metric string) map[string]string {
	all := make(map[string]string)
	for name, points := range p {
		if rest, ok := strings.CutPrefix(name, metric+`{source="acme",provider="fake",feed="call_log"`); ok {
			all[strings.Trim(rest, ",}")] = points[len(points)-1].value
		}
	}
	return all
}

// only is a feed of a source, up to a time.
func only(f *fakeFeed, to time.Time) Feed {
	return Feed{Source: "acme", Provider: "fake", Info: f.info(), To: to}
}
