package laws_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestStrangers: right definitions of made-up providers with awkward habits, written from the pages
// alone, break no law. Those of real providers are tested in providers.
func TestStrangers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no definition: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel() // most of it waits
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			judged(t, string(text))
		})
	}
}

// TestFarApart: rows that are further apart than the lookback can't come late, so that isn't judged.
func TestFarApart(t *testing.T) {
	text, err := os.ReadFile("testdata/nameless.yaml")
	require.NoError(t, err)
	later := strings.NewReplacer("2026-11-23 10:10", "2026-11-28 10:10", "2026-11-22T23:10", "2026-11-27T23:10")
	verdicts := judged(t, later.Replace(string(text)))
	const want = "statement 2 of tables is too long before the newest for a lookback of 48h0m0s"
	if v := verdicts["late"]; v.State != laws.NotJudged || !strings.HasPrefix(v.Detail, want) {
		t.Errorf("late: %+v", v)
	}
}

// TestLongCalls: a call that began hours before its list's span, which is one of ends, is counted.
func TestLongCalls(t *testing.T) {
	text, err := os.ReadFile("testdata/offhook.yaml")
	require.NoError(t, err)
	longer := strings.NewReplacer("2026-11-23 10:10:00", "2026-11-23 07:10:00", "2026-11-23T10:10:00",
		"2026-11-23T07:10:00")
	judged(t, longer.Replace(string(text)))
}

// judged are the verdicts on a definition, by law. None is broken.
func judged(t *testing.T, text string) map[string]laws.Verdict {
	t.Helper()
	d, err := declared.Load("definition.yaml", []byte(text))
	require.NoError(t, err)
	verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d})
	require.NoError(t, err)
	all := make(map[string]laws.Verdict)
	for _, v := range verdicts {
		if all[v.Law] = v; v.State == laws.Broken {
			t.Errorf("%s: %s", v.Law, v.Detail)
		}
	}
	return all
}
