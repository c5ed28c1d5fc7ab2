package dashboards_test

import (
	"bytes"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestFiles: the binary carries every file of the folders that users take files from,
// as it is, and no other.
func TestFiles(t *testing.T) {
	here := os.DirFS(".")
	var want []string
	for _, pattern := range []string{"grafana/*", "prometheus/*.yaml", "alertmanager/*"} {
		found, err := fs.Glob(here, pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no file matches (%v)", pattern, err)
		}
		want = append(want, found...)
	}
	var got []string
	err := fs.WalkDir(dashboards.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			got = append(got, path)
		}
		return err
	})
	require.NoError(t, err)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the binary carries %q, the folders hold %q", got, want)
	}
	for _, path := range got {
		carried, err := fs.ReadFile(dashboards.Files, path)
		require.NoError(t, err)
		held, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(carried, held) || len(held) == 0 {
			t.Errorf("%s is carried in another form than it has, or empty (%v)", path, err)
		}
	}
}
