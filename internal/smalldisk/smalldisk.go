// Package smalldisk mounts small file systems, for tests of full disks.
package smalldisk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Mount mounts a separate file system of the given size over a new folder. Without the
// right to mount, it runs the test again in a namespace with that right, and returns false when
// that is done.
func Mount(t *testing.T, folder string, size int) bool {
	t.Helper()
	require.NoError(t, os.Mkdir(folder, 0o700))
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size))
	const again = "CDR_TEST_IN_NAMESPACE"
	if errors.Is(err, syscall.EPERM) && os.Getenv(again) == "" {
		cmd := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", os.Args[0],
			"-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), again+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("in a new namespace: %v\n%s", err, out)
		}
		return false
	}
	if err != nil {
		t.Fatalf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return true
}
