package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestTables(t *testing.T) {
	plain := result{
		name: "cdr-exporter", fresh: 50_000, repeats: 200_000, reread: 100_000, clock: 12_345, peak: 99.6,
		disk: 100, totals: [moments]int{9, 9, 10, 10},
	}
	telegraf := result{name: "Telegraf", fresh: 25_000, clock: 999, peak: 50, totals: [moments]int{9, 18, 19, 0}}
	var b strings.Builder
	printTable(&b, 9, []result{plain, telegraf})
	printSizing(&b, &plain, &plain)
	printLife(&b, &settings{Life: scaledDay / 2, LifeCalls: 100_000}, []life{
		{name: "ours", exporter: 5, fresh: 10, read: 296, calls: 7, truth: 7},
		{name: "theirs", exporter: 20, database: 5, fresh: 10, read: 296, calls: 6, truth: 7},
	})
	for _, line := range []string{
		"| new rows per CPU second | 50,000 | 25,000 |",
		"| the same by the peer's | 2.00 | 1.00 |",
		"| rows read again per CPU second | 200,000 | counts them twice |",
		"| the same, the first time after a restart | 100,000 | counts them twice |",
		"| CPU seconds per million calls over their life | 163 | counts them twice |",
		"| new rows per second by the clock | 12,300 | 999 |",
		"| disk per id after the end | 100 bytes | none |",
		"| after rows came again: truth 9 | 9 | **18** |",
		"| after a restart: truth 10 | 10 | **0** |",
		"| 1,000 | under 0.1 % | under 0.1 % | 100 MB | 17 MB | 1.0 a minute |",
		"| a day of 100,000 calls | ours | theirs |",
		"| CPU seconds | 10.0 | 50.0 |",
		"| the same by the first | 1.0 | 5.0 |",
		"| of that, the database | 0.0 | 10.0 |",
		"| reads of a row | 29.6 | 29.6 |",
		"| calls at the end, of those it was given | 7 of 7 | 6 of 7 |",
		"| 10,000,000 | 2.7 % | 2.7 % | 100 MB | 4.5 GB | 206.6 a minute |",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("the line %s is missing in\n%s", line, &b)
		}
	}
}

func TestWriteTables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(file, []byte("a\n"+tablesBegin+"old\n"+tablesEnd+"b\n"), 0o600))
	require.NoError(t, writeTables(file, "| new |\n"))
	got, err := os.ReadFile(file)
	if want := "a\n" + tablesBegin + "\n| new |\n\n" + tablesEnd + "b\n"; err != nil || string(got) != want {
		t.Errorf("the page is %q, %v, want %q", got, err, want)
	}
	require.NoError(t, os.WriteFile(file, []byte("a\n"), 0o600))
	if writeTables(file, "") == nil {
		t.Error("a page without a place for tables must be an error")
	}
}
