package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/smalldisk"
)

// counting.md 29: on a disk that is really full, reading doesn't go on in the room that the reserve gave back, and
// the outbox drains there.
func TestRule29ReadingLeavesTheReserveOfAFullDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "small")
	if !smalldisk.Mount(t, folder, 80<<20) {
		return
	}
	r := openRig(t, Storage{Folder: folder})
	r.live()
	r.ledger.reserve.most = 8 << 20
	require.NoError(t, os.Remove(r.ledger.reserve.file))
	r.ledger.reserve.fill()
	junk := filepath.Join(folder, "junk")
	free, _ := r.ledger.Free()
	require.NoError(t, os.WriteFile(junk, make([]byte, free-1<<20), 0o600))
	read := func() error {
		page := counting.Page{ObservedAt: epoch}
		for range 500 {
			page.Records = append(page.Records, call(fmt.Sprint(r.count("outbox"), "/", len(page.Records))))
		}
		_, err := r.tryPage(&page)
		return err
	}
	var err error
	for err == nil {
		err = read()
	}
	if again := read(); !errors.Is(err, ErrFull) || !errors.Is(again, ErrFull) {
		t.Errorf("on a full disk: %v, then %v", err, again)
	}
	r.drain()
	require.NoError(t, os.Remove(junk))
	require.NoError(t, read())
}
