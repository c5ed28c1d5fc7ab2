package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/audit"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const ownDefinition = `provider: bill
files: {read: whole, format: csv, separator: ";"}
feeds:
  calls:
    record:
      id: no
      start: {path: begin, time: "02.01.2006 15:04", zone: UTC}
      outcome: {is: answered}
      charges: [{component: usage, amount: cost, currency: {is: EUR}}]
`

// TestExports: files are read by a definition, those of known portals by the built-in one, and amounts only with a
// currency. Lines of one id that follow one another are the charges of one record. Rows that can't be read are printed
// and left out; a file without a row that can be read is refused.
func TestExports(t *testing.T) {
	for name, test := range map[string]struct{ definition, text, want, printed, problem string }{
		"records": {
			text: "id,start,amount,currency\nA1,2026-11-22T08:15:00Z,0.5,EUR\n",
			want: "A1 2026-11-22T08:15:00Z 0.5 EUR",
		},
		"Teams admin centre": {
			text: "\ufeffUsageId,Call ID,Start Time,End Time,Charge,Currency\nA2,other,2026-11-22 " +
				"08:15:00.25,2026-11-22 08:16:00,1.2500,USD\n", want: "a2 2026-11-22T08:15:00.25Z 1.25 USD",
		},
		"Teams admin centre, with what a call costs beside its charge": {
			text: "UsageId,Start Time,Connection Fee,Charge,Currency\nA7,2026-11-22 " +
				"08:15:00,0.10,1.25,USD\nA8,2026-11-22 08:15:00,,1,USD\n",
			want: "a7 2026-11-22T08:15:00Z 1.25 USD 0.1 USD, a8 2026-11-22T08:15:00Z 1 USD",
		},
		"Wavix": {
			text: "call_id,uuid,date,from,to,charge\nother,A3,2026-11-22T08:15:00.000Z,1,2,0.162\n",
			want: "A3 2026-11-22T08:15:00Z, without amounts",
		},
		"an id that `records` keeps from being a formula": {
			text: "id,start\n'-A5,2026-11-22T08:15:00Z\n'A6,2026-11-22T08:15:00Z\n-5,2026-11-22T08:15:00Z\n",
			want: "-A5 2026-11-22T08:15:00Z, 'A6 2026-11-22T08:15:00Z, -5 2026-11-22T08:15:00Z, without amounts",
		},
		"our names go first": {
			text: "uuid,id,date,start\nother,A4,2026-11-01,2026-11-22 08:15:00\n",
			want: "A4 2026-11-22T08:15:00Z, without amounts",
		},
		"several charges of a record": {
			text: "id,start,amount,currency\nA1,2026-11-22T08:15:00Z,1,EUR\nA1,2026-11-22T08:15:00Z,2,EUR\n" +
				"A2,2026-11-22T08:15:00Z,3,EUR\n",
			want: "A1 2026-11-22T08:15:00Z 1 EUR 2 EUR, A2 2026-11-22T08:15:00Z 3 EUR",
		},
		"another file": {
			definition: ownDefinition, text: "no;begin;cost\nA1;22.11.2026 08:15;0.7\n",
			want: "A1 2026-11-22T08:15:00Z 0.7 EUR",
		},
		"a start in another form": {
			text: "id,start\nA1,22.11.2026\nA2,2026-11-22 08:15:00\n", want: "A2 2026-11-22T08:15:00Z, without amounts",
			printed: "left out: start",
		},
		"an amount that isn't a number": {
			text: "id,start,amount,currency\nA1,2026-11-22 08:15:00,x,EUR\nA2,2026-11-22 08:15:00,1,EUR\n",
			want: "A2 2026-11-22T08:15:00Z 1 EUR", printed: "left out: amount",
		},
		"other columns": {
			text: "Call,Begin\nA1,2026-11-22 08:15:00\n", printed: "left out: id is missing",
			problem: "no row of export.csv can be read: id is missing; .*columns id and start",
		},
		"no rows": {text: "id,start\n", problem: "export.csv has no rows"},
	} {
		t.Run(name, func(t *testing.T) {
			got, printed, err := readExport(t, test.definition, test.text)
			if got != test.want || !strings.Contains(printed, test.printed) || (printed == "") != (test.printed == "") {
				t.Errorf("got %q, %q, want %q", got, printed, test.want)
			}
			matchesError(t, err, test.problem)
		})
	}
}

// TestPagesOfExport: the charges of one record are together, wherever a page ends.
func TestPagesOfExport(t *testing.T) {
	const records = 2500
	text, want := "id,start,amount,currency\n", make([]string, 0, records)
	for n := range records {
		text += strings.Repeat(fmt.Sprintf("A%d,2026-11-22T08:15:00Z,0.5,EUR\n", n), 3)
		want = append(want, fmt.Sprintf("A%d 2026-11-22T08:15:00Z 0.5 EUR 0.5 EUR 0.5 EUR", n))
	}
	got, printed, err := readExport(t, "", text)
	if err != nil || printed != "" || got != strings.Join(want, ", ") {
		t.Errorf("%q, %v: the records are %.300s", printed, err, got)
	}
}

// readExport reads the records of a day from a file.
func readExport(t *testing.T, definition, text string) (records, printed string, err error) {
	t.Helper()
	t.Chdir(t.TempDir())
	a := auditCommand{against: "export.csv"}
	for name, text := range map[string]string{a.against: text, "own.yaml": definition} {
		require.NoError(t, os.WriteFile(filepath.Clean(name), []byte(text), 0o600))
	}
	if definition != "" {
		a.file.definition = "own.yaml"
	}
	var out bytes.Buffer
	export, err := a.openExport(t.Context(), new(commandConfig), &out)
	if err != nil {
		return "", out.String(), err
	}
	var all []string
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for page, err := range export.Pages(t.Context(), day, day.AddDate(0, 0, 1)) {
		if err != nil {
			return "", out.String(), err
		}
		all = append(all, recordTexts(page)...)
	}
	if a.noAmounts {
		all = append(all, "without amounts")
	}
	return strings.Join(all, ", "), out.String(), nil
}

func recordTexts(page *collector.Page) (texts []string) {
	for _, r := range page.Records {
		text := r.ID + " " + r.Start.Format(time.RFC3339Nano)
		for i := range r.Charges {
			text += " " + r.Charges[i].Amount.String() + " " + r.Charges[i].Currency
		}
		texts = append(texts, text)
	}
	return texts
}

func matchesError(t *testing.T, err error, pattern string) {
	t.Helper()
	if (err == nil) != (pattern == "") || err != nil && !regexp.MustCompile(pattern).MatchString(err.Error()) {
		t.Errorf("got the error %v, want %q", err, pattern)
	}
}

// TestExportsFindRecords: the ledger knows the ids of a known portal's export. Wavix's file lacks the type of its rows,
// which is in the ledger's ids.
func TestExportsFindRecords(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	at := day.Add(8*time.Hour + 15*time.Minute)
	for name, test := range map[string]struct {
		text    string
		ids     []string
		changed int64
	}{
		"Wavix": {
			"uuid,date\nA3,2026-11-22T08:15:00.000Z\nA4,2026-11-22T08:15:00.000Z\n",
			[]string{"placed:A3", "received:A4"},
			0,
		},
		"Teams admin centre, in capitals": {
			"UsageId,Start Time\n9E8BBA57-0000-4000-8000-00000000000A,2026-11-22 08:15:00\n",
			[]string{"9e8bba57-0000-4000-8000-00000000000a"},
			0,
		},
		"records": {"id,start\nplaced:A3,2026-11-22T08:15:00Z\n", []string{"placed:A3"}, 0},
		"another amount of a record that has a version": {
			"id,start,amount,currency\nA3,2026-11-22T08:15:00Z,0.5,EUR\nA4,2026-11-22T08:15:00Z,7.5,EUR\n",
			[]string{"A3", "A4"},
			1,
		},
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
				r := &cdr.Record{ID: id, Start: at, Outcome: cdr.Answered, Version: 1}
				cdrtest.Charge(t, "usage", "EUR", "0.5")(r)
				page.Records = append(page.Records, r)
			}
			_, err = feed.Commit(t.Context(), page)
			require.NoError(t, err)
			a := auditCommand{against: "export.csv"}
			var out bytes.Buffer
			export, err := a.openExport(t.Context(), new(commandConfig), &out)
			require.NoError(t, err)
			days, err := audit.Run(t.Context(), audit.Settings{
				From: day, To: day.AddDate(0, 0, 1), Ledger: l, Now: now, Note: func(string) {},
			}, audit.Feed{Spec: spec, NoAmounts: a.noAmounts, Info: &collector.FeedInfo{
				Name: "f", Interval: time.Minute, Lookback: 48 * time.Hour, Reader: export,
			}})
			if err != nil || len(days) != 1 || days[0].Counted != len(test.ids) || days[0].Missing > 0 ||
				days[0].Vanished > 0 || days[0].Changed != test.changed {
				t.Errorf("%+v, %v, %s", days, err, out.String())
			}
		})
	}
}
