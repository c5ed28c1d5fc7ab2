package files_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestPostedWithoutFiles: where a system posts its records, the folder of those that it couldn't post is empty.
func TestPostedWithoutFiles(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "failed"), 0o700))
	source, err := declaredtest.Open(folder, `provider: acmetel
parameters: {token: {secret: true}}
push: {}
files: {read: whole, format: json}
feeds:
  calls:
    record:
      id: id
      start: {path: start, time: rfc3339}
      outcome: {is: answered}
`, "token: t0ken-of-the-pbx-0123456789, calls: {}, paths: [failed/*.json]", time.Now)
	require.NoError(t, err)
	for page, err := range source.Feeds[0].Stream.Pages(t.Context(), collector.StreamPosition{Now: time.Now()}) {
		if err != nil {
			t.Errorf("%v: %v", page, err)
		}
	}
	if _, err := source.Feeds[0].Probe(t.Context()); err != nil {
		t.Errorf("check sources: %v", err)
	}
}
