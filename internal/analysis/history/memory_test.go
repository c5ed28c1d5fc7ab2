package history

import (
	"context"
	"io"
	"iter"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/exporters/openmetrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// endless is a feed that makes up its calls while they are read, so it needs no memory.
type endless struct {
	gap  time.Duration
	page func()
}

// Pages implements collector.RangeReader.
func (e *endless) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		b := &collector.Page{}
		for at := from.Truncate(e.gap); at.Before(to); at = at.Add(e.gap) {
			c := call(int(at.Sub(noon)/e.gap), at)
			if b.Records = append(b.Records, &c); len(b.Records) == 500 {
				e.page()
				if !yield(b, nil) {
					return
				}
				b.Records = b.Records[:0]
			}
		}
		yield(b, nil)
	}
}

// TestMemoryIsBounded: twice the range needs no more memory.
func TestMemoryIsBounded(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // what lives is measured when garbage is collected
	peak := func(days int) (most uint64, calls int) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		look := func() {
			metrics.Read(live)
			most = max(most, live[0].Value.Uint64())
		}
		runtime.GC()
		b := newBench(t)
		b.set.Progress = func(Progress) { look() }
		h, err := Open(t.Context(), b.set)
		require.NoError(t, err)
		f := only(new(fakeFeed), noon.AddDate(0, 0, days))
		f.Info.Reader = &endless{gap: 100 * time.Second, page: look}
		sum, err := h.Read(t.Context(), f)
		require.NoError(t, err)
		w := openmetrics.NewWriter(io.Discard, nil)
		require.NoError(t, h.Write(t.Context(), w))
		look()
		require.NoError(t, h.Close())
		t.Logf("%d days: %d calls, %d series, %d samples, %.1f MB", days, sum.Calls, h.Series(), w.Samples(),
			float64(most)/1e6)
		return most, sum.Calls
	}
	short, few := peak(20) // the ledger and the sorter have caches
	long, many := peak(40)
	if few != 20*864 || many != 40*864 {
		t.Errorf("%d and %d calls", few, many)
	}
	if long > short+3<<20 { // the caches are nearly full by then
		t.Errorf("%d bytes for twice the range, %d for once", long, short)
	}
}
