package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/audit"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestExportsFindRecords: the ledger knows the ids of a known portal's export. Wavix's file lacks the type of its rows,
// which is in the ledger's ids.
func TestExportsFindRecords(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	at := day.Add(8*time.Hour + 15*time.Minute)
	for name, test := range map[string]struct {
		text string
		ids  []string
	}{
		"Wavix": {
			"uuid,date\nA3,2026-11-22T08:15:00.000Z\nA4,2026-11-22T08:15:00.000Z\n",
			[]string{"placed:A3", "received:A4"},
		},
		"Teams admin centre, in capitals": {
			"UsageId,Start Time\n9E8BBA57-0000-4000-8000-00000000000A,2026-11-22 08:15:00\n",
			[]string{"9e8bba57-0000-4000-8000-00000000000a"},
		},
		"records": {"id,start\nplaced:A3,2026-11-22T08:15:00Z\n", []string{"placed:A3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, os.WriteFile(filepath.Clean("export.csv"), []byte(test.text), 0o600))
			now := func() time.Time { return day.Add(30 * time.Hour) }
			l, err := ledger.Open(t.Context(), ledger.Settings{
				Storage: ledger.Storage{Folder: "ledger"}, Now: now, Options: metrics.Options{SeriesLimit: 100},
			})
			require.NoError(t, err)
			defer l.Close() //nolint:errcheck // read
			spec := ledger.FeedSpec{Fingerprint: "one", Settings: counting.Settings{
				Source: "s", Provider: "p", Feed: "f", History: 48 * time.Hour,
				Lookback: 48 * time.Hour, LateAfter: time.Hour,
			}}
			feed, err := l.Feed(t.Context(), spec)
			require.NoError(t, err)
			page := &counting.Page{
				ObservedAt: now(),
				Position:   &counting.Position{HistoryDone: true, Watermark: now(), Read: &counting.Read{Began: now()}},
			}
			for _, id := range test.ids {
				page.Records = append(page.Records, &cdr.Record{ID: id, Start: at, Outcome: cdr.Answered})
			}
			_, err = feed.Commit(t.Context(), page)
			require.NoError(t, err)
			a := auditCommand{against: "export.csv"}
			var out bytes.Buffer
			export, err := a.openExport(t.Context(), new(commandConfig), &out)
			require.NoError(t, err)
			days, err := audit.Run(t.Context(), audit.Settings{
				From: day, To: day.AddDate(0, 0, 1), Ledger: l, Now: now, Note: func(string) {},
			}, audit.Feed{Spec: spec, NoAmounts: true, Info: &collector.FeedInfo{
				Name: "f", Interval: time.Minute, Lookback: 48 * time.Hour, Reader: export,
			}})
			if err != nil || len(days) != 1 || days[0].Counted != len(test.ids) || days[0].Missing > 0 ||
				days[0].Vanished > 0 {
				t.Errorf("%+v, %v, %s", days, err, out.String())
			}
		})
	}
}
