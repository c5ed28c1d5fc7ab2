package app

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// sumOf adds up lines of the metrics that have a text in their labels.
func sumOf(t *testing.T, lines []string, label string) (sum int64) {
	t.Helper()
	for _, line := range lines {
		if labels, value, _ := strings.Cut(line, "} "); strings.Contains(labels, label) {
			v, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err)
			sum += int64(v)
		}
	}
	return sum
}

// The page shows the calls of the last hours as the metrics count them, and the figures
// of the ledger.
func TestPageShowsWhatIsCounted(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	a := start(t, n.write("data", ""))
	untilHas(t, a, calls)
	until(t, a, everyRow)
	metrics := shown(t, a, "cdr_calls_total")
	wantCalls, wantFailures := sumOf(t, metrics, `source="contoso"`), sumOf(t, metrics, `outcome="failed"`)
	if wantCalls != 500 || wantFailures == 0 {
		t.Fatalf("%d calls, %d failures in the metrics", wantCalls, wantFailures)
	}
	require.Eventually(t, "the activity matches the metrics", func() bool {
		var calls, failures int64
		activity, err := a.Activity(t.Context(), time.Now().Add(-web.ActivityKept))
		require.NoError(t, err)
		for _, one := range activity {
			if age := time.Since(one.Start); age < 13*time.Hour || age > 15*time.Hour {
				t.Fatalf("calls began at %v", one.Start)
			}
			calls, failures = calls+one.Calls, failures+one.Failures
		}
		return calls == wantCalls && failures == wantFailures
	})
	if _, page := ask(t, a, http.MethodGet, "/"); !strings.Contains(page, "Calls started: 500.") ||
		!strings.Contains(page, "<svg") {
		t.Error("the page doesn't show them")
	} else if !strings.Contains(page, `data-trunk="sbc1.example.com"`) || !strings.Contains(page, ` attempts: `) {
		t.Error("the page doesn't show the trunks")
	}

	var status web.Status
	require.Eventually(t, "the figures match the metrics", func() bool {
		status = wholeStatus(t, a)
		return status.Ledger.Series == sumOf(t, shown(t, a, "cdr_exporter_series"), `source="contoso"`)
	})
	feed := status.Sources[0].Feeds[0]
	if feed.Series == 0 || feed.Series != status.Ledger.Series || status.Ledger.SizeBytes <= 0 ||
		feed.NewestCall.IsZero() || feed.Snapshot {
		t.Errorf("the status is %+v of %+v", status.Ledger, feed)
	}
	if got := sumOf(t, shown(t, a, "cdr_exporter_newest_call_timestamp_seconds"), ""); got != feed.NewestCall.Unix() {
		t.Errorf("the metrics have %d as the time of the newest call, the status %d", got, feed.NewestCall.Unix())
	}
}

// TestStatusShowsOverflow: the status shows overflowing observations with the feed and the ledger.
func TestStatusShowsOverflow(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 2, cdr.Outbound: 5})
	a := start(t, provider.write(t.TempDir(), "call_log: , active_calls: ", ""), provider.provider())
	for _, f := range a.running.Load().sources[0].feeds() {
		if f.info.Name == "call_log" {
			f.metrics.Overflow(map[string]int{"cdr_calls_total": 2, "cdr_call_legs_total": 3})
		}
	}
	if n := feedOf(statusOf(t, a), "call_log").SeriesOverflow; n != 5 {
		t.Errorf("the status shows an overflow of %d", n)
	}
	require.Eventually(t, "the calls in progress are shown", func() bool {
		feed := feedOf(statusOf(t, a), "active_calls")
		return feed.Snapshot && feed.InProgress != nil && *feed.InProgress == 7
	})
	require.Eventually(t, "they aren't known after failures", func() bool {
		provider.calls(nil)
		return feedOf(statusOf(t, a), "active_calls").InProgress == nil
	})
}
