package demo_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestOutage: the trunk fails once for each ledger that is new, in each run at the same time.
func TestOutage(t *testing.T) {
	p, err := demo.Start(demo.Settings{})
	require.NoError(t, err)
	defer p.Close()
	folder := filepath.Join(t.TempDir(), "new")
	from, to, err := p.Outage(folder)
	if err != nil || time.Until(from) < 0 || !to.After(from) {
		t.Fatalf("from %s to %s, %v", from, to, err)
	}
	older := t.TempDir()
	for _, file := range []string{filepath.Join(folder, "ledger.db"), filepath.Join(older, "ledger.db")} {
		require.NoError(t, os.WriteFile(file, nil, 0o600))
	}
	if again, end, err := p.Outage(folder); err != nil || !again.Equal(from) || !end.Equal(to) {
		t.Errorf("again from %s to %s, want %s to %s; %v", again, end, from, to, err)
	}
	if never, _, err := p.Outage(older); err != nil || !never.IsZero() {
		t.Errorf("of a ledger that had none from %s, %v", never, err)
	}
}
