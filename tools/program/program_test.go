package program

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestInFolder: a folder stays if the work in it fails, and the error names it.
func TestInFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	failure := errors.New("it failed")
	for _, want := range []error{nil, failure} {
		var folder string
		err := InFolder("work-", func(f string) error { folder = f; return want })
		_, missing := os.Stat(folder)
		if !errors.Is(err, want) || (want == nil) != os.IsNotExist(missing) || want != nil &&
			!strings.Contains(err.Error(), folder) {
			t.Errorf("work that returns %v: %v, %v", want, err, missing)
		}
	}
}

// TestEnded: the end of a process ends a wait for it, with an error that has the end of its log.
func TestEnded(t *testing.T) {
	p, err := Start(t.TempDir(), "failing", Command(t.Context(), "sh", "-c", "echo why; exit 3"))
	require.NoError(t, err)
	err = p.Until(t.Context(), time.Hour, func() error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "failing ended by itself (exit status 3); its log ends:\nwhy\n") {
		t.Errorf("the error is %v", err)
	}
}
