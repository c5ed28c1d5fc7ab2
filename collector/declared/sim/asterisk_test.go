package sim

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestCalls: the number of calls is the number of rows in the file, also since a time before its first call.
func TestCalls(t *testing.T) {
	folder, since := t.TempDir(), time.Now().Add(-time.Hour)
	a, err := Start(folder, since)
	require.NoError(t, err)
	a.Close()
	file, err := os.ReadFile(filepath.Join(folder, "Master.csv"))
	require.NoError(t, err)
	rows := int64(bytes.Count(file, []byte("\n")))
	for _, from := range []time.Time{since, since.Add(-time.Hour)} {
		if got := a.Calls(from); got != rows || rows == 0 {
			t.Errorf("%d calls since %s, and the file has %d rows", got, from, rows)
		}
	}
}
